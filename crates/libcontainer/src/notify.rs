//! NOTIFY_SOCKET: the payload tells that it is ready, and our caller's service manager is told on.
//!
//! The container gets a socket of its own, since the manager's may be out of its reach and trusts
//! our caller, not the payload: of all that the payload says only its readiness is passed on
//! (sd_notify(3)). What the manager cannot be told is a warning; the payload runs all the same.

use crate::{
    caller_socket,
    state::{Entry, StoreError},
};
use hull_sys::{
    Errno,
    fd::{AsFd, BorrowedFd, OwnedFd},
    poll::{self, Interest},
    process, rights, socket,
};
use std::path::{Path, PathBuf};

/// What the manager has to read before the wait for its acknowledgement is given up.
const PATIENCE_MS: i32 = 30_000;
/// Longer than any message of a payload that means us.
const LONGEST: usize = 4096;

/// Waits for the payload's word.
#[derive(Debug)]
pub(crate) struct Readiness {
    socket: OwnedFd,
    manager: PathBuf,
}

/// Who the manager takes for its service's main process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Main {
    /// The container's first process, from now on.
    Payload(i32),
    /// This process, which stays.
    Caller,
}

impl Readiness {
    /// Listens in the container's directory; without a word of its create there is no place.
    pub(crate) fn listen(entry: &Entry, manager: &Path) -> Result<Option<Self>, StoreError> {
        let socket = entry.bind_notify_socket()?;
        let manager = manager.to_owned();
        Ok(socket.map(|socket| Self { socket, manager }))
    }

    pub(crate) fn socket(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// Takes the message that is there: is it the one?
    pub(crate) fn hears(&self) -> bool {
        let mut message = [0; LONGEST];
        match socket::receive(&self.socket, &mut message) {
            Ok(length) => is_ready(message.get(..length).unwrap_or_default()),
            Err(errno) => {
                log::debug!("NOTIFY_SOCKET: {errno}");
                false
            }
        }
    }

    /// Until the payload is ready, or ended.
    pub(crate) fn wait(self, pid: i32, pidfd: &OwnedFd) {
        loop {
            let ends = [self.socket(), pidfd.as_fd()].map(Interest::reading);
            match poll::wait(ends) {
                Ok([message, _]) if message.read => {
                    if self.hears() {
                        return self.pass_on(Main::Payload(pid));
                    }
                }
                Ok(_) => return,
                Err(errno) => return log::warn!("wait for the payload's readiness: {errno}"),
            }
        }
    }

    /// Tells the manager.
    pub(crate) fn pass_on(self, main: Main) {
        log::debug!("payload: ready");
        if let Err(errno) = self.tell(main) {
            log::warn!("tell {} of it: {errno}", self.manager.display());
        }
    }

    fn tell(&self, main: Main) -> Result<(), Errno> {
        let manager = caller_socket::connect_datagrams(&self.manager)?;
        socket::send(&manager, b"READY=1")?;
        if let Main::Payload(pid) = main {
            socket::send(&manager, format!("MAINPID={pid}").as_bytes())?;
        }
        await_barrier(&manager)
    }
}

/// sd_notify_barrier(3): the manager closes what we send along once it has read all before it. It
/// could not ask a process that is gone who that was.
fn await_barrier(manager: &OwnedFd) -> Result<(), Errno> {
    let (ours, theirs) = socket::seqpacket_pair()?;
    rights::send(manager, b"BARRIER=1", theirs.as_fd())?;
    drop(theirs);
    match process::wait_readable(&ours, Some(PATIENCE_MS))? {
        true => Ok(()),
        false => Err(Errno::ETIMEDOUT),
    }
}

/// A line of it says so.
fn is_ready(message: &[u8]) -> bool {
    let mut lines = message.split(|byte| *byte == b'\n');
    lines.any(|line| line == b"READY=1")
}

#[cfg(test)]
mod tests {
    use super::is_ready;

    #[test]
    fn a_line_among_others_says_it() {
        for (message, ready) in [
            (&b"READY=1"[..], true),
            (b"STATUS=up\nREADY=1\n", true),
            (b"READY=0", false),
            (b"STATUS=READY=1", false),
            (b"", false),
        ] {
            assert_eq!(is_ready(message), ready, "{message:?}");
        }
    }
}
