//! contracts.md 4.2: exec: what the new process is, what it joins, its codes.

use crate::bed::Bed;
use crate::bundle::Config;
use crate::case::{Check, caller, case, ensure, same};
use crate::command::Output;
use crate::container::Container;
use crate::host::namespace_of;
use serde_json::{Value, json};

/// A running container that waits, and `exec` of the probe in it.
pub(super) fn running<'b>(bed: &'b Bed, config: Config) -> Check<Container<'b>> {
    super::ready(bed, &config.steps("tell /sync/ready + pause"))
}

pub(super) fn exec(bed: &Bed, flags: &[&str], argv: &[&str]) -> Check<Output> {
    let id = bed.id();
    let args: Vec<&str> =
        std::iter::once("exec").chain(flags.iter().copied()).chain([id.as_str()]).chain(argv.iter().copied()).collect();
    bed.call(&args)
}

pub(super) fn report(bed: &Bed, flags: &[&str]) -> Check<Value> {
    exec(bed, flags, &["/probe", "report"])?.succeeded("exec")?.step("report")
}

/// `exec --process FILE` with the container's process changed by `change`.
fn exec_process(bed: &Bed, process: &Value, flags: &[&str]) -> Check<Output> {
    let file = bed.file("process.json", &process.to_string())?;
    let file = file.to_string_lossy().into_owned();
    let flags: Vec<&str> = ["--process", &file].into_iter().chain(flags.iter().copied()).collect();
    exec(bed, &flags, &[])
}

case!(
    exec_runs_in_the_containers_namespaces,
    caller(&["c4.2.exec-ID-CMD"], "contracts 4.2: the process joins every namespace of the container"),
    |bed| {
        let container = running(bed, bed.config())?;
        let facts = report(bed, &[])?;
        for kind in ["pid", "net", "ipc", "uts", "mnt", "user", "cgroup"] {
            same(kind, &facts["namespaces"][kind], &json!(namespace_of(&container.pid().to_string(), kind)?))?;
        }
        same("hostname", &facts["hostname"], &json!("conformance"))?;
        same("mounts below /", facts["root"].to_string().contains("probe"), true)
    }
);

case!(
    exec_is_in_the_containers_cgroup,
    caller(&["c4.2.exec-ID-CMD"], "contracts 4.2: the process is in the container's cgroup"),
    |bed| {
        let container = running(bed, bed.config())?;
        let theirs = std::fs::read_to_string(format!("/proc/{}/cgroup", container.pid()))?;
        let cgroup = report(bed, &[])?["cgroup"].clone();
        let lines: Vec<&str> = cgroup.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        same("cgroup", lines, theirs.lines().collect::<Vec<_>>())
    }
);

case!(
    exec_has_the_privileges_of_the_container,
    caller(&["c4.2.exec-ID-CMD"], "contracts 4.2: the process comes from the container's stored config"),
    |bed| {
        let config = bed.config().capabilities(&["bounding", "effective", "permitted"], &["CAP_CHOWN", "CAP_KILL"]);
        let config = config
            .set("/process/env", json!(["PATH=/bin", "FROM=config"]))
            .set("/process/cwd", json!("/tmp"))
            .set("/process/rlimits", json!([{"type": "RLIMIT_CORE", "soft": 77, "hard": 88}]));
        let _container = running(bed, config)?;
        let facts = report(bed, &[])?;
        same("effective", &facts["capabilities"]["effective"], &json!([0, 5]))?;
        same("bounding", &facts["capabilities"]["bounding"], &json!([0, 5]))?;
        same("cwd", &facts["cwd"], &json!("/tmp"))?;
        same("NoNewPrivs", &facts["status"]["NoNewPrivs"], &json!("1"))?;
        same("rlimit", &facts["rlimits"]["RLIMIT_CORE"], &json!({"soft": 77, "hard": 88}))?;
        ensure!(facts["env"].to_string().contains("FROM=config"), "{}", facts["env"]);
        Ok(())
    }
);

case!(
    exec_has_the_containers_seccomp_filter,
    caller(
        &["c4.2.exec-ID-CMD", "6.seccomp-vs-privileges"],
        "contracts 4.2: the container's seccomp filter holds for exec"
    ),
    |bed| {
        bed.host.needs_path("/proc/sys/kernel/seccomp/actions_avail")?;
        let filter = json!({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28}]});
        let _container = running(bed, bed.config().set("/linux/seccomp", filter))?;
        let output = exec(bed, &[], &["/probe", "mkdir", "/tmp/new"])?.succeeded("exec")?;
        same("errno", &output.step("mkdir")?["errno"], &json!("ENOSPC"))
    }
);

case!(
    exec_returns_the_exit_code,
    caller(
        &["c5.foreground-run-exec-restore-process", "c5.same-killed-by-signal-S"],
        "contracts 5: foreground exec returns the code, 128+S when signalled"
    ),
    |bed| {
        let _container = running(bed, bed.config())?;
        for code in [0, 1, 42, 255] {
            same("code", exec(bed, &[], &["/probe", "exit", &code.to_string()])?.code, code)?;
        }
        same("signalled", exec(bed, &[], &["/probe", "kill", "KILL"])?.code, 137)
    }
);

