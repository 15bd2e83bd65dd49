//! contracts.md 6.7, 6.8 and 2: what the runtime takes from its caller's
//! environment, and by which name it is called.

use crate::bed::Bed;
use crate::case::{Check, caller, case, ensure, same};
use crate::command::Running;
use crate::container::Container;
use crate::facts::has_options;
use crate::process::{DEADLINE, readable_within};
use serde_json::Value;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// The service manager's side of NOTIFY_SOCKET.
struct Manager {
    socket: UnixDatagram,
    variable: String,
}

impl Manager {
    fn listen(bed: &Bed) -> Check<Self> {
        let path = bed.scratch.join("notify");
        Ok(Self { socket: UnixDatagram::bind(&path)?, variable: format!("NOTIFY_SOCKET={}", path.display()) })
    }

    /// Serves a call to its end: every line it sent. What it passes along is dropped, as a barrier asks for.
    fn serve(&self, call: Running) -> Check<Vec<String>> {
        let mut heard = Vec::new();
        loop {
            ensure!(call.handle.ends_or_readable(&self.socket, DEADLINE), "neither an end nor a message: {heard:?}");
            let over = !call.handle.is_alive();
            while readable_within(&self.socket, Duration::ZERO) {
                let mut bytes = [0; 4096];
                let count = self.socket.recv(&mut bytes)?;
                heard.extend(String::from_utf8_lossy(&bytes[..count]).lines().map(str::to_owned));
            }
            if over {
                call.finish()?.succeeded("start")?;
                return Ok(heard);
            }
        }
    }
}

/// Creates a container whose runtime was given the manager's socket.
fn created<'b>(bed: &'b Bed, manager: &Manager, steps: &str) -> Check<(Container<'b>, super::Fifo, super::Fifo)> {
    let bundle = bed.bundle(&bed.config().steps(steps))?;
    let ready = super::Fifo::make(&bundle.rootfs().join("sync/ready"))?;
    let go = super::Fifo::make(&bundle.rootfs().join("sync/go"))?;
    let (path, pid_file) = (bundle.path.to_string_lossy().into_owned(), bed.scratch.join("the.pid"));
    let args = ["create", "--bundle", &path, "--pid-file", &pid_file.to_string_lossy(), &bed.id()];
    let command = bed.command_from(&["--env", &manager.variable], &args);
    Ok((Container::adopt(bed, &bed.id(), command, &pid_file)?, ready, go))
}

fn start(bed: &Bed, manager: &Manager, id: &str) -> Command {
    bed.command_from(&["--env", &manager.variable], &["start", id])
}

case!(
    readiness_reaches_the_service_manager,
    caller(
        &["c6.7-NOTIFY_SOCKET"],
        "contracts 6.7: the container gets a socket of its own; on READY= the manager hears READY=1 and MAINPID=<container pid>"
    ),
    |bed| {
        let manager = Manager::listen(bed)?;
        let (container, ready, _) = created(bed, &manager, "notify READY=1 + report + tell /sync/ready + pause")?;
        let starting = bed.spawn(start(bed, &manager, &container.id), bed.null())?;
        let heard = manager.serve(starting)?;
        for line in ["READY=1".to_owned(), format!("MAINPID={}", container.pid())] {
            ensure!(heard.contains(&line), "no {line}, only {heard:?}");
        }
        ready.wait()?;
        let env = container.output(0).step("report")?["env"].clone();
        let variable = env.as_array().into_iter().flatten().filter_map(Value::as_str);
        let inside = variable.filter_map(|entry| entry.strip_prefix("NOTIFY_SOCKET=")).next().unwrap_or_default();
        ensure!(inside.starts_with('/'), "NOTIFY_SOCKET inside: {inside:?}");
        std::fs::remove_file(bed.scratch.join("notify"))?;
        container.delete_force()?;
        container.wait().map(drop)
    }
);

