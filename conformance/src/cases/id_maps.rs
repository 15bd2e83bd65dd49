//! config.md, id-mapped mounts: where the maps come from, what they apply to, what cannot be mapped.
//!
//! The first steps, a bind with `idmap` or `ridmap` and lists, are in `mount_options`.

use crate::bed::Bed;
use crate::bundle::Config;
use crate::case::{Check, caller, case, ensure, must, same, should};
use crate::container::Container;
use crate::facts::{denied, has_options, worked};
use serde_json::{Value, json};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// A directory with a file of root.
fn data(bed: &Bed) -> Check<PathBuf> {
    bed.host.needs_root()?;
    bed.host.needs_kernel(5, 12)?;
    let source = bed.directory("data")?;
    std::fs::write(source.join("file"), "text")?;
    Ok(source)
}

fn mapping(host: u32) -> Value {
    json!([{"containerID": 0, "hostID": host, "size": 1000}])
}

/// A mount with maps of its own, and these members besides.
fn mapped(config: Config, uid: u32, gid: u32, members: &Value) -> Config {
    let mut mount = json!({"destination": "/mnt", "uidMappings": mapping(uid), "gidMappings": mapping(gid)});
    for (name, member) in members.as_object().into_iter().flatten() {
        mount[name] = member.clone();
    }
    config.set("/mounts/-", mount)
}

fn bind(source: &Path, options: &[&str]) -> Value {
    json!({"type": "none", "source": source, "options": options})
}

/// Owner and group of a path as the payload sees them.
fn owner(steps: &[Value], path: &str) -> Check<(Value, Value)> {
    let facts = worked(steps, "stat", path)?;
    Ok((facts["uid"].clone(), facts["gid"].clone()))
}

case!(
    mappings_without_the_option_are_applied,
    should(
        &["3.mounts.uidMappings"],
        "config.md#mounts: uidMappings: the option SHOULD stand beside them; without it they are not ignored"
    ),
    |bed| {
        let source = data(bed)?;
        let config = mapped(bed.config(), 4321, 8765, &bind(&source, &["bind"]));
        let steps = bed.steps(&config.steps("stat /mnt/file"))?;
        same("owner", owner(&steps, "/mnt/file")?, (json!(4321), json!(8765)))
    }
);

case!(
    the_option_may_say_the_mappings,
    caller(
        &["3.idmap", "3.custom-options-also-acl-noacl"],
        "contracts 12: idmap=uids=A-B-N#...;gids=...: A is the id as stored, B the host's"
    ),
    |bed| {
        let source = data(bed)?;
        let options = ["bind", "idmap=uids=0-4321-10#10-1-10;gids=0-8765-10"];
        let steps = bed.steps(&bed.config().bind(&source, "/mnt", &options).steps("stat /mnt/file"))?;
        same("owner", owner(&steps, "/mnt/file")?, (json!(4321), json!(8765)))
    }
);

case!(
    the_option_may_say_mappings_of_the_containers_ids,
    caller(
        &["3.idmap", "3.custom-options-also-acl-noacl"],
        "contracts 12: idmap=uids=@A-B-N: B is an id of the container's user namespace"
    ),
    |bed| {
        let source = data(bed)?;
        let config = bed.config().user_namespace(100_000, 65536);
        let config = config.bind(&source, "/mnt", &["bind", "idmap=uids=@0-7-10;gids=@0-9-10"]);
        let steps = bed.steps(&config.steps("stat /mnt/file"))?;
        same("owner", owner(&steps, "/mnt/file")?, (json!(7), json!(9)))
    }
);

case!(
    ridmap_may_say_the_mappings,
    should(&["3.ridmap"], "contracts 12, config.md#mounts: ridmap with mappings of its own reaches the submounts"),
    |bed| {
        bed.host.needs_kernel(6, 3)?;
        let source = super::mounts::tree_with_submount(bed)?;
        let options = ["rbind", "ridmap=uids=0-4321-10;gids=0-8765-10"];
        let steps = bed.steps(&bed.config().bind(&source, "/mnt", &options).steps("stat /mnt/sub/file"))?;
        same("owner", owner(&steps, "/mnt/sub/file")?, (json!(4321), json!(8765)))
    }
);

