//! kill: a signal to the container's first process, or to all of its cgroup.

use super::container::{Container, LookError};
use crate::{
    cgroup::{self, CgroupError},
    signal::Signal,
    state::{Record, Status, Store},
};
use hull_spec::id::ContainerId;
use hull_sys::{Errno, process};

/// A kill that failed.
#[derive(Debug, thiserror::Error)]
pub enum KillError {
    #[error(transparent)]
    Look(#[from] LookError),
    #[error("container not running")]
    NotRunning,
    #[error("send signal {signal}")]
    Signal { signal: i32, source: Errno },
    #[error(transparent)]
    Cgroup(#[from] CgroupError),
}

/// Who gets the signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whom {
    Init,
    /// Every process of the container's cgroup, if init is dead too.
    All,
}

/// Sends a signal.
pub fn kill(store: &Store, id: &ContainerId, signal: Signal, whom: Whom) -> Result<(), KillError> {
    let container = Container::open(store, id)?;
    let (status, pidfd) = container.look()?;
    if status == Status::Creating {
        return Err(LookError::HalfMade.into());
    }
    if whom == Whom::All {
        return Ok(cgroup::kill_all(&container.record.cgroup, signal.number())?);
    }
    let Some(pidfd) = pidfd.filter(|_| status != Status::Stopped) else {
        return Err(KillError::NotRunning);
    };
    match process::signal(&pidfd, signal.number()) {
        Ok(()) => finish(&container.record, signal),
        Err(Errno::ESRCH) => Err(KillError::NotRunning),
        Err(source) => Err(KillError::Signal {
            signal: signal.number(),
            source,
        }),
    }
}

/// In a shared pid namespace the end of the first process does not end the others.
fn finish(record: &Record, signal: Signal) -> Result<(), KillError> {
    if signal == Signal::KILL && !record.own_pid_namespace {
        cgroup::kill_all(&record.cgroup, signal.number())?;
    }
    Ok(())
}
