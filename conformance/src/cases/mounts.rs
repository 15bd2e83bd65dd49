//! config.md, `mounts`: order, sources, destinations, types.

use crate::bed::Bed;
use crate::case::{Check, caller, case, ensure, may, must, same, should};
use crate::facts::{denied, has_options, mount_at, worked};
use serde_json::json;

case!(
    a_directory_is_bound,
    must(&["3.bind-rbind", "3.mounts.source"], "config.md#mounts: bind: a bind mount of source"),
    |bed| {
        let source = bed.directory("data")?;
        std::fs::write(source.join("file"), "text")?;
        let steps =
            bed.steps(&bed.config().bind(&source, "/mnt", &["bind"]).steps("read /mnt/file + write /mnt/new x"))?;
        same("content", worked(&steps, "read", "/mnt/file")?, json!("text"))?;
        worked(&steps, "write", "/mnt/new")?;
        ensure!(source.join("new").exists(), "the write did not reach the source");
        Ok(())
    }
);

case!(
    a_file_is_bound,
    must(&["3.bind-rbind", "3.mounts.destination"], "config.md#mounts: a file as the source; its destination is made"),
    |bed| {
        let source = bed.file("data", "text")?;
        let steps = bed.steps(
            &bed.config()
                .bind(&source, "/made/up/file", &["rbind", "ro"])
                .steps("read /made/up/file + poke /made/up/file x"),
        )?;
        same("content", worked(&steps, "read", "/made/up/file")?, json!("text"))?;
        denied(&steps, "poke", "/made/up/file", &["EROFS"])
    }
);

case!(
    a_bind_source_is_relative_to_the_bundle,
    must(&["3.mounts.source"], "config.md#mounts: for bind mounts source may be relative to the bundle"),
    |bed| {
        let config = bed.config().mount("/mnt", "bind", "data", &["bind"]).steps("read /mnt/file");
        let bundle = bed.bundle(&config)?;
        std::fs::create_dir(bundle.path.join("data"))?;
        std::fs::write(bundle.path.join("data/file"), "text")?;
        let steps = bed.run_bundle(&bundle)?.succeeded("run")?.steps();
        same("content", worked(&steps, "read", "/mnt/file")?, json!("text"))
    }
);

case!(
    a_missing_bind_source_is_refused,
    must(
        &["3.mounts.source", "c8.no-such-file-or-directory"],
        "config.md#mounts: a source that is not there cannot be applied"
    ),
    |bed| {
        let output = bed.create_refused(&bed.config().bind(&bed.scratch.join("nowhere"), "/mnt", &["bind"]))?;
        ensure!(output.stderr.contains("no such file or directory"), "{}", output.stderr);
        Ok(())
    }
);

case!(rbind_brings_the_submounts, must(&["3.bind-rbind"], "config.md#mounts: rbind: a recursive bind mount"), |bed| {
    let source = tree_with_submount(bed)?;
    let steps = bed.steps(&bed.config().bind(&source, "/mnt", &["rbind"]).steps("read /mnt/sub/file"))?;
    same("content", worked(&steps, "read", "/mnt/sub/file")?, json!("below"))
});

case!(bind_leaves_the_submounts, must(&["3.bind-rbind"], "config.md#mounts: bind: not recursive"), |bed| {
    let source = tree_with_submount(bed)?;
    let steps = bed.steps(&bed.config().bind(&source, "/mnt", &["bind"]).steps("list /mnt/sub"))?;
    same("below the mount point", worked(&steps, "list", "/mnt/sub")?, json!([]))
});

/// A directory with a tmpfs mounted on its `sub`, unmounted with the worker's namespace.
pub(super) fn tree_with_submount(bed: &Bed) -> Check<std::path::PathBuf> {
    use rustix::mount::{MountFlags, mount};
    bed.host.needs_root()?;
    let source = bed.directory("tree")?;
    let sub = bed.directory("tree/sub")?;
    mount("tmpfs", &sub, "tmpfs", MountFlags::empty(), None)?;
    std::fs::write(sub.join("file"), "below")?;
    bed.rebase();
    Ok(source)
}

case!(
    mounts_are_made_in_listed_order,
    must(&["3.mounts"], "config.md#mounts: the runtime MUST mount entries in the listed order"),
    |bed| {
        let first = bed.directory("first")?;
        std::fs::write(first.join("which"), "first")?;
        let second = bed.directory("second")?;
        std::fs::write(second.join("which"), "second")?;
        let config = bed.config().bind(&first, "/mnt", &["bind"]).bind(&second, "/mnt", &["bind"]);
        let steps = bed.steps(&config.mount("/mnt/deep", "tmpfs", "tmpfs", &[]).steps("read /mnt/which + report"))?;
        same("topmost", worked(&steps, "read", "/mnt/which")?, json!("second"))?;
        mount_at(&steps[1], "/mnt/deep").map(drop)
    }
);

