//! Extended attributes, by fd.

use crate::{
    Errno,
    call::check,
    fd::{AsFd, AsRawFd},
};
use core::ffi::CStr;

/// Sets one on the open file; an O_PATH fd will not do (EBADF).
pub fn set(fd: impl AsFd, name: &CStr, value: &[u8]) -> Result<(), Errno> {
    // SAFETY: the fd is borrowed, the name NUL-terminated, and the value readable for its whole
    // length; the kernel copies both.
    let status = unsafe {
        libc::fsetxattr(
            fd.as_fd().as_raw_fd(),
            name.as_ptr(),
            value.as_ptr().cast(),
            value.len(),
            0,
        )
    };
    check(status.into()).map(drop)
}
