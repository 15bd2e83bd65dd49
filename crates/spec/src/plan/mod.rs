//! The plan: every decision of one create, taken before anything is touched.
//!
//! A plan is plain data. Nothing in it is optional that has a default, nothing is unchecked, and
//! no type of the raw config is left. [`HostPlan`] is for the process that stays outside;
//! [`InitPlan`] travels to the init image in a sealed memfd. Whoever holds a plan carries it out
//! and asks no questions.

mod cgroup;
mod label;
mod mount;
mod namespace;
mod process;
mod rdt;
mod scheduling;
mod seccomp;

use crate::hook::HookState;
use alloc::{collections::BTreeMap, string::String, vec::Vec};
use serde::{Deserialize, Serialize};

pub use cgroup::*;
pub use label::*;
pub use mount::*;
pub use namespace::*;
pub use process::*;
pub use rdt::*;
pub use scheduling::*;
pub use seccomp::*;

/// All that one create will do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// What the runtime does outside.
    pub host: HostPlan,
    /// What the init image does inside.
    pub init: InitPlan,
    /// What the user should know although nothing fails.
    pub warnings: Vec<String>,
}

impl Plan {
    /// Does init need anything more of the runtime once it was born: an answer, a hook, a limit?
    /// If not, a `run` says `Start` ahead, and init never waits at its gate.
    #[must_use]
    pub fn asks_for_more(&self) -> bool {
        self.host.hooks.any_at_create()
            // They are told that the container is created, so it must be first.
            || !self.host.hooks.start_container.is_empty()
            || !self.host.rlimits.is_empty()
            || self.host.scheduling != Scheduling::default()
            || !self.host.net_devices.is_empty()
            || self.host.seccomp_agent.is_some()
            || self.init.process.terminal != Terminal::None
    }
}

/// The part of the plan that needs the host: what stays outside of the container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostPlan {
    /// `ociVersion` of the config, shown by `state`.
    pub oci_version: String,
    /// Kept for `state` and hooks; never interpreted here.
    pub annotations: BTreeMap<String, String>,
    /// Absolute path of the root filesystem.
    pub rootfs: String,
    /// Namespaces made or joined.
    pub namespaces: Namespaces,
    /// Written to uid_map and gid_map of a new user namespace.
    pub id_maps: IdMaps,
    /// Where the container stands in the cgroup tree, and its limits.
    pub cgroup: CgroupPlan,
    /// The class in resctrl; without one resctrl is left alone.
    pub rdt: Option<RdtPlan>,
    /// Mount trees that the host opens and hands to init, by index.
    pub handed: Vec<HandedTree>,
    /// Maps that mounts have for themselves, or borrow of the container's new user namespace.
    pub tree_maps: Vec<IdMaps>,
    /// Set on an init in its own user namespace by prlimit, in order.
    pub rlimits: Vec<Rlimit>,
    /// Set on init when nothing but the gate is left.
    pub scheduling: Scheduling,
    /// Written to oom_score_adj only when the config sets it (config.md#linux-process).
    pub oom_score_adj: Option<i32>,
    /// Moved into the container's network namespace, in this order.
    pub net_devices: Vec<NetDevice>,
    /// Told of the seccomp filter's listener before the container is created.
    pub seccomp_agent: Option<SeccompAgent>,
    /// Hooks that the runtime runs, by the moment they run at.
    pub hooks: Hooks,
}

impl HostPlan {
    /// Does the payload tell when it is ready, and to whom the runtime tells it on?
    #[must_use]
    pub fn notifies(&self) -> bool {
        let mut sources = self.handed.iter().map(|tree| &tree.source);
        sources.any(|source| *source == TreeSource::Notify)
    }
}

/// What the init image is handed: carried out from top to bottom, nothing is decided inside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InitPlan {
    /// Whether init announces each stage.
    pub verbosity: Verbosity,
    /// What is joined, made and set inside namespaces.
    pub namespaces: InitNamespaces,
    /// The root filesystem.
    pub rootfs: Rootfs,
    /// Written below /proc/sys through a procfs of our own.
    pub sysctls: Vec<Sysctl>,
    /// The session keyring.
    pub keyring: Keyring,
    /// Whether init waits for the runtime on its way.
    pub pauses: Pauses,
    /// Hooks that init runs itself, since they run in the container's namespaces.
    pub hooks: InitHooks,
    /// Identity, privileges and the program.
    pub process: Process,
}

/// How much init tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verbosity {
    /// Only failures and warnings.
    Quiet,
    /// One message per stage.
    Stages,
}

/// The moments at which init waits for the host before it seals the root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pauses {
    /// For prestart and createRuntime hooks (runtime.md#lifecycle 3, 4), and for network devices.
    pub after_mounts: bool,
}

/// The hooks that run in the container's namespaces, and what they are told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InitHooks {
    /// Before pivot_root; the runtime fills in its own environment where the config has none.
    pub create_container: Vec<Hook>,
    /// After the gate, before privileges are given up.
    pub start_container: Vec<Hook>,
    pub state: HookState,
}

/// One namespaced kernel setting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sysctl {
    /// Path below /proc/sys, components divided by `/`.
    pub path: String,
    /// Value as written.
    pub value: String,
}

/// What happens to the session keyring.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Keyring {
    /// `--no-new-keyring`: the caller's stays.
    Inherit,
    /// A new one of this name is joined.
    Join(String),
}

/// Hooks by the moment they run at, each list in the config's order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hooks {
    /// Deprecated, before `create_runtime`.
    pub prestart: Vec<Hook>,
    /// In the runtime's namespaces, after the mounts, before pivot_root.
    pub create_runtime: Vec<Hook>,
    /// In the container's namespaces, before pivot_root.
    pub create_container: Vec<Hook>,
    /// In the container, during start, before the payload.
    pub start_container: Vec<Hook>,
    /// In the runtime's namespaces, after the payload's execve.
    pub poststart: Vec<Hook>,
    /// In the runtime's namespaces, after delete.
    pub poststop: Vec<Hook>,
}

impl Hooks {
    /// Does any run before the container is created?
    #[must_use]
    pub fn any_at_create(&self) -> bool {
        [&self.prestart, &self.create_runtime, &self.create_container]
            .into_iter()
            .any(|list| !list.is_empty())
    }
}

/// One program to run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hook {
    /// Absolute path.
    pub path: String,
    /// argv, never empty.
    pub args: Vec<String>,
    /// The whole environment; `None` means the runtime's own.
    pub env: Option<Vec<String>>,
    /// Seconds after which the hook's process group is killed.
    pub timeout: Option<u32>,
}
