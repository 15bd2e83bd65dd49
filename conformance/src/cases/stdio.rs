//! contracts.md 4-6 and 9: stdio, descriptors, pid file, exit codes,
//! signals of a foreground run, detach and keep.

use crate::case::{caller, case, ensure, same};
use crate::container::Container;
use crate::facts::worked;
use rustix::process::Signal;
use serde_json::json;
use std::process::{Command, Stdio};

case!(
    run_returns_the_exit_code,
    caller(
        &["c5.foreground-run-exec-restore-process", "c4.1.run-ID"],
        "contracts 5: foreground run returns the payload's code"
    ),
    |bed| {
        for code in [0, 1, 7, 42, 255] {
            same("code", bed.run(&bed.config().steps(&format!("exit {code}")))?.code, code)?;
            bed.nothing_left()?;
        }
        Ok(())
    }
);

case!(
    run_returns_128_plus_the_signal,
    caller(&["c5.same-killed-by-signal-S", "c9.Signals"], "contracts 5: killed by signal S: 128+S"),
    |bed| {
        let config = bed.config().without_namespace("pid");
        for (signal, code) in [("KILL", 137), ("TERM", 143), ("ABRT", 134)] {
            same(signal, bed.run(&config.clone().steps(&format!("kill {signal}")))?.code, code)?;
        }
        Ok(())
    }
);

case!(
    run_forwards_signals,
    caller(&["c9.Signals"], "contracts 9: every catchable signal is forwarded to the container's process"),
    |bed| {
        let signals = ["HUP", "INT", "QUIT", "USR1", "USR2", "TERM", "CONT", "ALRM", "IO", "PWR"];
        let steps: Vec<String> =
            signals.iter().map(|_| format!("receive {} + tell /sync/ready", signals.join(" "))).collect();
        let bundle = bed.bundle(&bed.config().steps(&format!(
            "block {} + tell /sync/ready + {} + exit 9",
            signals.join(" "),
            steps.join(" + ")
        )))?;
        let fifo = super::Fifo::make(&bundle.rootfs().join("sync/ready"))?;
        let running =
            bed.spawn(bed.command(&["run", "--bundle", &bundle.path.to_string_lossy(), &bed.id()]), bed.null())?;
        fifo.wait()?;
        for name in signals {
            running.signal(named(name))?;
            fifo.wait()?;
        }
        let output = running.finish()?;
        same("code", output.code, 9)?;
        let received: Vec<String> = output
            .steps()
            .iter()
            .filter(|step| step["step"] == "receive")
            .map(|step| step["value"].as_str().unwrap_or_default().to_owned())
            .collect();
        same("signals received", received, signals.map(str::to_owned).to_vec())
    }
);

case!(
    run_forwards_real_time_signals,
    caller(
        &["c9.Signals"],
        "contracts 9: every catchable signal (incl. RT): the first that libc gives to programs too"
    ),
    |bed| {
        for offset in [0, 1, 20] {
            // Not the first process of a pid namespace, which default actions do not reach.
            let bundle = bed.bundle(&bed.config().without_namespace("pid").steps("tell /sync/ready + pause"))?;
            let fifo = super::Fifo::make(&bundle.rootfs().join("sync/ready"))?;
            let running =
                bed.spawn(bed.command(&["run", "--bundle", &bundle.path.to_string_lossy(), &bed.id()]), bed.null())?;
            fifo.wait()?;
            let number = 34 + offset;
            let kill = format!("kill -{number} {}", running.handle.pid);
            ensure!(Command::new("sh").args(["-c", &kill]).status()?.success(), "{kill}");
            same("code", running.finish()?.code, 128 + number)?;
        }
        Ok(())
    }
);

fn named(name: &str) -> Signal {
    match name {
        "HUP" => Signal::HUP,
        "INT" => Signal::INT,
        "QUIT" => Signal::QUIT,
        "USR1" => Signal::USR1,
        "USR2" => Signal::USR2,
        "CONT" => Signal::CONT,
        "ALRM" => Signal::ALARM,
        "IO" => Signal::IO,
        "PWR" => Signal::POWER,
        _ => Signal::TERM,
    }
}

case!(
    run_deletes_at_its_end,
    caller(&["c9.End", "c4.1.run-ID"], "contracts 9: run kills leftovers, deletes, then returns the code"),
    |bed| {
        let config = bed.config().without_namespace("pid").steps("spawn + exit 5");
        same("code", bed.run(&config)?.code, 5)?;
        bed.nothing_left()
    }
);

