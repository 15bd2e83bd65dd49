//! The operating system's reason in the words that callers match: lower case, without a number.

use std::io;

/// The last link in the chain of an error of the CLI's own.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Reason(String);

impl Reason {
    /// `No such file or directory (os error 2)` becomes `no such file or directory`.
    pub(crate) fn of(error: &io::Error) -> Reason {
        let text = error.to_string();
        let text = text.split(" (os error ").next().unwrap_or(&text);
        let (first, rest) = text.split_at(text.chars().next().map_or(0, char::len_utf8));
        Reason(first.to_lowercase() + rest)
    }
}

impl From<io::Error> for Reason {
    fn from(error: io::Error) -> Reason {
        Reason::of(&error)
    }
}

#[cfg(test)]
mod tests {
    use super::Reason;
    use std::io::Error;

    #[test]
    fn an_errno_reads_as_callers_know_it() {
        let table = [
            (2, "no such file or directory"),
            (13, "permission denied"),
            (1, "operation not permitted"),
            (20, "not a directory"),
            (21, "is a directory"),
        ];
        for (errno, text) in table {
            assert_eq!(
                Reason::of(&Error::from_raw_os_error(errno)).to_string(),
                text
            );
        }
        assert_eq!(Reason::of(&Error::other("")).to_string(), "");
    }
}
