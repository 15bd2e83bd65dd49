//! What went wrong, as it will travel: causes from the outermost in, and the errno.

use alloc::{string::String, vec, vec::Vec};
use hull_sys::Errno;

/// A failed step.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) causes: Vec<String>,
    pub(crate) errno: Option<Errno>,
}

impl Failure {
    /// A failure that the kernel did not report.
    pub(crate) fn new(cause: impl Into<String>) -> Self {
        Self {
            causes: vec![cause.into()],
            errno: None,
        }
    }
}

/// Says what was being done to what.
pub(crate) trait Context<T> {
    fn context(self, cause: impl Into<String>) -> Result<T, Failure>
    where
        Self: Sized;

    /// The same, made only on failure.
    fn with_context<C: Into<String>>(self, cause: impl FnOnce() -> C) -> Result<T, Failure>
    where
        Self: Sized;
}

impl<T> Context<T> for Result<T, Errno> {
    fn context(self, cause: impl Into<String>) -> Result<T, Failure> {
        self.with_context(|| cause)
    }

    fn with_context<C: Into<String>>(self, cause: impl FnOnce() -> C) -> Result<T, Failure> {
        self.map_err(|errno| Failure {
            causes: vec![cause().into()],
            errno: Some(errno),
        })
    }
}

impl<T> Context<T> for Result<T, Failure> {
    fn context(self, cause: impl Into<String>) -> Self {
        self.with_context(|| cause)
    }

    fn with_context<C: Into<String>>(self, cause: impl FnOnce() -> C) -> Self {
        self.map_err(|mut failure| {
            failure.causes.insert(0, cause().into());
            failure
        })
    }
}
