//! Processes: sessions, attributes of the caller, pidfds.

use crate::{
    Errno,
    call::check,
    fd::{AsFd, AsRawFd, OwnedFd, own},
};
use core::{ffi::CStr, ptr};

/// Leads a new session; EPERM where the caller leads a process group already.
pub fn new_session() -> Result<(), Errno> {
    // SAFETY: takes nothing.
    check(unsafe { libc::setsid() }.into()).map(drop)
}

/// Sets the comm, which a parent can still read from a zombie.
pub fn set_name(name: &CStr) -> Result<(), Errno> {
    // SAFETY: the name is NUL-terminated; the kernel copies at most 16 bytes.
    check(unsafe { libc::prctl(libc::PR_SET_NAME, name.as_ptr()) }.into()).map(drop)
}

/// Whether other processes of the same user may look inside.
pub fn set_dumpable(dumpable: bool) -> Result<(), Errno> {
    // SAFETY: takes an integer.
    check(unsafe { libc::prctl(libc::PR_SET_DUMPABLE, libc::c_ulong::from(dumpable)) }.into())
        .map(drop)
}

/// The signal sent when the parent thread dies; 0 for none.
pub fn set_parent_death_signal(signal: i32) -> Result<(), Errno> {
    // SAFETY: takes an integer.
    check(unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, signal) }.into()).map(drop)
}

/// Orphans of descendants become our children.
pub fn set_subreaper() -> Result<(), Errno> {
    // SAFETY: takes an integer.
    check(unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1) }.into()).map(drop)
}

/// No execve grants a privilege any more.
pub fn set_no_new_privileges() -> Result<(), Errno> {
    // SAFETY: takes integers only.
    check(unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) }.into()).map(drop)
}

/// Sets the file mode mask and returns the old one.
pub fn set_umask(mask: u32) -> u32 {
    // SAFETY: takes an integer, cannot fail.
    unsafe { libc::umask(mask) }
}

/// What close_range does to the range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Range {
    Close,
    CloseOnExec,
}

/// Every fd from `first` on.
pub fn each_fd_from(first: u32, what: Range) -> Result<(), Errno> {
    let flags = if what == Range::CloseOnExec {
        libc::CLOSE_RANGE_CLOEXEC
    } else {
        0
    };
    // SAFETY: takes integers; fds with owners in this process are only marked, or the caller is
    // about to exec and drops the owners without use.
    unsafe { syscall!(libc::SYS_close_range, first, u32::MAX, flags) }.map(drop)
}

/// Lets an fd stay open across exec.
pub fn keep_over_exec(fd: impl AsFd) -> Result<(), Errno> {
    // SAFETY: the fd is borrowed; takes an integer.
    check(unsafe { libc::fcntl(fd.as_fd().as_raw_fd(), libc::F_SETFD, 0) }.into()).map(drop)
}

/// A copy of the fd whose number is at least `least`, close-on-exec. Not by libc's fcntl, which
/// makes a second call for the sake of kernels of long ago.
pub fn duplicate_above(fd: impl AsFd, least: i32) -> Result<OwnedFd, Errno> {
    // SAFETY: the fd is borrowed; takes an integer; the new fd has no other owner.
    unsafe {
        syscall!(
            libc::SYS_fcntl,
            fd.as_fd().as_raw_fd(),
            libc::F_DUPFD_CLOEXEC,
            least
        )
    }
    .map(own)
}

/// Makes the number that `replaced` owns refer to what `by` refers to; what it was is closed.
pub fn replace(replaced: impl AsFd, by: impl AsFd) -> Result<(), Errno> {
    let number = replaced.as_fd().as_raw_fd();
    // SAFETY: both fds are borrowed; the number stays open and with the same owner throughout.
    check(unsafe { libc::dup3(by.as_fd().as_raw_fd(), number, libc::O_CLOEXEC) }.into()).map(drop)
}

/// Makes fds 0, 1 and 2 refer to what this one refers to, over an exec too.
pub fn become_stdio(fd: impl AsFd) -> Result<(), Errno> {
    let source = fd.as_fd().as_raw_fd();
    for number in 0..3 {
        // SAFETY: the source is borrowed; the process as a whole owns the three numbers, and what
        // they were is closed with nobody left who borrows it.
        check(unsafe { libc::dup2(source, number) }.into())?;
    }
    Ok(())
}

/// Ends the process at once; nothing is flushed, no guard runs.
pub fn exit_now(code: u8) -> ! {
    // SAFETY: takes an integer and does not return.
    unsafe { libc::_exit(code.into()) }
}

/// A handle of the process with this pid.
pub fn open_pidfd(pid: i32) -> Result<OwnedFd, Errno> {
    // SAFETY: takes integers.
    unsafe { syscall!(libc::SYS_pidfd_open, pid, 0) }.map(own)
}

