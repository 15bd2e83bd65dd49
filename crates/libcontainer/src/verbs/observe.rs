//! state and list: what the records and the kernel say, nothing changed.

use super::container::LookError;
use crate::{
    cgroup, owner,
    state::{
        ContainerState, Entry, Gate, InitLife, Intent, Record, Store, StoreError, observe,
        status_of,
    },
};
use hull_spec::id::ContainerId;
use hull_sys::{Errno, stat};
use std::collections::BTreeMap;

/// A container that cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    #[error(transparent)]
    Look(#[from] LookError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("state directory")]
    Owner(#[source] Errno),
}

/// One container.
pub fn state(store: &Store, id: &ContainerId) -> Result<ContainerState, StateError> {
    let entry = store.entry(id)?;
    match entry.record()? {
        Some(record) => recorded(&entry, record),
        None => match entry.intent()? {
            Some(intent) => half_made(&entry, intent),
            None => Err(StoreError::NotFound.into()),
        },
    }
}

/// All containers, sorted by id; an entry that cannot be read is skipped.
pub fn list(store: &Store) -> Result<Vec<ContainerState>, StateError> {
    let mut all = Vec::new();
    for id in store.ids()? {
        match state(store, &id) {
            Ok(state) => all.push(state),
            Err(error) => log::debug!("list: {}: {error}", id.as_str()),
        }
    }
    Ok(all)
}

fn recorded(entry: &Entry, record: Record) -> Result<ContainerState, StateError> {
    let (status, pidfd) =
        status_of(&record, || cgroup::is_frozen(&record.cgroup)).map_err(LookError::Process)?;
    Ok(ContainerState {
        oci_version: record.oci_version,
        id: record.id,
        pid: if pidfd.is_some() { record.init.pid } else { 0 },
        status,
        bundle: record.bundle,
        rootfs: record.rootfs,
        created: record.created,
        annotations: record.annotations,
        owner: owner_of(entry)?,
        systemd_scope: None,
    })
}

fn half_made(entry: &Entry, intent: Intent) -> Result<ContainerState, StateError> {
    Ok(ContainerState {
        oci_version: intent.oci_version,
        id: intent.id,
        pid: 0,
        status: observe(InitLife::NotYet, Gate::Closed, false),
        bundle: intent.bundle,
        rootfs: String::new(),
        created: intent.created,
        annotations: BTreeMap::new(),
        owner: owner_of(entry)?,
        systemd_scope: None,
    })
}

fn owner_of(entry: &Entry) -> Result<String, StateError> {
    let facts = stat::fstat(entry.directory()).map_err(StateError::Owner)?;
    Ok(owner::name(facts.uid))
}
