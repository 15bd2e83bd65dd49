//! runtime.md: create, start, state, the lifecycle and its errors.

use crate::case::{caller, case, ensure, must, same};
use crate::container::Container;
use rustix::process::Signal;
use serde_json::{Value, json};

case!(
    create_does_not_run_the_program,
    must(
        &["2.Lifecycle-2-create", "c4.1.create-ID"],
        "runtime.md#lifecycle 2: the environment is created; the user-specified program MUST NOT be run"
    ),
    |bed| {
        let container = bed.create(&bed.config().steps("say ran"))?;
        same("status", container.status()?, "created")?;
        same("output before start", container.output(0).stdout, "")?;
        let output = container.finish()?;
        same("output after start", output.stdout.trim(), "ran")
    }
);

case!(
    the_status_follows_the_process,
    must(
        &["2.State-status-values", "c7.1.status"],
        "runtime.md#state: status is creating, created, running or stopped"
    ),
    |bed| {
        let container = bed.create(&bed.config().steps("trap TERM 0 + pause"))?;
        same("after create", container.status()?, "created")?;
        container.start()?;
        same("after start", container.status()?, "running")?;
        container.handle.signal(Signal::KILL)?;
        container.wait()?;
        same("after the end", container.status()?, "stopped")?;
        container.delete()
    }
);

case!(
    a_zombie_is_stopped,
    must(
        &["2.State-status-values", "c6.12-identity"],
        "runtime.md#state: stopped: the container process has exited; a zombie has (security C-28: and delete works)"
    ),
    |bed| {
        let container = bed.create(&bed.config().steps("exit 0"))?;
        container.start()?;
        container.wait_unreaped()?;
        same("status", container.status()?, "stopped")?;
        container.delete()
    }
);

case!(
    a_dead_init_is_stopped_even_before_start,
    must(&["2.State-status-values"], "runtime.md#state: stopped, whatever the last command was"),
    |bed| {
        let container = bed.create(&bed.config())?;
        container.handle.signal(Signal::KILL)?;
        container.wait()?;
        same("status", container.status()?, "stopped")?;
        container.delete()
    }
);

case!(
    state_has_the_required_members,
    must(
        &[
            "2.State-ociVersion-id-status-bundle",
            "2.State-pid",
            "c4.1.state-ID",
            "c7.1.ociVersion",
            "c7.1.id",
            "c7.1.pid"
        ],
        "runtime.md#state: ociVersion, id, status, pid, bundle"
    ),
    |bed| {
        let container = bed.create(&bed.config())?;
        let state = container.state()?;
        same("id", &state["id"], &json!(container.id))?;
        same("pid", &state["pid"], &json!(container.pid()))?;
        same("bundle", &state["bundle"], &json!(bed.scratch.join("bundle")))?;
        ensure!(
            state["ociVersion"].as_str().is_some_and(|version| version.starts_with("1.")),
            "{}",
            state["ociVersion"]
        );
        Ok(())
    }
);

case!(
    state_has_what_callers_read,
    caller(
        &["c7.1.created", "c7.1.owner", "c7.1.id"],
        "contracts 7.1: rootfs absolute, created in RFC3339 UTC with nanoseconds, owner"
    ),
    |bed| {
        let state = bed.create(&bed.config())?.state()?;
        same("rootfs", &state["rootfs"], &json!(bed.scratch.join("bundle/rootfs")))?;
        let created = state["created"].as_str().unwrap_or_default();
        ensure!(created.ends_with('Z') && created.contains('T') && created.contains('.'), "created {created:?}");
        ensure!(state["owner"].is_string(), "owner {}", state["owner"]);
        Ok(())
    }
);

case!(
    the_pid_of_a_stopped_container_is_0,
    caller(&["c7.1.pid", "2.State-pid"], "contracts 7.1: pid is 0 when stopped"),
    |bed| {
        let container = bed.create(&bed.config().steps("exit 3"))?;
        container.finish()?;
        let state = container.state()?;
        same("pid", state["pid"].as_i64().unwrap_or(0), 0)
    }
);

case!(
    the_state_of_an_unknown_id_is_an_error,
    must(
        &["2.Query-state", "c4.1.state-ID", "c8.does-not-exist"],
        "runtime.md#query-state: MUST generate an error if the container does not exist; contracts 8: `does not exist`"
    ),
    |bed| {
        let output = bed.call(&["state", "no-such-container"])?;
        same("exit code", output.code, 1)?;
        ensure!(output.stderr.contains("does not exist"), "{}", output.stderr);
        same("stdout", output.stdout, "")
    }
);

case!(
    every_verb_says_that_an_unknown_id_does_not_exist,
    caller(&["c8.does-not-exist", "c1.5"], "contracts 8: `does not exist` for an unknown id"),
    |bed| {
        for verb in ["start", "state", "kill", "delete"] {
            let output = bed.call(&[verb, "no-such-container"])?;
            same(verb, output.code, 1)?;
            ensure!(output.stderr.contains("does not exist"), "{verb}: {}", output.stderr);
            bed.is_one_clear_line(&output.stderr)?;
        }
        Ok(())
    }
);

