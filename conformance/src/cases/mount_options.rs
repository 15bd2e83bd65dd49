//! config.md, mount options: the flags every runtime MUST know, propagation,
//! recursive attributes, id-mapped mounts.

use super::mounts::tree_with_submount;
use crate::bed::Bed;
use crate::bundle::Config;
use crate::case::{Check, case, ensure, must, same, should};
use crate::facts::{has_options, mount_at, worked};
use serde_json::{Value, json};

/// A tmpfs with `options` must show `wanted` (`!x`: not x).
fn tmpfs(bed: &Bed, options: &[&str], wanted: &[&str]) -> Check {
    has_options(&bed.facts(&bed.config().mount("/mnt", "tmpfs", "tmpfs", options))?, "/mnt", wanted)
}

/// The same on a bind mount.
fn bound(bed: &Bed, options: &[&str], wanted: &[&str]) -> Check {
    let source = bed.directory("data")?;
    let options: Vec<&str> = std::iter::once("bind").chain(options.iter().copied()).collect();
    has_options(&bed.facts(&bed.config().bind(&source, "/mnt", &options))?, "/mnt", wanted)
}

case!(
    ro_rw_nosuid_nodev_noexec_hold_on_tmpfs,
    must(
        &["3.MUST-flags-async-atime-defaults"],
        "config.md#mounts: ro rw nosuid suid nodev dev noexec exec MUST be supported"
    ),
    |bed| {
        tmpfs(bed, &["ro", "nosuid", "nodev", "noexec"], &["ro", "nosuid", "nodev", "noexec"])?;
        tmpfs(bed, &["rw", "suid", "dev", "exec"], &["rw", "!nosuid", "!nodev", "!noexec"])?;
        tmpfs(bed, &["defaults"], &["rw", "!nosuid", "!nodev", "!noexec"])
    }
);

case!(
    ro_nosuid_nodev_noexec_hold_on_binds,
    must(
        &["3.MUST-flags-async-atime-defaults", "3.bind-rbind"],
        "config.md#mounts: flags MUST hold on bind mounts too"
    ),
    |bed| { bound(bed, &["ro", "nosuid", "nodev", "noexec"], &["ro", "nosuid", "nodev", "noexec"]) }
);

case!(
    the_access_time_flags_hold,
    must(
        &["3.MUST-flags-async-atime-defaults"],
        "config.md#mounts: noatime nodiratime relatime strictatime MUST be supported"
    ),
    |bed| {
        tmpfs(bed, &["noatime"], &["noatime"])?;
        tmpfs(bed, &["nodiratime"], &["nodiratime"])?;
        tmpfs(bed, &["relatime"], &["relatime"])?;
        tmpfs(bed, &["strictatime"], &["!relatime", "!noatime"])?;
        bound(bed, &["noatime"], &["noatime"])
    }
);

case!(
    sync_and_dirsync_hold,
    must(&["3.MUST-flags-async-atime-defaults"], "config.md#mounts: sync async dirsync MUST be supported"),
    |bed| {
        let facts = bed.facts(&bed.config().mount("/mnt", "tmpfs", "tmpfs", &["sync", "dirsync"]))?;
        let data = mount_at(&facts, "/mnt")?["super"].to_string();
        ensure!(data.contains("\"sync\"") && data.contains("\"dirsync\""), "{data}");
        tmpfs(bed, &["async", "atime", "diratime", "norelatime", "nostrictatime"], &["rw"])
    }
);

case!(
    the_rare_flags_are_accepted,
    must(
        &["3.iversion-noiversion-lazytime-nolazytime-loud", "3.mand-nomand"],
        "config.md#mounts: iversion noiversion lazytime nolazytime loud silent MUST be supported; mand nomand MAY"
    ),
    |bed| {
        tmpfs(bed, &["silent", "lazytime", "nomand"], &["rw"])?;
        tmpfs(bed, &["loud", "nolazytime", "noiversion"], &["rw"])?;
        let facts = bed.facts(&bed.config().mount("/mnt", "tmpfs", "tmpfs", &["iversion", "mand", "lazytime"]))?;
        let data = mount_at(&facts, "/mnt")?["super"].clone();
        ensure!(crate::facts::holds(&data, "lazytime"), "lazytime is not among {data}");
        Ok(())
    }
);

case!(
    remount_changes_an_existing_mount,
    must(&["3.MUST-flags-async-atime-defaults"], "config.md#mounts: remount MUST be supported"),
    |bed| {
        let config = bed.config().mount("/mnt", "tmpfs", "tmpfs", &["nosuid"]).mount(
            "/mnt",
            "tmpfs",
            "tmpfs",
            &["remount", "ro", "nosuid"],
        );
        let facts = bed.facts(&config)?;
        let mounts = facts["mounts"].as_array().into_iter().flatten();
        same("mounts at /mnt", mounts.filter(|mount| mount["point"] == "/mnt").count(), 1)?;
        ensure!(mount_at(&facts, "/mnt")?.to_string().contains("\"ro\""), "not read-only");
        Ok(())
    }
);

