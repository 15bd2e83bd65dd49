//! runtime.md, lifecycle: what a caller can see of the order in which a
//! configuration is checked, carried out and, after an error, undone.

use super::hooks::record;
use crate::bed::Bed;
use crate::bundle::Config;
use crate::case::{Check, caller, case, ensure, must, same, should};
use crate::facts::holds;
use crate::host::namespace_of;
use crate::watch::Watch;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Adds a hook that records what it sees, also at `paths`; where the record will be.
fn recorded(bed: &Bed, config: Config, kind: &str, paths: &[&Path]) -> (Config, PathBuf) {
    let file = bed.scratch.join(kind);
    let words = [Path::new("probe"), Path::new("record"), &file];
    let args: Vec<&Path> = words.into_iter().chain(paths.iter().copied()).collect();
    (config.set(&format!("/hooks/{kind}/-"), json!({"path": bed.probe, "args": args})), file)
}

case!(
    errors_of_the_config_are_found_before_anything_is_made,
    caller(
        &["8.a2", "8.a1", "1.Un-appliable-property"],
        "hull 8: the whole config is checked, also against the host, before a cgroup, a state or a process is made"
    ),
    |bed| {
        bed.host.needs_root()?;
        let root = bed.directory("root")?;
        let homes = bed.host.cgroups.homes();
        let watch = Watch::over(homes.iter().map(PathBuf::as_path).chain([root.as_path()]))?;
        for (what, config) in [
            ("no root", bed.config().set("/root/path", json!("nowhere"))),
            ("no such namespace", bed.config().namespace_path("network", "/no/such/namespace")),
            ("a namespace of another type", bed.config().namespace_path("network", "/proc/self/ns/ipc")),
            ("an unknown limit", bed.config().set("/process/rlimits", json!([{"type": "RLIMIT_X"}]))),
            ("hostname of the host", bed.config().without_namespace("uts")),
            ("a sysctl of the host", bed.config().set("/linux/sysctl", json!({"kernel.pid_max": "99999"}))),
            ("an unmapped user", bed.config().user_namespace(100_000, 9).set("/process/user/uid", json!(77))),
            ("a terminal for nobody", bed.config().set("/process/terminal", json!(true))),
            ("a hook without a path", bed.config().set("/hooks/poststop/-", json!({"args": ["x"]}))),
        ] {
            let refused = bed.create_refused(&config);
            ensure!(refused.is_ok(), "{what}: {refused:?}");
            same(what, watch.made(&bed.token)?, Vec::<String>::new())?;
        }
        // The watch itself works: it sees what a good config makes.
        bed.create(&bed.config())?.delete_force()?;
        ensure!(!watch.made(&bed.token)?.is_empty(), "the watch saw nothing of a create that worked");
        Ok(())
    }
);

case!(
    an_error_at_a_late_step_is_undone,
    must(
        &["8.b", "1.Any-error"],
        "runtime.md#errors: the state of the environment MUST be as if the operation were never attempted"
    ),
    |bed| {
        let source = bed.directory("data")?;
        for (what, config) in [
            ("file system", bed.config().mount("/mnt", "no-such-file-system", "none", &[])),
            ("data", bed.config().mount("/mnt", "tmpfs", "tmpfs", &["size=lots"])),
            ("source", bed.config().bind(&source.join("nothing"), "/mnt", &["bind"])),
            ("the last mount", bed.config().bind(&source, "/mnt", &["bind"]).bind(&source, "/proc/none", &["bind"])),
            ("sysctl", bed.config().set("/linux/sysctl", json!({"net.no_such_key": "1"}))),
            ("program", bed.config().args(&["/no/such/program"])),
        ] {
            let refused = bed.create_refused(&config);
            ensure!(refused.is_ok(), "{what}: {refused:?}");
        }
        Ok(())
    }
);

