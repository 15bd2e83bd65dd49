//! From the image to the container's first process: directly, or through a stage process where
//! namespaces must be entered before it is born.

use crate::{
    conversation::Conversation,
    failure::{Context, Failure},
    inherited::Inherited,
    namespace, session,
};
use hull_spec::{
    plan::{Birth, InitPlan, NamespaceKind, TimeOffset},
    protocol::{FromInit, Stage, ToInit},
};
use hull_sys::{
    identity,
    namespace::{TIME_OFFSETS, unshare},
    path::{self, Open},
    process,
    spawn::{self, Side},
};

/// Returns in the container's first process, its namespaces joined and set up.
pub(crate) fn settle(
    plan: InitPlan,
    inherited: &Inherited,
    parent: &Conversation,
) -> Result<InitPlan, Failure> {
    parent.enter(Stage::Namespaces)?;
    match &plan.namespaces.birth {
        Birth::Direct => namespace::join_all(&plan.namespaces, inherited)?,
        Birth::Staged {
            clone_flags,
            time_offsets,
        } => {
            let clone_flags = *clone_flags;
            prepare(&plan, time_offsets, inherited)?;
            bear(clone_flags, inherited, parent)?;
        }
    }
    namespace::set_up(&plan.namespaces, parent)?;
    Ok(plan)
}

/// In the stage process: what must be so before the clone.
fn prepare(
    plan: &InitPlan,
    time_offsets: &[TimeOffset],
    inherited: &Inherited,
) -> Result<(), Failure> {
    // The host's procfs is still in sight: the mount namespace is joined last.
    let offsets = match time_offsets {
        [] => None,
        _ => Some(path::open(TIME_OFFSETS, Open::WRITE).context("open timens_offsets")?),
    };
    namespace::join_all(&plan.namespaces, inherited)?;
    if plan.namespaces.joined.contains(&NamespaceKind::User) {
        become_root()?;
    }
    if let Some(offsets) = offsets {
        unshare(NamespaceKind::Time.clone_flag()).context("make the time namespace")?;
        for TimeOffset {
            clock,
            secs,
            nanosecs,
        } in time_offsets
        {
            let line = alloc::format!("{clock} {secs} {nanosecs}\n");
            path::write(&offsets, line.as_bytes())
                .with_context(|| alloc::format!("set the offset of {clock}"))?;
        }
    }
    Ok(())
}

/// Clones the first process; the stage process ends here, the other goes on.
fn bear(clone_flags: u32, inherited: &Inherited, parent: &Conversation) -> Result<(), Failure> {
    match spawn::fork(clone_flags).context("clone the container's first process")? {
        Side::Parent { child } => {
            let told = parent.say(&FromInit::Born { pid: child });
            process::exit_now(u8::from(told.is_err()));
        }
        Side::Child => {
            session::lead(inherited)?;
            parent.expect(ToInit::Continue)?;
            if clone_flags & NamespaceKind::User.clone_flag() != 0 {
                become_root()?;
            }
            Ok(())
        }
    }
}

fn become_root() -> Result<(), Failure> {
    identity::become_gid(0).context("become gid 0 of the user namespace")?;
    identity::become_uid(0).context("become uid 0 of the user namespace")
}
