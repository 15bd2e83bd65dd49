//! Signals: masks for the runtime, a clean slate for the payload.

use crate::{
    Errno,
    fd::{AsFd, AsRawFd, OwnedFd, own},
};
use core::mem::MaybeUninit;

/// Highest signal number of Linux.
pub const LAST: i32 = 64;

/// Every signal has its default action and none is blocked, as a payload expects of its birth. Not
/// by libc's sigaction, which keeps three signals to itself.
pub fn reset() -> Result<(), Errno> {
    for signal in 1..=LAST {
        // SIGKILL and SIGSTOP are refused, and have their default anyway.
        let _refused = set_default(signal);
    }
    set_mask(NONE)
}

/// A caller that ignores SIGCHLD has the kernel reap our children unseen.
pub(crate) fn keep_children() -> Result<(), Errno> {
    set_default(libc::SIGCHLD)
}

fn set_default(signal: i32) -> Result<(), Errno> {
    /// The kernel's sigaction, which is no larger: SIG_DFL, no flags, an empty mask.
    const DEFAULT: [u64; 4] = [0; 4];
    // SAFETY: the sigaction is complete; the old one is not asked for; the size is that of the
    // kernel's signal set.
    unsafe {
        syscall!(
            libc::SYS_rt_sigaction,
            signal,
            DEFAULT.as_ptr(),
            core::ptr::null::<u64>(),
            size_of::<Set>()
        )
    }
    .map(drop)
}

/// The kernel's signal set, a bit for each of its 64 signals. Not libc's, which leaves out those
/// that it keeps to itself: musl's SIGRTMIN is 35, the kernel's 32, glibc's callers send 34.
type Set = u64;

static NONE: Set = 0;
static ALL: Set = u64::MAX;

fn set_mask(set: Set) -> Result<(), Errno> {
    // SAFETY: the set is complete and of the given size; the old one is not asked for.
    unsafe {
        syscall!(
            libc::SYS_rt_sigprocmask,
            libc::SIG_SETMASK,
            &raw const set,
            core::ptr::null::<Set>(),
            size_of::<Set>()
        )
    }
    .map(drop)
}

/// All signals blocked, and read from an fd instead (signalfd).
pub fn block_all() -> Result<OwnedFd, Errno> {
    set_mask(ALL)?;
    // SAFETY: the set is complete and of the given size; -1 asks for a new fd.
    unsafe {
        syscall!(
            libc::SYS_signalfd4,
            -1,
            &raw const ALL,
            size_of::<Set>(),
            libc::SFD_CLOEXEC
        )
    }
    .map(own)
}

/// The next signal's number from [`block_all`]'s fd.
pub fn next(signals: impl AsFd) -> Result<i32, Errno> {
    let mut info = MaybeUninit::<libc::signalfd_siginfo>::zeroed();
    let size = size_of::<libc::signalfd_siginfo>();
    // SAFETY: the buffer is writable for one whole siginfo.
    let count = unsafe { libc::read(signals.as_fd().as_raw_fd(), info.as_mut_ptr().cast(), size) };
    match usize::try_from(count) {
        Ok(count) if count == size => {
            // SAFETY: the kernel filled the whole struct.
            let number = unsafe { info.assume_init() }.ssi_signo;
            i32::try_from(number).map_err(|_| Errno::EINVAL)
        }
        Ok(_) => Err(Errno::EIO),
        Err(_) => Err(Errno::last()),
    }
}

#[cfg(feature = "std")]
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_signal_that_can_be_blocked_is_read_in_its_turn() {
        let signals = block_all().unwrap();
        // SAFETY: takes nothing.
        let process = unsafe { libc::getpid() };
        // SAFETY: takes nothing.
        let thread = unsafe { libc::gettid() };
        let catchable = (1..=LAST).filter(|n| ![libc::SIGKILL, libc::SIGSTOP].contains(n));
        for signal in catchable {
            // SAFETY: takes integers; the signal is blocked in the thread that it is sent to.
            unsafe { syscall!(libc::SYS_tgkill, process, thread, signal) }.unwrap();
            assert_eq!(next(&signals).unwrap(), signal);
        }
        set_mask(NONE).unwrap();
    }
}
