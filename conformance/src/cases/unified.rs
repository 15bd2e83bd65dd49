//! config-linux.md, what only cgroup v2 has: `resources.unified`, and the
//! ownership of a container's cgroup.

use crate::bed::Bed;
use crate::bundle::Config;
use crate::case::{Check, case, ensure, must, same, should, skip};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

fn unified(bed: &Bed, files: Value) -> Config {
    bed.config().set("/linux/resources/unified", files)
}

case!(
    a_unified_value_is_written,
    must(&["5.unified"], "config-linux.md#unified: each key refers to a file in the cgroup unified hierarchy"),
    |bed| {
        bed.host.needs_unified_cgroups()?;
        let container = bed.create(&unified(bed, json!({"cgroup.max.descendants": "7", "cgroup.max.depth": "5"})))?;
        same("descendants", container.control("", ("", "cgroup.max.descendants"))?, "7")?;
        same("depth", container.control("", ("", "cgroup.max.depth"))?, "5")
    }
);

/// A file of a controller that this view has, and a value it takes.
fn some_file(bed: &Bed) -> Check<(&'static str, &'static str, &'static str)> {
    const FILES: [(&str, &str, &str); 5] = [
        ("pids", "pids.max", "77"),
        ("memory", "memory.high", "67108864"),
        ("cpu", "cpu.weight", "77"),
        ("hugetlb", "hugetlb.2MB.max", "2097152"),
        ("hugetlb", "hugetlb.1GB.max", "1073741824"),
    ];
    bed.host.needs_unified_cgroups()?;
    let has = |name: &str| bed.host.cgroups.has_controller(name);
    let found = FILES.iter().find(|(controller, file, _)| has(controller) && size_is_known(file));
    found.copied().map_or_else(|| skip("this view has none of the controllers pids, memory, cpu, hugetlb"), Ok)
}

/// Files of hugetlb are there for the sizes of this machine alone.
fn size_is_known(file: &str) -> bool {
    let kilobytes = match file.split('.').nth(1) {
        Some("2MB") => 2048,
        Some("1GB") => 1 << 20,
        _ => return true,
    };
    Path::new(&format!("/sys/kernel/mm/hugepages/hugepages-{kilobytes}kB")).exists()
}

case!(
    the_controller_of_a_unified_value_is_enabled,
    must(&["5.unified"], "config-linux.md#unified: the runtime MUST ensure that the needed controllers are enabled"),
    |bed| {
        let (controller, file, value) = some_file(bed)?;
        let container = bed.create(&unified(bed, json!({file: value})))?;
        let enabled = container.control(controller, ("", "cgroup.controllers"))?;
        ensure!(enabled.split(' ').any(|word| word == controller), "{controller} is not among {enabled:?}");
        same(file, container.control(controller, ("", file))?, value)
    }
);

case!(
    a_unified_value_has_the_last_word,
    must(&["5.unified"], "config-linux.md#unified: parameters are set and modified; hull: applied after the others"),
    |bed| {
        bed.host.needs_unified_cgroups()?;
        bed.host.needs_controller("pids")?;
        let config = unified(bed, json!({"pids.max": "77"})).set("/linux/resources/pids/limit", json!(33));
        same("pids.max", bed.create(&config)?.control("pids", ("", "pids.max"))?, "77")
    }
);

case!(
    an_unknown_unified_file_is_not_passed_over,
    must(
        &["5.unified", "1.Un-appliable-property"],
        "config-linux.md#unified: configuration unknown to the runtime MUST still be written, so its failure is seen"
    ),
    |bed| {
        let (controller, ..) = some_file(bed)?;
        bed.create_refused(&unified(bed, json!({format!("{controller}.no_such_file"): "1"}))).map(drop)
    }
);

case!(
    a_unified_value_of_an_absent_controller_is_refused,
    must(
        &["5.unified"],
        "config-linux.md#unified: a controller that is not present or cannot be enabled MUST be an error"
    ),
    |bed| {
        bed.host.needs_unified_cgroups()?;
        for file in ["abacus.max", "rdma.max"] {
            if file == "rdma.max" && bed.host.cgroups.has_controller("rdma") {
                continue;
            }
            bed.create_refused(&unified(bed, json!({file: "max"})))?;
        }
        Ok(())
    }
);

case!(
    a_unified_value_the_kernel_refuses_is_an_error,
    must(&["5.unified", "1.Un-appliable-property"], "config-linux.md#unified: a value that cannot be written"),
    |bed| {
        bed.host.needs_unified_cgroups()?;
        bed.create_refused(&unified(bed, json!({"cgroup.max.depth": "deep"}))).map(drop)
    }
);

