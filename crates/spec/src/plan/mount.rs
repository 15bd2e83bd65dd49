//! The root filesystem in the plan: trees, mounts, devices, masks, and how it is entered.
//!
//! Bind sources, and the root itself, are opened by the host before the clone and handed to init
//! by index ([`HandedTree`]): init may have no rights on the way to them, and an absent source is
//! an error before anything was made. Everything else init makes with its own rights.

use alloc::{string::String, vec::Vec};
use serde::{Deserialize, Serialize};

/// A mount tree that the host clones (open_tree) and hands to init.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandedTree {
    /// Where this stands in config.json, as a JSON pointer.
    pub pointer: String,
    pub source: TreeSource,
    /// With everything mounted below it (rbind).
    pub recursive: bool,
    /// How the clone is tied to the host's mount before init sees it.
    pub propagation: Propagation,
    /// Where it shows other ids than those that are stored.
    pub id_map: Option<TreeIdMap>,
}

/// What is cloned, or made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TreeSource {
    /// An absolute path on the host.
    Path(String),
    /// The same, but a symlink at its end is not followed: it is the tree itself.
    Unfollowed(String),
    /// A filesystem that init cannot make: from paths of the host, or with an id map.
    Filesystem {
        fstype: String,
        source: String,
        parameters: Vec<FsParameter>,
    },
    /// A device node on the host whose numbers are checked by fd after opening.
    Device {
        path: String,
        major: u32,
        minor: u32,
    },
    /// The container's own directory in one v1 hierarchy, by the hierarchy's name.
    CgroupV1(String),
    /// The directory of the container's own NOTIFY_SOCKET.
    Notify,
}

/// MOUNT_ATTR_IDMAP: the maps, and how far they reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TreeIdMap {
    pub maps: TreeMaps,
    /// With everything mounted below it (ridmap).
    pub recursive: bool,
}

/// The user namespace that has the maps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TreeMaps {
    /// One that is made for these: an index of [`HostPlan::tree_maps`].
    ///
    /// [`HostPlan::tree_maps`]: super::HostPlan::tree_maps
    Own(u32),
    /// The one that the container joins.
    Joined,
}

/// mount_setattr's propagation types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Propagation {
    Shared,
    Slave,
    Private,
    Unbindable,
}

impl Propagation {
    /// The MS_* bit that mount_setattr takes, as [`NamespaceKind::clone_flag`] is clone3's.
    ///
    /// [`NamespaceKind::clone_flag`]: super::NamespaceKind::clone_flag
    #[must_use]
    pub const fn mount_flag(self) -> u64 {
        match self {
            Self::Shared => 1 << 20,
            Self::Slave => 1 << 19,
            Self::Private => 1 << 18,
            Self::Unbindable => 1 << 17,
        }
    }
}

/// One propagation option of a mount, in the config's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PropagationChange {
    pub kind: Propagation,
    /// The `r` form.
    pub recursive: bool,
}

/// How the new root is reached and entered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Entering {
    /// Own mount namespace: handed tree 0 goes on `/`, then pivot_root.
    PivotRoot,
    /// `--no-pivot`: the same, with chroot in place of pivot_root.
    MoveAndChroot,
    /// A mount namespace joined by path, or none of its own: this directory becomes the root by
    /// chroot; `/` means that nothing is done.
    Chroot(String),
}

/// When the host's root goes out of reach.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum OldRoot {
    /// Before anything is mounted: all that is needed of the host was handed over.
    LeftFirst,
    /// Behind the mounts, and the hooks that run between them and pivot_root.
    LeftLast {
        /// Where the root tree stands until then: its own path, where hooks look for it, or `/`.
        stands_on: String,
    },
}

