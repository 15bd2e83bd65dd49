//! Paths by directory fd: opened, made, linked and owned without ever being resolved twice.

use crate::{
    Errno,
    call::check,
    fd::{AsFd, AsRawFd, CWD, OwnedFd, own},
};
use alloc::vec::Vec;
use core::ffi::CStr;

/// `struct open_how` of openat2(2).
#[repr(C)]
struct OpenHow {
    flags: u64,
    mode: u64,
    resolve: u64,
}

/// How a path is opened.
#[derive(Debug, Clone, Copy)]
pub struct Open(i32);

impl Open {
    /// A handle for use by fd only.
    pub const PATH: Self = Self(libc::O_PATH);
    pub const READ: Self = Self(libc::O_RDONLY);
    pub const WRITE: Self = Self(libc::O_WRONLY);
    pub const READ_WRITE: Self = Self(libc::O_RDWR);
    pub const CREATE: Self = Self(libc::O_CREAT);
    pub const EXCLUSIVE: Self = Self(libc::O_EXCL);
    pub const DIRECTORY: Self = Self(libc::O_DIRECTORY);
    pub const NO_FOLLOW: Self = Self(libc::O_NOFOLLOW);
    pub const NONBLOCK: Self = Self(libc::O_NONBLOCK);
    pub const NO_TTY: Self = Self(libc::O_NOCTTY);

    /// Both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// What the kernel refuses or confines while it walks a path (openat2(2)).
#[derive(Debug, Clone, Copy)]
pub struct Resolve(u64);

impl Resolve {
    /// The directory fd is `/` for the walk, symlinks and `..` included; magic links are refused.
    pub const IN_ROOT: Self = Self(libc::RESOLVE_IN_ROOT | libc::RESOLVE_NO_MAGICLINKS);
    /// Nothing above the directory fd, no symlinks, no other mount.
    pub const BENEATH: Self =
        Self(libc::RESOLVE_BENEATH | libc::RESOLVE_NO_SYMLINKS | libc::RESOLVE_NO_XDEV);
    /// As usual, but no magic links on the way.
    pub const NO_MAGIC: Self = Self(libc::RESOLVE_NO_MAGICLINKS);
    /// No symlinks at all.
    pub const NO_SYMLINKS: Self = Self(libc::RESOLVE_NO_SYMLINKS);
}

/// openat2 from a directory. EAGAIN means that the tree was renamed under the walk: retried up to
/// 128 times, so that a storm of renames neither hangs nor weakens us.
pub fn open_confined(
    directory: impl AsFd,
    path: &CStr,
    open: Open,
    resolve: Resolve,
) -> Result<OwnedFd, Errno> {
    open_how(directory.as_fd().as_raw_fd(), path, open, resolve)
}

/// openat2 from the current directory.
pub fn open_from_cwd(path: &CStr, open: Open, resolve: Resolve) -> Result<OwnedFd, Errno> {
    open_how(CWD, path, open, resolve)
}

fn open_how(directory: i32, path: &CStr, open: Open, resolve: Resolve) -> Result<OwnedFd, Errno> {
    let how = OpenHow {
        flags: u64::from((open.0 | libc::O_CLOEXEC).cast_unsigned()),
        mode: if open.0 & libc::O_CREAT == 0 {
            0
        } else {
            0o600
        },
        resolve: resolve.0,
    };
    let mut tries = 0;
    loop {
        // SAFETY: the path is NUL-terminated and `how` is a complete open_how of the given size;
        // both live across the call and the kernel keeps neither.
        let opened = unsafe {
            syscall!(
                libc::SYS_openat2,
                directory,
                path.as_ptr(),
                &raw const how,
                size_of::<OpenHow>()
            )
        };
        match opened {
            Err(Errno::EAGAIN) if tries < 128 => tries += 1,
            Err(Errno::EINTR) => {}
            other => return other.map(own),
        }
    }
}

/// openat without confinement: for the host's own paths.
pub fn open(path: &CStr, open: Open) -> Result<OwnedFd, Errno> {
    open_raw(CWD, path, open, 0)
}

/// openat from a directory without confinement: for one plain name in a directory of our own.
pub fn open_at(directory: impl AsFd, name: &CStr, open: Open) -> Result<OwnedFd, Errno> {
    open_raw(directory.as_fd().as_raw_fd(), name, open, 0)
}

/// As [`open_at`] with `Open::CREATE`: a file of exactly this mode, less the umask.
pub fn create_at(
    directory: impl AsFd,
    name: &CStr,
    open: Open,
    mode: u32,
) -> Result<OwnedFd, Errno> {
    open_raw(
        directory.as_fd().as_raw_fd(),
        name,
        open.and(Open::CREATE),
        mode,
    )
}

fn open_raw(directory: i32, path: &CStr, open: Open, mode: u32) -> Result<OwnedFd, Errno> {
    // SAFETY: the path is NUL-terminated and lives across the call; the kernel keeps no pointer.
    let fd = unsafe { libc::openat(directory, path.as_ptr(), open.0 | libc::O_CLOEXEC, mode) };
    check(fd.into()).map(own)
}

pub fn make_dir(directory: impl AsFd, name: &CStr, mode: u32) -> Result<(), Errno> {
    // SAFETY: the fd is borrowed and the name NUL-terminated for the call.
    check(unsafe { libc::mkdirat(directory.as_fd().as_raw_fd(), name.as_ptr(), mode) }.into())
        .map(drop)
}

/// Makes a device node or fifo; `mode` holds the type bits.
pub fn make_node(
    directory: impl AsFd,
    name: &CStr,
    mode: u32,
    (major, minor): (u32, u32),
) -> Result<(), Errno> {
    let device = libc::makedev(major, minor);
    // SAFETY: the fd is borrowed and the name NUL-terminated for the call.
    let status =
        unsafe { libc::mknodat(directory.as_fd().as_raw_fd(), name.as_ptr(), mode, device) };
    check(status.into()).map(drop)
}

pub fn make_symlink(target: &CStr, directory: impl AsFd, name: &CStr) -> Result<(), Errno> {
    // SAFETY: both strings are NUL-terminated and the fd is borrowed for the call.
    let status = unsafe {
        libc::symlinkat(
            target.as_ptr(),
            directory.as_fd().as_raw_fd(),
            name.as_ptr(),
        )
    };
    check(status.into()).map(drop)
}

/// The target of a symlink: of the name below the directory, or of an O_PATH fd with `c""`.
pub fn read_symlink(directory: impl AsFd, name: &CStr) -> Result<Vec<u8>, Errno> {
    let mut target = alloc::vec![0u8; 4096];
    // SAFETY: the buffer is writable for its whole length; the name is NUL-terminated.
    let length = unsafe {
        libc::readlinkat(
            directory.as_fd().as_raw_fd(),
            name.as_ptr(),
            target.as_mut_ptr().cast(),
            target.len(),
        )
    };
    let length = usize::try_from(length).map_err(|_| Errno::last())?;
    target.truncate(length);
    Ok(target)
}

/// What an unlink removes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remove {
    File,
    Directory,
}

