//! What one program has to account for: its tests, and itself as a whole if
//! its output or its end cannot be believed.

use crate::line::Directive;
use crate::tap::{Document, Point};
use std::fmt;
use std::time::Duration;

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Status(i32),
    Signal(i32),
    /// It was ended, because it took longer than this.
    Deadline(Duration),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mark {
    Passed,
    Failed,
    Skipped(String),
    /// The program itself expects this failure.
    Todo(String),
    /// gaps.toml expects this failure.
    Gap(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Assertion {
    pub(crate) description: String,
    pub(crate) mark: Mark,
    pub(crate) notes: Vec<String>,
}

#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) assertions: Vec<Assertion>,
    /// Every test of the program came; none can be missing.
    pub(crate) complete: bool,
}

impl Account {
    pub(crate) fn of(document: Document, ending: Ending) -> Self {
        let verdict = verdict_on_the_whole(&document, ending);
        let complete = verdict.is_none();
        let mut assertions: Vec<Assertion> = document.points.into_iter().zip(1..).map(Assertion::from).collect();
        match (verdict, document.skipped) {
            (Some(problem), _) => assertions.push(Assertion::failed(problem)),
            (None, Some(reason)) => assertions.push(Assertion {
                description: "the whole program".to_owned(),
                mark: Mark::Skipped(reason),
                notes: Vec::new(),
            }),
            (None, None) => {}
        }
        Self { assertions, complete }
    }

    pub(crate) fn count(&self, counts: impl Fn(&Mark) -> bool) -> usize {
        self.assertions.iter().filter(|assertion| counts(&assertion.mark)).count()
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.count(|mark| *mark == Mark::Failed) > 0
    }

    pub(crate) fn is_skipped(&self) -> bool {
        self.count(|mark| !matches!(mark, Mark::Skipped(_))) == 0
    }
}

/// A deadline or a signal explains whatever is missing. An exit status does not count when the
/// program already said by a test that it fails.
fn verdict_on_the_whole(document: &Document, ending: Ending) -> Option<String> {
    let says_so = document.points.iter().any(|point| !point.test.ok && point.test.directive == Directive::None);
    match ending {
        Ending::Deadline(_) | Ending::Signal(_) => Some(ending.to_string()),
        Ending::Status(0) if document.problems.is_empty() => None,
        Ending::Status(0) => Some(document.problems.join("; ")),
        Ending::Status(_) if document.problems.is_empty() && says_so => None,
        Ending::Status(_) => {
            let problems = document.problems.iter().cloned();
            Some(problems.chain([ending.to_string()]).collect::<Vec<_>>().join("; "))
        }
    }
}

impl Assertion {
    pub(crate) fn failed(description: String) -> Self {
        Self { description, mark: Mark::Failed, notes: Vec::new() }
    }
}

impl From<(Point, usize)> for Assertion {
    fn from((Point { test, notes }, position): (Point, usize)) -> Self {
        let mark = match (test.ok, test.directive) {
            (_, Directive::Skip(reason)) => Mark::Skipped(reason),
            (true, _) => Mark::Passed,
            (false, Directive::Todo(reason)) => Mark::Todo(reason),
            (false, Directive::None) => Mark::Failed,
        };
        // A skipped test of these programs has a reason only.
        let description = if test.description.is_empty() { format!("test {position}") } else { test.description };
        Self { description, mark, notes }
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "exit status {status}"),
            Self::Signal(signal) => write!(f, "ended by signal {signal}"),
            Self::Deadline(limit) => write!(f, "did not end within {} s", limit.as_secs()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Account, Ending, Mark};
    use crate::tap::Document;
    use std::time::Duration;

    fn account(text: &str, ending: Ending) -> Account {
        Account::of(Document::read(text), ending)
    }

    fn failures(text: &str, ending: Ending) -> Vec<String> {
        let failed = account(text, ending).assertions.into_iter().filter(|assertion| assertion.mark == Mark::Failed);
        failed.map(|assertion| assertion.description).collect()
    }

    #[test]
    fn a_test_is_marked_by_its_verdict_and_directive() {
        let text = "1..6\nok 1\nnot ok 2\nok 3 # SKIP a\nnot ok 4 # SKIP b\nnot ok 5 # TODO c\nok 6 # TODO d\n";
        let marks: Vec<Mark> =
            account(text, Ending::Status(0)).assertions.into_iter().map(|assertion| assertion.mark).collect();
        let skipped = |reason: &str| Mark::Skipped(reason.to_owned());
        let todo = Mark::Todo("c".to_owned());
        assert_eq!(marks, [Mark::Passed, Mark::Failed, skipped("a"), skipped("b"), todo, Mark::Passed]);
    }

    #[test]
    fn the_end_of_a_program_can_be_a_failure() {
        let (good, bad) = ("1..1\nok 1\n", "1..1\nnot ok 1 - a\n");
        let late = Ending::Deadline(Duration::from_secs(9));
        let table = [
            (good, Ending::Status(0), vec![]),
            (good, Ending::Status(1), vec!["exit status 1"]),
            (good, Ending::Signal(11), vec!["ended by signal 11"]),
            (good, late, vec!["did not end within 9 s"]),
            (bad, Ending::Status(0), vec!["a"]),
            (bad, Ending::Status(1), vec!["a"]),
            ("ok 1\n", Ending::Status(0), vec!["no plan: 1 tests came"]),
            ("ok 1\n", Ending::Status(2), vec!["no plan: 1 tests came; exit status 2"]),
            ("ok 1\n", late, vec!["did not end within 9 s"]),
            ("not ok 1 - a\n", Ending::Status(1), vec!["a", "no plan: 1 tests came; exit status 1"]),
            ("", Ending::Status(1), vec!["output without TAP; exit status 1"]),
            ("not ok 1 # TODO x\n1..1\n", Ending::Status(1), vec!["exit status 1"]),
            ("1..0 # SKIP x\n", Ending::Status(1), vec!["exit status 1"]),
        ];
        for (text, ending, expected) in table {
            assert_eq!(failures(text, ending), expected, "{text} {ending}");
        }
    }

    #[test]
    fn a_program_is_skipped_when_all_of_it_is() {
        assert!(account("1..0 # SKIP no root\n", Ending::Status(0)).is_skipped());
        assert!(account("1..1\nok 1 # SKIP no root\n", Ending::Status(0)).is_skipped());
        assert!(!account("1..2\nok 1 # SKIP no root\nok 2\n", Ending::Status(0)).is_skipped());
        assert!(!account("1..0 # SKIP no root\n", Ending::Status(3)).is_skipped());
    }
}
