//! config-linux.md, `namespaces`: new ones, joined ones, inherited ones;
//! user mappings, time offsets, the loopback device.

use crate::bed::Bed;
use crate::bundle::Config;
use crate::case::{Check, case, ensure, must, same};
use crate::container::Container;
use crate::host::namespace_of;
use serde_json::json;

fn is_new(bed: &Bed, config: &Config, kind: &str) -> Check {
    bed.host.needs_namespace(kind)?;
    let inside = bed.facts(config)?["namespaces"][kind].clone();
    let own = namespace_of("self", kind)?;
    ensure!(inside.is_string() && inside != own.as_str(), "{kind} namespace is {inside}, the runtime's is {own}");
    Ok(())
}

fn is_inherited(bed: &Bed, kind: &str, spec: &str) -> Check {
    let inside = bed.facts(&bed.config().without_namespace(spec).remove("/hostname"))?["namespaces"][kind].clone();
    same(kind, inside, json!(namespace_of("self", kind)?))
}

case!(
    a_new_pid_namespace_is_made,
    must(&["4.namespaces.type"], "config-linux.md#namespaces: type pid without path creates a new one"),
    |bed| is_new(bed, &bed.config(), "pid")
);
case!(
    a_new_network_namespace_is_made,
    must(&["4.namespaces.type"], "config-linux.md#namespaces: type network without path creates a new one"),
    |bed| is_new(bed, &bed.config(), "net")
);
case!(
    a_new_ipc_namespace_is_made,
    must(&["4.namespaces.type"], "config-linux.md#namespaces: type ipc without path creates a new one"),
    |bed| is_new(bed, &bed.config(), "ipc")
);
case!(
    a_new_uts_namespace_is_made,
    must(&["4.namespaces.type"], "config-linux.md#namespaces: type uts without path creates a new one"),
    |bed| is_new(bed, &bed.config(), "uts")
);
case!(
    a_new_mount_namespace_is_made,
    must(&["4.namespaces.type"], "config-linux.md#namespaces: type mount without path creates a new one"),
    |bed| is_new(bed, &bed.config(), "mnt")
);

case!(
    a_new_cgroup_namespace_is_made,
    must(
        &["4.namespaces.type"],
        "config-linux.md#namespaces: type cgroup without path creates a new one, whose root is the container's cgroup"
    ),
    |bed| {
        let config = bed.config().namespace("cgroup");
        is_new(bed, &config, "cgroup")?;
        let cgroup = bed.facts(&config)?["cgroup"].clone();
        let lines: Vec<&str> = cgroup.as_array().into_iter().flatten().filter_map(|line| line.as_str()).collect();
        ensure!(!lines.is_empty() && lines.iter().all(|line| line.ends_with(":/")), "{lines:?}");
        Ok(())
    }
);

case!(
    a_new_time_namespace_is_made_with_its_offsets,
    must(&["4.namespaces.type", "4.timeOffsets"], "config-linux.md#time-offsets: secs and nanosecs per clock"),
    |bed| {
        let config = bed.config().namespace("time").set(
            "/linux/timeOffsets",
            json!({"monotonic": {"secs": 86400, "nanosecs": 5}, "boottime": {"secs": 7, "nanosecs": 0}}),
        );
        is_new(bed, &config, "time")?;
        let offsets = bed.facts(&config)?["timens_offsets"].to_string();
        let words: Vec<&str> =
            offsets.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
        ensure!(words.windows(3).any(|three| three == ["monotonic", "86400", "5"]), "{offsets}");
        ensure!(words.windows(3).any(|three| three == ["boottime", "7", "0"]), "{offsets}");
        Ok(())
    }
);

case!(
    time_offsets_without_a_time_namespace_are_refused,
    must(
        &["4.timeOffsets", "1.Property-needing-a-namespace-that"],
        "config-linux.md#time-offsets need a new time namespace"
    ),
    |bed| { bed.create_refused(&bed.config().set("/linux/timeOffsets", json!({"monotonic": {"secs": 1}})),).map(drop) }
);

case!(
    a_new_user_namespace_has_its_mappings,
    must(&["4.namespaces.type", "4.uidMappings"], "config-linux.md#user-namespace-mappings: containerID, hostID, size"),
    |bed| {
        bed.host.needs_root()?;
        let config = bed
            .config()
            .user_namespace(100_000, 65536)
            .steps("report + read /proc/self/uid_map + read /proc/self/gid_map + stat /proc/self");
        let bundle = bed.bundle(&config)?;
        let steps = bed.run_bundle(&bundle)?.succeeded("run")?.steps();
        same("Uid inside", &steps[0]["status"]["Uid"], &json!("0\t0\t0\t0"))?;
        for map in [&steps[1], &steps[2]] {
            let words: Vec<&str> = map["value"].as_str().unwrap_or_default().split_whitespace().collect();
            same("map", words, vec!["0", "100000", "65536"])?;
        }
        Ok(())
    }
);