case!(
    propagation_flags_hold,
    must(
        &["3.private-rprivate-shared-rshared-slave"],
        "config.md#mounts: private shared slave unbindable MUST be supported"
    ),
    |bed| {
        let source = bed.directory("data")?;
        let optional = |word: &str| -> Check<String> {
            let facts = bed.facts(&bed.config().bind(&source, "/mnt", &["bind", word]))?;
            Ok(mount_at(&facts, "/mnt")?["optional"].to_string())
        };
        for word in ["private", "rprivate"] {
            same(word, optional(word)?, "[]".to_owned())?;
        }
        for word in ["shared", "rshared"] {
            let seen = optional(word)?;
            ensure!(seen.contains("shared:"), "{word}: {seen}");
        }
        for word in ["slave", "rslave"] {
            let seen = optional(word)?;
            ensure!(seen.contains("master:") && !seen.contains("shared:"), "{word}: {seen}");
        }
        for word in ["unbindable", "runbindable"] {
            same(word, optional(word)?, "[\"unbindable\"]".to_owned())?;
        }
        Ok(())
    }
);

case!(
    rro_holds_for_the_submounts,
    should(&["3.recursive-rro-rrw-rsuid-rnosuid"], "config.md#mounts: rro: recursively read-only"),
    |bed| {
        let source = tree_with_submount(bed)?;
        let facts = bed.facts(&bed.config().bind(&source, "/mnt", &["rbind", "rro"]))?;
        has_options(&facts, "/mnt", &["ro"])?;
        has_options(&facts, "/mnt/sub", &["ro"])
    }
);

case!(
    ro_leaves_the_submounts_writable,
    should(&["3.recursive-rro-rrw-rsuid-rnosuid", "3.bind-rbind"], "config.md#mounts: ro is not recursive"),
    |bed| {
        let source = tree_with_submount(bed)?;
        let facts = bed.facts(&bed.config().bind(&source, "/mnt", &["rbind", "ro"]))?;
        has_options(&facts, "/mnt", &["ro"])?;
        has_options(&facts, "/mnt/sub", &["!ro"])
    }
);

case!(
    the_recursive_flags_hold_for_the_submounts,
    should(
        &["3.recursive-rro-rrw-rsuid-rnosuid"],
        "config.md#mounts: rnosuid rnodev rnoexec rnoatime SHOULD be supported"
    ),
    |bed| {
        let source = tree_with_submount(bed)?;
        let facts =
            bed.facts(&bed.config().bind(&source, "/mnt", &["rbind", "rnosuid", "rnodev", "rnoexec", "rnoatime"]))?;
        has_options(&facts, "/mnt/sub", &["nosuid", "nodev", "noexec", "noatime"])
    }
);

case!(
    nosymfollow_holds,
    should(
        &["3.nosymfollow-symfollow", "3.rsymfollow-rnosymfollow"],
        "config.md#mounts: nosymfollow SHOULD be supported, and rnosymfollow for the submounts"
    ),
    |bed| {
        tmpfs(bed, &["nosymfollow"], &["nosymfollow"])?;
        let source = tree_with_submount(bed)?;
        let facts = bed.facts(&bed.config().bind(&source, "/mnt", &["rbind", "rnosymfollow"]))?;
        has_options(&facts, "/mnt/sub", &["nosymfollow"])
    }
);

case!(
    an_idmapped_mount_shows_mapped_owners,
    should(&["3.idmap", "3.mounts.uidMappings"], "config.md#mounts: uidMappings and gidMappings of a mount"),
    |bed| {
        bed.host.needs_root()?;
        let source = bed.directory("data")?;
        std::fs::write(source.join("file"), "")?;
        let mapping = json!([{"containerID": 0, "hostID": 4321, "size": 1000}]);
        let mount = json!({"destination": "/mnt", "type": "none", "source": source, "options": ["bind", "idmap"], "uidMappings": mapping, "gidMappings": mapping});
        let steps = bed.steps(&bed.config().set("/mounts/-", mount).steps("stat /mnt/file"))?;
        same("uid", &steps[0]["value"]["uid"], &json!(4321))?;
        same("gid", &steps[0]["value"]["gid"], &json!(4321))
    }
);

