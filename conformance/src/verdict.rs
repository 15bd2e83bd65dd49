//! How a case speaks: `?` ends it, `ensure!` and `same` compare, `skip` says
//! what the machine lacks. Every error of a call is a failure of the case.

use std::fmt::Debug;

/// How a case ends early.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The machine or the runtime's build lacks what the case needs.
    Skip(String),
    /// The runtime does not keep the rule.
    Fail(String),
}

pub(crate) type Check<T = ()> = Result<T, Stop>;

impl<E: std::error::Error> From<E> for Stop {
    fn from(error: E) -> Self {
        Stop::Fail(error.to_string())
    }
}

/// Ends the case as failed, with what was seen.
macro_rules! fail {
    ($($words:tt)*) => { return Err($crate::verdict::Stop::Fail(format!($($words)*))) };
}
pub(crate) use fail;

/// Ends the case as failed unless the condition holds.
macro_rules! ensure {
    ($condition:expr, $($words:tt)*) => { if !$condition { $crate::verdict::fail!($($words)*) } };
}
pub(crate) use ensure;

pub(crate) fn skip<T>(reason: impl Into<String>) -> Check<T> {
    Err(Stop::Skip(reason.into()))
}

/// Fails with both values unless they are equal.
pub(crate) fn same<A: Debug + PartialEq<B>, B: Debug>(what: &str, got: A, want: B) -> Check {
    ensure!(got == want, "{what}: got {got:?}, want {want:?}");
    Ok(())
}
