//! Ready, committed, and then the wait for `Start`.
//!
//! Until `Committed` the end of the runtime is the end of init; after it, it is not. The gate is either the same
//! conversation, or a listening socket in the container's state directory: who connects to it and
//! says `Start` is told of a failed execve, and sees the end of file when the payload runs.

use crate::{
    conversation::Conversation,
    failure::{Context, Failure},
    inherited::Inherited,
};
use hull_spec::protocol::{FromInit, Gate, ToInit};
use hull_sys::{peer::Peer, process, socket};

/// Returns once someone started the container; the conversation is with them from then on.
pub(crate) fn wait(inherited: &Inherited, parent: &Conversation) -> Result<(), Failure> {
    let listener = inherited.gate()?;
    // From here on the end of file tells that the runtime died. A signal could still come when
    // it ends well, right after `Committed`.
    process::set_parent_death_signal(0).context("outlive the runtime")?;
    parent.say(&FromInit::Ready)?;
    let gate = match parent.hear()? {
        ToInit::Committed(gate) => gate,
        other => {
            return Err(Failure::new(&alloc::format!(
                "heard {other:?} before Committed"
            )));
        }
    };
    match gate {
        Gate::Here => {
            drop(listener);
            parent.expect(ToInit::Start)
        }
        Gate::Listener => {
            // The runtime's socket is let go while init waits.
            process::replace(parent, &listener).context("hold the start gate")?;
            drop(listener);
            loop {
                let caller = socket::accept(parent).context("wait at the start gate")?;
                if let Some(socket) = admitted(Peer::over(caller)) {
                    return process::replace(parent, socket).context("answer the starter");
                }
            }
        }
    }
}

/// A caller that hangs up, or says anything else, is not a start.
fn admitted(caller: Peer<FromInit, ToInit>) -> Option<hull_sys::fd::OwnedFd> {
    match caller.hear() {
        Ok(Some(ToInit::Start)) => Some(caller.into_fd()),
        _ => None,
    }
}