pub fn unlink(directory: impl AsFd, name: &CStr, what: Remove) -> Result<(), Errno> {
    let flags = if what == Remove::Directory {
        libc::AT_REMOVEDIR
    } else {
        0
    };
    // SAFETY: the fd is borrowed and the name NUL-terminated for the call.
    check(unsafe { libc::unlinkat(directory.as_fd().as_raw_fd(), name.as_ptr(), flags) }.into())
        .map(drop)
}

/// Renames within one directory, over what is there.
pub fn rename(directory: impl AsFd, from: &CStr, to: &CStr) -> Result<(), Errno> {
    let directory = directory.as_fd();
    let raw = directory.as_raw_fd();
    // SAFETY: the fd is borrowed and both names NUL-terminated for the call.
    check(unsafe { libc::renameat(raw, from.as_ptr(), raw, to.as_ptr()) }.into()).map(drop)
}

/// Mode of the file of this name, never through a symlink. Kernels before 6.6 lack fchmodat2:
/// there the name is looked at first, so only a directory that nobody else can reach is safe.
pub fn set_mode(directory: impl AsFd, name: &CStr, mode: u32) -> Result<(), Errno> {
    const SYS_FCHMODAT2: libc::c_long = 452;
    let directory = directory.as_fd();
    let raw = directory.as_raw_fd();
    // SAFETY: the fd is borrowed and the name NUL-terminated; AT_SYMLINK_NOFOLLOW is the only flag.
    let changed = unsafe {
        syscall!(
            SYS_FCHMODAT2,
            raw,
            name.as_ptr(),
            mode,
            libc::AT_SYMLINK_NOFOLLOW
        )
    };
    match changed {
        Err(Errno::ENOSYS) => {}
        other => return other.map(drop),
    }
    let node = open_at(directory, name, Open::PATH.and(Open::NO_FOLLOW))?;
    if crate::stat::fstat(&node)?.is_symlink() {
        return Err(Errno::ELOOP);
    }
    // SAFETY: the fd is borrowed and the name NUL-terminated for the call.
    unsafe { syscall!(libc::SYS_fchmodat, raw, name.as_ptr(), mode) }.map(drop)
}

/// Owner of the object behind an fd (O_PATH too).
pub fn set_owner(fd: impl AsFd, uid: u32, gid: u32) -> Result<(), Errno> {
    // SAFETY: the fd is borrowed; the empty path with AT_EMPTY_PATH names the fd itself.
    let status = unsafe {
        libc::fchownat(
            fd.as_fd().as_raw_fd(),
            c"".as_ptr(),
            uid,
            gid,
            libc::AT_EMPTY_PATH,
        )
    };
    check(status.into()).map(drop)
}

