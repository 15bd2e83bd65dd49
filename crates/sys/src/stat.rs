//! What an fd refers to: type, device numbers, identity, filesystem.

use crate::{
    Errno,
    call::check,
    fd::{AsFd, AsRawFd},
};
use core::mem::MaybeUninit;

/// The few facts of `stat` that hull asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    pub device: u64,
    pub inode: u64,
    pub mode: u32,
    pub links: u64,
    pub uid: u32,
    pub gid: u32,
    /// Numbers of the device that a node stands for.
    pub rdev: u64,
    pub size: u64,
}

impl Stat {
    #[must_use]
    pub fn is_dir(&self) -> bool {
        self.mode & libc::S_IFMT == libc::S_IFDIR
    }

    #[must_use]
    pub fn is_symlink(&self) -> bool {
        self.mode & libc::S_IFMT == libc::S_IFLNK
    }

    #[must_use]
    pub fn is_regular(&self) -> bool {
        self.mode & libc::S_IFMT == libc::S_IFREG
    }

    /// Major and minor when this is a character device.
    #[must_use]
    pub fn char_device(&self) -> Option<(u32, u32)> {
        (self.mode & libc::S_IFMT == libc::S_IFCHR).then(|| split_device(self.rdev))
    }

    /// Major and minor when this is a block device.
    #[must_use]
    pub fn block_device(&self) -> Option<(u32, u32)> {
        (self.mode & libc::S_IFMT == libc::S_IFBLK).then(|| split_device(self.rdev))
    }

    #[must_use]
    pub fn is_fifo(&self) -> bool {
        self.mode & libc::S_IFMT == libc::S_IFIFO
    }
}

/// The kernel's 12-bit major and 20-bit minor, in libc's encoding.
#[must_use]
pub fn split_device(device: u64) -> (u32, u32) {
    let device = libc::dev_t::from(device);
    (libc::major(device), libc::minor(device))
}

/// Facts about the object behind an fd, O_PATH ones included.
pub fn fstat(fd: impl AsFd) -> Result<Stat, Errno> {
    let mut stat = MaybeUninit::<libc::stat>::uninit();
    // SAFETY: the fd is borrowed for the call; the kernel fills the whole struct on success.
    let status = unsafe { libc::fstat(fd.as_fd().as_raw_fd(), stat.as_mut_ptr()) };
    check(status.into())?;
    // SAFETY: fstat succeeded, so every field was written.
    let stat = unsafe { stat.assume_init() };
    Ok(Stat {
        device: stat.st_dev,
        inode: stat.st_ino,
        mode: stat.st_mode,
        links: widen(stat.st_nlink),
        uid: stat.st_uid,
        gid: stat.st_gid,
        rdev: stat.st_rdev,
        size: u64::try_from(stat.st_size).unwrap_or(0),
    })
}

/// `nlink_t` is u64 on x86_64 and u32 on aarch64.
fn widen(links: impl Into<u64>) -> u64 {
    links.into()
}

/// Filesystem magic numbers, as in linux/magic.h.
pub mod magic {
    pub const PROC: u64 = 0x9fa0;
    pub const CGROUP2: u64 = 0x6367_7270;
    pub const TMPFS: u64 = 0x0102_1994;
    pub const PIDFS: u64 = 0x5049_4446;
    pub const DEVPTS: u64 = 0x1cd1;
    pub const SELINUX: u64 = 0xf97c_ff8c;
}

/// The magic number of the filesystem that an fd is on.
pub fn filesystem(fd: impl AsFd) -> Result<u64, Errno> {
    let mut stat = MaybeUninit::<libc::statfs>::uninit();
    // SAFETY: the fd is borrowed for the call; the kernel fills the whole struct on success.
    let status = unsafe { libc::fstatfs(fd.as_fd().as_raw_fd(), stat.as_mut_ptr()) };
    check(status.into())?;
    // SAFETY: fstatfs succeeded, so every field was written.
    let kind = unsafe { stat.assume_init() }.f_type;
    // The field's type differs between libcs and machines; the magic numbers fit 32 bits.
    #[allow(
        clippy::cast_sign_loss,
        clippy::unnecessary_cast,
        reason = "i64 with glibc, u64 with musl; a bit pattern either way"
    )]
    Ok(kind as u64 & 0xffff_ffff)
}
