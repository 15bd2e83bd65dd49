//! Fault model C-25, C-26: what can go wrong between create and the program.

use crate::case::{Check, caller, case, ensure, same};
use crate::container::Container;
use rustix::process::Signal;
use serde_json::json;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

case!(
    start_of_a_dead_container_fails_at_once,
    caller(
        &["c4.1.start-ID"],
        "security C-25: start, the first process dead: `cannot start a container that has stopped`, without waiting"
    ),
    |bed| {
        for reaped in [true, false] {
            let container = bed.create(&bed.config())?;
            container.handle.signal(Signal::KILL)?;
            container.wait_unreaped()?;
            if reaped {
                container.wait()?;
            }
            let starting = bed.spawn(bed.command(&["start", &container.id]), bed.null())?;
            let output = starting.finish_within(Duration::from_secs(2))?;
            output.refuses_with("cannot start a container that has stopped")?;
            container.delete()?;
        }
        bed.nothing_left()
    }
);

case!(
    start_waits_for_a_stopped_process_and_can_be_killed,
    caller(
        &["c4.1.start-ID", "c6.9-PDEATHSIG"],
        "security C-25: the first process is stopped by SIGSTOP: start waits, may be killed, and works once it goes on"
    ),
    |bed| {
        let bundle = bed.bundle(&bed.config().steps("tell /sync/ready + pause"))?;
        let ready = super::Fifo::make(&bundle.rootfs().join("sync/ready"))?;
        let container = Container::create(bed, &bed.id(), &bundle, &[])?;
        container.handle.signal(Signal::STOP)?;
        let starting = bed.spawn(bed.command(&["start", &container.id]), bed.null())?;
        if !starting.handle.ends_within(Duration::from_millis(200)) {
            starting.signal(Signal::KILL)?;
        }
        starting.finish()?;
        container.handle.signal(Signal::CONT)?;
        // The start that was killed may have opened the gate before; a second one may then be refused.
        if container.status()? == "created" {
            let again = bed.call(&["start", &container.id])?;
            let runs = again.stderr.contains("already running") || container.status()? == "running";
            ensure!(again.code == 0 || runs, "start: {}", again.stderr.trim());
        }
        ready.wait_within(Duration::from_secs(3))?;
        container.delete_force()?;
        container.wait()?;
        bed.nothing_left()
    }
);

/// The fifos in a container's state.
fn gates(dir: &Path) -> Check<Vec<std::path::PathBuf>> {
    let entries = std::fs::read_dir(dir)?.flatten();
    Ok(entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_fifo())).map(|entry| entry.path()).collect())
}

case!(
    start_without_its_gate_is_an_error,
    caller(
        &["c4.1.start-ID"],
        "security C-25: the start fifo is gone: one clear line in good time, and delete --force works; a runtime without one starts"
    ),
    |bed| {
        let container = bed.create(&bed.config().steps("pause"))?;
        for gate in gates(&bed.root().join(&container.id))? {
            std::fs::remove_file(gate)?;
        }
        let starting = bed.spawn(bed.command(&["start", &container.id]), bed.null())?;
        let output = starting.finish_within(Duration::from_secs(5))?;
        if output.code != 0 {
            bed.is_one_clear_line(&output.stderr)?;
        }
        container.delete_force()?;
        container.wait()?;
        bed.nothing_left()
    }
);

case!(
    a_program_spoilt_after_create_is_reported_by_start,
    caller(
        &["c4.1.start-ID", "c8.permission-denied"],
        "security C-26: after create the program loses its permission, or becomes text: start says so, poststop hooks run, the container ends stopped"
    ),
    |bed| {
        for (spoil, phrase) in [("mode", "permission denied"), ("text", "exec format error")] {
            let marker = bed.scratch.join(format!("poststop-{spoil}"));
            let probe = bed.probe.to_string_lossy().into_owned();
            let args = json!([&probe, "write", marker.to_string_lossy(), "x"]);
            let config =
                bed.config().args(&["/etc/program"]).set("/hooks/poststop", json!([{"path": probe, "args": args}]));
            let bundle = super::hostile_root::fresh(bed, &config)?;
            let program = bundle.rootfs().join("etc/program");
            std::fs::copy(&bed.probe, &program)?;
            let container = Container::create(bed, &bed.id(), &bundle, &[])?;
            match spoil {
                "mode" => std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o644))?,
                _ => std::fs::write(&program, "no program\n")?,
            }
            bed.call(&["start", &container.id])?.refuses_with(phrase)?;
            container.wait()?;
            same("status", container.status()?, "stopped")?;
            container.delete()?;
            ensure!(marker.exists(), "{spoil}: the poststop hook did not run");
        }
        bed.nothing_left()
    }
);