case!(
    namespaces_mappings_and_cgroup_come_before_the_hooks,
    must(
        &["8.b", "3.prestart-createRuntime"],
        "config.md#createRuntime: called after the runtime environment has been created: the process is in its place"
    ),
    |bed| {
        bed.host.needs_root()?;
        let (config, prestart) = recorded(bed, bed.config().user_namespace(100_000, 65536), "prestart", &[]);
        let (config, create_runtime) = recorded(bed, config, "createRuntime", &[]);
        let container = bed.create(&config)?;
        for file in [prestart, create_runtime] {
            let seen = record(&file)?["container"].clone();
            for kind in ["pid", "net", "ipc", "uts", "mnt", "user"] {
                let own = json!(namespace_of(&container.pid().to_string(), kind)?);
                same(&format!("{kind} of the container, seen by {}", file.display()), &seen["namespaces"][kind], &own)?;
                ensure!(own != json!(namespace_of("self", kind)?), "no new {kind} namespace");
            }
            let map = seen["uid_map"].as_str().unwrap_or_default();
            let words: Vec<&str> = map.split_whitespace().collect();
            same("uid_map", words, vec!["0", "100000", "65536"])?;
            let lines = seen["cgroup"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let own: Vec<&str> = lines.filter(|line| line.contains(&bed.token)).collect();
            ensure!(!own.is_empty(), "not in its cgroup: {}", seen["cgroup"]);
        }
        Ok(())
    }
);

case!(
    mounts_come_before_the_hooks_of_the_runtime,
    must(
        &["8.b", "3.prestart-createRuntime"],
        "config.md#createRuntime: after the mount namespace was created and set up"
    ),
    |bed| {
        let source = bed.directory("data")?;
        let config = bed.config().bind(&source, "/mnt/bound-here", &["bind"]);
        let (config, prestart) = recorded(bed, config, "prestart", &[]);
        let (config, create_runtime) = recorded(bed, config, "createRuntime", &[]);
        let _container = bed.create(&config)?;
        for file in [prestart, create_runtime] {
            let mounts = record(&file)?["container"]["mounts"].clone();
            let mut points = mounts.as_array().into_iter().flatten().filter_map(|mount| mount["point"].as_str());
            ensure!(points.any(|point| point.ends_with("/mnt/bound-here")), "{}: not mounted yet", file.display());
        }
        Ok(())
    }
);

case!(
    create_container_hooks_reach_the_tree_at_its_path,
    should(
        &["8.b", "3.createContainer"],
        "config.md#createContainer: after the mounts and before the pivot: the tree is at the root's path, as hooks expect"
    ),
    |bed| {
        let source = bed.directory("data")?;
        std::fs::write(source.join("file"), "")?;
        let rootfs = bed.scratch.join("bundle/rootfs");
        let (device, process, file) = (rootfs.join("dev/null"), rootfs.join("proc/self"), rootfs.join("mnt/file"));
        let config = bed.config().bind(&source, "/mnt", &["bind"]);
        let (config, place) = recorded(bed, config, "createContainer", &[&device, &process, &file, &bed.probe]);
        let _container = bed.create(&config)?;
        let paths = record(&place)?["paths"].clone();
        let kind = |path: &Path| paths[&*path.to_string_lossy()]["type"].clone();
        same("a file of the host", kind(&bed.probe), json!("file"))?;
        same("/dev/null", kind(&device), json!("char"))?;
        same("/proc/self", kind(&process), json!("link"))?;
        same("a file in a mount", kind(&file), json!("file"))
    }
);

case!(
    the_hooks_of_create_run_in_the_order_of_their_kinds,
    must(
        &["8.b", "3.hook-order"],
        "config.md#posix-platform-hooks: prestart, then createRuntime, then createContainer, however they are listed"
    ),
    |bed| {
        let log = bed.file("order", "")?;
        let mut config = bed.config();
        for (kind, word) in [("createContainer", "3"), ("createRuntime", "2"), ("prestart", "1")] {
            let args = json!(["probe", "stdin", "+", "append", log, word]);
            config = config.set(&format!("/hooks/{kind}/-"), json!({"path": bed.probe, "args": args}));
        }
        let _container = bed.create(&config)?;
        same("order", std::fs::read_to_string(&log)?, "123")
    }
);

/// A record that a user without privileges may write inside.
fn open_record(bed: &Bed, name: &str) -> Check<PathBuf> {
    let file = bed.bundle(&bed.config())?.rootfs().join("sync").join(name);
    std::fs::write(&file, "")?;
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o666))?;
    Ok(file)
}

case!(
    start_hooks_run_before_privileges_are_dropped,
    caller(
        &["8.start", "3.startContainer"],
        "hull 8: startContainer hooks run as root of the container: with what a create gives, not the program's user"
    ),
    |bed| {
        bed.host.needs_root()?;
        let file = open_record(bed, "hook")?;
        let hook = json!({"path": "/probe", "args": ["probe", "record", "/sync/hook"]});
        let config = bed.config().set("/hooks/startContainer/-", hook);
        let config = config.set("/process/user", json!({"uid": 1000, "gid": 1000}));
        let payload = bed.facts(&config)?;
        same("Uid of the payload", &payload["status"]["Uid"], &json!("1000\t1000\t1000\t1000"))?;
        same("NoNewPrivs of the payload", &payload["status"]["NoNewPrivs"], &json!("1"))?;
        let hook = record(&file)?;
        same("Uid of the hook", &hook["status"]["Uid"], &json!("0\t0\t0\t0"))?;
        same("NoNewPrivs of the hook", &hook["status"]["NoNewPrivs"], &json!("0"))?;
        same("mount namespace", &hook["namespaces"]["mnt"], &payload["namespaces"]["mnt"])
    }
);

case!(
    the_program_is_executed_after_the_start_hooks,
    must(
        &["8.start", "3.startContainer"],
        "config.md#startContainer: called before the user-specified process is executed"
    ),
    |bed| {
        let hook = json!({"path": "/probe", "args": ["probe", "stdin", "+", "write", "/tmp/mark", "hook"]});
        let config = bed.config().set("/hooks/startContainer/-", hook);
        let steps = bed.steps(&config.steps("read /tmp/mark"))?;
        same("what the hook wrote", &steps[0]["value"], &json!("hook"))
    }
);

case!(
    poststart_hooks_find_the_program_executed,
    must(
        &["8.start", "3.poststart-poststop", "2.Lifecycle-8-9-poststart"],
        "config.md#poststart: called after the user-specified process is executed"
    ),
    |bed| {
        let (config, file) = recorded(bed, bed.config().steps("pause"), "poststart", &[]);
        let container = bed.create(&config)?;
        ensure!(!file.exists(), "poststart hooks ran in create");
        container.start()?;
        let line = record(&file)?["container"]["cmdline"].clone();
        ensure!(holds(&line, "/probe") && holds(&line, "pause"), "the container's process was {line}");
        Ok(())
    }
);
