//! What can go wrong between a plan and a process at its gate.

use super::conversation::InitError;
use crate::{
    cgroup::CgroupError, hooks::HookError, net_devices::NetDeviceError, terminal::ConsoleError,
};
use hull_sys::Errno;

/// A launch that failed.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    #[error("{pointer}: open namespace {path:?}")]
    Namespace {
        pointer: String,
        path: String,
        source: Errno,
    },
    #[error("{pointer}: namespace {path:?} is of another type than {wanted}")]
    NamespaceType {
        pointer: String,
        path: String,
        wanted: &'static str,
    },
    #[error("{pointer}: open {source_path:?}")]
    Tree {
        pointer: String,
        source_path: String,
        source: Errno,
    },
    #[error("{pointer}: {step}")]
    Filesystem {
        pointer: String,
        step: String,
        source: Errno,
    },
    #[error("{pointer}: make its id map")]
    TreeMaps { pointer: String, source: Box<Self> },
    #[error("{pointer}: {object} does not support id-mapped mounts")]
    NotMappable {
        pointer: String,
        object: String,
        source: Errno,
    },
    #[error("{pointer}: map the ids of {object}")]
    MapIds {
        pointer: String,
        object: String,
        source: Errno,
    },
    #[error(
        "{pointer}: more sources than a limit of {limit} open files has room for (RLIMIT_NOFILE)"
    )]
    TooManyTrees {
        pointer: String,
        limit: u64,
        source: Errno,
    },
    #[error("{pointer}: {source_path:?} is not the device {major}:{minor}")]
    NotTheDevice {
        pointer: String,
        source_path: String,
        major: u32,
        minor: u32,
    },
    #[error("{0}")]
    Prepare(&'static str, #[source] Errno),
    #[error("make the container's first process: {call}")]
    Spawn { call: &'static str, source: Errno },
    #[error("unable to stat preserved-fd {0}")]
    PreservedFd(u32, #[source] Errno),
    #[error("write {file} of the new user namespace")]
    IdMap {
        file: &'static str,
        source: std::io::Error,
    },
    #[error("/process/oomScoreAdj: write {value}")]
    OomScore { value: i32, source: std::io::Error },
    #[error("/process/rlimits/{index}")]
    Rlimit { index: usize, source: Errno },
    #[error("/process/ioPriority: set the I/O priority")]
    IoPriority(#[source] Errno),
    #[error("/process/scheduler: set the scheduling policy")]
    Scheduler(#[source] Errno),
    #[error("/process/scheduler: process scheduler can't be used together with AllowedCPUs")]
    SchedulerBesideCpus(#[source] Errno),
    #[error("/linux/seccomp/listenerPath: failed to connect with seccomp agent {0:?}")]
    AgentConnect(String, #[source] Errno),
    #[error("/linux/seccomp/listenerPath: send the listener to seccomp agent {0:?}")]
    AgentSend(String, #[source] Errno),
    #[error(transparent)]
    Init(#[from] InitError),
    #[error(transparent)]
    Hook(#[from] HookError),
    #[error(transparent)]
    Cgroup(#[from] CgroupError),
    #[error(transparent)]
    NetDevice(#[from] NetDeviceError),
    #[error(transparent)]
    Console(#[from] ConsoleError),
}
