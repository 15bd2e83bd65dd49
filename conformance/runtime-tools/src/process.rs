//! Processes held by pidfd and awaited with a deadline, and the children of
//! this one: under a subreaper, also all that a program left behind.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, OwnedFd};
use rustix::process::{Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, pidfd_open, pidfd_send_signal, waitid};
use std::fs;
use std::process::Child;
use std::time::{Duration, Instant};

/// A child that is held by pidfd. Its number cannot come to mean another: only we reap it.
#[derive(Debug)]
pub(crate) struct Handle {
    pub(crate) pid: i32,
    fd: OwnedFd,
}

impl Handle {
    pub(crate) fn of(child: &Child) -> Result<Self, String> {
        let pid = i32::try_from(child.id()).map_err(|error| error.to_string())?;
        Self::open(pid).ok_or_else(|| format!("process {pid} cannot be held"))
    }

    fn open(pid: i32) -> Option<Self> {
        let fd = pidfd_open(Pid::from_raw(pid)?, PidfdFlags::empty()).ok()?;
        Some(Self { pid, fd })
    }

    /// True once the process has ended, waiting at most for `limit`.
    pub(crate) fn ends_within(&self, limit: Duration) -> bool {
        let until = Instant::now() + limit;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let seconds = i64::try_from(left.as_secs()).unwrap_or(i64::MAX);
            let timeout = Timespec { tv_sec: seconds, tv_nsec: i64::from(left.subsec_nanos()) };
            match poll(&mut [PollFd::new(&self.fd, PollFlags::IN)], Some(&timeout)) {
                Ok(ready) => return ready > 0,
                Err(rustix::io::Errno::INTR) => {}
                Err(_) => return false,
            }
        }
    }

    pub(crate) fn kill(&self) {
        // One that has just ended needs no signal.
        pidfd_send_signal(&self.fd, Signal::KILL).unwrap_or_default();
    }

    pub(crate) fn reap(&self) {
        // One that is still alive, or already reaped, has nothing to collect.
        waitid(WaitId::PidFd(self.fd.as_fd()), WaitIdOptions::EXITED | WaitIdOptions::NOHANG)
            .map(drop)
            .unwrap_or_default();
    }
}

/// The children of this process that are still alive after `grace`; ended ones are reaped.
pub(crate) fn living_children(grace: Duration) -> Vec<Handle> {
    let until = Instant::now() + grace;
    let mut handles: Vec<Handle> = own_children().into_iter().filter_map(Handle::open).collect();
    handles.retain(|handle| {
        let ended = handle.ends_within(until.saturating_duration_since(Instant::now()));
        if ended {
            handle.reap();
        }
        !ended
    });
    handles
}

/// Kills the children of this process, and theirs, which become ours as their parents end.
/// What is alive after `limit` cannot be killed now, such as one that is frozen by others.
pub(crate) fn kill_descendants(limit: Duration) {
    let until = Instant::now() + limit;
    while Instant::now() < until {
        let handles: Vec<Handle> = own_children().into_iter().filter_map(Handle::open).collect();
        if handles.is_empty() {
            return;
        }
        handles.iter().for_each(Handle::kill);
        for handle in handles {
            handle.ends_within(until.saturating_duration_since(Instant::now()).min(Duration::from_secs(1)));
            handle.reap();
        }
    }
}

fn own_children() -> Vec<i32> {
    let me = std::process::id().to_string();
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid: &i32| parent_of(*pid).as_deref() == Some(me.as_str())).collect()
}

fn parent_of(pid: i32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold spaces; the parent is the second field after it.
    stat.rsplit_once(") ")?.1.split(' ').nth(1).map(str::to_owned)
}

pub(crate) fn command_line(pid: i32) -> String {
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let line = String::from_utf8_lossy(&line).replace('\0', " ");
    if line.trim().is_empty() {
        return fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default().trim().to_owned();
    }
    line.trim().to_owned()
}
