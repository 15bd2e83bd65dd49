//! contracts.md 9: the order of a foreground run, and whose children are
//! whose meanwhile.

use crate::bed::Bed;
use crate::bundle::{Bundle, Config};
use crate::case::{Check, caller, case, ensure, same};
use crate::command::Running;
use crate::container::DeleteAtEnd;
use crate::process::{own_children, parent_of};
use crate::verdict::fail;
use rustix::process::Signal;
use serde_json::json;
use std::time::Duration;

/// A run whose payload has ended is over by then; one that waits for something else is not.
const SOON: Duration = Duration::from_secs(4);

fn run(bed: &Bed, bundle: &Bundle, flags: &[&str]) -> Check<Running> {
    let (path, id) = (bundle.path.to_string_lossy(), bed.id());
    let args: Vec<&str> =
        ["run", "--bundle", &path].into_iter().chain(flags.iter().copied()).chain([id.as_str()]).collect();
    bed.spawn(bed.command(&args), bed.null())
}

case!(
    the_pid_file_is_there_before_the_program_runs,
    caller(&["c9.Order", "c6.1-pid-file"], "contracts 9: order: create, pid file, start"),
    |bed| {
        let shared = bed.directory("shared")?;
        // Without a pid namespace the payload knows itself by the number that the file must hold.
        let config = bed.config().without_namespace("pid").bind(&shared, "/mnt", &["bind"]);
        let bundle = bed.bundle(&config.steps("read /mnt/the.pid + report"))?;
        let file = shared.join("the.pid").to_string_lossy().into_owned();
        let output = run(bed, &bundle, &["--pid-file", &file])?.finish()?.succeeded("run")?;
        let (read, report) = (output.step("read")?, output.step("report")?);
        same("pid file as the payload reads it", read["value"].as_str(), Some(report["pid"].to_string().as_str()))
    }
);

case!(
    a_caller_that_ignores_sigchld_gets_the_exit_code,
    caller(
        &["c9.Order", "c5.foreground-run-exec-restore-process"],
        "contracts 9: SIGCHLD is handled before the child exists, whatever the caller did with it (security C-37)"
    ),
    |bed| {
        let _end = DeleteAtEnd(bed);
        let bundle = bed.bundle(&bed.config().steps("exit 42"))?;
        let path = bundle.path.to_string_lossy().into_owned();
        for caller in [&[][..], &["--ignore", "CHLD"]] {
            for _ in 0..10 {
                let command = bed.command_from(caller, &["run", "--bundle", &path, &bed.id()]);
                let output = bed.spawn(command, bed.null())?.finish_within(SOON)?;
                same(&format!("code under {caller:?}"), output.code, 42)?;
            }
        }
        bed.nothing_left()
    }
);

case!(
    ignored_signals_are_the_callers_alone,
    caller(&["c9.Order"], "security C-37: dispositions and mask are reset for the payload"),
    |bed| {
        let _end = DeleteAtEnd(bed);
        let bundle = bed.bundle(&bed.config())?;
        let path = bundle.path.to_string_lossy().into_owned();
        let caller = ["--ignore", "TERM", "--ignore", "USR1", "--ignore", "CHLD"];
        let command = bed.command_from(&caller, &["run", "--bundle", &path, &bed.id()]);
        let output = bed.spawn(command, bed.null())?.finish_within(SOON)?;
        let facts = output.succeeded("run")?.step("report")?;
        // SIGPIPE is the probe's own: std ignores it.
        let ignored = u64::from_str_radix(facts["status"]["SigIgn"].as_str().unwrap_or_default(), 16)?;
        let bit = |signal: Signal| 1_u64 << (signal.as_raw() - 1);
        same("ignored", ignored & (bit(Signal::TERM) | bit(Signal::USR1) | bit(Signal::CHILD)), 0)?;
        same("blocked", &facts["status"]["SigBlk"], &json!("0000000000000000"))
    }
);

/// A run that a createRuntime hook holds before its start, until `go` is told.
fn held(bed: &Bed, config: Config) -> Check<(Running, super::Fifo)> {
    let (ready, go) = (bed.scratch.join("ready"), bed.scratch.join("go"));
    let (ready_fifo, go_fifo) = (super::Fifo::make(&ready)?, super::Fifo::make(&go)?);
    let probe = bed.probe.to_string_lossy().into_owned();
    let args = json!([&probe, "tell", ready.to_string_lossy(), "+", "await", go.to_string_lossy()]);
    let bundle = bed.bundle(&config.set("/hooks/createRuntime", json!([{"path": probe, "args": args}])))?;
    let running = run(bed, &bundle, &[])?;
    ready_fifo.wait()?;
    Ok((running, go_fifo))
}