case!(
    a_relative_destination_is_below_the_root,
    should(
        &["3.mounts.destination"],
        "config.md#mounts: destination SHOULD be absolute; relative is taken from / (deprecated)"
    ),
    |bed| { mount_at(&bed.facts(&bed.config().mount("made/here", "tmpfs", "tmpfs", &[]))?, "/made/here").map(drop) }
);

case!(
    a_missing_destination_is_refused,
    must(&["3.mounts.destination", "1.REQUIRED-member-missing"], "config.md#mounts: destination is REQUIRED"),
    |bed| { bed.create_refused(&bed.config().set("/mounts/-", json!({"type": "tmpfs", "source": "tmpfs"}))).map(drop) }
);

case!(
    tmpfs_gets_its_data,
    must(
        &["3.mounts.options", "3.mounts.type"],
        "config.md#mounts: options not known as flags go to the file system as one comma-separated string"
    ),
    |bed| {
        let config = bed
            .config()
            .mount("/mnt", "tmpfs", "tmpfs", &["nosuid", "size=1m", "mode=1750", "nr_inodes=64"])
            .steps("report + stat /mnt");
        let steps = bed.steps(&config)?;
        let mount = mount_at(&steps[0], "/mnt")?;
        let data = mount["super"].to_string();
        ensure!(data.contains("size=1024k") && data.contains("nr_inodes=64"), "{data}");
        same("mode", &steps[1]["value"]["mode"], &json!("1750"))
    }
);

case!(
    an_option_the_file_system_does_not_know_is_refused,
    must(&["3.mounts.options"], "config.md#mounts: what cannot be applied is an error"),
    |bed| { bed.create_refused(&bed.config().mount("/mnt", "tmpfs", "tmpfs", &["colour=blue"])).map(drop) }
);

case!(
    an_unknown_option_on_a_bind_is_refused,
    must(&["3.mounts.options"], "hull: the kernel would ignore data of a bind mount, so an unknown option is an error"),
    |bed| {
        let source = bed.directory("data")?;
        bed.create_refused(&bed.config().bind(&source, "/mnt", &["bind", "colour=blue"])).map(drop)
    }
);

case!(
    an_unknown_file_system_is_refused,
    must(&["3.mounts.type"], "config.md#mounts: type must be one the kernel supports"),
    |bed| { bed.create_refused(&bed.config().mount("/mnt", "nosuchfs", "none", &[])).map(drop) }
);

case!(
    the_usual_file_systems_are_mounted,
    should(
        &["4.Default-filesystems-proc-sys-dev", "3.mounts.type"],
        "config-linux.md#default-filesystems: /proc, /sys, /dev/pts and /dev/shm"
    ),
    |bed| {
        let facts = bed.facts(&bed.config())?;
        for (point, fstype) in [
            ("/proc", "proc"),
            ("/sys", "sysfs"),
            ("/dev", "tmpfs"),
            ("/dev/pts", "devpts"),
            ("/dev/shm", "tmpfs"),
            ("/dev/mqueue", "mqueue"),
        ] {
            same(point, &mount_at(&facts, point)?["fstype"], &json!(fstype))?;
        }
        Ok(())
    }
);

case!(
    sysfs_shows_the_containers_network,
    must(&["3.mounts.type"], "config.md#mounts: sysfs of the new network namespace"),
    |bed| {
        let steps = bed.steps(&bed.config().steps("list /sys/class/net + write /sys/kernel/mm/ksm/run 0"))?;
        let names = worked(&steps, "list", "/sys/class/net")?;
        ensure!(names.to_string().contains("\"lo\"") && !names.to_string().contains("eth"), "{names}");
        ensure!(steps[1]["ok"] == false, "a read-only /sys was written");
        Ok(())
    }
);

case!(
    a_link_in_a_destination_stays_in_the_root,
    must(
        &["3.mounts.destination", "T-A09"],
        "T-A09: a destination through an absolute link of the image is made inside the root"
    ),
    |bed| {
        let bundle = bed.bundle(&bed.config().mount("/var/lib/data", "tmpfs", "tmpfs", &[]).steps("report"))?;
        std::fs::create_dir(bundle.rootfs().join("var"))?;
        std::os::unix::fs::symlink("/mnt", bundle.rootfs().join("var/lib"))?;
        let output = bed.run_bundle(&bundle)?.succeeded("run")?;
        mount_at(&output.step("report")?, "/mnt/data").map(drop)
    }
);

