//! `--console-socket`: connected to before anything is made, told of the pty in one message.
//!
//! The message is the pty's name with exactly one fd, its master (contracts of conmon and
//! containerd); then the connection is closed. Who does not listen costs five seconds at most.

use super::pty::Pty;
use crate::caller_socket::{self, timed_out};
use hull_sys::{
    Errno,
    fd::{AsFd, OwnedFd},
    rights,
};
use std::path::{Path, PathBuf};

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
        let connected = caller_socket::connect(path);
        let path = path.to_owned();
        match connected {
            Ok(stream) => Ok(Self { path, stream }),
            Err(source) => Err(ConsoleError::Connect { path, source }),
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
