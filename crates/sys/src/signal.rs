//! Signals: masks for the runtime, a clean slate for the payload.

use crate::{
    Errno,
    call::check,
    fd::{AsFd, AsRawFd, OwnedFd, own},
};
use core::mem::MaybeUninit;

/// Highest signal number of Linux.
pub const LAST: i32 = 64;

/// Every signal has its default action and none is blocked, as a payload expects of its birth.
pub fn reset() -> Result<(), Errno> {
    // SAFETY: an all-zero sigaction is SIG_DFL with no flags and an empty mask.
    let default: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
    for signal in 1..=LAST {
        // SIGKILL, SIGSTOP and libc's own two are refused, and have their default anyway.
        // SAFETY: `default` is a complete sigaction; the old one is not asked for.
        let _refused =
            unsafe { libc::sigaction(signal, &raw const default, core::ptr::null_mut()) };
    }
    set_mask(&empty())
}

fn empty() -> libc::sigset_t {
    let mut set = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: sigemptyset writes the whole set.
    unsafe { libc::sigemptyset(set.as_mut_ptr()) };
    // SAFETY: initialised by the call above.
    unsafe { set.assume_init() }
}

fn set_mask(set: &libc::sigset_t) -> Result<(), Errno> {
    // SAFETY: the set is complete; the old one is not asked for.
    check(unsafe { libc::sigprocmask(libc::SIG_SETMASK, set, core::ptr::null_mut()) }.into())
        .map(drop)
}

/// All signals blocked, and read from an fd instead (signalfd).
pub fn block_all() -> Result<OwnedFd, Errno> {
    let mut set = empty();
    // SAFETY: sigfillset writes the whole set.
    unsafe { libc::sigfillset(&raw mut set) };
    set_mask(&set)?;
    // SAFETY: the set is complete; -1 asks for a new fd.
    check(unsafe { libc::signalfd(-1, &raw const set, libc::SFD_CLOEXEC) }.into()).map(own)
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