case!(
    what_is_written_is_stored_by_the_map,
    should(
        &["3.idmap", "3.mounts.uidMappings"],
        "config.md#mounts: idmap: what root of the container's user namespace writes is root's own on the host"
    ),
    |bed| {
        let source = data(bed)?;
        let config = bed.config().user_namespace(100_000, 65536).bind(&source, "/mnt", &["bind", "idmap"]);
        let steps = bed.steps(&config.steps("write /mnt/new x + stat /mnt/new"))?;
        worked(&steps, "write", "/mnt/new")?;
        same("owner inside", owner(&steps, "/mnt/new")?, (json!(0), json!(0)))?;
        let facts = std::fs::metadata(source.join("new"))?;
        same("owner on the host", (facts.uid(), facts.gid()), (0, 0))
    }
);

case!(
    a_joined_user_namespace_lends_its_mappings,
    should(
        &["3.idmap", "3.ridmap"],
        "config.md#mounts: idmap: the mappings of the container's user namespace, of one joined by path too"
    ),
    |bed| {
        let source = data(bed)?;
        let first = bed.create(&bed.config().user_namespace(100_000, 65536).steps("pause"))?;
        first.start()?;
        let config = bed.config().set("/linux/cgroupsPath", json!(bed.cgroups_path("-b")));
        let config = config
            .namespace_path("user", &format!("/proc/{}/ns/user", first.pid()))
            .bind(&source, "/mnt", &["bind", "idmap"])
            .steps("stat /mnt/file + write /mnt/new x");
        let bundle = bed.bundle_named("second", &config)?;
        let second = Container::create(bed, &format!("{}-b", bed.token), &bundle, &[])?;
        let steps = second.finish()?.steps();
        same("owner", owner(&steps, "/mnt/file")?, (json!(0), json!(0)))?;
        worked(&steps, "write", "/mnt/new")?;
        second.delete()?;
        first.delete_force()
    }
);

case!(
    an_idmapped_mount_has_its_other_options_too,
    must(
        &["3.idmap", "3.MUST-flags-async-atime-defaults"],
        "config.md#mounts: the flags hold on an id-mapped mount as on any other"
    ),
    |bed| {
        let source = data(bed)?;
        let options = ["bind", "idmap", "ro", "nosuid", "noexec", "rprivate"];
        let config = mapped(bed.config(), 4321, 8765, &bind(&source, &options));
        let steps = bed.steps(&config.steps("report + stat /mnt/file + write /mnt/file x"))?;
        has_options(&steps[0], "/mnt", &["ro", "nosuid", "noexec"])?;
        same("owner", owner(&steps, "/mnt/file")?, (json!(4321), json!(8765)))?;
        denied(&steps, "write", "/mnt/file", &["EROFS"])
    }
);

case!(
    a_fresh_file_system_is_idmapped,
    should(
        &["3.idmap", "3.mounts.uidMappings"],
        "config.md#mounts: idmap: of any mount whose file system can be id-mapped, with and without a user namespace"
    ),
    |bed| {
        data(bed)?;
        bed.host.needs_kernel(6, 3)?;
        let tmpfs = json!({"type": "tmpfs", "source": "tmpfs", "options": ["idmap", "mode=750"]});
        let steps = bed.steps(&mapped(bed.config(), 4321, 8765, &tmpfs).steps("stat /mnt"))?;
        same("owner", owner(&steps, "/mnt")?, (json!(4321), json!(8765)))?;
        same("mode", &worked(&steps, "stat", "/mnt")?["mode"], &json!("0750"))?;
        let config = bed.config().user_namespace(100_000, 65536).mount("/mnt", "tmpfs", "tmpfs", &["idmap"]);
        let steps = bed.steps(&config.steps("stat /mnt + write /mnt/new x"))?;
        same("owner", owner(&steps, "/mnt")?, (json!(0), json!(0)))?;
        worked(&steps, "write", "/mnt/new").map(drop)
    }
);

