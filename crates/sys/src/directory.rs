//! The names in a directory, by fd.

use crate::{
    Errno,
    fd::{AsFd, AsRawFd},
};
use alloc::{ffi::CString, vec::Vec};
use core::ffi::CStr;

/// Offset of `d_reclen` and `d_name` in `struct linux_dirent64`.
const LENGTH_AT: usize = 16;
const NAME_AT: usize = 19;

/// Every name but `.` and `..`; the fd must be open for reading, at its start.
pub fn names(directory: impl AsFd) -> Result<Vec<CString>, Errno> {
    let mut names = Vec::new();
    let mut buffer = alloc::vec![0u8; 32 * 1024];
    loop {
        // SAFETY: the buffer is writable for its whole length and the fd borrowed for the call.
        let count = unsafe {
            syscall!(
                libc::SYS_getdents64,
                directory.as_fd().as_raw_fd(),
                buffer.as_mut_ptr(),
                buffer.len()
            )
        }?;
        if count == 0 {
            return Ok(names);
        }
        collect(buffer.get(..count).unwrap_or_default(), &mut names);
    }
}

fn collect(mut records: &[u8], names: &mut Vec<CString>) {
    while let Some(&[low, high]) = records.get(LENGTH_AT..NAME_AT - 1) {
        let length = usize::from(u16::from_ne_bytes([low, high]));
        let Some(record) = records.get(NAME_AT..length) else {
            return;
        };
        if let Ok(name) = CStr::from_bytes_until_nul(record)
            && name != c"."
            && name != c".."
        {
            names.push(name.into());
        }
        records = records.get(length..).unwrap_or_default();
    }
}
