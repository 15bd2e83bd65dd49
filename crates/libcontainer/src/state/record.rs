//! The two records of a container: the intent, before anything is made, and the record proper,
//! once it has a first process. Facts only; a status is never among them.

use super::identity::ProcessIdentity;
use hull_spec::{
    hook::HookState,
    plan::{CgroupLayout, CgroupManager, Hooks},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Raised with each change that an older hull could misread.
pub(crate) const VERSION: u32 = 1;

/// What is about to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Intent {
    pub(crate) version: u32,
    pub(crate) id: String,
    pub(crate) bundle: String,
    pub(crate) oci_version: String,
    pub(crate) created: String,
    pub(crate) cgroup: CgroupRecord,
    /// Directories of resctrl that end with the container, the innermost last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) rdt: Vec<String>,
    /// Network devices that are about to move.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) network: Option<NetworkRecord>,
}

/// Devices as they were before, and the namespaces that they may be in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NetworkRecord {
    pub(crate) own: NamespaceIdentity,
    pub(crate) joined: Option<JoinedNamespace>,
    pub(crate) devices: Vec<NetDeviceRecord>,
}

/// A network namespace that lives on without the container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct JoinedNamespace {
    pub(crate) path: String,
    pub(crate) identity: NamespaceIdentity,
}

/// One namespace, as long as the machine is up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NamespaceIdentity {
    pub(crate) device: u64,
    pub(crate) inode: u64,
}

/// All that a device has to get back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NetDeviceRecord {
    pub(crate) host_name: String,
    /// In the container; `%d` is a number that the kernel chooses.
    pub(crate) name: String,
    pub(crate) index: u32,
    pub(crate) up: bool,
    pub(crate) hardware_address: Vec<u8>,
    pub(crate) master: Option<u32>,
    /// As the kernel tells them.
    pub(crate) addresses: Vec<Vec<u8>>,
    pub(crate) routes: Vec<Vec<u8>>,
}

/// Where the container's cgroups are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CgroupRecord {
    pub(crate) manager: CgroupManager,
    pub(crate) layout: CgroupLayout,
    /// Each hierarchy's directory below /sys/fs/cgroup (empty for v2), and the container's own
    /// path in it.
    pub(crate) places: Vec<(String, String)>,
    /// Absolute paths that create made, parents first; what was there before is not ours.
    pub(crate) made: Vec<String>,
}

/// A container that was created.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) version: u32,
    pub(crate) id: String,
    pub(crate) oci_version: String,
    pub(crate) bundle: String,
    pub(crate) rootfs: String,
    pub(crate) created: String,
    pub(crate) recorded: Recorded,
    pub(crate) annotations: BTreeMap<String, String>,
    pub(crate) init: ProcessIdentity,
    pub(crate) image: ImageIdentity,
    pub(crate) cgroup: CgroupRecord,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) rdt: Vec<String>,
    /// Does the end of init end every process of the container?
    pub(crate) own_pid_namespace: bool,
    pub(crate) hooks: Hooks,
}

impl Record {
    /// What hooks of this container are told.
    pub(crate) fn hook_state(&self) -> HookState {
        HookState::new(&self.oci_version, &self.id, &self.bundle, &self.annotations)
    }
}

/// When the record was written; what follows from it is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Recorded {
    /// When init was ready: it waits at its gate from then on.
    Ready,
    /// Before, by a `run` that said `Start` ahead: init goes through its gate without a stop.
    Ahead,
}

/// The init image's memfd: who runs another file has passed the gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ImageIdentity {
    pub(crate) device: u64,
    pub(crate) inode: u64,
}
