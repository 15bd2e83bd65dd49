//! config.md, `posix-platform-hooks`; runtime.md, lifecycle: when each hook
//! runs, what it gets, and what its failure means. The probe is the hook.

use crate::bed::Bed;
use crate::bundle::Config;
use crate::case::{Check, Stop, caller, case, ensure, must, same};
use serde_json::{Value, json};
use std::path::PathBuf;

const KINDS: [&str; 6] = ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"];

/// A hook that keeps its stdin in `file` (a path where it runs) by the probe at `program`.
fn recording(program: &str, file: &str) -> Value {
    json!({"path": program, "args": ["probe", "record", file], "env": ["HOOK=1"]})
}

/// A config with one recording hook of each kind, and where each leaves its record.
fn with_all_hooks(bed: &Bed, config: Config) -> Check<(Config, Vec<PathBuf>)> {
    let probe = bed.probe.to_string_lossy().into_owned();
    let mut config = config;
    let mut files = Vec::new();
    for kind in KINDS {
        let inside = kind == "startContainer";
        let host_file = if inside { bed.scratch.join("bundle/rootfs/tmp").join(kind) } else { bed.scratch.join(kind) };
        let (program, file) = if inside {
            ("/probe".to_owned(), format!("/tmp/{kind}"))
        } else {
            (probe.clone(), host_file.to_string_lossy().into_owned())
        };
        config = config.set(&format!("/hooks/{kind}/-"), recording(&program, &file));
        files.push(host_file);
    }
    Ok((config, files))
}

/// What a hook that records left in its file.
pub(super) fn record(path: &std::path::Path) -> Check<Value> {
    let text =
        std::fs::read_to_string(path).map_err(|error| Stop::Fail(format!("no record {}: {error}", path.display())))?;
    Ok(serde_json::from_str(&text)?)
}

case!(
    every_hook_runs_with_the_state_on_stdin,
    must(
        &["3.hook-stdin", "3.poststart-poststop", "3.prestart-createRuntime"],
        "config.md#posix-platform-hooks: the state of the container MUST be passed to hooks over stdin"
    ),
    |bed| {
        let (config, files) =
            with_all_hooks(bed, bed.config().set("/annotations", json!({"key": "value"})).steps("exit 0"))?;
        let container = bed.create(&config)?;
        container.finish()?;
        container.delete()?;
        let statuses = ["creating", "creating", "creating", "created", "running", "stopped"];
        for ((file, status), kind) in files.iter().zip(statuses).zip(KINDS) {
            let state: Value = serde_json::from_str(record(file)?["stdin"].as_str().unwrap_or_default())?;
            same(&format!("id of {kind}"), &state["id"], &json!(container.id))?;
            same(&format!("bundle of {kind}"), &state["bundle"], &json!(bed.scratch.join("bundle")))?;
            same(&format!("status of {kind}"), &state["status"], &json!(status))?;
            same(&format!("annotations of {kind}"), &state["annotations"], &json!({"key": "value"}))?;
            ensure!(state["ociVersion"].is_string(), "ociVersion of {kind}: {state}");
        }
        Ok(())
    }
);

case!(
    hooks_get_their_own_arguments_and_environment,
    must(
        &["3.hooks..args", "3.hooks..env", "T-A28"],
        "config.md#posix-platform-hooks: args and env as for execv; T-A28: env exactly hook.env, fds 0-2 only"
    ),
    |bed| {
        let (config, files) = with_all_hooks(
            bed,
            bed.config().set("/process/env", json!(["LD_PRELOAD=./evil.so", "MARK=1"])).steps("exit 0"),
        )?;
        let container = bed.create(&config)?;
        container.finish()?;
        container.delete()?;
        for (file, kind) in files.iter().zip(KINDS) {
            let seen = record(file)?;
            same(&format!("args of {kind}"), &seen["args"][0], &json!("probe"))?;
            same(&format!("env of {kind}"), &seen["env"], &json!(["HOOK=1"]))?;
            let fds: Vec<&String> = seen["fds"].as_object().into_iter().flatten().map(|(fd, _)| fd).collect();
            same(&format!("descriptors of {kind}"), fds, vec!["0", "1", "2"])?;
        }
        Ok(())
    }
);

case!(
    hooks_run_in_the_right_namespaces,
    must(
        &["3.prestart-createRuntime", "3.createContainer", "3.startContainer", "3.poststart-poststop"],
        "config.md#posix-platform-hooks: createContainer and startContainer run in the container namespace, the others in the runtime's"
    ),
    |bed| {
        let (config, files) = with_all_hooks(bed, bed.config())?;
        let container = bed.create(&config)?;
        let inside = container.finish()?.step("report")?["namespaces"]["mnt"].clone();
        let outside = json!(crate::host::namespace_of("self", "mnt")?);
        container.delete()?;
        for (file, kind) in files.iter().zip(KINDS) {
            let wanted = if matches!(kind, "createContainer" | "startContainer") { &inside } else { &outside };
            same(&format!("mount namespace of {kind}"), &record(file)?["namespaces"]["mnt"], wanted)?;
        }
        Ok(())
    }
);

