//! The few libc calls that std does not offer, each behind a safe function.
//!
//! All other files of the probe are free of `unsafe`. Errors are
//! `io::Error`, so that a step can report the errno by name.

use std::ffi::CString;
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

fn check(rc: i64) -> io::Result<i64> {
    if rc == -1 { Err(io::Error::last_os_error()) } else { Ok(rc) }
}

fn c_path(path: &Path) -> io::Result<CString> {
    CString::new(path.as_os_str().as_bytes()).map_err(|_| io::Error::from_raw_os_error(libc::EINVAL))
}

pub(crate) fn syscall(number: libc::c_long, args: [i64; 4]) -> io::Result<i64> {
    // SAFETY: callers pass plain numbers or pointers from `c_path` strings that outlive the call.
    check(unsafe { libc::syscall(number, args[0], args[1], args[2], args[3]) })
}

pub(crate) fn mknod(path: &Path, mode: u32, major: u32, minor: u32) -> io::Result<()> {
    let path = c_path(path)?;
    // SAFETY: the path is NUL-terminated and lives through the call.
    check(i64::from(unsafe { libc::mknod(path.as_ptr(), mode, libc::makedev(major, minor)) })).map(drop)
}

pub(crate) fn mount(source: &str, target: &Path, fstype: &str) -> io::Result<()> {
    let (source, fstype) = (CString::new(source)?, CString::new(fstype)?);
    let target = c_path(target)?;
    // SAFETY: three NUL-terminated strings that live through the call; no data pointer.
    let rc = unsafe { libc::mount(source.as_ptr(), target.as_ptr(), fstype.as_ptr(), 0, std::ptr::null()) };
    check(i64::from(rc)).map(drop)
}

pub(crate) fn remount_bind(target: &Path, flags: u64) -> io::Result<()> {
    let target = c_path(target)?;
    let none = std::ptr::null();
    // SAFETY: the target is NUL-terminated; the other pointers are null, as a remount allows.
    let rc = unsafe { libc::mount(none, target.as_ptr(), none, libc::MS_REMOUNT | libc::MS_BIND | flags, none.cast()) };
    check(i64::from(rc)).map(drop)
}

pub(crate) fn xattr(path: &Path, name: &str) -> io::Result<Vec<u8>> {
    let (path, name) = (c_path(path)?, c_path(Path::new(name))?);
    let mut value = vec![0; 256];
    // SAFETY: both strings are NUL-terminated, and the buffer has room for what is said.
    let length = unsafe { libc::getxattr(path.as_ptr(), name.as_ptr(), value.as_mut_ptr().cast(), value.len()) };
    value.truncate(usize::try_from(check(length as i64)?).unwrap_or_default());
    Ok(value)
}

pub(crate) fn umount(target: &Path) -> io::Result<()> {
    let target = c_path(target)?;
    // SAFETY: the path is NUL-terminated and lives through the call.
    check(i64::from(unsafe { libc::umount2(target.as_ptr(), 0) })).map(drop)
}

/// Forks a child that blocks for ever; the parent gets its pid.
pub(crate) fn fork_sleeper() -> io::Result<i32> {
    // SAFETY: the probe has one thread; the child only pauses and exits.
    let pid = check(i64::from(unsafe { libc::fork() }))?;
    if pid == 0 {
        loop {
            // SAFETY: takes no argument.
            unsafe { libc::pause() };
        }
    }
    Ok(pid as i32)
}

/// A child of a child that has ended: pauses for ever, and whoever reaps for its kind is its parent.
pub(crate) fn fork_orphan() -> io::Result<i32> {
    let (reader, writer) = io::pipe()?;
    // SAFETY: the probe has one thread; the child forks once more, writes a pid and exits.
    let pid = check(i64::from(unsafe { libc::fork() }))? as i32;
    if pid == 0 {
        let told = fork_sleeper().map(|orphan| (&writer).write_all(&orphan.to_ne_bytes()));
        // SAFETY: nothing of the parent's is to be run or flushed here.
        unsafe { libc::_exit(i32::from(told.is_err())) }
    }
    wait(pid)?;
    let mut orphan = [0; 4];
    (&reader).read_exact(&mut orphan)?;
    Ok(i32::from_ne_bytes(orphan))
}

pub(crate) fn kill(pid: i32, signal: i32) -> io::Result<()> {
    // SAFETY: plain numbers.
    check(i64::from(unsafe { libc::kill(pid, signal) })).map(drop)
}

pub(crate) fn wait(pid: i32) -> io::Result<i32> {
    let mut status = 0;
    // SAFETY: `status` is a valid out pointer for the length of the call.
    check(i64::from(unsafe { libc::waitpid(pid, &raw mut status, 0) }))?;
    Ok(status)
}

pub(crate) fn pause() {
    // SAFETY: takes no argument.
    unsafe { libc::pause() };
}

static EXIT_CODES: [std::sync::atomic::AtomicI32; 65] = [const { std::sync::atomic::AtomicI32::new(-1) }; 65];

