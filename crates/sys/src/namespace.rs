//! Entering, leaving and naming namespaces.

use crate::{
    Errno,
    call::check,
    fd::{AsFd, AsRawFd},
};
use core::ffi::CStr;

const NS_GET_NSTYPE: u32 = 0xb703;

/// Joins the namespace(s) behind `fd`; `kind` is the CLONE_NEW* bit that it must be.
pub fn join(fd: impl AsFd, kind: u32) -> Result<(), Errno> {
    // SAFETY: the fd is borrowed; setns takes no pointer.
    check(unsafe { libc::setns(fd.as_fd().as_raw_fd(), kind.cast_signed()) }.into()).map(drop)
}

/// Leaves for new namespaces.
pub fn unshare(kinds: u32) -> Result<(), Errno> {
    // SAFETY: unshare takes no pointer.
    check(unsafe { libc::unshare(kinds.cast_signed()) }.into()).map(drop)
}

/// The CLONE_NEW* bit of a namespace fd; an error where the file is no namespace.
pub fn kind_of(fd: impl AsFd) -> Result<u32, Errno> {
    // SAFETY: the fd is borrowed; this ioctl takes no argument.
    let kind = unsafe { syscall!(libc::SYS_ioctl, fd.as_fd().as_raw_fd(), NS_GET_NSTYPE, 0) }?;
    u32::try_from(kind).map_err(|_| Errno::EINVAL)
}

pub fn set_hostname(name: &str) -> Result<(), Errno> {
    // SAFETY: the name is readable for its length; the kernel copies it.
    check(unsafe { libc::sethostname(name.as_ptr().cast(), name.len()) }.into()).map(drop)
}

pub fn set_domainname(name: &str) -> Result<(), Errno> {
    // SAFETY: the name is readable for its length; the kernel copies it.
    check(unsafe { libc::syscall(libc::SYS_setdomainname, name.as_ptr(), name.len()) }).map(drop)
}

/// The /proc file that fixes the clock offsets of a namespace nobody has entered.
pub const TIME_OFFSETS: &CStr = c"/proc/self/timens_offsets";
