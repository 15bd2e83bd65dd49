//! The payload in the plan: who it is, what it may, what it runs.

use super::{Label, MemoryPolicy, SeccompFilter};
use alloc::{string::String, vec::Vec};
use serde::{Deserialize, Serialize};

/// The container's process as the config wants it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// argv; empty where the config has no process (start then fails).
    pub args: Vec<String>,
    /// The whole environment, `KEY=VALUE`, duplicates resolved.
    pub env: Vec<String>,
    /// HOME is added from the container's passwd when the config has none.
    pub home_from_passwd: bool,
    /// Absolute.
    pub cwd: String,
    pub uid: u32,
    pub gid: u32,
    pub additional_gids: GroupChange,
    pub umask: u32,
    pub capabilities: Capabilities,
    pub no_new_privileges: bool,
    pub labels: Vec<Label>,
    pub seccomp: Option<SeccompFilter>,
    /// Set before the change of ids; in a user namespace the host sets them, whose rights it takes.
    pub rlimits: Vec<Rlimit>,
    pub memory_policy: Option<MemoryPolicy>,
    /// The execution domain as personality(2) takes it; `None` leaves the caller's.
    pub personality: Option<u32>,
    /// Open fds from 3 on that the payload inherits (`--preserve-fds`, LISTEN_FDS).
    pub preserved_fds: u32,
    pub terminal: Terminal,
}

/// What stands on fds 0 to 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Terminal {
    /// What the caller has there.
    None,
    /// A new pty of the container's own devpts, the payload's controlling terminal.
    Pty {
        size: TerminalSize,
        console: Console,
    },
}

/// The size that a terminal begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TerminalSize {
    /// That of the caller's own terminal, where the caller has one and stays.
    Caller,
    /// `process.consoleSize`.
    Set { height: u16, width: u16 },
}

/// Does /dev/console lead to the pty (config-linux.md#default-devices)?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Console {
    Bound,
    /// The mount namespace is not the container's own.
    Left,
}

/// What happens to the supplementary groups.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum GroupChange {
    /// setgroups with this list, the empty one included.
    Set(Vec<u32>),
    /// The kernel or the caller forbids setgroups (self-mapped user namespace,
    /// `run.oci.keep_original_groups`).
    Keep,
}

/// Five sets, a bit per capability number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capabilities {
    pub bounding: u64,
    pub effective: u64,
    pub permitted: u64,
    pub inheritable: u64,
    pub ambient: u64,
}

/// One resource limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rlimit {
    /// RLIMIT_* number.
    pub resource: u32,
    pub soft: u64,
    pub hard: u64,
}