extern "C" fn leave(signal: libc::c_int) {
    let code = EXIT_CODES[signal as usize].load(std::sync::atomic::Ordering::Relaxed);
    // SAFETY: _exit is async-signal-safe.
    unsafe { libc::_exit(code) }
}

/// From now on `signal` ends the probe with exit code `code`.
pub(crate) fn exit_on(signal: i32, code: i32) -> io::Result<()> {
    EXIT_CODES[signal as usize].store(code, std::sync::atomic::Ordering::Relaxed);
    // SAFETY: the handler is async-signal-safe and lives for ever.
    let previous = unsafe { libc::signal(signal, leave as *const () as libc::sighandler_t) };
    if previous == libc::SIG_ERR { Err(io::Error::last_os_error()) } else { Ok(()) }
}

pub(crate) fn ignore(signal: i32) -> io::Result<()> {
    // SAFETY: SIG_IGN is no handler of ours.
    let previous = unsafe { libc::signal(signal, libc::SIG_IGN) };
    if previous == libc::SIG_ERR { Err(io::Error::last_os_error()) } else { Ok(()) }
}

fn set_of(signals: &[i32]) -> libc::sigset_t {
    // SAFETY: sigset_t is plain bits; sigemptyset initialises it before any use.
    let mut set: libc::sigset_t = unsafe { std::mem::zeroed() };
    // SAFETY: `set` is a valid sigset_t.
    unsafe { libc::sigemptyset(&raw mut set) };
    for signal in signals {
        // SAFETY: `set` is initialised.
        unsafe { libc::sigaddset(&raw mut set, *signal) };
    }
    set
}

pub(crate) fn block(signals: &[i32]) -> io::Result<()> {
    let set = set_of(signals);
    // SAFETY: the set is initialised; the old mask is not asked for.
    check(i64::from(unsafe { libc::sigprocmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut()) })).map(drop)
}

pub(crate) fn next_signal(signals: &[i32]) -> io::Result<i32> {
    let set = set_of(signals);
    // SAFETY: the set is initialised; siginfo may be null.
    check(i64::from(unsafe { libc::sigwaitinfo(&raw const set, std::ptr::null_mut()) })).map(|signal| signal as i32)
}

pub(crate) fn rlimit(resource: u32) -> io::Result<(u64, u64)> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is a valid out pointer for the length of the call.
    check(i64::from(unsafe { libc::getrlimit(resource as _, &raw mut limit) }))?;
    Ok((limit.rlim_cur, limit.rlim_max))
}

pub(crate) fn limit_descriptors(most: u64) -> io::Result<()> {
    let limit = libc::rlimit { rlim_cur: most, rlim_max: most };
    // SAFETY: `limit` is valid for the length of the call.
    check(i64::from(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) })).map(drop)
}

/// Exchanges what two paths name, in one step.
pub(crate) fn exchange(a: &Path, b: &Path) -> io::Result<()> {
    let (a, b) = (c_path(a)?, c_path(b)?);
    let here = i64::from(libc::AT_FDCWD);
    // SAFETY: both paths are NUL-terminated and live through the call; the kernel keeps neither.
    let rc = unsafe { libc::syscall(libc::SYS_renameat2, here, a.as_ptr(), here, b.as_ptr(), libc::RENAME_EXCHANGE) };
    check(rc).map(drop)
}

/// Attaches to a process as a debugger; `look` is called meanwhile.
pub(crate) fn while_traced<T>(pid: i32, look: impl FnOnce() -> T) -> io::Result<T> {
    let none = std::ptr::null_mut::<libc::c_void>();
    // Seized and not attached to: a SIGSTOP would outlive the attack.
    // SAFETY: PTRACE_SEIZE takes options in the place of the data pointer: none.
    check(unsafe { libc::ptrace(libc::PTRACE_SEIZE, pid, none, none) })?;
    let seen = look();
    // SAFETY: PTRACE_INTERRUPT reads neither pointer.
    check(unsafe { libc::ptrace(libc::PTRACE_INTERRUPT, pid, none, none) })?;
    let status = wait(pid)?;
    // What stopped it instead is handed on, so that the attack changes nothing.
    let group_or_event = status >> 16 != 0 || !libc::WIFSTOPPED(status);
    let signal = if group_or_event { 0 } else { libc::WSTOPSIG(status) };
    let signal = std::ptr::without_provenance_mut::<libc::c_void>(signal as usize);
    // SAFETY: PTRACE_DETACH takes the signal to deliver in the place of the data pointer.
    check(unsafe { libc::ptrace(libc::PTRACE_DETACH, pid, none, signal) })?;
    Ok(seen)
}

/// A copy of another process's descriptor 0, closed at once.
pub(crate) fn steal_descriptor(pid: i32) -> io::Result<()> {
    let pidfd = syscall(libc::SYS_pidfd_open, [i64::from(pid), 0, 0, 0])?;
    let stolen = syscall(libc::SYS_pidfd_getfd, [pidfd, 0, 0, 0]);
    close(pidfd as i32);
    stolen.map(|fd| close(fd as i32))
}

