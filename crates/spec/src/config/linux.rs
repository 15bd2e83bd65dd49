//! `linux`: required members are required here, free keys come in order and stand once, and the
//! words of enumerations stay words, so that `resolve` can refuse them with the caller's phrase.

use oci_spec::runtime::{LinuxNetDevice, LinuxPersonality, LinuxSeccomp, LinuxTimeOffset};
use serde::Deserialize;

use super::entries::Entries;
use super::resources::Resources;

/// The part of the config that only Linux has.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Linux {
    pub uid_mappings: Option<Vec<IdMapping>>,
    pub gid_mappings: Option<Vec<IdMapping>>,
    pub sysctl: Option<Entries<String>>,
    pub resources: Option<Resources>,
    pub cgroups_path: Option<String>,
    pub namespaces: Option<Vec<Namespace>>,
    pub devices: Option<Vec<Device>>,
    pub net_devices: Option<Entries<LinuxNetDevice>>,
    pub seccomp: Option<LinuxSeccomp>,
    pub rootfs_propagation: Option<String>,
    pub masked_paths: Option<Vec<String>>,
    pub readonly_paths: Option<Vec<String>>,
    pub mount_label: Option<String>,
    pub intel_rdt: Option<IntelRdt>,
    pub memory_policy: Option<MemoryPolicy>,
    pub personality: Option<LinuxPersonality>,
    pub time_offsets: Option<Entries<LinuxTimeOffset>>,
}

/// One of `linux.namespaces`.
#[derive(Debug, Clone, Deserialize)]
pub struct Namespace {
    #[serde(rename = "type")]
    pub kind: String,
    pub path: Option<String>,
}

/// `linux.memoryPolicy`: words as they are written.
#[derive(Debug, Clone, Deserialize)]
pub struct MemoryPolicy {
    pub mode: String,
    pub nodes: Option<String>,
    pub flags: Option<Vec<String>>,
}

/// `linux.intelRdt`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IntelRdt {
    #[serde(rename = "closID")]
    pub clos_id: Option<String>,
    pub schemata: Option<Vec<String>>,
    pub l3_cache_schema: Option<String>,
    pub mem_bw_schema: Option<String>,
    pub enable_monitoring: Option<bool>,
}

/// One extent of `linux.uidMappings` or `linux.gidMappings`.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct IdMapping {
    #[serde(rename = "containerID")]
    pub container_id: u32,
    #[serde(rename = "hostID")]
    pub host_id: u32,
    pub size: u32,
}

/// One of `linux.devices`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Device {
    #[serde(rename = "type")]
    pub kind: String,
    pub path: String,
    pub major: Option<i64>,
    pub minor: Option<i64>,
    pub file_mode: Option<u32>,
    pub uid: Option<u32>,
    pub gid: Option<u32>,
}
