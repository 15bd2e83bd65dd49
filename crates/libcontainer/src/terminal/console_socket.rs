//! `--console-socket`: connected to before anything is made, told of the pty in one message.
//!
//! The message is the pty's name with exactly one fd, its master (contracts of conmon and
//! containerd); then the connection is closed. Who does not listen costs five seconds at most.

use super::pty::Pty;
use hull_sys::{
    Errno,
    fd::{AsFd, AsRawFd, OwnedFd},
    path::{self, Open},
    rights, socket,
};
use std::{
    ffi::CString,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

/// Seconds that the other side has for each step.
const PATIENCE: u8 = 5;
/// What sun_path holds beside its NUL.
const LONGEST: usize = 107;

/// The terminal does not reach the caller.
#[derive(Debug, thiserror::Error)]
pub enum ConsoleError {
    #[error("connect to console socket {}", path.display())]
    Connect { path: PathBuf, source: Errno },
    #[error("send the terminal over console socket {}", path.display())]
    Send { path: PathBuf, source: Errno },
}

/// A connection that waits for its one message.
#[derive(Debug)]
pub(crate) struct ConsoleSocket {
    path: PathBuf,
    stream: OwnedFd,
}

impl ConsoleSocket {
    /// Connects.
    pub(crate) fn connect(path: &Path) -> Result<Self, ConsoleError> {
        let connected = if path.as_os_str().len() > LONGEST {
            connect_from_its_directory(path)
        } else {
            socket::connect_stream(path.as_os_str().as_bytes(), PATIENCE)
        };
        let path = path.to_owned();
        match connected {
            Ok(stream) => Ok(Self { path, stream }),
            Err(errno) => Err(ConsoleError::Connect {
                path,
                source: timed_out(errno),
            }),
        }
    }

    /// Sends the master; the connection stays with the caller of this until it is dropped.
    pub(crate) fn send(&self, pty: &Pty) -> Result<(), ConsoleError> {
        rights::send(&self.stream, pty.name().as_bytes(), pty.master.as_fd()).map_err(|errno| {
            ConsoleError::Send {
                path: self.path.clone(),
                source: timed_out(errno),
            }
        })
    }
}

/// A path that sun_path has no room for, by an fd of its directory.
fn connect_from_its_directory(path: &Path) -> Result<OwnedFd, Errno> {
    let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(Errno::ENAMETOOLONG);
    };
    let directory = CString::new(directory.as_os_str().as_bytes()).map_err(|_| Errno::EINVAL)?;
    let directory = path::open(&directory, Open::PATH.and(Open::DIRECTORY))?;
    let mut short = format!("/proc/self/fd/{}/", directory.as_raw_fd()).into_bytes();
    short.extend_from_slice(name.as_bytes());
    socket::connect_stream(&short, PATIENCE)
}

/// The kernel says EAGAIN when the time of the socket is over.
fn timed_out(errno: Errno) -> Errno {
    if errno == Errno::EAGAIN {
        Errno::ETIMEDOUT
    } else {
        errno
    }
}
