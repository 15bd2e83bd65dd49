//! start: opens the gate of a created container, and returns when its payload runs.

use super::container::{Container, LookError};
use super::delete::{Force, delete};
use crate::{
    hooks::{self, HookError},
    launch::{Conversation, InitError},
    notify::Readiness,
    state::{Status, Store, StoreError, gate_path},
};
use hull_spec::{hook::HookKind, id::ContainerId};
use hull_sys::{Errno, fd::OwnedFd, process, socket};
use std::path::Path;

/// A start that failed.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Look(#[from] LookError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("cannot start a container that has stopped")]
    Stopped,
    #[error("cannot start an already running container")]
    Running,
    #[error("cannot start a container in the {0} state")]
    Other(&'static str),
    #[error("connect to the start gate")]
    Gate(#[source] Errno),
    #[error(transparent)]
    Init(#[from] InitError),
    #[error(transparent)]
    Hook(#[from] HookError),
}

/// Starts the user's program. Of two starts exactly one wins. Where `notify` names a service manager
/// and create was told of one, it returns when the payload is ready.
pub fn start(store: &Store, id: &ContainerId, notify: Option<&Path>) -> Result<(), StartError> {
    let container = Container::open(store, id)?;
    let lock = container.entry.lock()?;
    let (status, pidfd) = container.look()?;
    match status {
        Status::Created => {}
        Status::Stopped => return Err(StartError::Stopped),
        Status::Running => return Err(StartError::Running),
        other => return Err(StartError::Other(other.as_str())),
    }
    let listen = |manager| Readiness::listen(&container.entry, manager);
    let readiness = notify.map(listen).transpose()?.flatten();
    let socket = match socket::connect(&gate_path(&container.entry)) {
        Err(Errno::ECONNREFUSED) => return Err(nobody_listens(pidfd.as_ref())),
        other => other.map_err(StartError::Gate)?,
    };
    log::debug!("gate: open");
    // startContainer hooks run under the lock: a second start must not reach the gate meanwhile.
    let started = Conversation::at_gate(socket).start();
    drop(lock);
    match started {
        Err(error) if error.is_of_a_hook() => destroy(store, id, error.into()),
        other => other.map_err(StartError::from),
    }?;
    log::debug!("payload: running");
    let record = &container.record;
    let hooks = &record.hooks.poststart;
    hooks::run_all(
        HookKind::Poststart,
        hooks,
        &record.hook_state(),
        record.init.pid,
    )
    .or_else(|error| destroy(store, id, error.into()))?;
    if let (Some(readiness), Some(pidfd)) = (readiness, pidfd) {
        readiness.wait(record.init.pid, &pidfd);
    }
    Ok(())
}

/// It died in between, or a start that was killed had opened the gate before us.
fn nobody_listens(pidfd: Option<&OwnedFd>) -> StartError {
    let lives = |pidfd| process::wait_readable(pidfd, Some(0)) == Ok(false);
    match pidfd.is_some_and(lives) {
        true => StartError::Running,
        false => StartError::Stopped,
    }
}

/// After a failed hook: the container goes, with its poststop hooks (runtime.md#lifecycle 7, 9).
fn destroy(store: &Store, id: &ContainerId, why: StartError) -> Result<(), StartError> {
    if let Err(error) = delete(store, id, Force::Yes) {
        log::warn!("delete the container of a failed hook: {error}");
    }
    Err(why)
}
