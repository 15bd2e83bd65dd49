//! contracts.md 5 and 8: exit codes and the phrases that callers match.

use crate::bed::Bed;
use crate::bundle::Config;
use crate::case::{Check, caller, case, ensure, same, skip};
use crate::command::Output;
use serde_json::json;
use std::path::Path;

case!(
    every_failure_ends_with_1,
    caller(&["c5.any-failure-of-a-command"], "contracts 5: any failure of a command: exit 1, one line on stderr"),
    |bed| {
        let nowhere = bed.scratch.join("nowhere").to_string_lossy().into_owned();
        let calls: [&[&str]; 8] = [
            &["create", "--bundle", &nowhere, &bed.id()],
            &["run", "--bundle", &nowhere, &bed.id()],
            &["start", "no-such-container"],
            &["state", "no-such-container"],
            &["kill", "no-such-container", "KILL"],
            &["delete", "no-such-container"],
            &["spec", "--bundle", &nowhere],
            &["create", "--bundle", "/", &bed.id()],
        ];
        for args in calls {
            let output = bed.call(args)?;
            same(&args.join(" "), output.code, 1)?;
            bed.is_one_clear_line(&output.stderr)?;
        }
        bed.nothing_left()
    }
);

case!(
    every_later_verb_fails_with_1,
    caller(
        &["c5.any-failure-of-a-command", "c8.does-not-exist"],
        "contracts 5, 8: ps, pause, resume, update, events of an unknown id: exit 1 and `does not exist`; exec 255"
    ),
    |bed| {
        let calls: [&[&str]; 6] = [
            &["ps", "no-such-container"],
            &["pause", "no-such-container"],
            &["resume", "no-such-container"],
            &["update", "--pids-limit", "5", "no-such-container"],
            &["events", "--stats", "no-such-container"],
            &["exec", "no-such-container", "/probe"],
        ];
        for args in calls {
            let output = bed.call(args)?;
            same(args[0], output.code, if args[0] == "exec" { 255 } else { 1 })?;
            ensure!(output.stderr.contains("does not exist"), "{}: {}", args[0], output.stderr);
            bed.is_one_clear_line(&output.stderr)?;
        }
        Ok(())
    }
);

/// A `run` by an ordinary user who may write to no cgroup.
fn run_as_nobody(bed: &Bed, change: impl FnOnce(Config) -> Config) -> Check<Output> {
    use std::os::unix::fs::{PermissionsExt, chown};
    const NOBODY: u32 = 65534;
    bed.host.needs_root()?;
    let config = bed.config().user_namespace(NOBODY, 1).remove("/linux/cgroupsPath").steps("say ran");
    let bundle = bed.bundle(&change(config))?;
    let root = bed.directory("root")?;
    for dir in bed.scratch.ancestors().take(2) {
        std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o755))?;
    }
    let inside = std::fs::read_dir(bundle.rootfs())?.flatten().map(|entry| entry.path()).filter(|path| path.is_dir());
    for path in inside.chain([root, bundle.path.clone(), bundle.rootfs()]) {
        chown(path, Some(NOBODY), Some(NOBODY))?;
    }
    let path = bundle.path.to_string_lossy().into_owned();
    bed.finish(bed.command_from(&["--gid", "65534", "--uid", "65534"], &["run", "--bundle", &path, &bed.id()]))
}

case!(
    an_ordinary_user_needs_no_cgroup_without_limits,
    caller(
        &["c8.rootless-needs-no-limits-no", "c2.rootless-auto-true-false"],
        "contracts 2: --rootless auto: cgroup permission errors are tolerated when no limit was asked"
    ),
    |bed| {
        let output = run_as_nobody(bed, |config| config)?.succeeded("run as an ordinary user")?;
        same("output", output.stdout.trim(), "ran")
    }
);

case!(
    an_ordinary_users_limit_without_a_cgroup_is_an_error,
    caller(
        &["c8.rootless-needs-no-limits-no"],
        "contracts 8: `rootless needs no limits + no cgrouppath when no permission is granted for cgroups`, or `cannot set pids limit: container could not join or create cgroup`"
    ),
    |bed| {
        let output = run_as_nobody(bed, |config| config.set("/linux/resources/pids/limit", json!(20)))?;
        same("code", output.code, 1)?;
        let phrases = [
            "rootless needs no limits + no cgrouppath when no permission is granted for cgroups",
            "cannot set pids limit: container could not join or create cgroup",
        ];
        ensure!(phrases.iter().any(|phrase| output.stderr.contains(phrase)), "{}", output.stderr);
        bed.nothing_left()
    }
);

case!(
    an_ordinary_users_cgroup_needs_permission,
    caller(
        &["c8.unable-to-apply-cgroup-configuration"],
        "contracts 8: cgroupsPath without permission: `unable to apply cgroup configuration` ... `permission denied`"
    ),
    |bed| {
        let path = json!(format!("/{}", bed.token));
        let output = run_as_nobody(bed, |config| config.set("/linux/cgroupsPath", path))?;
        same("code", output.code, 1)?;
        for phrase in ["unable to apply cgroup configuration", "permission denied"] {
            ensure!(output.stderr.contains(phrase), "no `{phrase}`: {}", output.stderr);
        }
        bed.nothing_left()
    }
);

case!(
    a_bad_memory_policy_is_named,
    caller(
        &["c8.invalid-memory-policy"],
        "contracts 8: `invalid memory policy`, then the mode, flag or node (runc since 1.4)"
    ),
    |bed| {
        let policies = [
            ("mode", json!({"mode": "MPOL_NOSUCH", "nodes": "0"})),
            ("flag", json!({"mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_NOSUCH"]})),
            ("node", json!({"mode": "MPOL_BIND", "nodes": "zero"})),
        ];
        for (word, policy) in policies {
            let output = bed.create_refused(&bed.config().set("/linux/memoryPolicy", policy))?;
            output.refuses_with("invalid memory policy")?;
            ensure!(output.stderr.contains(word), "no {word}: {}", output.stderr);
        }
        Ok(())
    }
);

case!(
    a_deadline_scheduler_needs_all_cpus,
    caller(
        &["c8.process-scheduler-can-t-be"],
        "contracts 8: `process scheduler can't be used together with AllowedCPUs` (runc since 1.2)"
    ),
    |bed| {
        bed.host.needs_root()?;
        bed.host.needs_controller("cpuset")?;
        if !Path::new("/sys/devices/system/cpu/cpu1").exists() {
            return skip("one CPU is all CPUs");
        }
        let scheduler = json!({"policy": "SCHED_DEADLINE", "runtime": 42_000, "deadline": 100_000, "period": 100_000});
        let config = bed.config().set("/process/scheduler", scheduler).set("/linux/resources/cpu/cpus", json!("0"));
        bed.refused(&config.steps("exit 0"))?.refuses_with("process scheduler can't be used together with AllowedCPUs")
    }
);