case!(
    an_id_in_use_is_refused,
    must(
        &["2.create-id-or-bundle-missing", "c8.container-with-given-ID-already"],
        "runtime.md#create: the id MUST be unique, else an error and nothing created"
    ),
    |bed| {
        let container = bed.create(&bed.config().set("/linux/cgroupsPath", json!(bed.cgroups_path("-a"))))?;
        let bundle = bed.bundle_named("second", &bed.config())?;
        let output = bed.call(&["create", "--bundle", &bundle.path.to_string_lossy(), &bed.id()])?;
        output.refuses_with("container with given ID already exists")?;
        same("status of the first", container.status()?, "created")
    }
);

case!(
    start_is_refused_unless_created,
    must(
        &["2.Lifecycle-6-8-start", "c4.1.start-ID"],
        "runtime.md#start: a container that is not created MUST have no effect on it and MUST generate an error"
    ),
    |bed| {
        let container = bed.create(&bed.config().steps("pause"))?;
        container.start()?;
        let output = bed.call(&["start", &container.id])?;
        output.refuses_with("cannot start an already running container")?;
        same("status", container.status()?, "running")?;
        container.handle.signal(Signal::KILL)?;
        container.wait()?;
        let output = bed.call(&["start", &container.id])?;
        output.refuses_with("cannot start a container that has stopped")?;
        Ok(())
    }
);

case!(
    edits_of_config_after_create_have_no_effect,
    must(
        &["1.config.json-edits-after-create"],
        "runtime.md#lifecycle 2: any updates to config.json after this step MUST NOT affect the container"
    ),
    |bed| {
        let container = bed.create(&bed.config().steps("say before"))?;
        std::fs::write(bed.scratch.join("bundle/config.json"), "{}")?;
        same("output", container.finish()?.stdout.trim(), "before")?;
        container.delete()
    }
);

case!(
    create_without_process_is_allowed_and_start_is_an_error,
    must(
        &["2.start-without-process", "3.process"],
        "runtime.md#start: if process was not set, the runtime MUST generate an error"
    ),
    |bed| {
        let container = bed.create(&bed.config().remove("/process"))?;
        let output = bed.call(&["start", &container.id])?;
        ensure!(output.code == 1, "started without a process");
        Ok(())
    }
);

case!(
    start_reports_a_program_that_cannot_be_executed,
    caller(
        &["c4.1.start-ID", "2.Lifecycle-6-8-start"],
        "contracts 4.1: an execve failure is reported by start itself, the container ends stopped"
    ),
    |bed| {
        let bundle = bed.bundle(&bed.config().args(&["/etc/broken"]))?;
        let program = bundle.rootfs().join("etc/broken");
        std::fs::write(&program, "#!/no/such/interpreter\n")?;
        std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
        let container = Container::create(bed, &bed.id(), &bundle, &[])?;
        let output = bed.call(&["start", &container.id])?;
        output.refuses_with("no such file or directory")?;
        container.wait()?;
        same("status", container.status()?, "stopped")
    }
);

case!(
    a_created_program_that_vanishes_is_reported_by_start,
    caller(&["c4.1.start-ID"], "contracts 4.1: an execve failure is reported by start itself"),
    |bed| {
        let bundle = bed.bundle(&bed.config().args(&["/bin/probe"]))?;
        let container = Container::create(bed, &bed.id(), &bundle, &[])?;
        std::fs::remove_file(bundle.rootfs().join("bin/probe"))?;
        let output = bed.call(&["start", &container.id])?;
        output.refuses_with("no such file or directory")?;
        Ok(())
    }
);

case!(
    a_container_can_be_used_by_any_later_call,
    must(
        &["2.Scope-of-a-container", "c1.10"],
        "runtime.md#scope: whoever may, operates on the container with the same runtime root"
    ),
    |bed| {
        let container = bed.create(&bed.config().steps("pause"))?;
        let mut command = bed.command(&["start", &container.id]);
        command.env_clear().env("PATH", "/usr/bin:/bin").current_dir("/");
        bed.finish(command)?.succeeded("start from another place")?;
        same("status", container.status()?, "running")
    }
);

case!(
    ids_are_per_root,
    must(
        &["2.State-ociVersion-id-status-bundle", "c2.root-DIR"],
        "contracts 2: --root: the same id below another root is another container"
    ),
    |bed| {
        let container = bed.create(&bed.config())?;
        let other = bed.directory("other-root")?;
        let output = bed.call_without_root(&["--root", &other.to_string_lossy(), "state", &container.id])?;
        output.refuses_with("does not exist")?;
        Ok(())
    }
);

case!(
    many_containers_live_side_by_side,
    must(
        &["2.Scope-of-a-container", "c4.3.list-f-table-json-q"],
        "contracts 4.3: list --format json shows every container with its own facts"
    ),
    |bed| {
        let bundle = bed.bundle(&bed.config().remove("/linux/cgroupsPath"))?;
        let ids: Vec<String> = (0..4).map(|number| format!("{}-{number}", bed.token)).collect();
        let containers =
            ids.iter().map(|id| Container::create(bed, id, &bundle, &[])).collect::<Result<Vec<_>, _>>()?;
        let listed: Value = serde_json::from_str(&bed.call(&["list", "--format", "json"])?.succeeded("list")?.stdout)?;
        let listed = listed.as_array().cloned().unwrap_or_default();
        same("count", listed.len(), 4)?;
        for container in &containers {
            let entry = listed.iter().find(|entry| entry["id"] == container.id.as_str()).cloned().unwrap_or_default();
            same("pid", &entry["pid"], &json!(container.pid()))?;
            same("status", &entry["status"], &json!("created"))?;
        }
        Ok(())
    }
);
