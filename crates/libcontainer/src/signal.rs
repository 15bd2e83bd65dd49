//! Signals by number or name, as callers of `kill` write them.

use nix::sys::signal::Signal as Named;
use std::str::FromStr;

/// Real-time signals as the kernel numbers them; the C libraries keep the first two or three.
const FIRST_REAL_TIME: i32 = 34;
const LAST: i32 = 64;

/// One signal's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signal(i32);

/// Not a signal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown signal {0:?}")]
pub struct SignalError(String);

impl Signal {
    pub const TERM: Self = Self(15);
    pub const KILL: Self = Self(9);

    /// `9`, `KILL`, `SIGKILL`, in any case, and `RTMIN+n`, `RTMAX-n`; 0 only asks whether there
    /// is a process, as kill(2) has it.
    pub fn parse(text: &str) -> Result<Self, SignalError> {
        let unknown = || SignalError(text.to_owned());
        if let Ok(number) = text.parse::<i32>() {
            return if (0..=LAST).contains(&number) {
                Ok(Self(number))
            } else {
                Err(unknown())
            };
        }
        let upper = text.to_ascii_uppercase();
        let short = upper.strip_prefix("SIG").unwrap_or(&upper);
        if let Some(number) = real_time(short) {
            return Ok(Self(number));
        }
        let full = ["SIG", short].concat();
        Named::from_str(&full)
            .map(|named| Self(named as i32))
            .map_err(|_| unknown())
    }

    /// The number.
    #[must_use]
    pub const fn number(self) -> i32 {
        self.0
    }
}

fn real_time(name: &str) -> Option<i32> {
    let (base, rest) = match (name.strip_prefix("RTMIN"), name.strip_prefix("RTMAX")) {
        (Some(rest), _) => (FIRST_REAL_TIME, rest),
        (_, Some(rest)) => (LAST, rest),
        _ => return None,
    };
    let offset = if rest.is_empty() {
        0
    } else {
        rest.parse::<i32>().ok()?
    };
    let signed = rest.is_empty() || rest.starts_with(['+', '-']);
    let number = base.checked_add(offset)?;
    (signed && (FIRST_REAL_TIME..=LAST).contains(&number)).then_some(number)
}

/// The name for messages, `SIGKILL`, or the number.
pub(crate) fn name(number: i32) -> String {
    Named::try_from(number).map_or_else(|_| format!("signal {number}"), |named| named.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_are_known_by_number_and_by_name_in_any_case() {
        for (text, number) in [
            ("9", Some(9)),
            ("KILL", Some(9)),
            ("sigkill", Some(9)),
            ("Term", Some(15)),
            ("RTMIN", Some(34)),
            ("SIGRTMIN+3", Some(37)),
            ("RTMAX-1", Some(63)),
            ("64", Some(64)),
            ("0", Some(0)),
            ("65", None),
            ("-9", None),
            ("RTMIN3", None),
            ("RTMAX+1", None),
            ("SIGNOTHING", None),
            ("", None),
        ] {
            assert_eq!(
                Signal::parse(text).ok().map(Signal::number),
                number,
                "{text}"
            );
        }
        assert_eq!(
            Signal::parse("FOO").unwrap_err().to_string(),
            "unknown signal \"FOO\""
        );
    }
}