/// From here on, and in all that this process becomes, the filter holds.
pub(crate) fn install_filter(program: &[libc::sock_filter]) -> io::Result<()> {
    let len = u16::try_from(program.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    let filter = libc::sock_fprog { len, filter: program.as_ptr().cast_mut() };
    // SAFETY: `filter` describes the slice; the kernel copies both and writes neither.
    let rc = unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, 0, &raw const filter) };
    check(rc).map(drop)
}

pub(crate) fn umask() -> u32 {
    // SAFETY: plain numbers; the second call restores what the first changed.
    unsafe {
        let mask = libc::umask(0);
        libc::umask(mask);
        mask
    }
}

pub(crate) fn set_umask(mask: u32) {
    // SAFETY: plain number.
    unsafe { libc::umask(mask) };
}

pub(crate) fn set_groups(groups: &[u32]) -> io::Result<()> {
    // SAFETY: pointer and length describe the slice, which outlives the call.
    check(i64::from(unsafe { libc::setgroups(groups.len() as _, groups.as_ptr()) })).map(drop)
}

pub(crate) fn set_uid(uid: u32) -> io::Result<()> {
    // SAFETY: plain number.
    check(i64::from(unsafe { libc::setuid(uid) })).map(drop)
}

pub(crate) fn set_gid(gid: u32) -> io::Result<()> {
    // SAFETY: plain number.
    check(i64::from(unsafe { libc::setgid(gid) })).map(drop)
}

/// Makes descriptor `wanted` a copy of `fd` that survives exec.
pub(crate) fn place_fd(fd: i32, wanted: i32) -> io::Result<()> {
    if fd == wanted {
        // SAFETY: plain numbers.
        return check(i64::from(unsafe { libc::fcntl(fd, libc::F_SETFD, 0) })).map(drop);
    }
    // SAFETY: plain numbers.
    check(i64::from(unsafe { libc::dup2(fd, wanted) })).map(drop)
}

pub(crate) fn close(fd: i32) {
    // SAFETY: plain number; the caller owns this descriptor.
    unsafe { libc::close(fd) };
}

pub(crate) fn session_of_self() -> (i32, i32) {
    // SAFETY: plain numbers.
    unsafe { (libc::getsid(0), libc::getpgid(0)) }
}

pub(crate) fn is_terminal(fd: i32) -> bool {
    // SAFETY: plain number.
    unsafe { libc::isatty(fd) == 1 }
}

pub(crate) fn window_size(fd: i32) -> io::Result<(u16, u16)> {
    let mut size = libc::winsize { ws_row: 0, ws_col: 0, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: TIOCGWINSZ fills the winsize behind the pointer.
    check(i64::from(unsafe { libc::ioctl(fd, libc::TIOCGWINSZ as _, &raw mut size) }))?;
    Ok((size.ws_row, size.ws_col))
}

pub(crate) fn push_terminal_input(fd: i32, byte: u8) -> io::Result<()> {
    // SAFETY: TIOCSTI reads one byte behind the pointer.
    check(i64::from(unsafe { libc::ioctl(fd, libc::TIOCSTI as _, &raw const byte) })).map(drop)
}

/// The words of struct sched_attr (sched_setattr(2)), its size first.
pub(crate) fn scheduler() -> io::Result<[u32; 12]> {
    let mut attributes = [0_u32; 12];
    let size = std::mem::size_of_val(&attributes);
    // SAFETY: the kernel writes at most `size` bytes of the array.
    check(unsafe { libc::syscall(libc::SYS_sched_getattr, 0, attributes.as_mut_ptr(), size, 0) })?;
    Ok(attributes)
}

/// All network interfaces: name, flag word, addresses as text.
pub(crate) fn interfaces() -> io::Result<Vec<(String, u32, Option<String>)>> {
    let mut list: *mut libc::ifaddrs = std::ptr::null_mut();
    // SAFETY: `list` is a valid out pointer.
    check(i64::from(unsafe { libc::getifaddrs(&raw mut list) }))?;
    let mut found = Vec::new();
    let mut at = list;
    while !at.is_null() {
        // SAFETY: `at` is a node of the list that getifaddrs made, not yet freed.
        let entry = unsafe { &*at };
        // SAFETY: ifa_name is a NUL-terminated string owned by the list.
        let name = unsafe { std::ffi::CStr::from_ptr(entry.ifa_name) }.to_string_lossy().into_owned();
        found.push((name, entry.ifa_flags, ipv4_of(entry)));
        at = entry.ifa_next;
    }
    // SAFETY: `list` came from getifaddrs and is freed once.
    unsafe { libc::freeifaddrs(list) };
    Ok(found)
}

fn ipv4_of(entry: &libc::ifaddrs) -> Option<String> {
    if entry.ifa_addr.is_null() {
        return None;
    }
    // SAFETY: not null, and every sockaddr begins with its family.
    if i32::from(unsafe { (*entry.ifa_addr).sa_family }) != libc::AF_INET {
        return None;
    }
    // SAFETY: AF_INET says that the address is a sockaddr_in.
    let address = unsafe { *(entry.ifa_addr.cast::<libc::sockaddr_in>()) };
    Some(std::net::Ipv4Addr::from(u32::from_be(address.sin_addr.s_addr)).to_string())
}
