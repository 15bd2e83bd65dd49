//! What the payload gets of CPUs, disks and memory nodes, beside the limits of its cgroup.

use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// Whose turn it is on CPUs and disks; `None` leaves what the runtime's caller has.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scheduling {
    pub scheduler: Option<Scheduler>,
    /// Class and priority, as ioprio_set(2) takes them.
    pub io_priority: Option<u16>,
}

/// The members of struct sched_attr (sched_setattr(2)).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scheduler {
    /// SCHED_* number.
    pub policy: u32,
    /// SCHED_FLAG_* bits.
    pub flags: u64,
    pub nice: i32,
    pub priority: u32,
    /// In nanoseconds, as are the other two.
    pub runtime: u64,
    pub deadline: u64,
    pub period: u64,
    pub cpus: Cpus,
}

/// May the container use every CPU? The deadline policy is only for processes that may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cpus {
    All,
    /// `linux.resources.cpu.cpus`.
    Listed,
}

/// What set_mempolicy(2) takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemoryPolicy {
    /// MPOL_* number with MPOL_F_* bits.
    pub mode: u32,
    /// A bit per node, as many words as the highest node needs.
    pub nodes: Vec<u64>,
}