case!(
    exec_of_a_missing_program_ends_with_255,
    caller(
        &["c5.exec", "c4.2.failures"],
        "contracts 4.2: failures: exit 255, `exec failed: ...` with the phrases of 8"
    ),
    |bed| {
        let container = running(bed, bed.config())?;
        for (program, phrase) in [
            ("no-such-program", "executable file not found in $PATH"),
            ("/no/such/program", "no such file or directory"),
            ("/etc", "permission denied"),
        ] {
            let output = exec(bed, &[], &[program])?;
            same(program, output.code, 255)?;
            ensure!(
                output.stderr.contains("exec failed")
                    && (output.stderr.contains(phrase) || output.stderr.contains("is a directory")),
                "{program}: {}",
                output.stderr
            );
        }
        same("status", container.status()?, "running")
    }
);

case!(
    exec_flags_change_the_process,
    caller(
        &["c4.2.cwd-DIR", "c4.2.u-user-UID-GID", "c4.2.g-additional-gids-N"],
        "contracts 4.2: --cwd, --env, --user, --additional-gids"
    ),
    |bed| {
        bed.host.needs_root()?;
        let _container = running(bed, bed.config())?;
        let facts = report(
            bed,
            &["--cwd", "/tmp", "--env", "A=1", "--env", "B=2", "--user", "1000:1001", "-g", "5", "-g", "7"],
        )?;
        same("cwd", &facts["cwd"], &json!("/tmp"))?;
        same("Uid", &facts["status"]["Uid"], &json!("1000\t1000\t1000\t1000"))?;
        same("Gid", &facts["status"]["Gid"], &json!("1001\t1001\t1001\t1001"))?;
        let groups = facts["status"]["Groups"].as_str().unwrap_or_default();
        ensure!(groups.contains('5') && groups.contains('7'), "groups {groups}");
        let env = facts["env"].to_string();
        ensure!(env.contains("\"A=1\"") && env.contains("\"B=2\"") && env.contains("PATH="), "{env}");
        Ok(())
    }
);

case!(
    exec_adds_a_capability_when_asked,
    caller(
        &["c4.2.c-cap-CAP", "T-A17"],
        "contracts 4.2: --cap: to bounding, effective, permitted; T-A17: CapInh and CapAmb stay 0"
    ),
    |bed| {
        let _container =
            running(bed, bed.config().capabilities(&["bounding", "effective", "permitted"], &["CAP_KILL"]))?;
        let sets = report(bed, &["--cap", "CAP_CHOWN"])?["capabilities"].clone();
        same("effective", &sets["effective"], &json!([0, 5]))?;
        same("inheritable", &sets["inheritable"], &json!([]))?;
        same("ambient", &sets["ambient"], &json!([]))
    }
);

case!(
    exec_as_a_user_has_no_capability,
    crate::case::safety(&["T-A17"], "T-A17: exec -u 1000:1000: permitted and effective are 0"),
    |bed| {
        bed.host.needs_root()?;
        let _container = running(bed, bed.config())?;
        let sets = report(bed, &["-u", "1000:1000"])?["capabilities"].clone();
        same("permitted", &sets["permitted"], &json!([]))?;
        same("effective", &sets["effective"], &json!([]))
    }
);

case!(
    exec_refuses_malformed_users,
    crate::case::safety(
        &["T-A18", "c4.2.u-user-UID-GID"],
        "T-A18a: 4294967296, -1, 4294967295, `1:`, 0x1, ` 1`, +1, 20 nines are refused, never uid 0"
    ),
    |bed| {
        bed.host.needs_root()?;
        let _container = running(bed, bed.config())?;
        for user in
            ["4294967296", "-2", "4294967295", "1:", "1:4294967296", "0x1", " 1", "+1", "99999999999999999999", "root"]
        {
            let flag = format!("--user={user}");
            let output = exec(bed, &[&flag], &["/probe", "report"])?;
            ensure!(output.code != 0, "{user:?} was accepted");
            ensure!(!output.stdout.contains("\"report\""), "{user:?}: the program ran");
        }
        Ok(())
    }
);

case!(
    exec_takes_a_process_file,
    caller(&["c4.2.p-process-FILE"], "contracts 4.2: -p FILE: JSON Process; then the other flags are ignored"),
    |bed| {
        let _container = running(bed, bed.config())?;
        let process = json!({"user": {"uid": 0, "gid": 0}, "args": ["/probe", "report"], "env": ["PATH=/bin", "X=file"], "cwd": "/tmp"});
        let facts = exec_process(bed, &process, &["--cwd", "/etc"])?.succeeded("exec")?.step("report")?;
        same("cwd", &facts["cwd"], &json!("/tmp"))?;
        ensure!(facts["env"].to_string().contains("X=file"), "{}", facts["env"]);
        Ok(())
    }
);

