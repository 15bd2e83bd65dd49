//! delete: what create made goes, the state directory last, so that it can be repeated.

use crate::{
    cgroup::{self, CgroupError, Patience},
    hooks, host, net_devices,
    rdt::{self, RdtError},
    state::{CgroupRecord, Entry, Record, Reservation, Status, Store, StoreError, status_of},
};
use hull_spec::id::ContainerId;
use hull_sys::{Errno, process};
use std::{
    os::fd::OwnedFd,
    time::{Duration, Instant},
};

const SIGKILL: i32 = 9;
const LONGEST: Duration = Duration::from_secs(10);

/// A delete that failed; the record is kept, so that it can be tried again.
#[derive(Debug, thiserror::Error)]
pub enum DeleteError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("cannot delete container {id} that is not stopped: {status}")]
    NotStopped { id: String, status: &'static str },
    #[error("container init still running: pid {pid}")]
    StillRunning { pid: i32 },
    #[error("look at the container's first process")]
    Process(#[source] Errno),
    #[error(transparent)]
    Cgroup(#[from] CgroupError),
    #[error(transparent)]
    Rdt(#[from] RdtError),
    #[error("container has no record (`delete --force` cleans up)")]
    HalfMade,
    #[error("bring network devices back")]
    NetDevices(#[source] Errno),
    #[error("search the cgroups for those of the container")]
    Search(#[source] Errno),
    #[error(
        "the container's records are damaged and no cgroup bears its id: end its processes, then remove its state directory"
    )]
    Lost,
}

/// May a living container be killed for it, and an absent one be no error?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Force {
    Yes,
    No,
}

/// Deletes a container.
pub fn delete(store: &Store, id: &ContainerId, force: Force) -> Result<(), DeleteError> {
    let entry = match store.entry(id) {
        Err(StoreError::NotFound) if force == Force::Yes => return Ok(()),
        other => other?,
    };
    let lock = match force {
        Force::No => entry.lock()?,
        Force::Yes => match entry.lock_by_force() {
            Err(StoreError::NotFound) => return Ok(()),
            other => other?,
        },
    };
    let record = match entry.record() {
        Ok(Some(record)) => {
            destroy(id, &record, force)?;
            Some(record)
        }
        Ok(None) | Err(StoreError::Damaged { .. }) if force == Force::Yes => {
            clean_up(id, &entry)?;
            None
        }
        Ok(None) => return Err(DeleteError::HalfMade),
        Err(error) => return Err(error.into()),
    };
    entry.remove()?;
    drop(lock);
    if let Some(record) = record {
        hooks::run_poststop(&record.hooks.poststop, &record.hook_state());
    }
    Ok(())
}

/// Removes a container whose first process its own maker has just reaped. By its place, not by its
/// id: that may name another container by now.
pub(super) fn bury(record: &Record, mut place: Reservation) -> Result<(), DeleteError> {
    match place.relock() {
        // A delete was faster.
        Err(StoreError::NotFound) => return Ok(()),
        other => other?,
    }
    let left = if record.own_pid_namespace {
        Force::No
    } else {
        Force::Yes
    };
    sweep(&record.cgroup, left)?;
    rdt::remove(&record.rdt)?;
    place.remove()?;
    drop(place);
    hooks::run_poststop(&record.hooks.poststop, &record.hook_state());
    Ok(())
}

fn destroy(id: &ContainerId, record: &Record, force: Force) -> Result<(), DeleteError> {
    let (status, pidfd) =
        status_of(record, || cgroup::is_frozen(&record.cgroup)).map_err(DeleteError::Process)?;
    if force == Force::No && !matches!(status, Status::Stopped | Status::Created) {
        let id = id.as_str().to_owned();
        return Err(DeleteError::NotStopped {
            id,
            status: status.as_str(),
        });
    }
    if let Some(pidfd) = pidfd {
        end(&pidfd, record)?;
    }
    sweep(&record.cgroup, force)?;
    Ok(rdt::remove(&record.rdt)?)
}

/// Kills the first process and waits for its end.
fn end(pidfd: &OwnedFd, record: &Record) -> Result<(), DeleteError> {
    match process::signal(pidfd, SIGKILL) {
        Ok(()) | Err(Errno::ESRCH) => {}
        Err(errno) => return Err(DeleteError::Process(errno)),
    }
    if !record.own_pid_namespace {
        cgroup::kill_all(&record.cgroup, SIGKILL)?;
    }
    let deadline = Instant::now() + LONGEST;
    loop {
        let left = deadline
            .saturating_duration_since(Instant::now())
            .as_millis();
        let left = i32::try_from(left).unwrap_or(i32::MAX);
        match process::wait_readable(pidfd, Some(left)) {
            Ok(true) => return Ok(()),
            Err(Errno::EINTR) => {}
            Ok(false) => {
                return Err(DeleteError::StillRunning {
                    pid: record.init.pid,
                });
            }
            Err(errno) => return Err(DeleteError::Process(errno)),
        }
    }
}

/// Leftovers of a container whose first process is dead: killed only by force.
fn sweep(record: &CgroupRecord, force: Force) -> Result<(), DeleteError> {
    if force == Force::Yes && cgroup::is_populated(record) {
        cgroup::kill_all(record, SIGKILL)?;
    }
    Ok(cgroup::remove(record, Patience::DELETE)?)
}

/// Without a record: what the intent names. Its creator holds the lock as long as it lives, and
/// init dies with it, so nobody is at work here, except a creator whose hooks run: it finds its
/// directory gone and gives up.
fn clean_up(id: &ContainerId, entry: &Entry) -> Result<(), DeleteError> {
    match entry.intent() {
        Ok(Some(intent)) => {
            sweep_places(intent.cgroup)?;
            rdt::remove(&intent.rdt)?;
            match &intent.network {
                Some(network) => {
                    net_devices::bring_back_lost(network).map_err(DeleteError::NetDevices)
                }
                None => Ok(()),
            }
        }
        Ok(None) | Err(StoreError::Damaged { .. }) => clean_up_by_id(id, entry),
        Err(error) => Err(error.into()),
    }
}

/// What was made is not known: the container's own directories are, by their place.
fn sweep_places(mut record: CgroupRecord) -> Result<(), DeleteError> {
    let paths = record.places.iter();
    record.made = paths
        .map(|(name, place)| cgroup::path_of(name, place))
        .collect();
    sweep(&record, Force::Yes)
}

/// Without an intent either. One that was never whole had nothing made after it; where something
/// was, the directory is all that is left to tell of living processes, and stays until they end.
fn clean_up_by_id(id: &ContainerId, entry: &Entry) -> Result<(), DeleteError> {
    let found = host::cgroup_layout()
        .and_then(|layout| cgroup::find_lost(id, layout))
        .map_err(DeleteError::Search)?;
    if found.is_empty() && entry.was_declared() {
        return Err(DeleteError::Lost);
    }
    found.into_iter().try_for_each(sweep_places)
}