case!(
    the_notify_socket_is_mounted_safely,
    caller(
        &["c6.7-NOTIFY_SOCKET"],
        "contracts 6.7: runc: /run/notify/notify.sock, its directory mounted ro, nosuid, nodev, noexec, the socket 0777"
    ),
    |bed| {
        let manager = Manager::listen(bed)?;
        let steps = "report + stat /run/notify/notify.sock + notify READY=1 + tell /sync/ready + pause";
        let (container, ready, _) = created(bed, &manager, steps)?;
        manager.serve(bed.spawn(start(bed, &manager, &container.id), bed.null())?)?;
        ready.wait()?;
        let output = container.output(0);
        has_options(&output.step("report")?, "/run/notify", &["ro", "nosuid", "nodev", "noexec"])?;
        let socket = output.step("stat")?["value"].clone();
        same("socket", (socket["type"].as_str(), socket["mode"].as_str()), (Some("socket"), Some("0777")))?;
        std::fs::remove_file(bed.scratch.join("notify"))?;
        container.delete_force()?;
        container.wait().map(drop)
    }
);

case!(
    a_detached_start_waits_for_readiness,
    caller(&["c6.7-NOTIFY_SOCKET"], "contracts 6.7: detached start waits for READY"),
    |bed| {
        let manager = Manager::listen(bed)?;
        let steps = "tell /sync/ready + await /sync/go + notify READY=1 + pause";
        let (container, ready, go) = created(bed, &manager, steps)?;
        let starting = bed.spawn(start(bed, &manager, &container.id), bed.null())?;
        ready.wait()?;
        // Long for a runtime that does not wait, short for the suite.
        ensure!(!starting.handle.ends_within(Duration::from_millis(300)), "start returned before READY=1");
        go.tell()?;
        manager.serve(starting)?;
        std::fs::remove_file(bed.scratch.join("notify"))?;
        container.delete_force()?;
        container.wait().map(drop)
    }
);

case!(
    a_foreground_run_tells_of_readiness,
    caller(
        &["c6.7-NOTIFY_SOCKET"],
        "contracts 6.7: READY= of the payload of a run in the foreground reaches the manager"
    ),
    |bed| {
        let manager = Manager::listen(bed)?;
        let bundle = bed.bundle(&bed.config().steps("notify READY=1 + await /sync/go + exit 0"))?;
        let go = super::Fifo::make(&bundle.rootfs().join("sync/go"))?;
        let path = bundle.path.to_string_lossy().into_owned();
        let run = bed.command_from(&["--env", &manager.variable], &["run", "--bundle", &path, &bed.id()]);
        let running = bed.spawn(run, bed.null())?;
        ensure!(readable_within(&manager.socket, DEADLINE), "the manager heard nothing");
        let mut message = [0; 64];
        let length = manager.socket.recv(&mut message)?;
        same("message", String::from_utf8_lossy(&message[..length]).trim(), "READY=1")?;
        go.tell()?;
        manager.serve(running)?;
        std::fs::remove_file(bed.scratch.join("notify"))?;
        Ok(())
    }
);

case!(
    a_detached_start_does_not_wait_for_the_dead,
    caller(&["c6.7-NOTIFY_SOCKET"], "contracts 6.7: detached start waits for READY or the container's death"),
    |bed| {
        let manager = Manager::listen(bed)?;
        let (container, _, _) = created(bed, &manager, "exit 0")?;
        let starting = bed.spawn(start(bed, &manager, &container.id), bed.null())?;
        container.wait()?;
        starting.finish_within(Duration::from_secs(5))?;
        std::fs::remove_file(bed.scratch.join("notify"))?;
        container.delete_force()
    }
);

case!(
    without_a_notify_socket_nothing_is_mounted,
    caller(&["c6.7-NOTIFY_SOCKET"], "contracts 6.7: no variable: nothing mounted"),
    |bed| {
        let facts = bed.facts(&bed.config())?;
        ensure!(!facts["mounts"].to_string().contains("notify"), "{}", facts["mounts"]);
        ensure!(!facts["env"].to_string().contains("NOTIFY_SOCKET"), "{}", facts["env"]);
        Ok(())
    }
);

