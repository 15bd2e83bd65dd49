//! Connecting to a socket that the caller listens on: `--console-socket`, a seccomp agent, a
//! service manager.
//!
//! Who listens but does not accept, or does not read, costs five seconds at most.

use hull_sys::{
    Errno,
    fd::{AsRawFd, OwnedFd},
    path::{self, Open},
    socket,
};
use std::{ffi::CString, os::unix::ffi::OsStrExt, path::Path};

/// Seconds that the other side has for each step.
const PATIENCE: u8 = 5;
/// What sun_path holds beside its NUL.
const LONGEST: usize = 107;

type Connect = fn(&[u8], u8) -> Result<OwnedFd, Errno>;

/// A stream, by a path of any length.
pub(crate) fn connect(path: &Path) -> Result<OwnedFd, Errno> {
    connect_by(path, socket::connect_stream)
}

/// The same for datagrams; a name behind `@` is that of an abstract socket (sd_notify(3)).
pub(crate) fn connect_datagrams(path: &Path) -> Result<OwnedFd, Errno> {
    match path.as_os_str().as_bytes().split_first() {
        Some((b'@', name)) => socket::connect_datagrams(&[b"\0", name].concat(), PATIENCE),
        _ => connect_by(path, socket::connect_datagrams),
    }
}

fn connect_by(path: &Path, connect: Connect) -> Result<OwnedFd, Errno> {
    let connected = if path.as_os_str().len() > LONGEST {
        connect_from_its_directory(path, connect)
    } else {
        connect(path.as_os_str().as_bytes(), PATIENCE)
    };
    connected.map_err(timed_out)
}

/// A path that sun_path has no room for, by an fd of its directory.
fn connect_from_its_directory(path: &Path, connect: Connect) -> Result<OwnedFd, Errno> {
    let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(Errno::ENAMETOOLONG);
    };
    let directory = CString::new(directory.as_os_str().as_bytes()).map_err(|_| Errno::EINVAL)?;
    let directory = path::open(&directory, Open::PATH.and(Open::DIRECTORY))?;
    let mut short = format!("/proc/self/fd/{}/", directory.as_raw_fd()).into_bytes();
    short.extend_from_slice(name.as_bytes());
    connect(&short, PATIENCE)
}

/// The kernel says EAGAIN when the time of the socket is over.
pub(crate) fn timed_out(errno: Errno) -> Errno {
    if errno == Errno::EAGAIN {
        Errno::ETIMEDOUT
    } else {
        errno
    }
}
