//! start: opens the gate of a created container, and returns when its payload runs.

use super::container::{Container, LookError};
use crate::{
    launch::{Conversation, InitError},
    state::{Status, Store, StoreError, gate_path},
};
use hull_spec::id::ContainerId;
use hull_sys::{Errno, socket};

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
}

/// Starts the user's program. Of two starts exactly one wins.
pub fn start(store: &Store, id: &ContainerId) -> Result<(), StartError> {
    let container = Container::open(store, id)?;
    let _lock = container.entry.lock()?;
    match container.look()?.0 {
        Status::Created => {}
        Status::Stopped => return Err(StartError::Stopped),
        Status::Running => return Err(StartError::Running),
        other => return Err(StartError::Other(other.as_str())),
    }
    let socket = match socket::connect(&gate_path(&container.entry)) {
        // It died in between: nobody listens.
        Err(Errno::ECONNREFUSED) => return Err(StartError::Stopped),
        other => other.map_err(StartError::Gate)?,
    };
    log::debug!("gate: open");
    Conversation::at_gate(socket).start()?;
    log::debug!("payload: running");
    Ok(())
}
