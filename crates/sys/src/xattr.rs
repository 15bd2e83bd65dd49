//! Extended attributes, by fd.

use crate::{
    Errno,
    fd::{AsFd, AsRawFd},
};
use alloc::{ffi::CString, vec::Vec};
use core::{ffi::CStr, ptr};

/// The names of all that the caller may see.
pub fn names(file: impl AsFd) -> Result<Vec<CString>, Errno> {
    let fd = file.as_fd().as_raw_fd();
    let list = whole(|buffer, room| {
        // SAFETY: the fd is borrowed; `whole` gives a buffer with this much room, or null and none.
        unsafe { syscall!(libc::SYS_flistxattr, fd, buffer, room) }
    })?;
    let names = list
        .split(|byte| *byte == 0)
        .filter(|name| !name.is_empty());
    Ok(names.filter_map(|name| CString::new(name).ok()).collect())
}

/// The value of one.
pub fn value(file: impl AsFd, name: &CStr) -> Result<Vec<u8>, Errno> {
    let fd = file.as_fd().as_raw_fd();
    whole(|buffer, room| {
        // SAFETY: as above; the name is NUL-terminated and lives across the call.
        unsafe { syscall!(libc::SYS_fgetxattr, fd, name.as_ptr(), buffer, room) }
    })
}

/// Gives one a value.
pub fn set(file: impl AsFd, name: &CStr, value: &[u8]) -> Result<(), Errno> {
    // SAFETY: the fd is borrowed, the name NUL-terminated, the value readable for its length.
    unsafe {
        syscall!(
            libc::SYS_fsetxattr,
            file.as_fd().as_raw_fd(),
            name.as_ptr(),
            value.as_ptr(),
            value.len(),
            0
        )
    }
    .map(drop)
}

/// Asks for the size first, as the kernel does not cut.
fn whole(read: impl Fn(*mut u8, usize) -> Result<usize, Errno>) -> Result<Vec<u8>, Errno> {
    let mut buffer = alloc::vec![0u8; read(ptr::null_mut(), 0)?];
    if !buffer.is_empty() {
        let length = read(buffer.as_mut_ptr(), buffer.len())?;
        buffer.truncate(length);
    }
    Ok(buffer)
}

#[cfg(all(test, feature = "std"))]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_is_listed_and_read() {
        let file = crate::memfd::sealed(c"xattr", b"", crate::memfd::Content::Data).unwrap();
        // What lacks user attributes, as memory files long did, has no list either.
        match set(&file, c"user.colour", b"blue\0") {
            Ok(()) => {
                assert!(names(&file).unwrap().contains(&c"user.colour".into()));
                assert_eq!(value(&file, c"user.colour").unwrap(), b"blue\0");
            }
            Err(errno) => assert!(matches!(errno, Errno::EOPNOTSUPP | Errno::EPERM), "{errno}"),
        }
        assert_eq!(
            value(&file, c"user.shape"),
            Err(value(&file, c"user.size").unwrap_err())
        );
    }
}
