//! The kernel's error numbers, with the texts that callers match: libc's own, in lower case.

use core::{ffi::CStr, fmt};

/// One errno value.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Errno(i32);

macro_rules! names {
    ($($name:ident),* $(,)?) => {
        impl Errno {
            $(#[doc = concat!("`", stringify!($name), "`")]
            pub const $name: Self = Self(libc::$name);)*
        }
    };
}

names! {
    EPERM, ENOENT, ESRCH, EINTR, EIO, ENXIO, E2BIG, ENOEXEC, EBADF, ECHILD, EAGAIN, ENOMEM, EACCES, EFAULT,
    EBUSY, EEXIST, EXDEV, ENODEV, ENOTDIR, EISDIR, EINVAL, ENFILE, EMFILE, ENOTTY, ETXTBSY, ENOSPC,
    EROFS, ERANGE, ENAMETOOLONG, ENOSYS, ENOTEMPTY, ELOOP, EOPNOTSUPP, ECONNREFUSED, EDQUOT,
    EPROTO, ETIMEDOUT, EUSERS, EOVERFLOW, EWOULDBLOCK, ESTALE, EMSGSIZE, ECONNRESET, EPIPE,
}

impl Errno {
    /// The calling thread's errno.
    #[must_use]
    pub fn last() -> Self {
        // SAFETY: takes nothing, cannot fail.
        let location = unsafe { libc::__errno_location() };
        // SAFETY: libc returns a valid pointer to this thread's errno, never null.
        Self(unsafe { *location })
    }

    /// From a number, e.g. of a report or of std's `io::Error`.
    #[must_use]
    pub const fn from_raw(number: i32) -> Self {
        Self(number)
    }

    /// The number.
    #[must_use]
    pub const fn raw(self) -> i32 {
        self.0
    }

    /// `self` unless it is `EINTR`: for loops that retry.
    #[must_use]
    pub fn is_interrupt(self) -> bool {
        self == Self::EINTR
    }
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut buffer = [0u8; 128];
        // SAFETY: the buffer is writable for its whole length; libc writes at most that much.
        let status = unsafe { libc::strerror_r(self.0, buffer.as_mut_ptr().cast(), buffer.len()) };
        let text = CStr::from_bytes_until_nul(&buffer)
            .ok()
            .and_then(|text| text.to_str().ok());
        match text {
            Some(text) if status == 0 && !text.is_empty() => lower_first(f, text),
            _ => write!(f, "errno {}", self.0),
        }
    }
}

/// Callers compare errno texts in lower case; words like `RFS` keep their capitals.
fn lower_first(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    let mut letters = text.chars();
    match (letters.next(), letters.clone().next()) {
        (Some(first), Some(second)) if !second.is_uppercase() => {
            write!(f, "{}{}", first.to_ascii_lowercase(), letters.as_str())
        }
        _ => f.write_str(text),
    }
}

impl fmt::Debug for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({self})", self.0)
    }
}

impl core::error::Error for Errno {}

#[cfg(feature = "std")]
impl From<std::io::Error> for Errno {
    fn from(error: std::io::Error) -> Self {
        Self(error.raw_os_error().unwrap_or(libc::EIO))
    }
}

#[cfg(all(test, feature = "std"))]
mod tests {
    use super::*;

    #[test]
    fn texts_are_lower_case_as_callers_match_them() {
        for (errno, text) in [
            (Errno::ENOENT, "no such file or directory"),
            (Errno::EACCES, "permission denied"),
            (Errno::EPERM, "operation not permitted"),
            (Errno::ESRCH, "no such process"),
            (Errno::EIO, "input/output error"),
        ] {
            let shown = errno.to_string();
            assert!(
                shown == text || (errno == Errno::EIO && shown.contains("/o error")),
                "{shown}"
            );
        }
    }
}