case!(
    a_user_namespace_has_the_default_devices,
    must(
        &["4.uidMappings", "4.default-null-zero-full-random"],
        "config-linux.md#default-devices hold in a user namespace too"
    ),
    |bed| {
        bed.host.needs_root()?;
        let config = bed
            .config()
            .user_namespace(100_000, 65536)
            .steps("open /dev/null rw + open /dev/zero r + open /dev/urandom r + open /dev/full w");
        for step in bed.steps(&config)? {
            ensure!(step["ok"] == true, "{step}");
        }
        Ok(())
    }
);

case!(
    a_user_namespace_without_mappings_is_refused,
    must(&["4.uidMappings"], "config-linux.md#user-namespace-mappings: a new user namespace needs mappings"),
    |bed| {
        bed.host.needs_root()?;
        bed.create_refused(&bed.config().namespace("user")).map(drop)
    }
);

case!(
    a_user_that_is_not_mapped_is_refused,
    must(&["3.user.uid"], "config.md#posix-platform-user: an id the user namespace does not map cannot be applied"),
    |bed| {
        bed.host.needs_root()?;
        let config = bed.config().user_namespace(100_000, 10).set("/process/user", json!({"uid": 4000, "gid": 0}));
        bed.refused(&config).map(drop)
    }
);

case!(
    the_pid_namespace_is_inherited_when_unlisted,
    must(
        &["4.type-not-listed"],
        "config-linux.md#namespaces: a type not listed MUST be inherited from the runtime namespace"
    ),
    |bed| is_inherited(bed, "pid", "pid")
);
case!(
    the_network_namespace_is_inherited_when_unlisted,
    must(
        &["4.type-not-listed"],
        "config-linux.md#namespaces: a type not listed MUST be inherited from the runtime namespace"
    ),
    |bed| is_inherited(bed, "net", "network")
);
case!(
    the_ipc_namespace_is_inherited_when_unlisted,
    must(
        &["4.type-not-listed"],
        "config-linux.md#namespaces: a type not listed MUST be inherited from the runtime namespace"
    ),
    |bed| is_inherited(bed, "ipc", "ipc")
);
case!(
    the_uts_namespace_is_inherited_when_unlisted,
    must(
        &["4.type-not-listed"],
        "config-linux.md#namespaces: a type not listed MUST be inherited from the runtime namespace"
    ),
    |bed| is_inherited(bed, "uts", "uts")
);
case!(
    the_user_namespace_is_inherited_when_unlisted,
    must(
        &["4.type-not-listed"],
        "config-linux.md#namespaces: a type not listed MUST be inherited from the runtime namespace"
    ),
    |bed| {
        bed.host.needs_root()?;
        is_inherited(bed, "user", "user")
    }
);
case!(
    the_cgroup_namespace_is_inherited_when_unlisted,
    must(
        &["4.type-not-listed"],
        "config-linux.md#namespaces: a type not listed MUST be inherited from the runtime namespace"
    ),
    |bed| is_inherited(bed, "cgroup", "cgroup")
);

/// A second container joins `kinds` of a first, running one.
fn joins(bed: &Bed, kinds: &[(&str, &str)]) -> Check {
    let first = bed.create(&bed.config().steps("pause"))?;
    first.start()?;
    let pid = first.pid().to_string();
    let mut config = bed.config().remove("/hostname").set("/linux/cgroupsPath", json!(bed.cgroups_path("-b")));
    for (kind, file) in kinds {
        config = config.namespace_path(kind, &format!("/proc/{pid}/ns/{file}"));
    }
    if bed.host.uid != 0 {
        // An ordinary user may enter only what belongs to a user namespace that it enters too.
        config = config.namespace_path("user", &format!("/proc/{pid}/ns/user"));
    }
    let bundle = bed.bundle_named("second", &config)?;
    let second = Container::create(bed, &format!("{}-b", bed.token), &bundle, &[])?;
    let facts = second.finish()?.step("report")?;
    for (_, file) in kinds {
        same(file, &facts["namespaces"][file], &json!(namespace_of(&pid, file)?))?;
    }
    second.delete()?;
    ensure!(first.handle.is_alive(), "the first container died with the second");
    first.delete_force()
}

case!(
    a_network_namespace_is_joined_by_path,
    must(
        &["4.namespaces.path"],
        "config-linux.md#namespaces: the runtime MUST place the process in the namespace of path"
    ),
    |bed| joins(bed, &[("network", "net")])
);
case!(
    a_pid_namespace_is_joined_by_path,
    must(
        &["4.namespaces.path"],
        "config-linux.md#namespaces: the runtime MUST place the process in the namespace of path"
    ),
    |bed| joins(bed, &[("pid", "pid")])
);
case!(
    an_ipc_namespace_is_joined_by_path,
    must(
        &["4.namespaces.path"],
        "config-linux.md#namespaces: the runtime MUST place the process in the namespace of path"
    ),
    |bed| joins(bed, &[("ipc", "ipc")])
);
case!(
    a_uts_namespace_is_joined_by_path,
    must(
        &["4.namespaces.path"],
        "config-linux.md#namespaces: the runtime MUST place the process in the namespace of path"
    ),
    |bed| joins(bed, &[("uts", "uts")])
);
case!(
    a_pod_shares_network_ipc_and_uts,
    must(&["4.namespaces.path"], "config-linux.md#namespaces: several joined at once, as pods do"),
    |bed| joins(bed, &[("network", "net"), ("ipc", "ipc"), ("uts", "uts")])
);