/// The container's filesystem.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rootfs {
    pub entering: Entering,
    pub old_root: OldRoot,
    /// In listed order (config.md#mounts).
    pub mounts: Vec<Mount>,
    /// Default devices first, then `linux.devices`; empty where the rootfs is not ours to fill.
    pub devices: Vec<Device>,
    /// `/dev/fd` and the like are made.
    pub dev_links: bool,
    /// Absolute paths in the container.
    pub masked_paths: Vec<String>,
    pub readonly_paths: Vec<String>,
    /// SELinux label of what covers the masked paths.
    pub mask_label: Option<FsParameter>,
    /// Applied last.
    pub readonly: bool,
    /// The root's own propagation once it is entered; `None` leaves it as handed.
    pub propagation: Option<PropagationChange>,
}

/// One entry of `mounts`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mount {
    /// Its place in the config, for messages.
    pub index: u32,
    /// Absolute path in the container, resolved inside the root when its turn comes.
    pub destination: String,
    pub kind: MountKind,
    /// For this mount alone.
    pub attributes: MountAttributes,
    /// For it and everything below (`rro` and its kin).
    pub recursive_attributes: MountAttributes,
    /// Applied in order after it is attached.
    pub propagation: Vec<PropagationChange>,
    /// `tmpcopyup`: what the rootfs holds here is copied in first.
    pub copy_up: Option<CopyUp>,
}

/// What the mount itself takes of the directory that is copied: what no option says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopyUp {
    pub mode: bool,
    pub owner: bool,
}

/// What is mounted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum MountKind {
    /// A handed tree.
    Bind { handed: u32, links: Links },
    /// A filesystem that the host made.
    Made { handed: u32 },
    /// A filesystem by fsopen.
    Filesystem {
        fstype: String,
        source: String,
        parameters: Vec<FsParameter>,
        /// SELinux label of its root, where no parameter can give it.
        root_label: Option<String>,
    },
    /// `remount`: attributes of what is mounted there already change.
    Remount,
    /// Every v1 hierarchy below one tmpfs, which has these parameters.
    CgroupV1 {
        parameters: Vec<FsParameter>,
        hierarchies: Vec<CgroupV1Mount>,
    },
}

/// What a symlink at the end of a bind's source or destination means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Links {
    /// The way to something else.
    Followed,
    /// `dest-nofollow`: the place to mount on.
    Covered,
    /// `copy-symlink`: a source that is one is made again, and nothing is mounted.
    Copied,
}

/// One v1 hierarchy as the container sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CgroupV1Mount {
    /// Directory name, e.g. `cpu,cpuacct` or `systemd`.
    pub name: String,
    /// Symlinks beside it, e.g. `cpu` and `cpuacct`.
    pub links: Vec<String>,
    pub source: CgroupV1Source,
}

/// Where a v1 hierarchy's view comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum CgroupV1Source {
    /// A new cgroup namespace: mounted afresh with these parameters.
    Mounted {
        fstype: String,
        parameters: Vec<FsParameter>,
    },
    /// No cgroup namespace: the container's own directory, handed over.
    Handed(u32),
}

/// One fsconfig call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum FsParameter {
    Flag(String),
    Text(String, String),
}

impl FsParameter {
    /// Its key, and its value where it is no flag.
    #[must_use]
    pub fn pair(&self) -> (&str, Option<&str>) {
        match self {
            Self::Flag(key) => (key, None),
            Self::Text(key, value) => (key, Some(value)),
        }
    }
}

/// MOUNT_ATTR_* bits for mount_setattr: `clear` first, then `set`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MountAttributes {
    pub set: u64,
    pub clear: u64,
}

/// One device node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// JSON pointer, or `default device` for those of config-linux.md#default-devices.
    pub origin: String,
    /// Absolute path in the container.
    pub path: String,
    pub node: DeviceNode,
    /// Exact permission bits, not subject to any umask.
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
}

/// How the node comes to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum DeviceNode {
    Char {
        major: u32,
        minor: u32,
    },
    Block {
        major: u32,
        minor: u32,
    },
    Fifo,
    /// In a user namespace mknod is refused: the host's node is handed over and bound.
    Bound {
        handed: u32,
    },
}
