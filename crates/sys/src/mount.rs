//! The mount API of Linux 5.2 and later: trees and filesystems as fds, attributes before attaching.

use crate::{
    Errno,
    call::check,
    fd::{AsFd, AsRawFd, CWD, OwnedFd, own},
};
use alloc::{ffi::CString, format, string::String};
use core::{ffi::CStr, ptr};

const OPEN_TREE_CLONE: u32 = 1;
const OPEN_TREE_CLOEXEC: u32 = libc::O_CLOEXEC.cast_unsigned();
const AT_RECURSIVE: u32 = 0x8000;
const AT_SYMLINK_NOFOLLOW: u32 = libc::AT_SYMLINK_NOFOLLOW.cast_unsigned();
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
    pub const IDMAP: u64 = 0x10_0000;
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

/// A symlink at the end of a path: the way to something else, or what is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    Followed,
    Itself,
}

/// A detached copy of the mount at a path of the host.
pub fn clone_tree(path: &CStr, link: Link, depth: Depth) -> Result<OwnedFd, Errno> {
    let follow = match link {
        Link::Followed => 0,
        Link::Itself => AT_SYMLINK_NOFOLLOW,
    };
    let flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | follow | depth.flag();
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

/// Shows ids by the maps of a user namespace, on a detached mount that nobody has used yet.
pub fn map_ids(mount: impl AsFd, user_namespace: impl AsFd, depth: Depth) -> Result<(), Errno> {
    let attributes = Attributes {
        set: attr::IDMAP,
        userns_fd: u64::from(user_namespace.as_fd().as_raw_fd().cast_unsigned()),
        ..Attributes::default()
    };
    set_attributes(mount, attributes, depth)
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

/// A filesystem that could not be made.
#[derive(Debug)]
pub struct Unmade {
    /// What was being done, with the kernel's own words where it has any.
    pub step: String,
    pub errno: Errno,
}

/// A fresh filesystem, mounted nowhere. A parameter without a value is a flag.
pub fn make<'a>(
    fstype: &str,
    parameters: impl IntoIterator<Item = (&'a str, Option<&'a str>)>,
    attributes: u64,
) -> Result<OwnedFd, Unmade> {
    let filesystem = text(fstype)
        .and_then(|name| Filesystem::open(&name))
        .map_err(|errno| Unmade {
            step: format!("filesystem type {fstype:?}"),
            errno,
        })?;
    for (key, value) in parameters {
        filesystem.set(key, value).map_err(|errno| Unmade {
            step: match filesystem.explanation() {
                Some(words) => format!("option {key:?} ({words})"),
                None => format!("option {key:?}"),
            },
            errno,
        })?;
    }
    filesystem.mount(attributes).map_err(|errno| Unmade {
        step: format!("mount {fstype}"),
        errno,
    })
}

fn text(text: &str) -> Result<CString, Errno> {
    CString::new(text).map_err(|_| Errno::EINVAL)
}

/// A filesystem being configured (fsopen).
#[derive(Debug)]
pub struct Filesystem(OwnedFd);

impl Filesystem {
    fn set(&self, key: &str, value: Option<&str>) -> Result<(), Errno> {
        let key = text(key)?;
        match value {
            Some(value) => self.set_text(&key, &text(value)?),
            None => self.set_flag(&key),
        }
    }

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