case!(
    hooks_run_at_their_time,
    must(
        &["3.hook-order", "2.Lifecycle-3-5-prestart-createRuntime", "2.Lifecycle-8-9-poststart"],
        "runtime.md#lifecycle: prestart, createRuntime, createContainer during create; startContainer, poststart during start; poststop after delete"
    ),
    |bed| {
        let (config, files) = with_all_hooks(bed, bed.config().steps("exit 0"))?;
        let ran = || files.iter().filter(|file| file.exists()).count();
        let container = bed.create(&config)?;
        same("hooks run by create", ran(), 3)?;
        container.start()?;
        same("hooks run by start", ran(), 5)?;
        container.wait()?;
        same("before delete", ran(), 5)?;
        container.delete()?;
        same("after delete", ran(), 6)
    }
);

case!(
    hooks_of_a_kind_run_in_listed_order,
    must(&["3.hook-order"], "config.md#posix-platform-hooks: hooks MUST be called in the listed order"),
    |bed| {
        let log = bed.file("order", "")?;
        let probe = bed.probe.to_string_lossy().into_owned();
        let mut config = bed.config().steps("exit 0");
        for (kind, word) in [
            ("createRuntime", "2"),
            ("createRuntime", "3"),
            ("prestart", "1"),
            ("poststart", "4"),
            ("poststart", "5"),
            ("poststop", "6"),
            ("poststop", "7"),
        ] {
            config = config.set(
                &format!("/hooks/{kind}/-"),
                json!({"path": probe, "args": ["probe", "stdin", "+", "append", log, word]}),
            );
        }
        // prestart was given between them, so that only the kind decides.
        let container = bed.create(&config)?;
        container.finish()?;
        container.delete()?;
        same("order", std::fs::read_to_string(&log)?, "1234567")
    }
);

case!(
    a_failing_hook_of_create_stops_the_container,
    must(
        &["2.Lifecycle-3-5-prestart-createRuntime", "c8.error-running-NAME-hook-N", "1.Any-error"],
        "runtime.md#lifecycle 3-5: a failing hook MUST generate an error, stop the container and continue at 12"
    ),
    |bed| {
        let probe = bed.probe.to_string_lossy().into_owned();
        for kind in ["prestart", "createRuntime", "createContainer"] {
            let hook = json!({"path": probe, "args": ["probe", "stdin", "+", "complain", "because", "+", "exit", "3"]});
            bed.create_refused(&bed.config().set(&format!("/hooks/{kind}/-"), hook))?;
        }
        Ok(())
    }
);

case!(
    a_failing_hook_is_named,
    caller(&["c8.error-running-NAME-hook-N"], "contracts 8: `error running NAME hook #N: ...`"),
    |bed| {
        let probe = bed.probe.to_string_lossy().into_owned();
        let config = bed
            .config()
            .set("/hooks/createRuntime/-", json!({"path": probe, "args": ["probe", "stdin", "+", "exit", "0"]}));
        let config =
            config.set("/hooks/createRuntime/-", json!({"path": probe, "args": ["probe", "stdin", "+", "exit", "3"]}));
        bed.create_refused(&config)?.refuses_with("error running createRuntime hook #1")
    }
);

case!(
    poststop_runs_after_a_failed_create,
    must(
        &["2.Lifecycle-3-5-prestart-createRuntime"],
        "runtime.md#lifecycle: after a failed hook the container is destroyed and poststop hooks run"
    ),
    |bed| {
        let probe = bed.probe.to_string_lossy().into_owned();
        let file = bed.scratch.join("poststop");
        let config = bed
            .config()
            .set("/hooks/createRuntime/-", json!({"path": probe, "args": ["probe", "stdin", "+", "exit", "3"]}));
        bed.create_refused(&config.set("/hooks/poststop/-", recording(&probe, &file.to_string_lossy())))?;
        ensure!(file.exists(), "poststop did not run");
        Ok(())
    }
);

case!(
    a_failing_start_hook_stops_the_container,
    must(
        &["2.Lifecycle-7-startContainer-fail"],
        "runtime.md#lifecycle 7: a failing startContainer hook MUST generate an error and stop the container"
    ),
    |bed| {
        let config = bed
            .config()
            .set("/hooks/startContainer/-", json!({"path": "/probe", "args": ["probe", "stdin", "+", "exit", "3"]}));
        let container = bed.create(&config.steps("say ran"))?;
        let output = bed.call(&["start", &container.id])?;
        ensure!(output.code == 1, "start ended with {}: {}", output.code, output.stderr);
        container.wait()?;
        ensure!(!container.output(0).stdout.contains("ran"), "the payload ran");
        Ok(())
    }
);

