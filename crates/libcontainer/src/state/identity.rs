//! Which process the container's first one is: proved before it is signalled or reported.
//!
//! A pid alone is reused. Since Linux 6.9 a pidfd's inode is unique for as long as the machine is
//! up; on older kernels the start time tells (security.md 2.1). The boot id guards both.

use hull_sys::{
    Errno,
    path::{self, Open},
    process, stat,
};
use serde::{Deserialize, Serialize};
use std::{ffi::CString, os::fd::OwnedFd};

/// The proof, as recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ProcessIdentity {
    pub(crate) pid: i32,
    /// 0 on kernels without pidfs.
    pidfd_inode: u64,
    /// Field 22 of /proc/PID/stat; 0 where the inode makes it needless.
    start_time: u64,
    boot_id: String,
}

impl ProcessIdentity {
    /// Of a process that we hold: our child, not yet reaped.
    pub(crate) fn of(pid: i32, pidfd: &OwnedFd) -> Result<Self, Errno> {
        let pidfd_inode = pidfs_inode(pidfd)?;
        let start_time = if pidfd_inode == 0 {
            start_time(pid)?
        } else {
            0
        };
        Ok(Self {
            pid,
            pidfd_inode,
            start_time,
            boot_id: boot_id()?,
        })
    }

    /// A handle of exactly that process; `None` when it is dead or was of another boot.
    pub(crate) fn find(&self) -> Result<Option<OwnedFd>, Errno> {
        if self.pid <= 0 || self.boot_id != boot_id()? {
            return Ok(None);
        }
        let pidfd = match process::open_pidfd(self.pid) {
            Err(Errno::ESRCH | Errno::EINVAL) => return Ok(None),
            other => other?,
        };
        let same = match self.pidfd_inode {
            0 => start_time(self.pid).is_ok_and(|time| time == self.start_time),
            inode => pidfs_inode(&pidfd)? == inode,
        };
        // A pidfd is readable once its process is dead, a zombie too.
        let dead = process::wait_readable(&pidfd, Some(0))?;
        Ok((same && !dead).then_some(pidfd))
    }
}

fn pidfs_inode(pidfd: &OwnedFd) -> Result<u64, Errno> {
    if stat::filesystem(pidfd)? != stat::magic::PIDFS {
        return Ok(0);
    }
    Ok(stat::fstat(pidfd)?.inode)
}

fn boot_id() -> Result<String, Errno> {
    let file = path::open(c"/proc/sys/kernel/random/boot_id", Open::READ)?;
    let text = path::read_all(file, 64)?;
    Ok(String::from_utf8_lossy(&text).trim_end().to_owned())
}

fn start_time(pid: i32) -> Result<u64, Errno> {
    let name = CString::new(format!("/proc/{pid}/stat")).map_err(|_| Errno::EINVAL)?;
    let text = path::read_all(path::open(&name, Open::READ)?, 4096)?;
    parse_start_time(&text).ok_or(Errno::EINVAL)
}

/// The comm may hold spaces and parentheses: fields are counted from the last `)`.
fn parse_start_time(stat: &[u8]) -> Option<u64> {
    let text = String::from_utf8_lossy(stat);
    let (_, fields) = text.rsplit_once(')')?;
    fields.split_ascii_whitespace().nth(19)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comm_full_of_parentheses_does_not_move_the_start_time() {
        let stat = b"7 (a) Z 1) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4242 20";
        assert_eq!(parse_start_time(stat), Some(4242));
        assert_eq!(parse_start_time(b"7 broken"), None);
    }

    #[test]
    fn this_process_is_found_and_another_boot_is_not() {
        let pid = process::own_pid();
        let identity = ProcessIdentity::of(pid, &process::open_pidfd(pid).unwrap()).unwrap();
        assert!(identity.find().unwrap().is_some());
        let stale = ProcessIdentity {
            boot_id: "another".into(),
            ..identity.clone()
        };
        assert!(stale.find().unwrap().is_none());
        let reused = ProcessIdentity {
            pidfd_inode: 1,
            ..identity
        };
        assert!(reused.find().unwrap().is_none());
    }
}
