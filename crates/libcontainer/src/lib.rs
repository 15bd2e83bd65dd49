//! The host side of a container's life: state under /run, cgroups, births, verbs.
//!
//! Each verb of the runtime is one function: [`create`], [`run`], [`start`], [`kill`],
//! [`delete`], [`state`], [`list`]. A verb reads the bundle or the record, decides by pure code
//! (`hull_spec::resolve`), and then acts; whatever it makes on the host is held by a guard that
//! undoes it unless the verb succeeds. Nothing here knows a command line or prints.

#![forbid(unsafe_code)]

mod caller_socket;
mod cgroup;
mod hooks;
mod host;
mod kernel_file;
mod launch;
mod net_devices;
mod notify;
mod owner;
mod pid_file;
mod rdt;
mod signal;
mod state;
mod terminal;
mod timestamp;
mod verbs;

pub use hooks::HookError;
pub use hull_spec::{
    RootChange, Rootless, SessionKeyring,
    id::{ContainerId, IdError},
    plan::CgroupManager,
};
pub use signal::{Signal, SignalError};
pub use state::{ContainerState, Status, Store, StoreError};
pub use timestamp::rfc3339;
pub use verbs::{
    CreateError, CreateRequest, DeleteError, ExitCode, Force, Keep, KillError, RunError, RunMode,
    Sockets, StartError, StateError, Subreaper, Whom, create, delete, kill, list, run, start,
    state,
};

/// The allocator that hull's own binary runs on; see [`hull_sys::allocator`].
pub use hull_sys::allocator::Bump;
