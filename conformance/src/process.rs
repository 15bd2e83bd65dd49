//! Waiting for processes without sleeping: pidfds, with a deadline on each
//! wait, and the list of a process's own children for the leak oracle.

use crate::verdict::{Check, Stop};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::process::{Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, pidfd_open, pidfd_send_signal, waitid};
use std::fs;
use std::time::{Duration, Instant};

/// Longer than anything takes on a loaded machine; reaching it is a failure.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// A process held by pidfd, so that its number cannot come to mean another.
#[derive(Debug)]
pub(crate) struct Handle {
    pub(crate) pid: i32,
    fd: OwnedFd,
}

impl Handle {
    pub(crate) fn open(pid: i32) -> Check<Self> {
        let number = Pid::from_raw(pid).ok_or_else(|| Stop::Fail(format!("{pid} is no pid")))?;
        let fd =
            pidfd_open(number, PidfdFlags::empty()).map_err(|error| Stop::Fail(format!("process {pid}: {error}")))?;
        Ok(Self { pid, fd })
    }

    /// True once the process has ended, waiting at most until the deadline.
    pub(crate) fn ends_within(&self, limit: Duration) -> bool {
        readable_within(&self.fd, limit)
    }

    /// True once the process has ended or `other` can be read.
    pub(crate) fn ends_or_readable(&self, other: &impl AsFd, limit: Duration) -> bool {
        any_readable_within(&[self.fd.as_fd(), other.as_fd()], limit)
    }

    pub(crate) fn is_alive(&self) -> bool {
        !self.ends_within(Duration::ZERO)
    }

    pub(crate) fn signal(&self, signal: Signal) -> Check {
        pidfd_send_signal(&self.fd, signal).map_err(|error| Stop::Fail(format!("signal process {}: {error}", self.pid)))
    }

    /// Stops a child of ours; returns when it has come to rest.
    pub(crate) fn stop(&self) -> Check {
        self.signal(Signal::STOP)?;
        waitid(WaitId::PidFd(self.fd.as_fd()), WaitIdOptions::STOPPED).map(drop).map_err(Stop::from)
    }

    /// Waits until a child of ours is stopped, by whomever; false once it has ended instead.
    pub(crate) fn comes_to_rest(&self) -> Check<bool> {
        let options = WaitIdOptions::STOPPED | WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        let status = waitid(WaitId::PidFd(self.fd.as_fd()), options).map_err(Stop::from)?;
        Ok(status.is_some_and(|status| status.stopped()))
    }

    /// Collects the process if it is a zombie child of ours: its exit code or 128+signal.
    pub(crate) fn reap(&self) -> Option<i32> {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
        let status = waitid(WaitId::PidFd(self.fd.as_fd()), options).ok()??;
        status.exit_status().or_else(|| status.terminating_signal().map(|signal| 128 + signal))
    }
}

/// SIGKILL when dropped, for a process that nobody else may know any more.
#[derive(Debug)]
pub(crate) struct KillAtEnd<'h>(pub(crate) &'h Handle);

impl Drop for KillAtEnd<'_> {
    fn drop(&mut self) {
        self.0.signal(Signal::KILL).unwrap_or_default();
    }
}

/// Waits until `fd` can be read (a pidfd: has ended; a socket: has a connection).
pub(crate) fn readable_within(fd: &impl AsFd, limit: Duration) -> bool {
    any_readable_within(&[fd.as_fd()], limit)
}

fn any_readable_within(watched: &[BorrowedFd], limit: Duration) -> bool {
    let until = Instant::now() + limit;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let timeout =
            Timespec { tv_sec: i64::try_from(left.as_secs()).unwrap_or(60), tv_nsec: i64::from(left.subsec_nanos()) };
        let mut fds: Vec<PollFd> = watched.iter().map(|fd| PollFd::new(fd, PollFlags::IN)).collect();
        match poll(&mut fds, Some(&timeout)) {
            Ok(0) => return false,
            Ok(_) => return true,
            Err(rustix::io::Errno::INTR) => {}
            Err(_) => return false,
        }
    }
}

/// The processes whose parent is this one: under a subreaper, all that was left behind.
pub(crate) fn own_children() -> Vec<i32> {
    let me = std::process::id().to_string();
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid: &i32| parent_of(*pid).as_deref() == Some(me.as_str())).collect()
}

pub(crate) fn parent_of(pid: i32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold spaces; the parent is the second field after it.
    stat.rsplit_once(") ")?.1.split(' ').nth(1).map(str::to_owned)
}

pub(crate) fn command_line(pid: i32) -> String {
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    format!("{} [{}]", name.trim(), String::from_utf8_lossy(&line).replace('\0', " ").trim())
}
