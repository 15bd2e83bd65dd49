//! What hull remembers of a container, and how its status follows from the kernel.

mod file_names;
mod identity;
mod lock;
mod record;
mod reservation;
mod status;
mod store;

pub(crate) use identity::ProcessIdentity;
pub(crate) use record::{
    CgroupRecord, ImageIdentity, Intent, JoinedNamespace, NamespaceIdentity, NetDeviceRecord,
    NetworkRecord, Record, Recorded, VERSION,
};
pub(crate) use reservation::{Reservation, gate_path};
pub use status::Status;
pub(crate) use status::{Gate, InitLife, observe};
pub(crate) use store::{Entry, status_of};
pub use store::{Store, StoreError};

use serde::Serialize;
use std::collections::BTreeMap;

/// What `state` and `list` show (contracts 7.1); its JSON is API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ContainerState {
    pub oci_version: String,
    pub id: String,
    /// 0 when stopped.
    pub pid: i32,
    pub status: Status,
    pub bundle: String,
    pub rootfs: String,
    /// RFC 3339 in UTC.
    pub created: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    pub owner: String,
    #[serde(rename = "systemd-scope", skip_serializing_if = "Option::is_none")]
    pub systemd_scope: Option<String>,
}
