//! The top of config.json.

use oci_spec::runtime::{Hooks, Root};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::entries::Entries;
use super::linux::Linux;
use super::mount::Mount;
use super::process::Process;

/// The whole of config.json, but for what is meant for other platforms.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Config {
    pub oci_version: String,
    pub root: Option<Root>,
    pub mounts: Option<Vec<Mount>>,
    pub process: Option<Process>,
    pub hostname: Option<String>,
    pub domainname: Option<String>,
    pub hooks: Option<Hooks>,
    pub annotations: Option<Entries<String>>,
    pub linux: Option<Linux>,
    /// Only its presence matters: hull makes no virtual machines.
    pub vm: Option<IgnoredAny>,
}
