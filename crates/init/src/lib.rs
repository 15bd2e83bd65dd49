//! The image that runs inside: it carries out an [`InitPlan`] and becomes the payload.
//!
//! It is born by the runtime's clone3 with a plan and one socket, decides nothing, and reads from
//! top to bottom: session, namespaces, root filesystem, identity, privileges, gate, execve. A
//! failure travels back as a report; nothing is printed here.
//!
//! startContainer hooks run after the gate and are root's. A container that has some goes to the
//! gate first and gives up its privileges afterwards; its program is still looked up before, so
//! that a typo fails at create. Every other container waits at the gate with the payload's rights.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod birth;
mod conversation;
mod copy_up;
mod failure;
mod gate;
mod handover;
mod home;
mod hooks;
mod identity;
mod inherited;
mod jail;
mod keyring;
mod labels;
mod namespace;
mod privilege;
mod procfs;
mod root;
mod seccomp;
mod session;
mod sysctl;
mod terminal;

use conversation::Conversation;
use failure::{Context, Failure};
use hooks::Sink;
use hull_spec::{
    plan::{InitPlan, Labelled},
    protocol::Stage,
};
use inherited::Inherited;
use labels::Labels;

/// The image's main: `base` is the number of the first fd that the runtime handed over.
#[must_use]
pub fn run(base: i32) -> u8 {
    let Some(inherited) = Inherited::at(base) else {
        return 126;
    };
    let Ok(parent) = inherited.conversation() else {
        return 126;
    };
    let Err(failure) = live(&inherited, &parent);
    parent.fail(failure);
    1
}

/// The container's first process, from birth to execve.
fn live(
    inherited: &Inherited,
    parent: &Conversation,
) -> Result<core::convert::Infallible, Failure> {
    session::lead(inherited)?;
    let plan = plan(inherited)?;
    parent.speak(plan.verbosity);
    let sink = Sink::open(&plan)?;
    let plan = birth::settle(plan, inherited, parent)?;
    let mut labels = Labels::open(&plan.process.labels)?;
    jail::assemble(&plan, inherited, &sink, parent)?;
    parent.enter(Stage::Identity)?;
    identity::assume(&plan, &labels)?;
    seccomp::check(&plan.process)?;
    // startContainer hooks are root's, and run after the gate.
    let hooks_first = !plan.hooks.start_container.is_empty();
    if !hooks_first {
        parent.enter(Stage::Privileges)?;
        give_up_rights(&plan, &mut labels, parent)?;
    }
    let payload = handover::prepare(&plan.process)?;
    seccomp::load_with_listener(&plan.process, parent)?;
    parent.enter(Stage::Gate)?;
    gate::wait(inherited, parent)?;
    if hooks_first {
        hooks::before_payload(&plan, &sink, parent)?;
        parent
            .enter(Stage::Privileges)
            .or_else(|failure| parent.keep(failure))?;
        give_up_rights(&plan, &mut labels, parent)?;
    }
    parent
        .enter(Stage::Exec)
        .or_else(|failure| parent.keep(failure))?;
    handover::exec(&plan.process, payload)
}

/// The label comes last: from there on every program that init starts would have it.
fn give_up_rights(
    plan: &InitPlan,
    labels: &mut Labels<'_>,
    parent: &Conversation,
) -> Result<(), Failure> {
    privilege::drop_to(&plan.process, parent)?;
    labels.set(Labelled::Payload)?;
    *labels = Labels::default();
    Ok(())
}

fn plan(inherited: &Inherited) -> Result<InitPlan, Failure> {
    let bytes = hull_sys::path::read_from_start(inherited.plan()?).context("read the plan")?;
    postcard::from_bytes(&bytes).map_err(|_| Failure::new("decode the plan"))
}
