//! Starts a program in a mount namespace of its own: what it mounts is seen
//! by its descendants alone, and gone with the last of them.

use nix::sched::{CloneFlags, unshare};
use rustix::mount::{MountPropagationFlags, mount_change};
use std::process::{Child, Command};

/// A thread can have a mount namespace of its own, and a child begins in that of the thread
/// that starts it. So nothing has to run in the child before its exec.
pub(crate) fn spawn_apart(command: &mut Command) -> Result<Child, String> {
    let start = || {
        unshare(CloneFlags::CLONE_NEWNS).map_err(|error| format!("a mount namespace of its own: {error}"))?;
        let change = |flags| {
            mount_change("/", flags | MountPropagationFlags::REC).map_err(|error| format!("detach the mounts: {error}"))
        };
        // First receive only, so that nothing gets out; then share within, as on a host with
        // systemd: the programs look at propagation.
        change(MountPropagationFlags::DOWNSTREAM)?;
        change(MountPropagationFlags::SHARED)?;
        command.spawn().map_err(|error| format!("start {}: {error}", command.get_program().display()))
    };
    std::thread::scope(|scope| scope.spawn(start).join().unwrap_or_else(|_| Err("the starting thread died".to_owned())))
}
