//! Whose turn it is on CPUs and disks, set from outside: inside a user namespace nobody has the
//! rights, and under the deadline policy init could not fork its hooks any more.

use super::LaunchError;
use hull_spec::plan::{self, Cpus, Scheduling};
use hull_sys::{Errno, scheduling};

/// Sets what the plan has; most have nothing.
pub(super) fn apply(pid: i32, plan: &Scheduling) -> Result<(), LaunchError> {
    if let Some(priority) = plan.io_priority {
        scheduling::set_io_priority(pid, priority).map_err(LaunchError::IoPriority)?;
    }
    let Some(scheduler) = &plan.scheduler else {
        return Ok(());
    };
    match scheduling::set_scheduler(pid, &attributes(scheduler)) {
        Err(Errno::EPERM) if scheduler.cpus == Cpus::Listed => {
            Err(LaunchError::SchedulerBesideCpus(Errno::EPERM))
        }
        set => set.map_err(LaunchError::Scheduler),
    }
}

fn attributes(plan: &plan::Scheduler) -> scheduling::Scheduler {
    scheduling::Scheduler {
        policy: plan.policy,
        flags: plan.flags,
        nice: plan.nice,
        priority: plan.priority,
        runtime: plan.runtime,
        deadline: plan.deadline,
        period: plan.period,
    }
}
