//! The root filesystem: reached, filled, entered, sealed. Each step hands its token to the next,
//! so that another order does not compile.

mod attributes;
mod cgroup_v1;
mod covers;
mod devices;
mod enter;
mod filesystem;
mod mounts;
mod seal;
mod trees;

use enter::Entered;
use trees::Trees;

use crate::{
    conversation::Conversation,
    failure::Failure,
    hooks::{self, Sink},
    inherited::Inherited,
    root::Root,
    sysctl, terminal,
};
use hull_spec::{
    plan::{InitPlan, OldRoot},
    protocol::{FromInit, Stage, ToInit},
};

/// Builds the container's filesystem and makes it the root of this process.
pub(crate) fn assemble(
    plan: &InitPlan,
    inherited: &Inherited,
    sink: &Sink,
    parent: &Conversation,
) -> Result<(), Failure> {
    let trees = Trees::behind(plan.namespaces.joined.len(), inherited);
    let entered = match plan.rootfs.old_root {
        OldRoot::LeftFirst => {
            let entered = enter(plan, trees, parent)?;
            fill(entered.root(), plan, trees, parent)?;
            pause(plan, parent)?;
            entered
        }
        OldRoot::LeftLast { .. } => {
            parent.enter(Stage::Mounts)?;
            let reached = enter::reach(&plan.rootfs, trees)?;
            fill(reached.root(), plan, trees, parent)?;
            pause(plan, parent)?;
            hooks::before_entering(plan, sink, parent)?;
            parent.enter(Stage::Enter)?;
            reached.enter(&plan.rootfs.entering)?
        }
    };
    terminal::take(&plan.process, parent)?;
    parent.enter(Stage::Seal)?;
    sysctl::write_all(&plan.sysctls)?;
    seal::seal(&entered, &plan.rootfs)
}

fn enter(plan: &InitPlan, trees: Trees<'_>, parent: &Conversation) -> Result<Entered, Failure> {
    parent.enter(Stage::Enter)?;
    enter::reach(&plan.rootfs, trees)?.enter(&plan.rootfs.entering)
}

/// Mounts and devices, by fd below the root: no matter which root the process has meanwhile.
fn fill(
    root: &Root,
    plan: &InitPlan,
    trees: Trees<'_>,
    parent: &Conversation,
) -> Result<(), Failure> {
    parent.enter(Stage::Mounts)?;
    mounts::mount_all(root, plan, trees, parent)?;
    parent.enter(Stage::Devices)?;
    devices::make_all(root, &plan.rootfs, trees)
}

/// Until the network devices are there and the runtime's hooks ran, for which the old root is still
/// in reach (runtime.md#lifecycle).
fn pause(plan: &InitPlan, parent: &Conversation) -> Result<(), Failure> {
    if plan.pauses.after_mounts {
        parent.say(&FromInit::MountsDone)?;
        parent.expect(ToInit::Continue)?;
    }
    Ok(())
}
