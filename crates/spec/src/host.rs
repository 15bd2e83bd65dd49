//! What resolving must know about this host: plain facts, gathered by whoever may make syscalls.
//!
//! Only facts that decide something stand here. What is found out by trying (does the kernel know
//! this mount option?) is left to the step that tries.

use crate::plan::CgroupLayout;

/// The facts about one host, as seen by the process that creates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostFacts {
    /// What is mounted on /sys/fs/cgroup.
    pub cgroup_layout: CgroupLayout,
    /// The v1 hierarchies below it, in the kernel's order; empty under [`CgroupLayout::V2`].
    pub cgroup_v1: Vec<V1Hierarchy>,
    /// A hybrid host: cgroup2 stands on `unified` beside the v1 hierarchies.
    pub cgroup_unified: bool,
    /// Effective ids of the runtime.
    pub uid: u32,
    pub gid: u32,
    /// Effective uid 0 in the initial user namespace.
    pub privileged: bool,
    /// setgroups is denied in the runtime's user namespace (/proc/self/setgroups).
    pub setgroups_denied: bool,
    /// /proc/sys/kernel/cap_last_cap.
    pub last_capability: u32,
    /// Of those that the config asks for: which are enabled?
    pub security_modules: SecurityModules,
}

/// Security modules of the kernel that label.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SecurityModules {
    pub apparmor: bool,
    pub selinux: bool,
}

/// One v1 hierarchy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct V1Hierarchy {
    /// Its directory below /sys/fs/cgroup, such as `cpu,cpuacct` or `systemd`.
    pub name: String,
    /// Its controllers; empty for a named hierarchy.
    pub controllers: Vec<String>,
}

impl HostFacts {
    /// Is there a v1 hierarchy with this controller?
    #[must_use]
    pub fn has_v1_controller(&self, controller: &str) -> bool {
        let has = |hierarchy: &V1Hierarchy| hierarchy.controllers.iter().any(|c| c == controller);
        self.cgroup_v1.iter().any(has)
    }
}
