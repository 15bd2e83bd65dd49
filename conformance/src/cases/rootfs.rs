//! config.md, `root`; config-linux.md: rootfsPropagation, masked and
//! read-only paths; contracts: --no-pivot.

use crate::case::{Check, caller, case, ensure, must, same};
use crate::facts::{denied, has_options, mount_at, worked};
use serde_json::{Value, json};

case!(
    the_root_is_the_bundles_rootfs,
    must(
        &["3.root.path", "2.Bundle-config.json-in-its-root"],
        "config.md#root: path, relative to the bundle, is the root file system of the container"
    ),
    |bed| {
        let bundle = bed.bundle(&bed.config().steps("list / + read /etc/mark"))?;
        std::fs::write(bundle.rootfs().join("etc/mark"), "here")?;
        let steps = bed.run_bundle(&bundle)?.succeeded("run")?.steps();
        same("mark", worked(&steps, "read", "/etc/mark")?, json!("here"))?;
        same(
            "entries of /",
            worked(&steps, "list", "/")?,
            json!(["bin", "dev", "etc", "mnt", "probe", "proc", "run", "sync", "sys", "tmp"]),
        )
    }
);

case!(an_absolute_root_path_is_accepted, must(&["3.root.path"], "config.md#root: path may be absolute"), |bed| {
    let bundle = bed.bundle(&bed.config())?;
    let config = bed.config().set("/root/path", json!(bundle.rootfs()));
    bed.facts(&config).map(drop)
});

case!(
    a_root_path_with_a_symlink_is_followed,
    must(&["3.root.path"], "config.md#root: path is a path of the host and may hold links there"),
    |bed| {
        let bundle = bed.bundle(&bed.config().set("/root/path", json!("link")))?;
        std::os::unix::fs::symlink("rootfs", bundle.path.join("link"))?;
        bed.run_bundle(&bundle)?.succeeded("run").map(drop)
    }
);

case!(
    a_missing_root_is_refused,
    must(&["3.root", "1.REQUIRED-member-missing"], "config.md#root: required on this platform"),
    |bed| { bed.create_refused(&bed.config().remove("/root")).map(drop) }
);

case!(
    a_root_path_that_is_not_there_is_refused,
    must(&["3.root.path", "c8.no-such-file-or-directory"], "config.md#root: a directory MUST exist at the path"),
    |bed| { bed.create_refused(&bed.config().set("/root/path", json!("nowhere"))).map(drop) }
);

case!(
    a_root_path_that_is_a_file_is_refused,
    must(&["3.root.path"], "config.md#root: a directory MUST exist at the path"),
    |bed| { bed.create_refused(&bed.config().set("/root/path", json!("config.json"))).map(drop) }
);

case!(
    a_readonly_root_cannot_be_written,
    must(&["3.root.readonly"], "config.md#root: if readonly is true then the root file system MUST be read-only"),
    |bed| {
        let steps = bed.steps(
            &bed.config().set("/root/readonly", json!(true)).steps("write /file x + write /dev/shm/file x + report"),
        )?;
        denied(&steps, "write", "/file", &["EROFS"])?;
        worked(&steps, "write", "/dev/shm/file")?;
        has_options(&steps[2], "/", &["ro"])
    }
);

case!(
    a_writable_root_keeps_what_was_written,
    must(&["3.root.readonly"], "config.md#root: readonly defaults to false"),
    |bed| {
        let bundle = bed.bundle(&bed.config().remove("/root/readonly").steps("write /file kept"))?;
        bed.run_bundle(&bundle)?.succeeded("run")?;
        same("content", std::fs::read_to_string(bundle.rootfs().join("file"))?, "kept")
    }
);

/// config-linux.md#default-devices, as far as they may be bound from the host.
const DEVICES: [&str; 6] = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"];

