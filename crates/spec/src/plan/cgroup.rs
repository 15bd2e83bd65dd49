//! Cgroups in the plan: the place in the tree, and `linux.resources` as writes in their order.

use alloc::{string::String, vec::Vec};
use serde::{Deserialize, Serialize};

/// What happens in the cgroup tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CgroupPlan {
    pub manager: CgroupManager,
    pub place: CgroupPlace,
    /// For the layout of this host, in order.
    pub writes: Vec<CgroupWrite>,
    /// Device rules in order, defaults included.
    pub devices: DevicePolicy,
    /// Who gets the container's directory in cgroup2: `None` leaves it to the runtime's user.
    pub owner: Option<u32>,
    /// Missing permission is tolerated: rootless, and no limit was asked.
    pub best_effort: bool,
}

/// Who makes the cgroup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CgroupManager {
    Cgroupfs,
    Systemd,
    Disabled,
}

/// Where the container's cgroup stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CgroupPlace {
    /// Components below each hierarchy's root.
    Absolute(Vec<String>),
    /// Components below the runtime's own cgroup.
    Relative(Vec<String>),
}

/// How this host mounts its cgroups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CgroupLayout {
    /// cgroup2 on /sys/fs/cgroup.
    V2,
    /// v1 hierarchies below it, with or without cgroup2 on `unified`.
    V1,
}

/// One value into one file of one controller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CgroupWrite {
    /// Controller name (`memory`, `pids`, `cpu`, `cpuset`, ...).
    pub controller: &'static str,
    pub file: String,
    pub value: String,
    /// JSON pointer of the property.
    pub pointer: &'static str,
    pub on_absence: OnAbsence,
}

/// What a missing file means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnAbsence {
    /// The limit cannot be applied: an error.
    Fail,
    /// The write behind this one takes its place; where the file is there, that one is left out.
    Next,
    /// The value is what the kernel does anyway (no swap accounting and `max`).
    Skip,
}

/// The device filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DevicePolicy {
    /// No filter: device nodes cannot be made here (user namespace without privilege).
    Unfiltered,
    /// Rules in listed order; the last match wins.
    Rules(Vec<DeviceRule>),
}

/// One rule of the v1 devices controller, or of the eBPF program made from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeviceRule {
    pub allow: bool,
    pub kind: DeviceKind,
    /// `None` is every number.
    pub major: Option<u32>,
    pub minor: Option<u32>,
    pub read: bool,
    pub write: bool,
    pub mknod: bool,
}

/// `a`, `b` or `c`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceKind {
    All,
    Block,
    Char,
}