case!(
    exec_refuses_a_bad_process_file,
    caller(&["c4.2.p-process-FILE"], "contracts 4.2: `Cwd must be an absolute path`, `args must not be empty`"),
    |bed| {
        let _container = running(bed, bed.config())?;
        let relative = json!({"user": {"uid": 0, "gid": 0}, "args": ["/probe"], "cwd": "tmp"});
        let output = exec_process(bed, &relative, &[])?;
        ensure!(
            output.code != 0 && output.stderr.contains("Cwd must be an absolute path"),
            "{} {}",
            output.code,
            output.stderr
        );
        let empty = json!({"user": {"uid": 0, "gid": 0}, "args": [], "cwd": "/"});
        let output = exec_process(bed, &empty, &[])?;
        ensure!(
            output.code != 0 && output.stderr.contains("args must not be empty"),
            "{} {}",
            output.code,
            output.stderr
        );
        Ok(())
    }
);

case!(
    exec_detached_writes_its_pid_file,
    caller(
        &["c4.2.d-detach", "c1.11", "c5.detached-create-run-exec"],
        "contracts 4.2: -d --pid-file: the pid in the runtime's namespace, before return; none on failure"
    ),
    |bed| {
        let _container = running(bed, bed.config())?;
        let file = bed.scratch.join("exec.pid");
        let path = file.to_string_lossy().into_owned();
        exec(bed, &["--detach", "--pid-file", &path], &["/probe", "pause"])?.succeeded("exec --detach")?;
        let text = std::fs::read_to_string(&file)?;
        let pid: i32 = text.parse().map_err(|_| crate::case::Stop::Fail(format!("pid file {text:?}")))?;
        let handle = crate::process::Handle::open(pid)?;
        handle.signal(rustix::process::Signal::KILL)?;
        ensure!(super::ends(pid), "process {pid} did not end");
        std::fs::remove_file(&file)?;
        let output = exec(bed, &["--detach", "--pid-file", &path], &["/no/such/program"])?;
        ensure!(output.code != 0 && !file.exists(), "code {}, pid file {}", output.code, file.exists());
        Ok(())
    }
);

case!(
    exec_needs_a_container_that_lives,
    caller(
        &["c4.2.exec-ID-CMD"],
        "contracts 4.2: stopped: `cannot exec in a stopped container`; unknown: `does not exist`"
    ),
    |bed| {
        let output = bed.call(&["exec", "no-such-container", "/probe"])?;
        ensure!(output.code != 0 && output.stderr.contains("does not exist"), "{} {}", output.code, output.stderr);
        let container = bed.create(&bed.config().steps("exit 0"))?;
        container.finish()?;
        let output = exec(bed, &[], &["/probe"])?;
        ensure!(
            output.code != 0 && output.stderr.contains("cannot exec in a stopped container"),
            "{} {}",
            output.code,
            output.stderr
        );
        Ok(())
    }
);

case!(
    exec_works_in_a_created_container,
    caller(&["c4.2.exec-ID-CMD"], "contracts 4.2: allowed in created and running"),
    |bed| {
        let container = bed.create(&bed.config().steps("exit 0"))?;
        report(bed, &[])?;
        same("status", container.status()?, "created")
    }
);

case!(
    exec_passes_options_of_the_command_on,
    caller(&["c3.Options-stop-at-the-first"], "contracts 3: options stop at the first positional for exec"),
    |bed| {
        let _container = running(bed, bed.config())?;
        let output = exec(bed, &[], &["/probe", "say", "--user", "+", "say", "-t"])?.succeeded("exec")?;
        same("stdout", output.stdout, "--user\n-t\n".to_owned())
    }
);

case!(
    exec_leaks_no_descriptor,
    crate::case::safety(&["T-A15", "2.fds"], "T-A15: the fd table of an exec payload: only 0, 1, 2"),
    |bed| {
        let _container = running(bed, bed.config())?;
        let id = bed.id();
        let command = bed.command_from(&["--fd", "3:/", "--fd", "7:/etc/passwd"], &["exec", &id, "/probe", "report"]);
        let facts = bed.finish(command)?.succeeded("exec")?.step("report")?;
        let fds: Vec<&String> = facts["fds"].as_object().into_iter().flatten().map(|(fd, _)| fd).collect();
        same("descriptors", fds, vec!["0", "1", "2"])
    }
);

case!(
    exec_uses_the_config_of_create,
    caller(&["1.config.json-edits-after-create"], "contracts 4.2: not re-read from the bundle"),
    |bed| {
        let _container = running(bed, bed.config().set("/process/env", json!(["PATH=/bin", "X=before"])))?;
        std::fs::write(
            bed.scratch.join("bundle/config.json"),
            serde_json::to_vec(&bed.config().set("/process/env", json!(["PATH=/bin", "X=after"])).0)?,
        )?;
        let env = report(bed, &[])?["env"].to_string();
        ensure!(env.contains("X=before"), "{env}");
        Ok(())
    }
);