/// Sends a signal through a pidfd.
pub fn signal(pidfd: impl AsFd, signal: i32) -> Result<(), Errno> {
    // SAFETY: the fd is borrowed; a null siginfo asks for the usual one.
    unsafe {
        syscall!(
            libc::SYS_pidfd_send_signal,
            pidfd.as_fd().as_raw_fd(),
            signal,
            ptr::null::<libc::c_void>(),
            0
        )
    }
    .map(drop)
}

/// A copy of the fd with this number in another process; needs the right to trace it.
pub fn copy_fd(pidfd: impl AsFd, number: i32) -> Result<OwnedFd, Errno> {
    // SAFETY: the pidfd is borrowed; the rest are integers.
    unsafe { syscall!(libc::SYS_pidfd_getfd, pidfd.as_fd().as_raw_fd(), number, 0) }.map(own)
}

/// How a child ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    Exited(u8),
    Signalled(i32),
}

/// Takes a child's ending by pid; `None` while it lives.
pub fn reap(pid: i32, wait: Wait) -> Result<Option<(i32, Ending)>, Errno> {
    let mut status = 0;
    let flags = if wait == Wait::Return {
        libc::WNOHANG
    } else {
        0
    };
    loop {
        // SAFETY: the status word is writable.
        match check(unsafe { libc::waitpid(pid, &raw mut status, flags) }.into()) {
            Ok(0) => return Ok(None),
            Ok(child) => {
                let child = i32::try_from(child).map_err(|_| Errno::EOVERFLOW)?;
                return Ok(Some((child, ending(status))));
            }
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno),
        }
    }
}

/// Whether [`reap`] sleeps until the child ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    ForExit,
    Return,
}

fn ending(status: i32) -> Ending {
    if libc::WIFSIGNALED(status) {
        Ending::Signalled(libc::WTERMSIG(status))
    } else {
        Ending::Exited(u8::try_from(libc::WEXITSTATUS(status)).unwrap_or(u8::MAX))
    }
}

/// Sets one resource limit of a process.
pub fn set_rlimit(pid: i32, resource: u32, soft: u64, hard: u64) -> Result<(), Errno> {
    let limit = libc::rlimit64 {
        rlim_cur: soft,
        rlim_max: hard,
    };
    // SAFETY: the new limit is a complete struct; the old one is not asked for.
    unsafe {
        syscall!(
            libc::SYS_prlimit64,
            pid,
            resource,
            &raw const limit,
            ptr::null::<libc::rlimit64>()
        )
    }
    .map(drop)
}

/// How many fds this process may have open (RLIMIT_NOFILE).
pub fn most_open_files() -> Result<u64, Errno> {
    let mut limit = libc::rlimit64 {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: no new limit is set; there is room for the old one.
    unsafe {
        syscall!(
            libc::SYS_prlimit64,
            0,
            libc::RLIMIT_NOFILE,
            ptr::null::<libc::rlimit64>(),
            &raw mut limit
        )
    }
    .map(|_| limit.rlim_cur)
}

/// The calling process's pid.
#[must_use]
pub fn own_pid() -> i32 {
    // SAFETY: takes nothing, cannot fail.
    unsafe { libc::getpid() }
}

/// Seconds and nanoseconds since the epoch.
#[must_use]
pub fn wall_clock() -> (i64, u32) {
    let mut now = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the struct is writable; CLOCK_REALTIME always exists.
    unsafe { libc::clock_gettime(libc::CLOCK_REALTIME, &raw mut now) };
    (now.tv_sec, u32::try_from(now.tv_nsec).unwrap_or(0))
}

/// Waits until a kernel file tells of a change (POLLPRI); false when the time is over.
pub fn wait_changed(fd: impl AsFd, timeout_ms: i32) -> Result<bool, Errno> {
    let mut entry = libc::pollfd {
        fd: fd.as_fd().as_raw_fd(),
        events: libc::POLLPRI,
        revents: 0,
    };
    // SAFETY: one complete pollfd, writable for the call.
    let ready = unsafe { libc::poll(&raw mut entry, 1, timeout_ms) };
    check(ready.into()).map(|count| count > 0)
}

/// Polls one fd for reading or hang-up; `None` waits for ever. True when something is there.
pub fn wait_readable(fd: impl AsFd, timeout_ms: Option<i32>) -> Result<bool, Errno> {
    let mut entry = libc::pollfd {
        fd: fd.as_fd().as_raw_fd(),
        events: libc::POLLIN,
        revents: 0,
    };
    // SAFETY: one complete pollfd, writable for the call.
    let ready = unsafe { libc::poll(&raw mut entry, 1, timeout_ms.unwrap_or(-1)) };
    match check(ready.into()) {
        Ok(count) => Ok(count > 0),
        Err(errno) => Err(errno),
    }
}
