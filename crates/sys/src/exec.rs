//! execve, with argument vectors whose pointers live as long as their strings.

use crate::{
    Errno,
    call::check,
    fd::{AsFd, AsRawFd},
};
use alloc::{ffi::CString, vec::Vec};
use core::{ffi::CStr, ptr};

/// A NUL-terminated vector of C strings.
#[derive(Debug)]
pub struct Strings {
    owned: Vec<CString>,
    pointers: Vec<*const libc::c_char>,
}

impl Strings {
    /// Fails with EINVAL on a NUL inside a string.
    pub fn new<'a>(strings: impl IntoIterator<Item = &'a str>) -> Result<Self, Errno> {
        let owned = strings
            .into_iter()
            .map(CString::new)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| Errno::EINVAL)?;
        let pointers = owned
            .iter()
            .map(|s| s.as_ptr())
            .chain([ptr::null()])
            .collect();
        Ok(Self { owned, pointers })
    }

    /// The strings, without the terminator.
    #[must_use]
    pub fn as_slice(&self) -> &[CString] {
        &self.owned
    }

    pub(crate) fn as_ptr(&self) -> *const *const libc::c_char {
        self.pointers.as_ptr()
    }
}

/// Replaces the process by the program at `path`; returns only on failure.
pub fn exec(path: &CStr, args: &Strings, env: &Strings) -> Errno {
    // SAFETY: the path and every string are NUL-terminated, both vectors end with a null pointer,
    // and all of them outlive the call.
    let status = unsafe { libc::execve(path.as_ptr(), args.as_ptr(), env.as_ptr()) };
    check(status.into()).err().unwrap_or(Errno::EINVAL)
}

/// Would this execve be let through (AT_EXECVE_CHECK, Linux 6.14)? EINVAL on older kernels.
pub fn check_exec(file: impl AsFd) -> Result<(), Errno> {
    const AT_EXECVE_CHECK: i32 = 0x10000;
    let none = [ptr::null::<libc::c_char>()];
    // SAFETY: the fd is borrowed; argv and envp are empty null-terminated vectors.
    unsafe {
        syscall!(
            libc::SYS_execveat,
            file.as_fd().as_raw_fd(),
            c"".as_ptr(),
            none.as_ptr(),
            none.as_ptr(),
            libc::AT_EMPTY_PATH | AT_EXECVE_CHECK
        )
    }
    .map(drop)
}