case!(
    nothing_of_the_host_is_mounted,
    must(
        &["4.namespaces.type", "2.create-applies-all-but-process.args"],
        "config-linux.md#namespaces: mount: an isolated mount table; the old root is gone after the pivot"
    ),
    |bed| {
        let facts = bed.facts(&bed.config())?;
        let mut points: Vec<&str> =
            facts["mounts"].as_array().into_iter().flatten().filter_map(|mount| mount["point"].as_str()).collect();
        points.sort_unstable();
        if bed.host.uid != 0 {
            // An ordinary user cannot make device nodes; single ones of the host are bound in their place.
            points.retain(|point| !DEVICES.contains(point));
        }
        same("mount points", points, vec!["/", "/dev", "/dev/mqueue", "/dev/pts", "/dev/shm", "/proc", "/sys"])
    }
);

case!(
    the_root_works_without_pivot,
    caller(&["c4.1.no-pivot"], "contracts 4.1: --no-pivot uses MS_MOVE and chroot"),
    |bed| {
        let bundle = bed.bundle(&bed.config().steps("list / + report"))?;
        let output = bed
            .call(&["run", "--no-pivot", "--bundle", &bundle.path.to_string_lossy(), &bed.id()])?
            .succeeded("run --no-pivot")?;
        let names = worked(&output.steps(), "list", "/")?;
        ensure!(names.to_string().contains("\"probe\"") && !names.to_string().contains("\"var\""), "{names}");
        Ok(())
    }
);

fn root_propagation(bed: &crate::bed::Bed, value: &str) -> Check<Vec<String>> {
    let facts = bed.facts(&bed.config().set("/linux/rootfsPropagation", json!(value)))?;
    let optional = mount_at(&facts, "/")?["optional"].clone();
    Ok(optional.as_array().into_iter().flatten().filter_map(|field| field.as_str().map(str::to_owned)).collect())
}

case!(
    the_root_is_shared_when_asked,
    must(&["6.rootfsPropagation"], "config-linux.md#rootfs-mount-propagation: shared"),
    |bed| {
        let optional = root_propagation(bed, "shared")?;
        ensure!(optional.iter().any(|field| field.starts_with("shared:")), "{optional:?}");
        Ok(())
    }
);

case!(
    the_root_is_private_when_asked,
    must(&["6.rootfsPropagation"], "config-linux.md#rootfs-mount-propagation: private"),
    |bed| { same("propagation", root_propagation(bed, "private")?, Vec::<String>::new()) }
);

case!(
    the_root_is_unbindable_when_asked,
    must(&["6.rootfsPropagation"], "config-linux.md#rootfs-mount-propagation: unbindable"),
    |bed| { same("propagation", root_propagation(bed, "unbindable")?, vec!["unbindable"]) }
);

case!(
    the_root_is_a_slave_when_asked,
    must(&["6.rootfsPropagation"], "config-linux.md#rootfs-mount-propagation: slave"),
    |bed| {
        let optional = root_propagation(bed, "slave")?;
        ensure!(!optional.iter().any(|field| field.starts_with("shared:") || field == "unbindable"), "{optional:?}");
        Ok(())
    }
);

case!(
    an_unknown_root_propagation_is_refused,
    must(
        &["6.rootfsPropagation", "1.Unknown-enum-string-namespace-action"],
        "config-linux.md#rootfs-mount-propagation: any other value is an error"
    ),
    |bed| { bed.create_refused(&bed.config().set("/linux/rootfsPropagation", json!("friendly"))).map(drop) }
);

case!(
    by_default_no_mount_is_shared_with_the_host,
    must(&["6.rootfsPropagation"], "hull: default propagation keeps mounts made inside from reaching the host"),
    |bed| {
        let facts = bed.facts(&bed.config())?;
        for mount in facts["mounts"].as_array().into_iter().flatten() {
            ensure!(!mount["optional"].to_string().contains("shared:"), "{mount}");
        }
        Ok(())
    }
);

