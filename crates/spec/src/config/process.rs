//! `process`: oci-spec's own type is stricter than the specification (an unknown capability or
//! scheduler flag fails the whole parse, an I/O class may be absent), so this one stands in its place.

use serde::Deserialize;

/// The container's process.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Process {
    pub terminal: Option<bool>,
    pub console_size: Option<ConsoleSize>,
    /// Absent is root: the schema demands only `cwd`.
    pub user: Option<User>,
    pub args: Option<Vec<String>>,
    pub env: Option<Vec<String>>,
    pub cwd: String,
    pub capabilities: Option<Capabilities>,
    pub rlimits: Option<Vec<Rlimit>>,
    pub no_new_privileges: Option<bool>,
    pub apparmor_profile: Option<String>,
    pub selinux_label: Option<String>,
    pub oom_score_adj: Option<i32>,
    pub scheduler: Option<Scheduler>,
    pub io_priority: Option<IoPriority>,
    #[serde(rename = "execCPUAffinity")]
    pub exec_cpu_affinity: Option<CpuAffinity>,
}

/// `process.user`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct User {
    pub uid: u32,
    pub gid: u32,
    pub umask: Option<u32>,
    pub additional_gids: Option<Vec<u32>>,
}

/// `process.consoleSize`.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct ConsoleSize {
    pub height: u64,
    pub width: u64,
}

/// `process.capabilities`: names as they are written.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Capabilities {
    pub bounding: Option<Vec<String>>,
    pub effective: Option<Vec<String>>,
    pub inheritable: Option<Vec<String>>,
    pub permitted: Option<Vec<String>>,
    pub ambient: Option<Vec<String>>,
}

/// One of `process.rlimits`.
#[derive(Debug, Clone, Deserialize)]
pub struct Rlimit {
    #[serde(rename = "type")]
    pub kind: String,
    pub soft: u64,
    pub hard: u64,
}

/// `process.scheduler`: policy and flags as they are written.
#[derive(Debug, Clone, Deserialize)]
pub struct Scheduler {
    pub policy: String,
    pub nice: Option<i32>,
    pub priority: Option<i32>,
    pub flags: Option<Vec<String>>,
    pub runtime: Option<u64>,
    pub deadline: Option<u64>,
    pub period: Option<u64>,
}

/// `process.ioPriority`: the class as it is written.
#[derive(Debug, Clone, Deserialize)]
pub struct IoPriority {
    pub class: String,
    pub priority: Option<i32>,
}

/// `process.execCPUAffinity`: for exec only.
#[derive(Debug, Clone, Deserialize)]
pub struct CpuAffinity {
    pub initial: Option<String>,
    #[serde(rename = "final")]
    pub last: Option<String>,
}
