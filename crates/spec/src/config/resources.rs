//! `linux.resources`: oci-spec's types for the controllers, own ones where null must be told from
//! absent, where a number is wider than theirs, or where the order of free keys would be lost.

use oci_spec::runtime::{LinuxBlockIo, LinuxCpu, LinuxMemory, LinuxNetwork, LinuxRdma};
use serde::Deserialize;

use super::entries::Entries;

/// What the cgroup limits.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Resources {
    pub devices: Option<Vec<DeviceRule>>,
    pub memory: Option<LinuxMemory>,
    pub cpu: Option<LinuxCpu>,
    pub pids: Option<Pids>,
    #[serde(rename = "blockIO")]
    pub block_io: Option<LinuxBlockIo>,
    pub hugepage_limits: Option<Vec<HugepageLimit>>,
    pub network: Option<LinuxNetwork>,
    pub rdma: Option<Entries<LinuxRdma>>,
    pub unified: Option<Entries<String>>,
}

/// One of `linux.resources.devices`.
#[derive(Debug, Clone, Deserialize)]
pub struct DeviceRule {
    pub allow: bool,
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub major: Option<i64>,
    pub minor: Option<i64>,
    pub access: Option<String>,
}

/// `linux.resources.pids`.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
pub struct Pids {
    pub limit: Option<i64>,
}

/// One of `linux.resources.hugepageLimits`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HugepageLimit {
    pub page_size: String,
    pub limit: u64,
}