case!(
    a_failing_poststop_hook_is_only_a_warning,
    must(
        &["2.Lifecycle-12-13-delete-poststop"],
        "runtime.md#lifecycle 13: a failing poststop hook MUST log a warning, the remaining hooks and the lifecycle continue"
    ),
    |bed| {
        let probe = bed.probe.to_string_lossy().into_owned();
        let file = bed.scratch.join("second");
        let config =
            bed.config().set("/hooks/poststop/-", json!({"path": probe, "args": ["probe", "stdin", "+", "exit", "3"]}));
        let config = config.set("/hooks/poststop/-", recording(&probe, &file.to_string_lossy())).steps("exit 0");
        let container = bed.create(&config)?;
        container.finish()?;
        container.delete()?;
        ensure!(file.exists(), "the second poststop hook did not run");
        bed.nothing_left()
    }
);

case!(
    a_failing_poststart_hook_stops_the_container,
    must(
        &["2.Lifecycle-8-9-poststart"],
        "runtime.md#lifecycle 9: a failing poststart hook MUST generate an error and stop the container"
    ),
    |bed| {
        let probe = bed.probe.to_string_lossy().into_owned();
        let config = bed
            .config()
            .set("/hooks/poststart/-", json!({"path": probe, "args": ["probe", "stdin", "+", "exit", "3"]}));
        let container = bed.create(&config.steps("pause"))?;
        let output = bed.call(&["start", &container.id])?;
        ensure!(output.code == 1, "start ended with {}", output.code);
        ensure!(container.handle.ends_within(std::time::Duration::from_secs(5)), "the container still runs");
        Ok(())
    }
);

case!(
    a_hook_past_its_timeout_is_ended,
    must(&["3.hooks..timeout"], "config.md#posix-platform-hooks: timeout: seconds before aborting the hook"),
    |bed| {
        let probe = bed.probe.to_string_lossy().into_owned();
        let began = std::time::Instant::now();
        bed.create_refused(
            &bed.config()
                .set("/hooks/createRuntime/-", json!({"path": probe, "args": ["probe", "pause"], "timeout": 1})),
        )?;
        ensure!(began.elapsed().as_secs() < 10, "took {:?}", began.elapsed());
        Ok(())
    }
);

case!(
    a_timeout_that_is_not_positive_is_refused,
    must(&["3.hooks..timeout"], "config.md#posix-platform-hooks: timeout MUST be greater than zero"),
    |bed| {
        let probe = bed.probe.to_string_lossy().into_owned();
        for timeout in [0, -1] {
            bed.create_refused(&bed.config().set(
                "/hooks/poststop/-",
                json!({"path": probe, "args": ["probe", "stdin", "+", "exit", "0"], "timeout": timeout}),
            ))?;
        }
        Ok(())
    }
);

case!(
    a_hook_path_that_is_not_absolute_is_refused,
    must(&["3.hooks..path"], "config.md#posix-platform-hooks: path MUST be absolute"),
    |bed| {
        for kind in KINDS {
            let refused =
                bed.create_refused(&bed.config().set(&format!("/hooks/{kind}/-"), json!({"path": "bin/probe"})));
            ensure!(refused.is_ok(), "{kind}: {refused:?}");
        }
        Ok(())
    }
);

case!(
    a_hook_sees_the_created_network_namespace,
    must(
        &["3.prestart-createRuntime", "2.State-pid"],
        "config.md#createRuntime hooks: the namespaces exist; pid of the state is usable from the hook"
    ),
    |bed| {
        let probe = bed.probe.to_string_lossy().into_owned();
        let file = bed.scratch.join("seen");
        let config =
            bed.config().set("/hooks/createRuntime/-", recording(&probe, &file.to_string_lossy())).steps("exit 0");
        let container = bed.create(&config)?;
        let state: Value = serde_json::from_str(record(&file)?["stdin"].as_str().unwrap_or_default())?;
        same("pid", &state["pid"], &json!(container.pid()))
    }
);

case!(
    a_hook_need_not_read_its_stdin,
    must(
        &["3.hook-stdin"],
        "config.md#posix-platform-hooks: a hook that ends without reading the state has not failed"
    ),
    |bed| {
        let probe = bed.probe.to_string_lossy().into_owned();
        let hook = json!({"path": probe, "args": ["probe", "exit", "0"]});
        let config = KINDS.iter().filter(|kind| **kind != "startContainer").fold(bed.config(), |config, kind| {
            (0..3).fold(config, |config, _| config.set(&format!("/hooks/{kind}/-"), hook.clone()))
        });
        let container = bed.create(&config.steps("exit 0"))?;
        container.finish()?;
        container.delete()
    }
);

case!(
    hooks_are_run_or_refused,
    must(
        &["1.Known-property-hull-does-not", "1.Un-appliable-property"],
        "config.md#valid-values: a property that cannot be applied MUST be an error; it is never dropped"
    ),
    |bed| {
        let (config, files) = with_all_hooks(bed, bed.config().steps("exit 0"))?;
        let bundle = bed.bundle(&config)?;
        let output = bed.run_bundle(&bundle)?;
        if output.code != 0 {
            return bed.is_clean_refusal(&output);
        }
        for (file, kind) in files.iter().zip(KINDS) {
            ensure!(file.exists(), "the {kind} hook was dropped in silence");
        }
        Ok(())
    }
);
