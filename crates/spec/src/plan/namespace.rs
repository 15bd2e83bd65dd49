//! Namespaces in the plan: which are new, which are joined, and what is set inside them.

use alloc::{string::String, vec::Vec};
use serde::{Deserialize, Serialize};

/// The eight kinds of namespace, in the order in which they are joined: user first, for the
/// rights it gives; mount last, for what the others still need of the old root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum NamespaceKind {
    User,
    Pid,
    Time,
    Network,
    Ipc,
    Uts,
    Cgroup,
    Mount,
}

impl NamespaceKind {
    /// All kinds, in joining order.
    pub const ALL: [Self; 8] = [
        Self::User,
        Self::Pid,
        Self::Time,
        Self::Network,
        Self::Ipc,
        Self::Uts,
        Self::Cgroup,
        Self::Mount,
    ];

    /// The word of config.json (config-linux.md#namespaces).
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Pid => "pid",
            Self::Time => "time",
            Self::Network => "network",
            Self::Ipc => "ipc",
            Self::Uts => "uts",
            Self::Cgroup => "cgroup",
            Self::Mount => "mount",
        }
    }

    /// The file of this kind below /proc/PID/ns.
    #[must_use]
    pub const fn proc_name(self) -> &'static str {
        match self {
            Self::Network => "net",
            Self::Mount => "mnt",
            other => other.name(),
        }
    }

    /// The CLONE_NEW* bit, as clone3, setns and NS_GET_NSTYPE know it.
    #[must_use]
    pub const fn clone_flag(self) -> u32 {
        match self {
            Self::User => 0x1000_0000,
            Self::Pid => 0x2000_0000,
            Self::Time => 0x0000_0080,
            Self::Network => 0x4000_0000,
            Self::Ipc => 0x0800_0000,
            Self::Uts => 0x0400_0000,
            Self::Cgroup => 0x0200_0000,
            Self::Mount => 0x0002_0000,
        }
    }
}

/// The host's view: what is made, what is joined, in joining order; the rest is inherited.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Namespaces {
    /// Kinds that the container gets for itself.
    pub new: Vec<NamespaceKind>,
    /// Kinds that it shares, with the absolute path to open.
    pub joined: Vec<(NamespaceKind, String)>,
    /// Boot and monotonic offsets of a new time namespace.
    pub time_offsets: Vec<TimeOffset>,
}

impl Namespaces {
    /// Is `kind` new or joined by path, rather than the runtime's own?
    #[must_use]
    pub fn is_own(&self, kind: NamespaceKind) -> bool {
        self.is_new(kind) || self.is_joined(kind)
    }

    /// Is `kind` made for this container?
    #[must_use]
    pub fn is_new(&self, kind: NamespaceKind) -> bool {
        self.new.contains(&kind)
    }

    /// Is `kind` joined by path?
    #[must_use]
    pub fn is_joined(&self, kind: NamespaceKind) -> bool {
        self.joined.iter().any(|(joined, _)| *joined == kind)
    }

    /// Does the kernel demand a process in between? It does where a namespace must be entered
    /// before the container's first process is born: a joined user namespace owns the new ones,
    /// pid and time namespaces hold children only, time offsets are fixed by the first member,
    /// and from within a new user namespace nothing of the host's can be joined any more.
    #[must_use]
    pub fn needs_stage(&self) -> bool {
        self.is_joined(NamespaceKind::User)
            || self.is_joined(NamespaceKind::Pid)
            || self.is_joined(NamespaceKind::Time)
            || !self.time_offsets.is_empty()
            || (self.is_new(NamespaceKind::User) && !self.joined.is_empty())
    }

    /// The CLONE_NEW* bits of everything that is new.
    #[must_use]
    pub fn clone_flags(&self) -> u32 {
        self.new
            .iter()
            .fold(0, |flags, kind| flags | kind.clone_flag())
    }
}

/// One line of /proc/self/timens_offsets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeOffset {
    /// `monotonic` or `boottime`.
    pub clock: String,
    pub secs: i64,
    pub nanosecs: u32,
}

/// One extent of a uid or gid map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdMapping {
    pub container_id: u32,
    pub host_id: u32,
    pub size: u32,
}

/// Both maps; empty without a new user namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IdMaps {
    pub uid: Vec<IdMapping>,
    pub gid: Vec<IdMapping>,
}

/// Init's view of the namespaces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InitNamespaces {
    /// Kinds whose namespace fds stand before the handed trees, in this order.
    pub joined: Vec<NamespaceKind>,
    /// Who makes the new ones.
    pub birth: Birth,
    /// Who makes a new network namespace, and when init is in it.
    pub network: Network,
    /// Set where the uts namespace is our own.
    pub hostname: Option<String>,
    pub domainname: Option<String>,
    /// A user namespace is new or joined: init becomes its root before anything else.
    pub user: UserNamespace,
    /// When a new cgroup namespace is made: its root is the cgroup that its maker is in.
    pub cgroup: CgroupNamespace,
}

/// How the container's first process comes to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Birth {
    /// The runtime's clone3 made every new namespace.
    Direct,
    /// The image joins and prepares first, then clones the container's first process.
    Staged {
        /// CLONE_NEW* bits for that clone.
        clone_flags: u32,
        /// Written before the first process enters a new time namespace.
        time_offsets: Vec<TimeOffset>,
    },
}

/// Where the container's network namespace comes from. In a new one the loopback is up before the
/// payload runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Network {
    /// Inherited, or joined with the others.
    Settled,
    /// Made by the clone; init sets the loopback up.
    Born,
    /// Made by the runtime while init works already, and handed over: init joins it when it has
    /// carried out so many of its mounts. The kernel takes longer for it than for all the mounts.
    Handed { after_mounts: u32 },
}

/// When init gets its cgroup namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum CgroupNamespace {
    /// Inherited, joined, or made by the clone, which is born into its cgroup (v2).
    Settled,
    /// v1 moves init only after the clone: init waits for `Continue`, then leaves for a new one.
    AfterAttach,
}

/// Whose user namespace the container runs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum UserNamespace {
    /// The runtime's.
    Inherited,
    /// A new or joined one.
    Own,
}

/// One of `linux.netDevices`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetDevice {
    /// Where this stands in config.json, as a JSON pointer.
    pub pointer: String,
    /// Its name in the runtime's network namespace.
    pub host_name: String,
    /// Its name in the container's.
    pub name: String,
}

impl NetDevice {
    /// Does the kernel choose a number for the `%d` in its name?
    #[must_use]
    pub fn is_numbered(&self) -> bool {
        self.name.contains('%')
    }
}
