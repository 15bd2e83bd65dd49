//! The one report of a failed command.
//!
//! Its shape is `hull: create web: mounts[3] "/data": open source "/srv/data": permission denied`:
//! the verb and the container, then every link of the error's chain. Callers match phrases of it
//! anywhere in the line (README.md, "When something fails"). conmon takes what one read of 8191 bytes gives, so the
//! line goes out in one write and is never longer. The log gets the same text without `hull: `.

use crate::{diagnostics, output, single_line};
use std::error::Error;

/// What one read of conmon takes.
const LONGEST: usize = 8191;
const CUT: &str = " ...";

/// A command that failed, and what it was about.
#[derive(Debug)]
pub(crate) struct Failure {
    about: Option<String>,
    why: Box<dyn Error>,
}

impl Failure {
    /// `about` is the verb and its container, where there are any.
    pub(crate) fn new(about: Option<String>, why: impl Into<Box<dyn Error>>) -> Failure {
        Failure {
            about,
            why: why.into(),
        }
    }
}

/// Says it once on standard error and once in the log.
pub(crate) fn tell(failure: &Failure) {
    let message = message(failure);
    output::complain(format!("hull: {message}\n").as_bytes());
    diagnostics::record_failure(&message);
}

fn message(failure: &Failure) -> String {
    let mut links: Vec<String> = failure.about.iter().cloned().collect();
    let mut next = Some(failure.why.as_ref());
    while let Some(error) = next {
        links.push(error.to_string());
        next = error.source();
    }
    cut(single_line::of(links.join(": ").trim_end()))
}

/// At most what fits beside `hull: ` and the line end; a cut is shown.
fn cut(mut message: String) -> String {
    let room = LONGEST - "hull: \n".len();
    if message.len() > room {
        let end = (0..=room - CUT.len())
            .rev()
            .find(|at| message.is_char_boundary(*at));
        message.truncate(end.unwrap_or(0));
        message.push_str(CUT);
    }
    message
}

#[cfg(test)]
mod tests {
    use super::{Failure, LONGEST, message};

    #[derive(Debug, thiserror::Error)]
    #[error("{text}")]
    struct Link {
        text: &'static str,
        source: Option<Box<Link>>,
    }

    fn chain(texts: &[&'static str]) -> Box<Link> {
        let source = texts.get(1..).filter(|rest| !rest.is_empty()).map(chain);
        Box::new(Link {
            text: texts[0],
            source,
        })
    }

    #[test]
    fn a_report_is_the_whole_chain_in_one_line() {
        let table: [(Option<&str>, &[&'static str], &str); 4] = [
            (
                Some("create web"),
                &["mounts[3]", "open source", "permission denied"],
                "create web: mounts[3]: open source: permission denied",
            ),
            (
                Some("state web"),
                &["container does not exist"],
                "state web: container does not exist",
            ),
            (None, &["No help topic for 'x'"], "No help topic for 'x'"),
            (
                Some("run a\nb"),
                &["two\nlines\n"],
                "run a\\nb: two\\nlines",
            ),
        ];
        for (about, texts, expected) in table {
            let failure = Failure::new(about.map(str::to_owned), chain(texts));
            assert_eq!(message(&failure), expected);
        }
    }

    #[test]
    fn a_long_report_is_cut_at_a_character() {
        for unit in ["x", "é", "€", "\n"] {
            let failure = Failure::new(None, unit.repeat(10_000) + "end");
            let line = format!("hull: {}\n", message(&failure));
            assert!(line.len() <= LONGEST, "{}", line.len());
            assert!(line.len() > LONGEST - 8);
            assert!(line.ends_with(" ...\n"));
        }
    }
}