case!(
    a_path_of_another_type_is_refused,
    must(
        &["4.namespaces.path"],
        "config-linux.md#namespaces: the runtime MUST error if path is not associated with a namespace of that type"
    ),
    |bed| {
        bed.create_refused(&bed.config().namespace_path("network", "/proc/self/ns/ipc"))?;
        bed.create_refused(&bed.config().namespace_path("ipc", "/etc/passwd")).map(drop)
    }
);

case!(
    a_relative_or_missing_path_is_refused,
    must(&["4.namespaces.path"], "config-linux.md#namespaces: path MUST be absolute"),
    |bed| {
        bed.create_refused(&bed.config().namespace_path("network", "proc/self/ns/net"))?;
        bed.create_refused(&bed.config().namespace_path("network", "/no/such/namespace")).map(drop)
    }
);

case!(
    a_namespace_listed_twice_is_refused,
    must(&["4.duplicate-type"], "config-linux.md#namespaces: duplicated types MUST be an error"),
    |bed| { bed.create_refused(&bed.config().set("/linux/namespaces/-", json!({"type": "pid"})),).map(drop) }
);

case!(
    an_unknown_namespace_is_refused,
    must(
        &["4.namespaces.type", "1.Unknown-enum-string-namespace-action"],
        "config-linux.md#namespaces: type must be one of the eight"
    ),
    |bed| { bed.create_refused(&bed.config().set("/linux/namespaces/-", json!({"type": "dreams"})),).map(drop) }
);

case!(
    the_loopback_device_is_up,
    must(&["4.namespaces.type"], "hull part 1: the loopback device of a new network namespace is up and has 127.0.0.1"),
    |bed| {
        let lo = bed.facts(&bed.config())?["interfaces"]["lo"].clone();
        same("up", &lo["up"], &json!(true))?;
        same("address", &lo["ipv4"], &json!(["127.0.0.1"]))
    }
);

case!(
    a_new_network_namespace_has_only_the_loopback,
    must(&["4.namespaces.type"], "config-linux.md#namespaces: network: its own network stack"),
    |bed| {
        let interfaces = bed.facts(&bed.config())?["interfaces"].clone();
        let up: Vec<&String> = interfaces
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(_, facts)| facts["up"] == true)
            .map(|(name, _)| name)
            .collect();
        same("interfaces that are up", up, vec!["lo"])
    }
);

case!(
    masked_and_readonly_paths_need_a_mount_namespace,
    must(
        &["4.no-mount-namespace", "1.Property-needing-a-namespace-that"],
        "config-linux.md#namespaces: without a mount namespace the paths would be masked in the runtime's own"
    ),
    |bed| {
        let bare = bed.config().without_namespace("mount").set("/mounts", json!([]));
        bed.create_refused(&bare.clone().set("/linux/maskedPaths", json!(["/proc/kcore"])))?;
        bed.create_refused(&bare.set("/linux/readonlyPaths", json!(["/proc/sys"]))).map(drop)
    }
);

case!(
    mounts_and_a_readonly_root_need_a_mount_namespace,
    must(
        &["4.no-mount-namespace", "1.Property-needing-a-namespace-that"],
        "config-linux.md#namespaces: hull: refused, as they would change the mounts of the runtime's caller, which peers do"
    ),
    |bed| {
        let bare = bed.config().without_namespace("mount").set("/mounts", json!([]));
        bed.create_refused(&bare.clone().bind(&bed.directory("data")?, "/mnt", &["bind"]))?;
        bed.create_refused(&bare.set("/root/readonly", json!(true))).map(drop)
    }
);

case!(
    a_user_namespace_lets_groups_be_set_unless_its_maker_may_not,
    must(
        &["4.setgroups-in-user-ns", "3.user.additionalGids"],
        "config-linux.md#user-namespace-mappings: setgroups is denied for a user who maps only the own id, not by root"
    ),
    |bed| {
        if bed.host.uid != 0 {
            let config = bed.config().user_namespace(bed.host.uid, 1);
            let steps = bed.steps(&config.steps("read /proc/self/setgroups"))?;
            return same("setgroups", &steps[0]["value"], &json!("deny\n"));
        }
        let config = bed.config().user_namespace(100_000, 65536).set("/process/user/additionalGids", json!([5, 17]));
        let steps = bed.steps(&config.steps("read /proc/self/setgroups + report"))?;
        same("setgroups", &steps[0]["value"], &json!("allow\n"))?;
        let groups = steps[1]["status"]["Groups"].as_str().unwrap_or_default();
        let mut groups: Vec<&str> = groups.split_whitespace().filter(|group| *group != "0").collect();
        groups.sort_unstable_by_key(|group| group.len());
        same("groups", groups, vec!["5", "17"])
    }
);
