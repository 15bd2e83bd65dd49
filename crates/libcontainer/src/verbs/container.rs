//! A container as a verb finds it: its directory, its record, its status now.

use crate::{
    cgroup,
    state::{Entry, Record, Status, Store, StoreError, status_of},
};
use hull_spec::id::ContainerId;
use hull_sys::Errno;
use std::os::fd::OwnedFd;

/// A container that has a record.
#[derive(Debug)]
pub(super) struct Container {
    pub(super) entry: Entry,
    pub(super) record: Record,
}

/// The container cannot be looked at.
#[derive(Debug, thiserror::Error)]
pub enum LookError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("container is still being created")]
    HalfMade,
    #[error("look at the container's first process")]
    Process(#[source] Errno),
}

impl Container {
    /// One that was created whole.
    pub(super) fn open(store: &Store, id: &ContainerId) -> Result<Self, LookError> {
        let entry = store.entry(id)?;
        let record = entry.record()?.ok_or(LookError::HalfMade)?;
        Ok(Self { entry, record })
    }

    /// Its status now, with a handle of its first process while that lives.
    pub(super) fn look(&self) -> Result<(Status, Option<OwnedFd>), LookError> {
        status_of(&self.record, || cgroup::is_frozen(&self.record.cgroup))
            .map_err(LookError::Process)
    }
}
