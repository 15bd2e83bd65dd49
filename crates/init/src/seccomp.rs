//! The seccomp filter: asked of the kernel while privileges are given up, loaded as late as can be.
//!
//! Without a listener that is right before execve, so a profile need not allow anything that only
//! hull does. The right to load it, CAP_SYS_ADMIN, is then still held where there is no
//! no_new_privs; execve takes it away, since it makes the permitted set anew from the others
//! (capabilities(7)). With a listener the filter is loaded before the gate, and what init does
//! after that is between the profile and the agent.

use crate::{
    conversation::Conversation,
    failure::{Context, Failure},
};
use hull_spec::{
    plan::{LoadMoment, Process, SeccompFilter},
    protocol::{FromInit, ToInit},
};
use hull_sys::{fd::AsRawFd, seccomp};

const STEP: &str = "/linux/seccomp: load the filter";

/// What the kernel lacks is told at create.
pub(crate) fn check(plan: &Process) -> Result<(), Failure> {
    match &plan.seccomp {
        None => Ok(()),
        Some(filter) => seccomp::knows(filter.flags, listens(filter))
            .context("/linux/seccomp: not with this kernel"),
    }
}

/// Before the gate, where somebody waits for the listener.
pub(crate) fn load_with_listener(plan: &Process, parent: &Conversation) -> Result<(), Failure> {
    let Some(filter) = plan.seccomp.as_ref().filter(|filter| listens(filter)) else {
        return Ok(());
    };
    let listener = seccomp::load_with_listener(&filter.program.0, filter.flags).context(STEP)?;
    // Closed once the agent has its own: when the agent ends, init must not wait for itself.
    let fd = listener.as_raw_fd();
    parent.write(&FromInit::Listener { fd })?;
    parent.expect(ToInit::Continue)
}

/// The last thing before execve.
pub(crate) fn load(plan: &Process) -> Result<(), Failure> {
    match &plan.seccomp {
        Some(filter) if !listens(filter) => {
            seccomp::load(&filter.program.0, filter.flags).context(STEP)
        }
        _ => Ok(()),
    }
}

fn listens(filter: &SeccompFilter) -> bool {
    filter.moment == LoadMoment::WithListener
}