case!(
    tmpcopyup_copies_what_was_there,
    may(&["3.tmpcopyup"], "config.md#mounts: tmpcopyup: copy up the contents to a tmpfs"),
    |bed| {
        let config = bed
            .config()
            .mount("/etc", "tmpfs", "tmpfs", &["tmpcopyup", "mode=755"])
            .steps("read /etc/file + lstat /etc/link + stat /etc/dir/tool + write /etc/new x");
        let bundle = bed.bundle(&config)?;
        let etc = bundle.rootfs().join("etc");
        std::fs::write(etc.join("file"), "old")?;
        std::os::unix::fs::symlink("file", etc.join("link"))?;
        std::fs::create_dir(etc.join("dir"))?;
        std::fs::write(etc.join("dir/tool"), "")?;
        std::fs::set_permissions(etc.join("dir/tool"), std::os::unix::fs::PermissionsExt::from_mode(0o4711))?;
        let steps = bed.run_bundle(&bundle)?.succeeded("run")?.steps();
        same("content", worked(&steps, "read", "/etc/file")?, json!("old"))?;
        same("link", &worked(&steps, "lstat", "/etc/link")?["target"], &json!("file"))?;
        same("mode", &worked(&steps, "stat", "/etc/dir/tool")?["mode"], &json!("4711"))?;
        ensure!(!etc.join("new").exists(), "a write reached the image");
        Ok(())
    }
);

case!(
    tmpcopyup_copies_owners_and_attributes,
    may(
        &["3.tmpcopyup"],
        "config.md#mounts: tmpcopyup: modes, owners and extended attributes are those of the contents"
    ),
    |bed| {
        bed.host.needs_root()?;
        // cap_net_raw=p, as linux/capability.h lays it out.
        let capability: Vec<u8> =
            [0x0200_0000_u32, 1 << 13, 0, 0, 0].iter().flat_map(|word| word.to_le_bytes()).collect();
        let config = bed.config().mount("/etc", "tmpfs", "tmpfs", &["tmpcopyup"]);
        let config = config.steps("stat /etc/tool + lstat /etc/link + xattr /etc/tool security.capability");
        let bundle = bed.bundle(&config)?;
        let etc = bundle.rootfs().join("etc");
        std::fs::write(etc.join("tool"), "")?;
        std::os::unix::fs::symlink("tool", etc.join("link"))?;
        for (path, uid, gid) in [("tool", 5, 6), ("link", 7, 8)] {
            std::os::unix::fs::lchown(etc.join(path), Some(uid), Some(gid))?;
        }
        let flags = rustix::fs::XattrFlags::empty();
        rustix::fs::setxattr(etc.join("tool"), "security.capability", &capability, flags)?;
        let steps = bed.run_bundle(&bundle)?.succeeded("run")?.steps();
        for (step, path, uid, gid) in [("stat", "/etc/tool", 5, 6), ("lstat", "/etc/link", 7, 8)] {
            let facts = worked(&steps, step, path)?;
            same(path, (&facts["uid"], &facts["gid"]), (&json!(uid), &json!(gid)))?;
        }
        same("file capability", worked(&steps, "xattr", "/etc/tool")?, json!(capability))
    }
);

case!(
    tmpcopyup_leaves_what_an_option_says,
    may(&["3.tmpcopyup", "3.mounts.options"], "config.md#mounts: tmpcopyup with mode= and ro: both hold for the tmpfs"),
    |bed| {
        let config = bed.config().mount("/etc", "tmpfs", "tmpfs", &["tmpcopyup", "mode=1750", "ro"]);
        let bundle = bed.bundle(&config.steps("stat /etc + read /etc/file + write /etc/new x"))?;
        std::fs::write(bundle.rootfs().join("etc/file"), "old")?;
        let steps = bed.run_bundle(&bundle)?.succeeded("run")?.steps();
        same("mode", &worked(&steps, "stat", "/etc")?["mode"], &json!("1750"))?;
        same("content", worked(&steps, "read", "/etc/file")?, json!("old"))?;
        denied(&steps, "write", "/etc/new", &["EROFS"])
    }
);