case!(
    run_keep_leaves_a_stopped_container,
    caller(&["c4.1.keep"], "contracts 4.1: --keep: the state `stopped` remains"),
    |bed| {
        let bundle = bed.bundle(&bed.config().steps("exit 5"))?;
        let output = bed.call(&["run", "--keep", "--bundle", &bundle.path.to_string_lossy(), &bed.id()])?;
        same("code", output.code, 5)?;
        let state = bed.call(&["state", &bed.id()])?.succeeded("state")?;
        let state: serde_json::Value = serde_json::from_str(&state.stdout)?;
        same("status", &state["status"], &json!("stopped"))?;
        bed.call(&["delete", &bed.id()])?.succeeded("delete")?;
        bed.nothing_left()
    }
);

case!(
    run_detached_returns_while_the_payload_runs,
    caller(
        &["c4.1.d-detach", "c5.detached-create-run-exec"],
        "contracts 4.1: -d: return after start; the container reparents to the nearest subreaper"
    ),
    |bed| {
        let bundle = bed.bundle(&bed.config().steps("trap TERM 6 + tell /sync/ready + pause"))?;
        let fifo = super::Fifo::make(&bundle.rootfs().join("sync/ready"))?;
        let container = Container::run_detached(bed, &bundle, &[])?;
        fifo.wait()?;
        same("status", container.status()?, "running")?;
        ensure!(
            crate::process::own_children().contains(&container.pid()),
            "the container's process is not the subreaper's child"
        );
        container.kill("TERM")?;
        same("code", container.wait()?, 6)
    }
);

case!(
    a_failing_run_leaves_nothing,
    caller(&["c9.run", "c5.run"], "contracts 9: run failing after create: container removed, exit 1"),
    |bed| {
        let output = bed.run(&bed.config().args(&["/no/such/program"]))?;
        bed.is_clean_refusal(&output)
    }
);

case!(
    stdin_reaches_the_payload,
    caller(&["c6.5-stdio"], "contracts 6.5: foreground without tty: fds 0-2 are inherited"),
    |bed| {
        let bundle = bed.bundle(&bed.config().steps("stdin + complain heard"))?;
        let input = std::fs::File::open(bed.file("input", "line 1\nline 2\n")?)?;
        let command = bed.command(&["run", "--bundle", &bundle.path.to_string_lossy(), &bed.id()]);
        let output = bed.finish_with(command, Stdio::from(input))?.succeeded("run")?;
        same("stdin", &output.step("stdin")?["value"], &json!("line 1\nline 2\n"))?;
        same("stderr", output.stderr.trim(), "heard")
    }
);

case!(
    stdio_is_inherited_unchanged,
    caller(&["c6.5-stdio"], "contracts 6.5: the container has the caller's own files, no pumping"),
    |bed| {
        let container = bed.create(&bed.config().steps("statfd 1"))?;
        let output = container.finish()?;
        let file = bed.scratch.join("stdout.1");
        let seen = output.step("statfd")?["value"].clone();
        let meta = std::fs::metadata(file)?;
        same("inode", seen["ino"].as_u64(), Some(std::os::unix::fs::MetadataExt::ino(&meta)))
    }
);

case!(
    stdio_belongs_to_the_user,
    caller(&["c6.5-stdio"], "contracts 6.5: the process's user can reopen its stdio through /dev/stdout"),
    |bed| {
        bed.host.needs_root()?;
        let config =
            bed.config().set("/process/user", json!({"uid": 1000, "gid": 1000})).steps("statfd 1 + open /dev/stdout w");
        let steps = bed.steps(&config)?;
        worked(&steps, "open", "/dev/stdout").map(drop)
    }
);

case!(
    the_pid_file_is_exact,
    caller(
        &["c1.11", "c6.1-pid-file", "c4.1.pid-file-F"],
        "contracts 1#11: decimal digits only, no newline; written before create returns"
    ),
    |bed| {
        let container = bed.create(&bed.config())?;
        let file = bed.scratch.join(format!("{}.pid", container.id));
        same("content", std::fs::read_to_string(&file)?, container.pid().to_string())?;
        let state = container.state()?;
        same("pid of state", &state["pid"], &json!(container.pid()))
    }
);

case!(
    there_is_no_pid_file_after_a_failure,
    caller(&["c1.11", "c6.1-pid-file"], "contracts 1#11: absent on failure"),
    |bed| {
        let bundle = bed.bundle(&bed.config().args(&["/no/such/program"]))?;
        let file = bed.scratch.join("the.pid");
        let output = bed.call(&[
            "run",
            "--pid-file",
            &file.to_string_lossy(),
            "--bundle",
            &bundle.path.to_string_lossy(),
            &bed.id(),
        ])?;
        bed.is_clean_refusal(&output)?;
        ensure!(!file.exists(), "a pid file of a container that never was");
        Ok(())
    }
);

