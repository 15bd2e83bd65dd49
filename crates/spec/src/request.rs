//! What the caller of one create says beside the config: the command line as plain values.

use crate::id::ContainerId;
use crate::plan::{CgroupManager, Verbosity};

/// One call of create or run.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    pub id: &'a ContainerId,
    /// `--systemd-cgroup`, `--cgroup-manager`.
    pub manager: CgroupManager,
    /// `--rootless`.
    pub rootless: Rootless,
    /// `--no-pivot`.
    pub root_change: RootChange,
    /// `--no-new-keyring`.
    pub keyring: SessionKeyring,
    /// `--preserve-fds`: this many fds behind those of `activation` are the payload's.
    pub preserved_fds: u32,
    /// Listening sockets for the payload.
    pub activation: Activation<'a>,
    /// `--debug`.
    pub verbosity: Verbosity,
    /// `--console-socket` is given.
    pub console: bool,
    /// `create`, or `run --detach`.
    pub detached: bool,
}

/// What a service manager hands down: sockets, from fd 3 on (sd_listen_fds(3)), and a place to
/// tell that the service is ready (sd_notify(3)).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Activation<'a> {
    /// LISTEN_FDS.
    pub sockets: u32,
    /// LISTEN_FDNAMES.
    pub names: Option<&'a str>,
    /// NOTIFY_SOCKET: somebody waits for the payload's `READY=1`.
    pub notify: bool,
}

/// Are cgroup errors tolerated where no limit is asked?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rootless {
    /// When the runtime is not privileged.
    Auto,
    Yes,
    No,
}

/// How the old root is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RootChange {
    PivotRoot,
    Chroot,
}

/// Whose session keyring the container has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionKeyring {
    New,
    Inherit,
}
