//! contracts.md 6.4: `--pidfd-socket`. It came with runc 1.2: no release of
//! runc or crun that Debian 12 or 13 has can keep these, so they are proved
//! by what the socket must carry alone.

use super::exec::{exec, running};
use super::terminal::receive;
use crate::bed::Bed;
use crate::case::{Check, Stop, caller, case, ensure, same};
use crate::container::Container;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixListener;

/// The word and the process that came over the socket.
fn received(listener: &UnixListener) -> Check<(String, i32)> {
    let (word, fds) = receive(listener)?;
    same("descriptors", fds.len(), 1)?;
    let number = fds.first().map_or(-1, AsRawFd::as_raw_fd);
    let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{number}"))?;
    let pid = info.lines().find_map(|line| line.strip_prefix("Pid:"));
    let pid = pid.ok_or_else(|| Stop::Fail(format!("no pidfd came: {info}")))?.trim().parse()?;
    Ok((word, pid))
}

fn socket(bed: &Bed) -> Check<(UnixListener, String)> {
    let path = bed.scratch.join("pidfd");
    Ok((UnixListener::bind(&path)?, path.to_string_lossy().into_owned()))
}

case!(
    create_sends_the_pidfd_of_the_container,
    caller(
        &["c4.1.pidfd-socket-S", "c6.4-pidfd-socket"],
        "contracts 6.4: create --pidfd-socket: one descriptor, payload `standard` (runc since 1.2)"
    ),
    |bed| {
        let (listener, path) = socket(bed)?;
        let container = bed.create_with(&bed.config(), &["--pidfd-socket", &path])?;
        same("message", received(&listener)?, ("standard".to_owned(), container.pid()))?;
        std::fs::remove_file(path)?;
        container.delete_force()?;
        container.wait().map(drop)
    }
);

case!(
    run_sends_the_pidfd_of_the_container,
    caller(
        &["c4.1.pidfd-socket-S", "c6.4-pidfd-socket"],
        "contracts 4.1, 6.4: run --pidfd-socket: the same (runc since 1.2)"
    ),
    |bed| {
        let (listener, path) = socket(bed)?;
        let bundle = bed.bundle(&bed.config().steps("pause"))?;
        let container = Container::run_detached(bed, &bundle, &["--pidfd-socket", &path])?;
        same("message", received(&listener)?, ("standard".to_owned(), container.pid()))?;
        std::fs::remove_file(path)?;
        container.delete_force()?;
        container.wait().map(drop)
    }
);

case!(
    exec_sends_the_pidfd_of_its_process,
    caller(
        &["c4.2.pidfd-socket-S", "c6.4-pidfd-socket"],
        "contracts 4.2, 6.4: exec --pidfd-socket: payload `setns` (runc since 1.2)"
    ),
    |bed| {
        let container = running(bed, bed.config())?;
        let (listener, path) = socket(bed)?;
        let pid_file = bed.scratch.join("exec.pid");
        let file = pid_file.to_string_lossy().into_owned();
        let output = exec(bed, &["--detach", "--pid-file", &file, "--pidfd-socket", &path], &["/probe", "pause"])?;
        std::fs::remove_file(&path)?;
        output.succeeded("exec")?;
        let pid: i32 = std::fs::read_to_string(&pid_file)?.parse()?;
        ensure!(pid != container.pid(), "the pid file names the first process");
        same("message", received(&listener)?, ("setns".to_owned(), pid))
    }
);

case!(
    a_pidfd_socket_that_nobody_serves_is_an_error,
    caller(&["c4.1.pidfd-socket-S"], "contracts 6.4: a socket that is missing or none: refused, and nothing is left"),
    |bed| {
        let missing = bed.scratch.join("missing");
        let file = bed.file("plain", "")?;
        let bundle = bed.bundle(&bed.config())?;
        let (path, id) = (bundle.path.to_string_lossy(), bed.id());
        for socket in [missing, file] {
            let socket = socket.to_string_lossy();
            let output = bed.call(&["create", "--pidfd-socket", &socket, "--bundle", &path, &id])?;
            ensure!(
                !output.stderr.contains("not defined") && !output.stderr.contains("nrecognized"),
                "no --pidfd-socket"
            );
            bed.is_clean_refusal(&output)?;
        }
        Ok(())
    }
);
