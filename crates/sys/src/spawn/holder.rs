//! A process that is there for its namespaces alone: it waits until nobody holds it any more.

use super::clone::{Failure, clone, step, word};
use crate::{
    Errno,
    fd::{AsRawFd, OwnedFd},
    process, socket,
};
use alloc::{boxed::Box, vec};
use core::cell::UnsafeCell;

const SIGKILL: i32 = 9;

/// Dead and reaped once this is dropped; dead too once its maker is, whatever that died of.
#[derive(Debug)]
pub struct Holder {
    pid: i32,
    pidfd: OwnedFd,
    /// The only copy: the process reads the end of file where it is gone.
    _life: OwnedFd,
}

impl Holder {
    /// One in new namespaces of these kinds (CLONE_NEW* bits).
    pub fn of_new(namespaces: u32) -> Result<Self, Errno> {
        let (life, waited) = socket::seqpacket_pair()?;
        let fd = |fd: &OwnedFd| word(fd.as_raw_fd().into());
        // It has copies of both ends, so it gives up the one that would keep the other alive.
        // Nothing is ever sent, so the read needs no room.
        let steps = vec![
            step(libc::SYS_close, &[fd(&life)]),
            step(libc::SYS_read, &[fd(&waited), 0, 1]),
        ];
        // It may still walk when its maker goes on, so neither is ever freed.
        let steps = Box::leak(steps.into_boxed_slice());
        let failure = Box::leak(Box::new(Failure {
            step: UnsafeCell::new(0),
            result: UnsafeCell::new(0),
        }));
        let (pid, pidfd) = clone(namespaces, None, steps, failure)?;
        Ok(Self {
            pid,
            pidfd,
            _life: life,
        })
    }

    /// Its pid, which stays its own for as long as this is held.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.pid
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        let _dead_already = process::signal(&self.pidfd, SIGKILL);
        let _reaped = process::reap(self.pid, process::Wait::ForExit);
    }
}

#[cfg(all(test, feature = "std"))]
mod tests {
    use super::*;
    use crate::{namespace, path};
    use std::ffi::CString;

    const NEW_USER: u32 = 0x1000_0000;

    #[test]
    fn a_namespace_outlives_its_holder_and_the_holder_nobody() {
        let holder = Holder::of_new(NEW_USER).unwrap();
        let pid = holder.pid();
        let file = CString::new(format!("/proc/{pid}/ns/user")).unwrap();
        let held = path::open(&file, path::Open::READ).unwrap();
        drop(holder);
        assert_eq!(namespace::kind_of(&held), Ok(NEW_USER));
        assert_eq!(
            process::reap(pid, process::Wait::Return),
            Err(Errno::ECHILD)
        );
    }

    #[test]
    fn a_holder_ends_with_its_maker() {
        let holder = Holder::of_new(0).unwrap();
        let (pid, pidfd) = (holder.pid, holder.pidfd.try_clone().unwrap());
        // As at the end of the maker: its fds are closed, and no guard runs.
        let holder = std::mem::ManuallyDrop::new(holder);
        crate::process::replace(&holder._life, &pidfd).unwrap();
        let ending = process::reap(pid, process::Wait::ForExit).unwrap().unwrap();
        assert_eq!(ending.1, process::Ending::Exited(127));
    }
}
