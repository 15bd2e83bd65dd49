//! The mount API of Linux 5.2 and later: trees and filesystems as fds, attributes before attaching.

use crate::{
    Errno,
    call::check,
    fd::{AsFd, AsRawFd, CWD, OwnedFd, own},
};
use core::{ffi::CStr, ptr};

const OPEN_TREE_CLONE: u32 = 1;
const OPEN_TREE_CLOEXEC: u32 = libc::O_CLOEXEC.cast_unsigned();
const AT_RECURSIVE: u32 = 0x8000;
const AT_EMPTY_PATH: u32 = libc::AT_EMPTY_PATH.cast_unsigned();
const MOVE_MOUNT_BOTH_EMPTY: u32 = 0x4 | 0x40;
const FSOPEN_CLOEXEC: u32 = 1;
const FSMOUNT_CLOEXEC: u32 = 1;
const FSCONFIG_SET_FLAG: u32 = 0;
const FSCONFIG_SET_STRING: u32 = 1;
const FSCONFIG_CMD_CREATE: u32 = 6;

/// `struct mount_attr` of mount_setattr(2).
#[derive(Debug, Clone, Copy, Default)]
#[repr(C)]
pub struct Attributes {
    pub set: u64,
    pub clear: u64,
    /// MS_SHARED and its kin, 0 for none.
    pub propagation: u64,
    pub userns_fd: u64,
}

/// MOUNT_ATTR_* bits that hull itself sets.
pub mod attr {
    pub const RDONLY: u64 = 1;
    pub const NOSUID: u64 = 2;
    pub const NODEV: u64 = 4;
    pub const NOEXEC: u64 = 8;
}

/// Propagation types as mount_setattr takes them.
pub mod propagation {
    pub const PRIVATE: u64 = libc::MS_PRIVATE;
}

/// One mount, or it and everything below.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    One,
    Tree,
}

impl Depth {
    const fn flag(self) -> u32 {
        match self {
            Self::One => 0,
            Self::Tree => AT_RECURSIVE,
        }
    }
}

/// A detached copy of the mount at a path of the host.
pub fn clone_tree(path: &CStr, depth: Depth) -> Result<OwnedFd, Errno> {
    let flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | depth.flag();
    // SAFETY: the path is NUL-terminated and lives across the call.
    unsafe { syscall!(libc::SYS_open_tree, CWD, path.as_ptr(), flags) }.map(own)
}

/// A detached copy of the mount that an fd names.
pub fn clone_tree_of(fd: impl AsFd, depth: Depth) -> Result<OwnedFd, Errno> {
    let flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | depth.flag();
    // SAFETY: the fd is borrowed; the empty path with AT_EMPTY_PATH names the fd itself.
    unsafe {
        syscall!(
            libc::SYS_open_tree,
            fd.as_fd().as_raw_fd(),
            c"".as_ptr(),
            flags
        )
    }
    .map(own)
}

/// Attaches a detached mount onto the object that `target` names.
pub fn attach(mount: impl AsFd, target: impl AsFd) -> Result<(), Errno> {
    // SAFETY: both fds are borrowed, so they stay open for the whole call; both paths are the
    // same NUL-terminated literal; the kernel keeps no pointer.
    unsafe {
        syscall!(
            libc::SYS_move_mount,
            mount.as_fd().as_raw_fd(),
            c"".as_ptr(),
            target.as_fd().as_raw_fd(),
            c"".as_ptr(),
            MOVE_MOUNT_BOTH_EMPTY
        )
    }
    .map(drop)
}

/// Changes attributes or propagation of the mount that an fd names.
pub fn set_attributes(mount: impl AsFd, attributes: Attributes, depth: Depth) -> Result<(), Errno> {
    // SAFETY: the fd is borrowed and `attributes` is a complete mount_attr of the given size.
    unsafe {
        syscall!(
            libc::SYS_mount_setattr,
            mount.as_fd().as_raw_fd(),
            c"".as_ptr(),
            AT_EMPTY_PATH | depth.flag(),
            &raw const attributes,
            size_of::<Attributes>()
        )
    }
    .map(drop)
}

/// The same by a path in our own mount namespace: `/` only, where no one else can rename.
pub fn set_root_attributes(attributes: Attributes, depth: Depth) -> Result<(), Errno> {
    // SAFETY: the path is a NUL-terminated literal; `attributes` is a complete mount_attr.
    unsafe {
        syscall!(
            libc::SYS_mount_setattr,
            CWD,
            c"/".as_ptr(),
            depth.flag(),
            &raw const attributes,
            size_of::<Attributes>()
        )
    }
    .map(drop)
}

/// A filesystem being configured (fsopen).
#[derive(Debug)]
pub struct Filesystem(OwnedFd);

impl Filesystem {
    pub fn open(fstype: &CStr) -> Result<Self, Errno> {
        // SAFETY: the name is NUL-terminated and lives across the call.
        let fd = unsafe { syscall!(libc::SYS_fsopen, fstype.as_ptr(), FSOPEN_CLOEXEC) }?;
        Ok(Self(own(fd)))
    }

    pub fn set_flag(&self, key: &CStr) -> Result<(), Errno> {
        self.config(FSCONFIG_SET_FLAG, key.as_ptr(), ptr::null())
    }

    pub fn set_text(&self, key: &CStr, value: &CStr) -> Result<(), Errno> {
        self.config(FSCONFIG_SET_STRING, key.as_ptr(), value.as_ptr())
    }

    /// Makes the superblock and a detached mount of it with these MOUNT_ATTR_* bits.
    pub fn mount(self, attributes: u64) -> Result<OwnedFd, Errno> {
        self.config(FSCONFIG_CMD_CREATE, ptr::null(), ptr::null())?;
        // SAFETY: the fd is ours; fsmount takes no pointer.
        unsafe {
            syscall!(
                libc::SYS_fsmount,
                self.0.as_raw_fd(),
                FSMOUNT_CLOEXEC,
                attributes
            )
        }
        .map(own)
    }

    /// The kernel's own words on the last failure, if it has any: one message per read.
    #[must_use]
    pub fn explanation(&self) -> Option<alloc::string::String> {
        let mut buffer = [0u8; 256];
        let count = crate::path::read(&self.0, &mut buffer).ok()?;
        let text = core::str::from_utf8(buffer.get(..count)?).ok()?;
        Some(text.trim_start_matches("e ").trim_end().into())
    }

    fn config(
        &self,
        command: u32,
        key: *const libc::c_char,
        value: *const libc::c_char,
    ) -> Result<(), Errno> {
        // SAFETY: the fd is ours; key and value are null or NUL-terminated strings that the
        // callers above borrow for the whole call.
        unsafe {
            syscall!(
                libc::SYS_fsconfig,
                self.0.as_raw_fd(),
                command,
                key,
                value,
                0
            )
        }
        .map(drop)
    }
}

/// pivot_root(".", "."): the current directory becomes the root, the old root lies on top of it.
pub fn pivot_here() -> Result<(), Errno> {
    // SAFETY: both paths are NUL-terminated literals.
    unsafe { syscall!(libc::SYS_pivot_root, c".".as_ptr(), c".".as_ptr()) }.map(drop)
}

/// Lazily detaches the mount at `path`, with all below.
pub fn detach(path: &CStr) -> Result<(), Errno> {
    // SAFETY: the path is NUL-terminated and lives across the call.
    check(unsafe { libc::umount2(path.as_ptr(), libc::MNT_DETACH) }.into()).map(drop)
}
