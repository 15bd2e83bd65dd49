//! config-linux.md, `namespaces`: those of another container, joined in many combinations.

use crate::bed::Bed;
use crate::bundle::Config;
use crate::case::{Check, case, must, same};
use crate::container::Container;
use serde_json::json;
use std::fs::read_link;
use std::path::PathBuf;

/// Kind, and its file below /proc/PID/ns.
const KINDS: [(&str, &str); 8] = [
    ("cgroup", "cgroup"),
    ("ipc", "ipc"),
    ("mount", "mnt"),
    ("network", "net"),
    ("pid", "pid"),
    ("time", "time"),
    ("user", "user"),
    ("uts", "uts"),
];

/// What a namespace is told apart by.
fn identity(pid: i32, file: &str) -> Check<PathBuf> {
    Ok(read_link(format!("/proc/{pid}/ns/{file}"))?)
}

/// A config that joins these of the container, and has the others new, or the host's.
fn joining(bed: &Bed, other: &Container, joined: &[(&str, &str)], others_new: bool) -> Config {
    let mut config = bed.config().remove("/linux/maskedPaths").remove("/linux/readonlyPaths").remove("/hostname");
    if !others_new {
        config = config.set("/linux/namespaces", json!([]));
    }
    for (kind, file) in joined {
        config = config.namespace_path(kind, &format!("/proc/{}/ns/{file}", other.pid()));
    }
    let mounts_are_new = others_new && !joined.iter().any(|(kind, _)| *kind == "mount");
    let tmpfs = json!([{"destination": "/dev", "type": "tmpfs", "source": "tmpfs"}]);
    let config = config.set("/mounts", if mounts_are_new { tmpfs } else { json!([]) });
    // In a joined mount namespace the root is looked up where it is.
    if joined.iter().any(|(kind, _)| *kind == "mount") { config.set("/root", json!({"path": "/"})) } else { config }
}

/// Creates a container that joins these, and looks where it stands.
fn joins(bed: &Bed, other: &Container, joined: &[(&str, &str)], number: usize) -> Check {
    for others_new in [true, false] {
        let config =
            joining(bed, other, joined, others_new).set("/linux/cgroupsPath", json!(bed.cgroups_path("-second")));
        let bundle = bed.bundle_named(&format!("second-{number}-{others_new}"), &config)?;
        let second = Container::create(bed, &format!("{}-second", bed.token), &bundle, &[])?;
        for (kind, file) in joined {
            let names: Vec<&str> = joined.iter().map(|(kind, _)| *kind).collect();
            same(&format!("{kind} of {names:?}"), identity(second.pid(), file)?, identity(other.pid(), file)?)?;
        }
        second.delete_force()?;
        second.wait()?;
    }
    Ok(())
}

fn of_all_kinds(bed: &Bed) -> Check<Container<'_>> {
    bed.host.needs_root()?;
    super::entering::open_up(bed)?;
    let mut config = bed.config().user_namespace(100_000, 65_536);
    for (kind, file) in KINDS {
        bed.host.needs_namespace(file)?;
        if !config.has_namespace(kind) {
            config = config.namespace(kind);
        }
    }
    bed.create(&config)
}

case!(
    each_namespace_is_joined_alone_and_beside_a_user_namespace,
    must(&["4.namespaces.path"], "config-linux.md#namespaces: path: the process MUST be placed in the namespace"),
    |bed| {
        let other = of_all_kinds(bed)?;
        for (number, kind) in KINDS.into_iter().enumerate() {
            joins(bed, &other, &[kind], number)?;
            if kind.0 != "user" {
                joins(bed, &other, &[kind, ("user", "user")], number + 100)?;
            }
        }
        other.delete_force()?;
        other.wait().map(drop)
    }
);

case!(
    namespaces_are_joined_in_many_combinations,
    must(&["4.namespaces.path"], "config-linux.md#namespaces: any of the types may be joined beside others"),
    |bed| {
        let other = of_all_kinds(bed)?;
        // One of thirteen sets, and all of them at once.
        let masks = (1_usize..256).filter(|mask| mask % 13 == 0).chain([255]);
        for mask in masks {
            let joined: Vec<_> = (0..8).filter(|bit| mask >> bit & 1 == 1).map(|bit| KINDS[bit]).collect();
            joins(bed, &other, &joined, mask)?;
        }
        other.delete_force()?;
        other.wait().map(drop)
    }
);