case!(
    a_file_system_of_the_hosts_directories_is_mounted,
    must(
        &["3.mounts.type", "3.mounts.source"],
        "config.md#mounts: any type the kernel supports, from paths of the host"
    ),
    |bed| {
        bed.host.needs_root()?;
        let lower = bed.directory("lower")?;
        std::fs::write(lower.join("file"), "below")?;
        let option = format!("lowerdir={}:{}", lower.display(), bed.directory("lowest")?.display());
        let config = bed.config().mount("/mnt", "overlay", "overlay", &["nosuid", &option]);
        let steps = bed.steps(&config.steps("report + read /mnt/file"))?;
        has_options(&steps[0], "/mnt", &["nosuid"])?;
        same("content", worked(&steps, "read", "/mnt/file")?, json!("below"))
    }
);

case!(
    the_cgroup_file_system_is_mounted,
    must(&["3.mounts.type"], "config.md#mounts: type cgroup shows the host's cgroup world below the destination"),
    |bed| {
        let config = bed
            .config()
            .mount("/sys/fs/cgroup", "cgroup", "cgroup", &["nosuid", "noexec", "nodev", "relatime", "ro"])
            .steps("report + list /sys/fs/cgroup + mkdir /sys/fs/cgroup/new");
        let steps = bed.steps(&config.namespace("cgroup"))?;
        let mounted: Vec<&str> = steps[0]["mounts"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|mount| mount["fstype"].as_str())
            .filter(|fstype| fstype.starts_with("cgroup"))
            .collect();
        let wanted = if bed.host.cgroups.is_unified() { "cgroup2" } else { "cgroup" };
        ensure!(mounted.contains(&wanted), "cgroup mounts {mounted:?}, want {wanted}");
        ensure!(steps[2]["ok"] == false, "a read-only cgroup mount was written");
        Ok(())
    }
);

case!(
    every_cgroup_mount_is_read_only_when_asked,
    crate::case::safety(
        &["T-A19", "3.mounts.type"],
        "T-A19: a cgroup mount with ro, with and without cgroup namespace: mkdir in every hierarchy fails"
    ),
    |bed| no_cgroup_mount_is_written(bed, "ro")
);

case!(
    a_cgroup_mount_is_read_only_to_its_depth,
    should(
        &["3.recursive-rro-rrw-rsuid-rnosuid", "3.mounts.type", "T-A19"],
        "config.md#mounts: rro: recursively read-only, the hierarchies of a cgroup mount included"
    ),
    |bed| no_cgroup_mount_is_written(bed, "rro")
);

fn no_cgroup_mount_is_written(bed: &Bed, option: &str) -> Check {
    let options = crate::cgroups::KeptOptions::keep();
    for config in [bed.config(), bed.config().namespace("cgroup")] {
        let config = config.mount("/sys/fs/cgroup", "cgroup", "cgroup", &["nosuid", "noexec", "nodev", option]);
        let facts = bed.facts(&config)?;
        let points: Vec<String> = facts["mounts"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|mount| Some(mount["point"].as_str()?.to_owned()))
            .filter(|point| point.starts_with("/sys/fs/cgroup"))
            .collect();
        ensure!(!points.is_empty(), "no cgroup mount");
        let steps: Vec<String> = points.iter().map(|point| format!("mkdir {point}/new")).collect();
        for step in bed.steps(&config.steps(&steps.join(" + ")))? {
            ensure!(step["ok"] == false, "{step}");
        }
    }
    options.unchanged()
}

case!(
    a_device_bound_into_the_container_works,
    caller(&["3.bind-rbind"], "callers bind single device files such as /dev/net/tun"),
    |bed| {
        bed.host.needs_root()?;
        let config = bed
            .config()
            .bind(std::path::Path::new("/dev/zero"), "/dev/nought", &["bind", "rw"])
            .steps("stat /dev/nought + open /dev/nought r");
        let steps = bed.steps(&config)?;
        same("type", &worked(&steps, "stat", "/dev/nought")?["type"], &json!("char"))?;
        worked(&steps, "open", "/dev/nought").map(drop)
    }
);

case!(
    mount_points_are_not_writable_by_option_order,
    must(&["3.MUST-flags-async-atime-defaults"], "config.md#mounts: of contradicting flags the last one counts"),
    |bed| {
        let facts =
            bed.facts(&bed.config().mount("/mnt", "tmpfs", "tmpfs", &["ro", "rw", "nosuid", "suid", "noexec"]))?;
        has_options(&facts, "/mnt", &["rw", "!nosuid", "noexec"])
    }
);
