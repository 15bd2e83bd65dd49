//! Waiting for several fds at once, and fds that never make their reader wait.

use crate::{
    Errno,
    call::check,
    fd::{AsFd, AsRawFd, BorrowedFd},
};

/// What is waited for on one fd.
#[derive(Debug, Clone, Copy)]
pub struct Interest<'fd> {
    /// `None`: not waited for.
    pub fd: Option<BorrowedFd<'fd>>,
    pub read: bool,
    pub write: bool,
}

impl<'fd> Interest<'fd> {
    /// Something to read there.
    #[must_use]
    pub const fn reading(fd: BorrowedFd<'fd>) -> Self {
        Self {
            fd: Some(fd),
            read: true,
            write: false,
        }
    }
}

/// What came of one interest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Readiness {
    /// There is something to read, or the end.
    pub read: bool,
    /// A write does not wait, or fails at once.
    pub write: bool,
}

/// Waits until one of them is ready; an interrupt is retried.
pub fn wait<const N: usize>(interests: [Interest<'_>; N]) -> Result<[Readiness; N], Errno> {
    let mut entries = interests.map(entry);
    let count = libc::nfds_t::try_from(N).map_err(|_| Errno::EINVAL)?;
    loop {
        // SAFETY: `entries` are N complete pollfds, writable for the call; their fds are borrowed
        // by `interests` for longer than that.
        match check(unsafe { libc::poll(entries.as_mut_ptr(), count, -1) }.into()) {
            Ok(_) => break,
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    let over = libc::POLLERR | libc::POLLHUP | libc::POLLNVAL;
    Ok(entries.map(|entry| Readiness {
        read: entry.events & libc::POLLIN != 0 && entry.revents & (libc::POLLIN | over) != 0,
        write: entry.events & libc::POLLOUT != 0 && entry.revents & (libc::POLLOUT | over) != 0,
    }))
}

/// An fd without interest is left out, so that its hang-up does not wake us again and again.
fn entry(interest: Interest<'_>) -> libc::pollfd {
    let read = if interest.read { libc::POLLIN } else { 0 };
    let write = if interest.write { libc::POLLOUT } else { 0 };
    let events = read | write;
    let fd = interest.fd.filter(|_| events != 0);
    libc::pollfd {
        fd: fd.map_or(-1, |fd| fd.as_raw_fd()),
        events,
        revents: 0,
    }
}

/// Reads and writes of this open file return EAGAIN in place of waiting, for all who share it.
pub fn never_wait(fd: impl AsFd) -> Result<(), Errno> {
    let raw = fd.as_fd().as_raw_fd();
    // SAFETY: the fd is borrowed; takes no pointer.
    let flags = unsafe { libc::fcntl(raw, libc::F_GETFL) };
    check(flags.into())?;
    // SAFETY: the fd is borrowed; takes an integer.
    check(unsafe { libc::fcntl(raw, libc::F_SETFL, flags | libc::O_NONBLOCK) }.into()).map(drop)
}