fn with_secrets(bed: &crate::bed::Bed, config: &crate::bundle::Config) -> Check<Vec<Value>> {
    let bundle = bed.bundle(config)?;
    let secret = bundle.rootfs().join("etc/secret");
    std::fs::create_dir(&secret)?;
    std::fs::write(secret.join("key"), "hidden")?;
    std::fs::write(bundle.rootfs().join("etc/token"), "hidden")?;
    Ok(bed.run_bundle(&bundle)?.succeeded("run")?.steps())
}

case!(
    masked_paths_cannot_be_read,
    must(
        &["6.maskedPaths", "T-A10"],
        "config-linux.md#masked-paths: the runtime masks over the paths so that they cannot be read"
    ),
    |bed| {
        let config =
            bed.config().set("/linux/maskedPaths", json!(["/etc/secret", "/etc/token", "/proc/keys", "/not/there"]));
        let steps = with_secrets(
            bed,
            &config.steps("list /etc/secret + read /etc/token + read /proc/keys + write /etc/secret/new x"),
        )?;
        same("masked directory", worked(&steps, "list", "/etc/secret")?, json!([]))?;
        same("masked file", worked(&steps, "read", "/etc/token")?, json!(""))?;
        same("masked /proc/keys", worked(&steps, "read", "/proc/keys")?, json!(""))?;
        denied(&steps, "write", "/etc/secret/new", &["EROFS"])
    }
);

case!(
    a_directory_masked_twice_is_mounted_once,
    crate::case::safety(
        &["T-A10", "6.maskedPaths"],
        "T-A10: the same directory twice in maskedPaths gets exactly one mount"
    ),
    |bed| {
        let config = bed.config().set("/linux/maskedPaths", json!(["/etc/secret", "/etc/secret"]));
        let steps = with_secrets(bed, &config.steps("report"))?;
        let mounts = steps[0]["mounts"].as_array().into_iter().flatten();
        same("mounts on it", mounts.filter(|mount| mount["point"] == "/etc/secret").count(), 1)
    }
);

case!(
    a_relative_masked_path_is_refused,
    must(&["6.maskedPaths"], "config-linux.md#masked-paths: the values MUST be absolute paths"),
    |bed| { bed.create_refused(&bed.config().set("/linux/maskedPaths", json!(["etc"]))).map(drop) }
);

case!(
    readonly_paths_cannot_be_written,
    must(&["6.readonlyPaths", "T-A10"], "config-linux.md#readonly-paths: the runtime sets the paths read-only"),
    |bed| {
        let config = bed.config().set("/linux/readonlyPaths", json!(["/etc", "/proc/sys", "/not/there"]));
        let config = config.steps("write /etc/file x + poke /proc/sys/kernel/hostname x + report");
        let steps = bed.steps(&config)?;
        denied(&steps, "write", "/etc/file", &["EROFS"])?;
        // For an ordinary user the file is another's, which is noticed first.
        let errnos = if bed.host.uid == 0 { &["EROFS"][..] } else { &["EROFS", "EACCES"] };
        denied(&steps, "poke", "/proc/sys/kernel/hostname", errnos)?;
        has_options(&steps[2], "/proc/sys", &["ro"])
    }
);

case!(
    a_readonly_path_keeps_the_flags_of_its_mount,
    must(&["6.readonlyPaths", "T-A10"], "T-A10: readonlyPaths keep nosuid, nodev and noexec"),
    |bed| {
        let config = bed
            .config()
            .mount("/mnt", "tmpfs", "tmpfs", &["nosuid", "nodev", "noexec"])
            .set("/linux/readonlyPaths", json!(["/mnt"]));
        has_options(&bed.facts(&config)?, "/mnt", &["ro", "nosuid", "nodev", "noexec"])
    }
);

case!(
    a_relative_readonly_path_is_refused,
    must(&["6.readonlyPaths"], "config-linux.md#readonly-paths: the values MUST be absolute paths"),
    |bed| { bed.create_refused(&bed.config().set("/linux/readonlyPaths", json!(["etc"]))).map(drop) }
);
