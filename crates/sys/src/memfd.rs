//! Sealed memory files: the init image and the plan travel in them.

use crate::{
    Errno,
    call::check,
    fd::{AsFd, AsRawFd, OwnedFd, own},
};
use core::ffi::CStr;

const MFD_NOEXEC_SEAL: u32 = 8;
const MFD_EXEC: u32 = 16;
const F_SEAL_EXEC: i32 = 32;

/// May the file be executed?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    Program,
    Data,
}

/// A memory file with this content that can no longer change.
pub fn sealed(name: &CStr, bytes: &[u8], content: Content) -> Result<OwnedFd, Errno> {
    let file = create(name, content)?;
    crate::path::write_all(&file, bytes)?;
    if content == Content::Program {
        // Not readable by anyone: a process that runs it stays non-dumpable for unmapped ids.
        // SAFETY: the fd is ours; takes no pointer.
        check(unsafe { libc::fchmod(file.as_raw_fd(), 0o511) }.into())?;
    }
    seal(&file, content)?;
    Ok(file)
}

/// Kernels before 6.3 know neither MFD_EXEC nor MFD_NOEXEC_SEAL and refuse them with EINVAL;
/// what they make is executable.
fn create(name: &CStr, content: Content) -> Result<OwnedFd, Errno> {
    let basic = libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING;
    let kind = if content == Content::Program {
        MFD_EXEC
    } else {
        MFD_NOEXEC_SEAL
    };
    match memfd_create(name, basic | kind) {
        Err(Errno::EINVAL) => memfd_create(name, basic),
        other => other,
    }
}

fn memfd_create(name: &CStr, flags: u32) -> Result<OwnedFd, Errno> {
    // SAFETY: the name is NUL-terminated and copied by the kernel.
    check(unsafe { libc::memfd_create(name.as_ptr(), flags) }.into()).map(own)
}

fn seal(file: impl AsFd, content: Content) -> Result<(), Errno> {
    let fixed = libc::F_SEAL_SEAL | libc::F_SEAL_SHRINK | libc::F_SEAL_GROW | libc::F_SEAL_WRITE;
    let exec = if content == Content::Program {
        F_SEAL_EXEC
    } else {
        0
    };
    match add_seals(&file, fixed | exec) {
        Err(Errno::EINVAL) if exec != 0 => add_seals(&file, fixed),
        other => other,
    }
}

fn add_seals(file: impl AsFd, seals: i32) -> Result<(), Errno> {
    // SAFETY: the fd is borrowed; takes an integer.
    check(unsafe { libc::fcntl(file.as_fd().as_raw_fd(), libc::F_ADD_SEALS, seals) }.into())
        .map(drop)
}