case!(
    a_unified_key_names_a_file_of_the_containers_cgroup,
    crate::case::safety(
        &["5.unified"],
        "hull: a key with a slash, or one that climbs, is refused: no file of another cgroup is written"
    ),
    |bed| {
        for key in ["../cgroup.max.depth", "sub/cgroup.max.depth", "/cgroup.max.depth", "..", ""] {
            let refused = bed.create_refused(&unified(bed, json!({key: "5"})));
            ensure!(refused.is_ok(), "{key:?}: {refused:?}");
        }
        Ok(())
    }
);

case!(
    unified_values_are_refused_on_v1,
    must(
        &["5.unified", "1.Un-appliable-property"],
        "config-linux.md#unified: cgroup v2 parameters cannot be applied where cgroup v1 is in use"
    ),
    |bed| {
        if bed.host.cgroups.is_unified() {
            return skip("needs cgroup v1");
        }
        bed.create_refused(&unified(bed, json!({"memory.high": "67108864"}))).map(drop)
    }
);

const OWNER: u32 = 100_000;

/// A container in a user namespace whose cgroup is mounted at /sys/fs/cgroup with these options.
fn with_cgroup_mounted(bed: &Bed, options: &[&str]) -> Config {
    bed.config().user_namespace(OWNER, 65536).namespace("cgroup").mount("/sys/fs/cgroup", "cgroup", "cgroup", options)
}

/// The names in the container's cgroup that its user owns; `.` is the directory.
fn owned(bed: &Bed, config: &Config) -> Check<BTreeSet<String>> {
    bed.host.needs_root()?;
    let container = bed.create(config)?;
    let controller = if bed.host.cgroups.is_unified() { "" } else { "pids" };
    let dir = container.cgroup(controller)?;
    let mut names: BTreeSet<String> = fs::read_dir(&dir)?
        .flatten()
        .filter(|entry| entry.metadata().is_ok_and(|meta| meta.uid() == OWNER))
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    if fs::metadata(&dir)?.uid() == OWNER {
        names.insert(".".to_owned());
    }
    Ok(names)
}

case!(
    a_cgroup_mounted_for_writing_belongs_to_the_containers_user,
    should(
        &["5.cgroup-ownership"],
        "config-linux.md#cgroup-ownership: changed if the cgroup is mounted read/write at /sys/fs/cgroup"
    ),
    |bed| {
        bed.host.needs_unified_cgroups()?;
        let owned = owned(bed, &with_cgroup_mounted(bed, &["nosuid", "noexec", "nodev"]))?;
        for name in [".", "cgroup.procs", "cgroup.subtree_control", "cgroup.threads"] {
            ensure!(owned.contains(name), "{name} does not belong to the container's user: {owned:?}");
        }
        Ok(())
    }
);

case!(
    only_the_files_for_delegation_change_their_owner,
    should(
        &["5.cgroup-ownership"],
        "config-linux.md#cgroup-ownership: only the directory and what /sys/kernel/cgroup/delegate lists"
    ),
    |bed| {
        bed.host.needs_unified_cgroups()?;
        let list = fs::read_to_string("/sys/kernel/cgroup/delegate");
        let list = list.unwrap_or_else(|_| "cgroup.procs\ncgroup.subtree_control\ncgroup.threads\n".to_owned());
        let allowed: BTreeSet<String> = list.lines().chain(["."]).map(str::to_owned).collect();
        let owned = owned(bed, &with_cgroup_mounted(bed, &["nosuid", "noexec", "nodev"]))?;
        ensure!(owned.is_subset(&allowed), "more than may be delegated: {owned:?}");
        Ok(())
    }
);

case!(
    a_cgroup_keeps_its_owner_unless_it_is_delegated,
    should(
        &["5.cgroup-ownership"],
        "config-linux.md#cgroup-ownership: not on v1, without a new cgroup namespace, or mounted read-only or not at all"
    ),
    |bed| {
        let read_only = with_cgroup_mounted(bed, &["nosuid", "noexec", "nodev", "ro"]);
        let not_mounted = bed.config().user_namespace(OWNER, 65536).namespace("cgroup");
        let host_namespace = with_cgroup_mounted(bed, &["nosuid", "noexec", "nodev"]).without_namespace("cgroup");
        let mut configs = vec![("read-only", read_only), ("not mounted", not_mounted)];
        if bed.host.cgroups.is_unified() {
            configs.push(("the host's cgroup namespace", host_namespace));
        } else {
            configs.push(("v1", with_cgroup_mounted(bed, &["nosuid", "noexec", "nodev"])));
        }
        for (what, config) in configs {
            same(what, owned(bed, &config)?, BTreeSet::new())?;
        }
        Ok(())
    }
);