case!(
    preserved_descriptors_arrive_at_their_numbers,
    caller(
        &["c4.1.preserve-fds-N", "2.fds"],
        "contracts 4.1: --preserve-fds N: 3..3+N-1 at the same numbers, all others closed"
    ),
    |bed| {
        let file = bed.file("passed", "through")?;
        let bundle = bed.bundle(&bed.config().steps("readfd 3 + readfd 4 + report"))?;
        let (three, four, five) =
            (format!("3:{}", file.display()), format!("4:{}", file.display()), format!("5:{}", file.display()));
        let command = bed.command_from(
            &["--fd", &three, "--fd", &four, "--fd", &five],
            &["run", "--preserve-fds", "2", "--bundle", &bundle.path.to_string_lossy(), &bed.id()],
        );
        let steps = bed.finish(command)?.succeeded("run")?.steps();
        same("fd 3", worked(&steps, "readfd", "3")?, json!("through"))?;
        same("fd 4", worked(&steps, "readfd", "4")?, json!("through"))?;
        let fds: Vec<String> = steps[2]["fds"].as_object().into_iter().flatten().map(|(fd, _)| fd.clone()).collect();
        same("descriptors", fds, ["0", "1", "2", "3", "4"].map(str::to_owned).to_vec())
    }
);

case!(
    a_missing_preserved_descriptor_is_refused,
    caller(&["c4.1.preserve-fds-N"], "contracts 4.1: `unable to stat preserved-fd`"),
    |bed| {
        let bundle = bed.bundle(&bed.config())?;
        let output =
            bed.call(&["run", "--preserve-fds", "50", "--bundle", &bundle.path.to_string_lossy(), &bed.id()])?;
        output.refuses_with("unable to stat preserved-fd")?;
        bed.nothing_left()
    }
);

case!(
    activation_sockets_are_passed,
    caller(&["c6.6-LISTEN_FDS"], "contracts 6.6: LISTEN_FDS: fds 3.. are passed; LISTEN_FDS and LISTEN_PID=1 are set"),
    |bed| {
        let file = bed.file("passed", "through")?;
        let bundle = bed.bundle(&bed.config().steps("readfd 3 + report"))?;
        let command = bed.command_from(
            &["--fd", &format!("3:{}", file.display()), "--listen", "1"],
            &["run", "--bundle", &bundle.path.to_string_lossy(), &bed.id()],
        );
        let steps = bed.finish(command)?.succeeded("run")?.steps();
        same("fd 3", worked(&steps, "readfd", "3")?, json!("through"))?;
        let env = steps[1]["env"].to_string();
        ensure!(env.contains("\"LISTEN_FDS=1\"") && env.contains("\"LISTEN_PID=1\""), "{env}");
        Ok(())
    }
);

case!(
    the_runtimes_death_does_not_end_the_container,
    caller(&["c9.Death-of-hull"], "contracts 9: the container is not killed when its runtime is; state stays truthful"),
    |bed| {
        let bundle = bed.bundle(&bed.config().steps("tell /sync/ready + await /sync/go + exit 0"))?;
        let ready = super::Fifo::make(&bundle.rootfs().join("sync/ready"))?;
        let go = super::Fifo::make(&bundle.rootfs().join("sync/go"))?;
        let running =
            bed.spawn(bed.command(&["run", "--bundle", &bundle.path.to_string_lossy(), &bed.id()]), bed.null())?;
        ready.wait()?;
        running.signal(Signal::KILL)?;
        running.finish()?;
        let state: serde_json::Value =
            serde_json::from_str(&bed.call(&["state", &bed.id()])?.succeeded("state")?.stdout)?;
        same("status", &state["status"], &json!("running"))?;
        let pid = state["pid"].as_i64().and_then(|pid| i32::try_from(pid).ok()).unwrap_or(0);
        let handle = crate::process::Handle::open(pid)?;
        go.tell()?;
        ensure!(handle.ends_within(crate::process::DEADLINE), "the payload did not go on");
        handle.reap();
        bed.call(&["delete", &bed.id()])?.succeeded("delete")?;
        bed.nothing_left()
    }
);

case!(
    no_subreaper_is_accepted,
    caller(
        &["c4.1.no-subreaper", "c4.1.no-subreaper-2"],
        "contracts 4.1: --no-subreaper on run, and on create without effect"
    ),
    |bed| {
        let bundle = bed.bundle(&bed.config().steps("exit 4"))?;
        let output = bed.call(&["run", "--no-subreaper", "--bundle", &bundle.path.to_string_lossy(), &bed.id()])?;
        same("code", output.code, 4)
    }
);

case!(
    no_new_keyring_keeps_the_callers,
    caller(&["c4.1.no-new-keyring"], "contracts 4.1: --no-new-keyring is accepted"),
    |bed| {
        let bundle = bed.bundle(&bed.config().steps("exit 4"))?;
        let output = bed.call(&["run", "--no-new-keyring", "--bundle", &bundle.path.to_string_lossy(), &bed.id()])?;
        same("code", output.code, 4)
    }
);
