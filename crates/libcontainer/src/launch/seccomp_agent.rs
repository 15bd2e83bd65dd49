//! The seccomp agent: gets the listener of the container's filter and the container process state.
//!
//! One connection carries one state, the fd with its first byte, and is closed
//! (config-linux.md#seccomp). An agent that does not take it costs five seconds at most.

use super::LaunchError;
use crate::caller_socket::{self, timed_out};
use hull_spec::{hook::HookState, plan::SeccompAgent};
use hull_sys::{
    fd::{AsFd, OwnedFd},
    process, rights,
};

/// Takes the listener out of init, which tells no more than its number, and hands it on.
pub(super) fn hand_over(
    agent: &SeccompAgent,
    state: &HookState,
    (pid, pidfd): (i32, &OwnedFd),
    number: i32,
) -> Result<(), LaunchError> {
    let listener = process::copy_fd(pidfd, number)
        .map_err(|source| LaunchError::Prepare("take the seccomp listener", source))?;
    let path = || agent.path.clone();
    let stream = caller_socket::connect(agent.path.as_ref())
        .map_err(|source| LaunchError::AgentConnect(path(), source))?;
    let message = state.with_listener(agent.metadata.as_deref(), pid);
    rights::send(&stream, message.as_bytes(), listener.as_fd())
        .map_err(|errno| LaunchError::AgentSend(path(), timed_out(errno)))?;
    log::debug!("seccomp: listener handed to {}", agent.path);
    Ok(())
}
