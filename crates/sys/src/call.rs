//! One macro for raw syscalls: every argument becomes a machine word, -1 becomes an [`Errno`].

use crate::Errno;

/// Turns the return value of a libc call into a result.
pub(crate) fn check(value: libc::c_long) -> Result<usize, Errno> {
    usize::try_from(value).map_err(|_| Errno::last())
}

/// `syscall!(SYS_x, a, b)`: an `unsafe` expression for the caller to justify.
macro_rules! syscall {
    ($number:expr $(, $argument:expr)* $(,)?) => {
        $crate::call::check(libc::syscall($number $(, $argument)*))
    };
}
