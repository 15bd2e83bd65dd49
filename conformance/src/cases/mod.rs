//! The cases, one file per section of the spec and of the callers' contracts.
//! A case registers itself by `case!`; this list only names the files.

mod bad_input;
mod block_io;
mod checkpoints;
mod cli;
mod contention;
mod controllers;
mod cpu_affinity;
mod damaged_state;
mod devices;
mod endings;
mod entering;
mod exec;
mod exec_flags;
mod faults;
mod features;
mod features_linux;
mod foreground;
mod hooks;
mod host_side;
mod hostile_root;
mod id_maps;
mod image_programs;
mod image_races;
mod insight;
mod joining;
mod killed;
mod labels;
mod late_failures;
mod lifecycle;
mod limits;
mod live_mounts;
mod logs;
mod memory_policy;
mod mount_links;
mod mount_options;
mod mounts;
mod namespaces;
mod network_devices;
mod network_returns;
mod old_kernels;
mod order;
mod phrases;
mod pidfd;
mod privileges;
mod process;
mod rdt;
mod rootfs;
mod running;
mod safety;
mod scheduling;
mod scopes;
mod seccomp;
mod seccomp_notify;
mod settings;
mod statistics;
mod stdio;
mod surroundings;
mod terminal;
mod unified;
mod updates;

use crate::bed::Bed;
use crate::bundle::Config;
use crate::case::{Check, ensure};
use crate::container::Container;
use crate::process::{DEADLINE, Handle, readable_within};
use serde_json::Value;
use std::time::Duration;

/// A started container whose payload has come to its step `tell /sync/ready`.
fn ready<'b>(bed: &'b Bed, config: &Config) -> Check<Container<'b>> {
    let bundle = bed.bundle(config)?;
    let fifo = Fifo::make(&bundle.rootfs().join("sync/ready"))?;
    let container = Container::create(bed, &bed.id(), &bundle, &[])?;
    container.start()?;
    fifo.wait()?;
    Ok(container)
}

/// Each of these values of one property must be refused.
fn all_refused(bed: &Bed, pointer: &str, values: &[Value]) -> Check {
    for value in values {
        let refused = bed.create_refused(&bed.config().set(pointer, value.clone()));
        ensure!(refused.is_ok(), "{value}: {refused:?}");
    }
    Ok(())
}

/// A config with one value below `linux.resources`, where its controller can be had.
fn limited(bed: &Bed, controller: &str, pointer: &str, value: Value) -> Check<Config> {
    bed.host.needs_controller(controller)?;
    Ok(bed.config().set(&format!("/linux/resources/{pointer}"), value))
}

/// A fifo in the root of a container, through which the payload tells where it is.
struct Fifo(std::fs::File, std::path::PathBuf);

impl Fifo {
    fn make(path: &std::path::Path) -> Check<Self> {
        use rustix::fs::{CWD, FileType, Mode, mknodat};
        if !path.exists() {
            mknodat(CWD, path, FileType::Fifo, Mode::from_raw_mode(0o666), 0)?;
            std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o666))?;
        }
        // Open both ways, so that neither side ever blocks in open.
        let file = std::fs::OpenOptions::new().read(true).write(true).open(path)?;
        Ok(Self(file, path.to_owned()))
    }

    /// Waits for one `tell`.
    fn wait(&self) -> Check {
        self.wait_within(DEADLINE)
    }

    /// The same where a runtime may well have lost the payload.
    fn wait_within(&self, limit: Duration) -> Check {
        use std::io::Read;
        let came = readable_within(&self.0, limit);
        ensure!(came, "the payload said nothing in {} within {limit:?}", self.1.display());
        Ok((&self.0).read_exact(&mut [0])?)
    }

    /// True after one `tell`; false if the process ended without it, so that nobody waits for what cannot come.
    fn comes_before_the_end_of(&self, process: &Handle) -> Check<bool> {
        ensure!(process.ends_or_readable(&self.0, DEADLINE), "neither an end nor a word within {DEADLINE:?}");
        if !readable_within(&self.0, Duration::ZERO) {
            return Ok(false);
        }
        self.wait().map(|()| true)
    }

    /// Lets one `await` go on.
    fn tell(&self) -> Check {
        use std::io::Write;
        Ok((&self.0).write_all(b".")?)
    }
}

/// A mount of the case's own, gone when dropped.
struct Mounted(std::path::PathBuf);

impl Mounted {
    fn bind(source: &std::path::Path, target: &std::path::Path) -> Check<Self> {
        rustix::mount::mount_bind(source, target)?;
        Ok(Self(target.to_owned()))
    }

    fn tmpfs(target: &std::path::Path, options: &str) -> Check<Self> {
        use rustix::mount::{MountFlags, mount};
        let readonly = options.split(',').any(|option| option == "ro");
        let flags = if readonly { MountFlags::RDONLY } else { MountFlags::empty() };
        let data: Vec<&str> = options.split(',').filter(|option| *option != "ro").collect();
        mount("tmpfs", target, "tmpfs", flags, Some(&*std::ffi::CString::new(data.join(","))?))?;
        Ok(Self(target.to_owned()))
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // What does not go is found by the oracle.
        rustix::mount::unmount(&self.0, rustix::mount::UnmountFlags::DETACH).unwrap_or_default();
    }
}

/// The live children of a process, as the host numbers them.
fn children_of(pid: i32) -> Check<Vec<i32>> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))?;
    Ok(text.split_whitespace().filter_map(|word| word.parse().ok()).collect())
}

/// True once process `pid` has ended; it is collected if it is ours.
fn ends(pid: i32) -> bool {
    let Ok(handle) = Handle::open(pid) else { return true };
    let ended = handle.ends_within(Duration::from_secs(5));
    handle.reap();
    ended
}