case!(
    what_is_copied_up_is_shown_by_the_map,
    should(
        &["3.idmap", "3.tmpcopyup"],
        "config.md#mounts: tmpcopyup and idmap: contents are copied up, owners are those of the map, ro holds afterwards"
    ),
    |bed| {
        data(bed)?;
        bed.host.needs_kernel(6, 3)?;
        let config = bed.config().user_namespace(100_000, 65536);
        let config = config.mount("/etc", "tmpfs", "tmpfs", &["tmpcopyup", "idmap", "ro"]);
        let bundle = bed.bundle(&config.steps("read /etc/file + stat /etc/file + write /etc/file x"))?;
        let file = bundle.rootfs().join("etc/file");
        std::fs::write(&file, "old")?;
        std::os::unix::fs::chown(&file, Some(100_005), Some(100_006))?;
        let steps = bed.run_bundle(&bundle)?.succeeded("run")?.steps();
        same("content", worked(&steps, "read", "/etc/file")?, json!("old"))?;
        same("owner", owner(&steps, "/etc/file")?, (json!(5), json!(6)))?;
        denied(&steps, "write", "/etc/file", &["EROFS"])
    }
);

case!(
    a_file_system_that_cannot_be_idmapped_is_refused,
    must(
        &["3.idmap", "3.ridmap"],
        "config.md#mounts: idmap: where it cannot be applied it MUST be an error, which says to what"
    ),
    |bed| {
        data(bed)?;
        let proc = Path::new("/proc/sys");
        let output = bed.create_refused(&mapped(bed.config(), 1, 1, &bind(proc, &["bind", "idmap"])))?;
        ensure!(output.stderr.contains("/proc/sys"), "the mount is not named: {}", output.stderr);
        let output = bed.create_refused(&mapped(bed.config(), 1, 1, &json!({"type": "ramfs", "source": "ramfs"})))?;
        ensure!(output.stderr.contains("ramfs"), "the file system is not named: {}", output.stderr);
        for fstype in ["devpts", "mqueue", "cgroup"] {
            bed.create_refused(&mapped(bed.config(), 1, 1, &json!({"type": fstype, "source": fstype})))?;
        }
        Ok(())
    }
);

case!(
    a_remount_with_mappings_is_refused,
    must(&["3.idmap"], "config.md#mounts: idmap: the map of a mount that stands cannot be changed"),
    |bed| {
        data(bed)?;
        let config = bed.config().mount("/mnt", "tmpfs", "tmpfs", &[]);
        bed.create_refused(&mapped(config, 1, 1, &json!({"options": ["remount", "ro"]}))).map(drop)
    }
);

case!(
    mappings_that_cannot_be_are_refused,
    must(
        &["3.mounts.uidMappings", "1.Unknown-enum-string-namespace-action"],
        "config.md#mounts: uidMappings have the form of user namespace mappings: no overlap, no size 0, no id beyond the last"
    ),
    |bed| {
        let source = data(bed)?;
        let part =
            |container: u32, host: u32, size: u32| json!({"containerID": container, "hostID": host, "size": size});
        let many: Vec<Value> = (0..341).map(|id| part(id, id, 1)).collect();
        let bad = [
            json!([part(0, 1, 0)]),
            json!([part(0, 1, 2), part(1, 9, 1)]),
            json!([part(0, u32::MAX, 1)]),
            json!([{"containerID": 0, "hostID": 4_294_967_296_u64, "size": 1}]),
            json!(many),
        ];
        for uids in bad {
            let mount = json!({"destination": "/mnt", "type": "none", "source": source, "options": ["bind", "idmap"], "uidMappings": uids, "gidMappings": mapping(1)});
            bed.create_refused(&bed.config().set("/mounts/-", mount))?;
        }
        for text in ["uids=0-1", "uids=0-1-2", "uids=0-1-0;gids=0-1-1", "uids=@0-1-2;gids=@0-1-2", "pids=0-1-2", ""] {
            bed.create_refused(&bed.config().bind(&source, "/mnt", &["bind", &format!("idmap={text}")]))?;
        }
        Ok(())
    }
);
