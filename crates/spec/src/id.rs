//! Which names a container may have: the name is also a directory of the state root, a part of
//! the cgroup path and of the keyring's name, so its letters are few and it starts with no dot.
//! Whether the name is taken is decided by whoever makes the directory.

use std::fmt;

const LONGEST: usize = 255;

/// A checked container name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContainerId(String);

/// Why a name is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// No letter at all.
    #[error("container id cannot be empty")]
    Empty,
    /// A letter outside of `[A-Za-z0-9_+.-]`, a leading dot, or more than 255 bytes.
    #[error("invalid container ID format")]
    Format,
}

impl ContainerId {
    /// Checks `name`.
    pub fn new(name: &str) -> Result<Self, IdError> {
        if name.is_empty() {
            return Err(IdError::Empty);
        }
        let fits = name.len() <= LONGEST && !name.starts_with('.') && name.bytes().all(is_letter);
        fits.then(|| Self(name.to_owned())).ok_or(IdError::Format)
    }

    /// The name itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ContainerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for ContainerId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'+' | b'.' | b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_few_letters_and_no_leading_dot() {
        let longest = "a".repeat(LONGEST);
        for name in ["a", "0", "web-1", "a.b_c+d", "-x", "_", "+", &longest] {
            assert_eq!(ContainerId::new(name).unwrap().as_str(), name);
        }
        let too_long = "a".repeat(LONGEST + 1);
        for name in [
            ".", "..", ".a", "a/b", "a b", "é", "a\0", "a\n", "a:b", &too_long,
        ] {
            assert_eq!(ContainerId::new(name), Err(IdError::Format), "{name:?}");
        }
        assert_eq!(ContainerId::new(""), Err(IdError::Empty));
    }

    #[test]
    fn the_phrases_are_those_that_callers_match() {
        assert_eq!(IdError::Empty.to_string(), "container id cannot be empty");
        assert_eq!(IdError::Format.to_string(), "invalid container ID format");
    }
}