case!(
    the_callers_environment_stays_outside,
    caller(
        &["c6.8-other-env-read", "c6.15-container-env"],
        "contracts 6.8, 6.15: what the runtime reads of its environment is not the container's"
    ),
    |bed| {
        let bundle = bed.bundle(&bed.config())?;
        let mut command = bed.command(&["run", "--bundle", &bundle.path.to_string_lossy(), &bed.id()]);
        for name in ["DBUS_SESSION_BUS_ADDRESS", "USER", "XDG_RUNTIME_DIR", "XDG_SESSION_ID", "LANG", "MARK"] {
            command.env(name, "/from-outside");
        }
        let env = bed.finish(command)?.succeeded("run")?.step("report")?["env"].clone();
        ensure!(!env.to_string().contains("from-outside"), "{env}");
        Ok(())
    }
);

case!(
    two_variables_are_enough,
    caller(&["c6.8-other-env-read"], "contracts 6.8: conmon gives only PATH and XDG_RUNTIME_DIR"),
    |bed| {
        let bundle = bed.bundle(&bed.config().steps("say ran"))?;
        let mut command = bed.command(&["run", "--bundle", &bundle.path.to_string_lossy(), &bed.id()]);
        command.env_clear().env("PATH", "/usr/bin:/bin:/usr/sbin:/sbin").env("XDG_RUNTIME_DIR", &bed.scratch);
        same("output", bed.finish(command)?.succeeded("run")?.stdout.trim(), "ran")
    }
);

case!(
    an_ordinary_users_state_is_in_the_runtime_directory,
    caller(
        &["c6.8-other-env-read", "c2.root-DIR"],
        "contracts 2: $XDG_RUNTIME_DIR/NAME when euid is not 0: list finds no container there, and says nothing"
    ),
    |bed| {
        bed.host.needs_root()?;
        let own = bed.directory("user")?;
        std::os::unix::fs::chown(&own, Some(65534), Some(65534))?;
        open_to_all(&bed.scratch)?;
        let mut command = Command::new(&bed.probe);
        command.args(["launch", "--gid", "65534", "--uid", "65534", "--"]);
        command.arg(&bed.runtime.path).args(["list", "-q"]);
        command.env_clear().env("PATH", "/usr/bin:/bin").env("XDG_RUNTIME_DIR", &own);
        let output = bed.finish(command)?.succeeded("list as an ordinary user")?;
        same("said", (output.stdout.trim(), output.stderr.trim()), ("", ""))
    }
);

fn open_to_all(dir: &Path) -> Check {
    use std::os::unix::fs::PermissionsExt;
    for dir in dir.ancestors().take(2) {
        std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o755))?;
    }
    Ok(())
}

case!(
    another_name_is_no_other_program,
    caller(
        &["c2.argv0-dispatch-krun-crun-X"],
        "contracts 2: no dispatch by argv[0]: called as krun or crun-X it is the same program and runs the payload itself"
    ),
    |bed| {
        let plain = bed.call_without_root(&["--version"])?.stdout;
        let bundle = bed.bundle(&bed.config().steps("say ran"))?;
        let (root, path, id) = (bed.root(), bundle.path.to_string_lossy().into_owned(), bed.id());
        for name in ["krun", "crun-wasm"] {
            let link = bed.scratch.join(name);
            std::os::unix::fs::symlink(&bed.runtime.path, &link)?;
            let mut command = Command::new(&link);
            command.arg("--version");
            same(name, bed.finish(command)?.succeeded(name)?.stdout, plain.clone())?;
            let mut command = Command::new(&link);
            command.arg("--root").arg(&root).args(&bed.runtime.global).args(["run", "--bundle", &path, &id]);
            same(name, bed.finish(command)?.succeeded(name)?.stdout.trim(), "ran")?;
        }
        bed.nothing_left()
    }
);
