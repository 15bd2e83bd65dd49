//! The leak oracle: what of a case is still there after it. Compared with
//! the state before: own children, cgroups in every hierarchy, the mount
//! table, our descriptors, unix sockets, and the well-known state roots.
//!
//! A worker is a subreaper with a mount namespace of its own, so processes
//! and mounts that a runtime forgot are exactly those found here; a namespace
//! outlives its processes only by a mount or a descriptor, both compared.

use crate::cgroups::Hierarchies;
use crate::process::{Handle, command_line, own_children};
use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

/// A killed process that nobody waits for may take a moment to be gone.
const GRACE: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub(crate) struct Snapshot {
    things: BTreeSet<String>,
}

impl Snapshot {
    pub(crate) fn take(token: &str) -> Self {
        let mut things = BTreeSet::new();
        things.extend(living_children().into_iter().map(|pid| format!("process {pid} {}", command_line(pid))));
        things.extend(
            Hierarchies::find().directories_naming(token).iter().map(|dir| format!("cgroup {}", dir.display())),
        );
        things.extend(mounts());
        things.extend(descriptors());
        things.extend(sockets(token));
        things.extend(well_known_state(token));
        Self { things }
    }

    /// What is here now and was not in `before`.
    pub(crate) fn since(&self, before: &Self) -> Vec<String> {
        self.things.difference(&before.things).cloned().collect()
    }
}

/// Children that are still alive after a grace; zombies among them are collected.
fn living_children() -> Vec<i32> {
    let handles: Vec<Handle> = own_children().into_iter().filter_map(|pid| Handle::open(pid).ok()).collect();
    // All zombies first: the first process of a pid namespace ends only when all others are collected.
    for handle in &handles {
        handle.reap();
    }
    let ended = |handle: &Handle| {
        let ended = handle.ends_within(GRACE);
        if ended {
            handle.reap();
        }
        ended
    };
    handles.into_iter().filter(|handle| !ended(handle)).map(|handle| handle.pid).collect()
}

fn mounts() -> Vec<String> {
    let table = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    // Without the two ids at the front, which differ for equal mounts, and without what the whole
    // machine shares of cgroup2, which a case beside this one may be changing.
    let rest = table.lines().filter_map(|line| line.splitn(3, ' ').nth(2));
    rest.map(|rest| format!("mount {}", rest.split_once(" - cgroup2 ").map_or(rest, |(place, _)| place))).collect()
}

fn descriptors() -> Vec<String> {
    let Ok(entries) = fs::read_dir("/proc/self/fd") else {
        return Vec::new();
    };
    let targets = entries.flatten().filter_map(|entry| fs::read_link(entry.path()).ok());
    targets
        .map(|target| target.to_string_lossy().into_owned())
        .filter(|target| !target.ends_with("/fd"))
        .map(|target| format!("descriptor {target}"))
        .collect()
}

fn sockets(token: &str) -> Vec<String> {
    let table = fs::read_to_string("/proc/net/unix").unwrap_or_default();
    let names = table.lines().filter_map(|line| line.split_whitespace().nth(7));
    names.filter(|name| name.contains(token)).map(|name| format!("socket {name}")).collect()
}

/// Directories that runtimes are known to make files, or groups of processes, in.
const PLACES: [&str; 11] = [
    "/run/hull",
    "/run/runc",
    "/run/crun",
    "/run/youki",
    "/run",
    "/tmp",
    "/dev/shm",
    "/run/crun/.cache",
    "/run/systemd/transient",
    "/sys/fs/resctrl",
    "/sys/fs/resctrl/mon_groups",
];

/// Entries that name this case below them.
fn well_known_state(token: &str) -> Vec<String> {
    let mut found = Vec::new();
    for dir in PLACES {
        let Ok(entries) = fs::read_dir(dir) else {
            continue;
        };
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.contains(token) {
                found.push(format!("file {dir}/{name}"));
            }
        }
    }
    found
}
