//! One file of a kernel filesystem (cgroups, resctrl), read or written by the fd of its directory.

use hull_sys::{
    Errno,
    path::{self, Open, Resolve},
};
use std::{ffi::CString, os::fd::OwnedFd};

/// A name for the kernel; validated names have no NUL.
pub(crate) fn c_string(name: &str) -> Result<CString, Errno> {
    CString::new(name).map_err(|_| Errno::EINVAL)
}

/// Writes one file of such a directory.
pub(crate) fn write(directory: &OwnedFd, file: &str, value: &str) -> Result<(), Errno> {
    let name = c_string(file)?;
    let file = path::open_confined(directory, &name, Open::WRITE, Resolve::BENEATH)?;
    path::write(file, value.as_bytes()).map(drop)
}

/// Reads one file of the host by its path.
pub(crate) fn read_path(path: &str) -> Result<String, Errno> {
    let file = path::open(&c_string(path)?, Open::READ)?;
    Ok(String::from_utf8_lossy(&path::read_all(file, 1 << 20)?).into_owned())
}

/// Reads one file of such a directory.
pub(crate) fn read(directory: &OwnedFd, file: &str) -> Result<String, Errno> {
    let name = c_string(file)?;
    let file = path::open_confined(directory, &name, Open::READ, Resolve::BENEATH)?;
    Ok(String::from_utf8_lossy(&path::read_all(file, 1 << 20)?).into_owned())
}