case!(
    a_signal_before_the_start_is_delivered_after_it,
    caller(&["c9.Signals", "c9.Order"], "contracts 9: signals arriving before start are delivered after it"),
    |bed| {
        let _end = DeleteAtEnd(bed);
        let (running, go) = held(bed, bed.config().without_namespace("pid").steps("say ran + pause"))?;
        running.signal(Signal::TERM)?;
        go.tell()?;
        let output = running.finish()?;
        same("code", output.code, 128 + 15)?;
        bed.nothing_left()
    }
);

/// A foreground run whose payload left an orphan, and the orphan's pid.
fn with_orphan(bed: &Bed, flags: &[&str]) -> Check<(Running, i32, super::Fifo)> {
    let config = bed.config().without_namespace("pid").steps("orphan + tell /sync/ready + await /sync/go + exit 3");
    let bundle = bed.bundle(&config)?;
    let ready = super::Fifo::make(&bundle.rootfs().join("sync/ready"))?;
    let go = super::Fifo::make(&bundle.rootfs().join("sync/go"))?;
    let running = run(bed, &bundle, flags)?;
    ready.wait()?;
    let state: serde_json::Value = serde_json::from_str(&bed.call(&["state", &bed.id()])?.succeeded("state")?.stdout)?;
    let payload = state["pid"].to_string();
    let all = std::fs::read_dir("/proc")?.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let inside =
        |pid: &i32| std::fs::read_to_string(format!("/proc/{pid}/cgroup")).is_ok_and(|text| text.contains(&bed.token));
    let others: Vec<i32> = all.filter(inside).filter(|pid| pid.to_string() != payload).collect();
    let [orphan] = others[..] else { fail!("not one orphan of {payload}, but {others:?}") };
    Ok((running, orphan, go))
}

case!(
    a_foreground_run_takes_the_orphans,
    caller(
        &["c9.Subreaper"],
        "contracts 9: PR_SET_CHILD_SUBREAPER: orphans of the container become the runtime's children, and are reaped"
    ),
    |bed| {
        let _end = DeleteAtEnd(bed);
        let (running, orphan, go) = with_orphan(bed, &[])?;
        same("parent of the orphan", parent_of(orphan), Some(running.handle.pid.to_string()))?;
        crate::process::Handle::open(orphan)?.signal(Signal::KILL)?;
        ensure!(super::ends(orphan), "the orphan did not end");
        go.tell()?;
        same("code", running.finish()?.code, 3)?;
        // What the runtime had not reaped would now be ours.
        ensure!(!own_children().contains(&orphan), "the orphan is a zombie");
        bed.nothing_left()
    }
);

case!(
    without_a_subreaper_orphans_are_the_callers,
    caller(&["c9.Subreaper", "c4.1.no-subreaper-2"], "contracts 9: unless --no-subreaper"),
    |bed| {
        let _end = DeleteAtEnd(bed);
        let (running, orphan, go) = with_orphan(bed, &["--no-subreaper"])?;
        same("parent of the orphan", parent_of(orphan), Some(std::process::id().to_string()))?;
        crate::process::Handle::open(orphan)?.signal(Signal::KILL)?;
        ensure!(super::ends(orphan), "the orphan did not end");
        go.tell()?;
        same("code", running.finish()?.code, 3)?;
        bed.nothing_left()
    }
);

case!(
    a_run_ends_with_the_containers_process,
    caller(
        &["c9.Subreaper", "c9.End"],
        "contracts 9: return when the container's process has exited, not when its orphans have; they are ended"
    ),
    |bed| {
        let _end = DeleteAtEnd(bed);
        let (running, orphan, go) = with_orphan(bed, &[])?;
        let handle = crate::process::Handle::open(orphan)?;
        go.tell()?;
        same("code", running.finish_within(SOON)?.code, 3)?;
        ensure!(!handle.is_alive(), "the orphan outlived its container");
        bed.nothing_left()
    }
);