pub fn change_dir(fd: impl AsFd) -> Result<(), Errno> {
    // SAFETY: the fd is borrowed for the call.
    check(unsafe { libc::fchdir(fd.as_fd().as_raw_fd()) }.into()).map(drop)
}

pub fn change_root(path: &CStr) -> Result<(), Errno> {
    // SAFETY: the path is NUL-terminated and lives across the call.
    check(unsafe { libc::chroot(path.as_ptr()) }.into()).map(drop)
}

/// The current directory as the kernel names it; `(unreachable)` in front means outside the root.
pub fn current_dir() -> Result<Vec<u8>, Errno> {
    let mut buffer = alloc::vec![0u8; 4096];
    // SAFETY: the buffer is writable for its whole length.
    let length =
        check(unsafe { libc::syscall(libc::SYS_getcwd, buffer.as_mut_ptr(), buffer.len()) })?;
    buffer.truncate(length.saturating_sub(1));
    Ok(buffer)
}

/// Reads at most `limit` bytes until end of file.
pub fn read_all(fd: impl AsFd, limit: usize) -> Result<Vec<u8>, Errno> {
    let mut content = Vec::new();
    let mut chunk = [0u8; 4096];
    while content.len() < limit {
        match read(&fd, &mut chunk)? {
            0 => break,
            count => content.extend_from_slice(chunk.get(..count).unwrap_or_default()),
        }
    }
    Ok(content)
}

/// The whole of a sealed file, whatever its offset is.
pub fn read_from_start(fd: impl AsFd) -> Result<Vec<u8>, Errno> {
    let size = usize::try_from(crate::stat::fstat(&fd)?.size).map_err(|_| Errno::EOVERFLOW)?;
    let mut content = alloc::vec![0u8; size];
    let mut done = 0;
    while let Some(rest) = content.get_mut(done..).filter(|rest| !rest.is_empty()) {
        let offset = libc::off_t::try_from(done).map_err(|_| Errno::EOVERFLOW)?;
        // SAFETY: the buffer is writable for its whole length and the fd borrowed for the call.
        let count = unsafe {
            libc::pread(
                fd.as_fd().as_raw_fd(),
                rest.as_mut_ptr().cast(),
                rest.len(),
                offset,
            )
        };
        match usize::try_from(count) {
            Ok(0) => return Err(Errno::EIO),
            Ok(count) => done += count,
            Err(_) if Errno::last().is_interrupt() => {}
            Err(_) => return Err(Errno::last()),
        }
    }
    Ok(content)
}

/// One read; an interrupt is retried.
pub fn read(fd: impl AsFd, buffer: &mut [u8]) -> Result<usize, Errno> {
    loop {
        // SAFETY: the buffer is writable for its whole length and the fd borrowed for the call.
        let count = unsafe {
            libc::read(
                fd.as_fd().as_raw_fd(),
                buffer.as_mut_ptr().cast(),
                buffer.len(),
            )
        };
        match usize::try_from(count) {
            Ok(count) => return Ok(count),
            Err(_) if Errno::last().is_interrupt() => {}
            Err(_) => return Err(Errno::last()),
        }
    }
}

/// One write of the whole text: what kernel files want.
pub fn write(fd: impl AsFd, text: &[u8]) -> Result<usize, Errno> {
    loop {
        // SAFETY: the text is readable for its whole length and the fd borrowed for the call.
        let count =
            unsafe { libc::write(fd.as_fd().as_raw_fd(), text.as_ptr().cast(), text.len()) };
        match usize::try_from(count) {
            Ok(count) => return Ok(count),
            Err(_) if Errno::last().is_interrupt() => {}
            Err(_) => return Err(Errno::last()),
        }
    }
}

/// Writes until all is written.
pub fn write_all(fd: impl AsFd, mut text: &[u8]) -> Result<(), Errno> {
    while !text.is_empty() {
        let count = write(&fd, text)?;
        if count == 0 {
            return Err(Errno::EIO);
        }
        text = text.get(count..).unwrap_or_default();
    }
    Ok(())
}

/// May this process execute what the fd names, by its effective ids?
pub fn may_execute(fd: impl AsFd) -> Result<(), Errno> {
    const SYS_FACCESSAT2: libc::c_long = 439;
    let flags = libc::AT_EMPTY_PATH | libc::AT_EACCESS;
    // SAFETY: the fd is borrowed; the empty path with AT_EMPTY_PATH names the fd itself.
    unsafe {
        syscall!(
            SYS_FACCESSAT2,
            fd.as_fd().as_raw_fd(),
            c"".as_ptr(),
            libc::X_OK,
            flags
        )
    }
    .map(drop)
}
