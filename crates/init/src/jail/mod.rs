//! The root filesystem: reached, filled, entered, sealed. Each step hands its token to the next,
//! so that another order does not compile.

mod cgroup_v1;
mod devices;
mod enter;
mod filesystem;
mod mounts;
mod scratch;
mod seal;
mod tree;

use tree::Trees;

use crate::{
    conversation::Conversation,
    failure::Failure,
    hooks::{self, Sink},
    inherited::Inherited,
    sysctl, terminal,
};
use hull_spec::{
    plan::InitPlan,
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
    parent.enter(Stage::Mounts)?;
    let tree = enter::reach(&plan.rootfs, trees)?;
    mounts::mount_all(&tree, plan, trees, parent)?;
    parent.enter(Stage::Devices)?;
    devices::make_all(&tree, &plan.rootfs, trees)?;
    pause(plan, parent)?;
    hooks::before_entering(plan, sink, parent)?;
    parent.enter(Stage::Enter)?;
    let entered = enter::enter(tree, &plan.rootfs.entering)?;
    terminal::take(&plan.process, parent)?;
    parent.enter(Stage::Seal)?;
    sysctl::write_all(&plan.sysctls)?;
    let sealed = seal::seal(entered, &plan.rootfs)?;
    enter::leave_old_root(sealed)
}

/// The runtime's hooks run while the old root is still in reach (runtime.md#lifecycle).
fn pause(plan: &InitPlan, parent: &Conversation) -> Result<(), Failure> {
    if plan.pauses.runtime_hooks {
        parent.say(&FromInit::MountsDone)?;
        parent.expect(ToInit::Continue)?;
    }
    Ok(())
}