/// What the payload sees as owner of a file of root in a tree, and in a mount below it.
fn owners_in_tree(bed: &Bed, config: Config, mount: &Value) -> Check<(Value, Value)> {
    // tmpfs, which the mount below is, can be id-mapped since then.
    bed.host.needs_kernel(6, 3)?;
    let source = tree_with_submount(bed)?;
    std::fs::write(source.join("file"), "")?;
    let mut mount = mount.clone();
    mount["destination"] = json!("/mnt");
    mount["source"] = json!(source);
    let steps = bed.steps(&config.set("/mounts/-", mount).steps("stat /mnt/file + stat /mnt/sub/file"))?;
    Ok((worked(&steps, "stat", "/mnt/file")?["uid"].clone(), worked(&steps, "stat", "/mnt/sub/file")?["uid"].clone()))
}

case!(
    ridmap_maps_the_submounts,
    should(&["3.ridmap"], "config.md#mounts: ridmap: the mapping is applied recursively"),
    |bed| {
        let mapping = json!([{"containerID": 0, "hostID": 4321, "size": 1000}]);
        let mount = json!({"options": ["rbind", "ridmap"], "uidMappings": mapping, "gidMappings": mapping});
        same("owners", owners_in_tree(bed, bed.config(), &mount)?, (json!(4321), json!(4321)))
    }
);

case!(
    idmap_leaves_the_submounts_as_they_are,
    should(&["3.ridmap", "3.idmap"], "config.md#mounts: idmap: the mapping of the mount, not of those below it"),
    |bed| {
        let mapping = json!([{"containerID": 0, "hostID": 4321, "size": 1000}]);
        let mount = json!({"options": ["rbind", "idmap"], "uidMappings": mapping, "gidMappings": mapping});
        same("owners", owners_in_tree(bed, bed.config(), &mount)?, (json!(4321), json!(0)))
    }
);

case!(
    without_mappings_of_its_own_a_mount_has_those_of_the_container,
    crate::case::may(
        &["3.ridmap", "3.idmap"],
        "config.md#mounts: idmap, ridmap: without own mappings those of the container's user namespace MAY be used"
    ),
    |bed| {
        let config = bed.config().user_namespace(100_000, 65536);
        let mount = json!({"options": ["rbind", "ridmap"]});
        same("owners", owners_in_tree(bed, config, &mount)?, (json!(0), json!(0)))
    }
);

case!(
    an_idmap_without_any_mapping_is_refused,
    must(
        &["3.idmap", "3.ridmap"],
        "config.md#mounts: idmap without mappings of the mount or of the container's user namespace MUST be an error"
    ),
    |bed| {
        let source = bed.directory("data")?;
        bed.create_refused(&bed.config().bind(&source, "/mnt", &["bind", "idmap"]))?;
        bed.create_refused(&bed.config().bind(&source, "/mnt", &["rbind", "ridmap"])).map(drop)
    }
);

case!(
    only_one_kind_of_mapping_is_refused,
    must(&["3.mounts.uidMappings"], "config.md#mounts: uidMappings MUST be given together with gidMappings"),
    |bed| {
        let source = bed.directory("data")?;
        let mapping = json!([{"containerID": 0, "hostID": 4321, "size": 1000}]);
        let mount = json!({"destination": "/mnt", "type": "none", "source": source, "options": ["bind"], "uidMappings": mapping});
        bed.create_refused(&bed.config().set("/mounts/-", mount)).map(drop)
    }
);

case!(
    an_option_that_mount_knows_means_what_mount_makes_of_it,
    should(
        &["3.custom-options-also-acl-noacl"],
        "config.md#mounts: custom options: one that mount(8) recognises SHOULD behave as there"
    ),
    |bed| {
        // In a user namespace the option is shown as the host's id.
        bed.host.needs_root()?;
        let options = ["nr_inodes=77", "size=128k", "uid=5"];
        let facts = bed.facts(&bed.config().mount("/mnt", "tmpfs", "tmpfs", &options))?;
        let data = mount_at(&facts, "/mnt")?["super"].clone();
        for option in options {
            ensure!(crate::facts::holds(&data, option), "{option} is not among {data}");
        }
        Ok(())
    }
);

case!(
    copy_symlink_keeps_a_link_a_link,
    crate::case::caller(
        &["3.custom-options-also-acl-noacl"],
        "config.md#mounts: custom options MAY be; contracts 12: copy-symlink: a source that is a link is copied as a link"
    ),
    |bed| {
        let link = bed.scratch.join("link");
        std::os::unix::fs::symlink("../usr/share/zone", &link)?;
        let config = bed.config().bind(&link, "/etc/zone", &["bind", "copy-symlink"]).steps("lstat /etc/zone");
        let facts = worked(&bed.steps(&config)?, "lstat", "/etc/zone")?;
        same("target", &facts["target"], &json!("../usr/share/zone"))
    }
);
