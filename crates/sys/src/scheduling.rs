//! Who gets CPU, disk and memory nodes first.

use crate::Errno;

/// What sched_setattr(2) sets.
#[derive(Debug, Clone, Copy, Default)]
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
}

/// The kernel's struct sched_attr, second version (with the clamps, Linux 5.3).
#[repr(C)]
struct Attributes {
    size: u32,
    policy: u32,
    flags: u64,
    nice: i32,
    priority: u32,
    runtime: u64,
    deadline: u64,
    period: u64,
    /// No property of the config has a value for these.
    clamps: [u32; 2],
}

/// sched_setattr(2) of a process; 0 is the caller.
pub fn set_scheduler(pid: i32, scheduler: &Scheduler) -> Result<(), Errno> {
    let attributes = Attributes {
        size: u32::try_from(size_of::<Attributes>()).unwrap_or(0),
        policy: scheduler.policy,
        flags: scheduler.flags,
        nice: scheduler.nice,
        priority: scheduler.priority,
        runtime: scheduler.runtime,
        deadline: scheduler.deadline,
        period: scheduler.period,
        clamps: [0; 2],
    };
    // SAFETY: the struct is complete, laid out as the kernel's, and says its own size.
    unsafe { syscall!(libc::SYS_sched_setattr, pid, &raw const attributes, 0) }.map(drop)
}

/// ioprio_set(2) of a process; 0 is the caller.
pub fn set_io_priority(pid: i32, priority: u16) -> Result<(), Errno> {
    const OF_A_PROCESS: libc::c_int = 1;
    // SAFETY: takes integers.
    unsafe {
        syscall!(
            libc::SYS_ioprio_set,
            OF_A_PROCESS,
            pid,
            libc::c_int::from(priority)
        )
    }
    .map(drop)
}

/// set_mempolicy(2) of the caller: a bit per node.
pub fn set_memory_policy(mode: u32, nodes: &[u64]) -> Result<(), Errno> {
    // The kernel reads one bit less than it is told of.
    let bits = nodes.len() * 64 + 1;
    // SAFETY: the kernel reads the bits of the slice and no more, none where there are none.
    unsafe { syscall!(libc::SYS_set_mempolicy, mode, nodes.as_ptr(), bits) }.map(drop)
}

/// personality(2) of the caller.
pub fn set_personality(domain: u32) -> Result<(), Errno> {
    // SAFETY: takes an integer.
    unsafe { syscall!(libc::SYS_personality, libc::c_ulong::from(domain)) }.map(drop)
}
