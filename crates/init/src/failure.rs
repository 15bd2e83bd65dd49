//! What went wrong, as it will travel: causes from the outermost in, and the errno.
//!
//! A failure is one word, made out of line: nearly every call of the image can fail, and what it
//! costs in size each container pays by its start.

use alloc::{boxed::Box, string::String, vec::Vec};
use hull_sys::Errno;

/// A failed step.
#[derive(Debug)]
pub(crate) struct Failure(Box<Story>);

#[derive(Debug, Default)]
struct Story {
    /// From the innermost out.
    causes: Vec<String>,
    errno: Option<Errno>,
}

impl Failure {
    /// A failure that the kernel did not report.
    #[cold]
    #[inline(never)]
    pub(crate) fn new(cause: &str) -> Self {
        Self(Box::default()).because(cause)
    }

    /// What the kernel said, with nothing yet that it was said to.
    #[cold]
    #[inline(never)]
    pub(crate) fn of(errno: Errno) -> Self {
        Self(Box::new(Story {
            causes: Vec::new(),
            errno: Some(errno),
        }))
    }

    /// Adds what was being done.
    #[cold]
    #[inline(never)]
    pub(crate) fn because(mut self, cause: &str) -> Self {
        self.0.causes.push(cause.into());
        self
    }

    pub(crate) fn errno(&self) -> Option<Errno> {
        self.0.errno
    }

    /// From the outermost in.
    pub(crate) fn into_causes(self) -> Vec<String> {
        let mut causes = self.0.causes;
        causes.reverse();
        causes
    }
}

impl From<Errno> for Failure {
    fn from(errno: Errno) -> Self {
        Self::of(errno)
    }
}

/// Says what was being done to what.
pub(crate) trait Context<T> {
    fn context(self, cause: &str) -> Result<T, Failure>;

    /// The same, made only on failure.
    fn with_context(self, cause: impl FnOnce() -> String) -> Result<T, Failure>;
}

impl<T, E: Into<Failure>> Context<T> for Result<T, E> {
    fn context(self, cause: &str) -> Result<T, Failure> {
        self.map_err(|error| error.into().because(cause))
    }

    fn with_context(self, cause: impl FnOnce() -> String) -> Result<T, Failure> {
        self.map_err(|error| error.into().because(&cause()))
    }
}
