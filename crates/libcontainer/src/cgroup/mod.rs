//! The container's cgroups: placed, made, limited, joined, emptied, removed.
//!
//! One list of writes comes from the plan; v1, v2 and hybrid hosts differ only in which
//! directories stand under it. Every directory is reached by fd beneath its hierarchy's root.

mod devices;
mod directory;
mod enable;
mod limits;
mod live;
mod lost;
pub(crate) mod membership;
mod owner;
mod placement;
mod removal;
mod tree;

pub(crate) use live::Cgroup;
pub(crate) use lost::find as find_lost;
pub(crate) use placement::{Placement, path_of};
pub(crate) use removal::{Patience, is_frozen, is_populated, kill_all, remove};

use hull_sys::Errno;

/// A cgroup step that failed.
#[derive(Debug, thiserror::Error)]
pub enum CgroupError {
    #[error("cgroup {path}: {step}")]
    Step {
        step: &'static str,
        path: String,
        source: Errno,
    },
    #[error("cgroup {path}: container's cgroup is not empty: {count} process(es) found")]
    NotEmpty { path: String, count: usize },
    #[error("cgroup {path}: container's cgroup unexpectedly frozen")]
    Frozen { path: String },
    #[error("{pointer}: the requested cgroup controller `{controller}` is not available")]
    NoController {
        pointer: &'static str,
        controller: &'static str,
    },
    #[error("{pointer}: write {value:?} to {file} of cgroup {path}")]
    Limit {
        pointer: &'static str,
        value: String,
        file: String,
        path: String,
        source: Errno,
    },
    #[error("/linux/resources/devices: {0}")]
    DeviceRules(String),
    #[error("/linux/resources/devices: load the device filter")]
    DeviceFilter(#[source] Errno),
    #[error("read /proc/self/cgroup")]
    Membership(#[source] Errno),
    #[error("own cgroup {0} is outside of this cgroup namespace: give an absolute cgroupsPath")]
    Outside(String),
    #[error("cgroup {path} is still in use after {seconds} s")]
    Busy { path: String, seconds: u64 },
}
