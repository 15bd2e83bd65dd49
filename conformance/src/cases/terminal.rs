//! contracts.md 6.3: console sockets and terminals; config.md `terminal`,
//! `consoleSize`.

use crate::bed::Bed;
use crate::bundle::Config;
use crate::case::{Check, Stop, caller, case, ensure, must, same};
use crate::command::Output;
use crate::container::Container;
use crate::facts::worked;
use crate::message::Message;
use crate::process::{DEADLINE, readable_within};
use rustix::fd::OwnedFd;
use rustix::pty::{OpenptFlags, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{Winsize, tcgetattr, tcsetwinsize};
use serde_json::{Value, json};
use std::io::Read;
use std::os::unix::net::UnixListener;
use std::path::Path;

fn with_terminal(config: Config) -> Config {
    config.set("/process/terminal", json!(true))
}

/// Takes the one message of the console socket: its text and its descriptors.
pub(super) fn receive(listener: &UnixListener) -> Check<(String, Vec<OwnedFd>)> {
    ensure!(readable_within(listener, DEADLINE), "nobody connected to the console socket");
    let (stream, _) = listener.accept()?;
    let message = Message::receive(&stream)?;
    Ok((String::from_utf8_lossy(&message.bytes).into_owned(), message.fds))
}

/// What the payload wrote to its terminal until it ended.
pub(super) fn read_all(master: OwnedFd) -> Vec<Value> {
    let mut text = String::new();
    let mut bytes = [0; 4096];
    let mut file = std::fs::File::from(master);
    // A pty gives EIO once its last slave is closed.
    while readable_within(&file, DEADLINE) {
        match file.read(&mut bytes) {
            Ok(0) | Err(_) => break,
            Ok(count) => text.push_str(&String::from_utf8_lossy(&bytes[..count])),
        }
    }
    text.lines().filter_map(|line| serde_json::from_str(line.trim()).ok()).collect()
}

fn on_terminal(bed: &Bed, config: &Config, socket: &Path) -> Check<(String, Vec<Value>)> {
    let listener = UnixListener::bind(socket)?;
    let container = bed.create_with(config, &["--console-socket", &socket.to_string_lossy()])?;
    let (name, mut fds) = receive(&listener)?;
    same("descriptors in the message", fds.len(), 1)?;
    container.start()?;
    let master = fds.pop().ok_or_else(|| Stop::Fail("no descriptor".to_owned()))?;
    let steps = read_all(master);
    container.wait()?;
    container.delete()?;
    std::fs::remove_file(socket)?;
    Ok((name, steps))
}

case!(
    the_terminal_comes_over_the_console_socket,
    must(
        &["3.process.terminal", "c6.3-console-socket", "c4.1.console-socket-S"],
        "config.md#process: terminal: a pty on the process's fds 0-2; contracts 6.3: one message, one descriptor"
    ),
    |bed| {
        let config = with_terminal(bed.config())
            .steps("isatty 0 + isatty 1 + isatty 2 + open /dev/tty rw + statfd 0 + stat /dev/console + statfd 1");
        let (name, steps) = on_terminal(bed, &config, &bed.scratch.join("console"))?;
        ensure!(!name.is_empty(), "the message has no payload");
        for fd in ["0", "1", "2"] {
            same(fd, worked(&steps, "isatty", fd)?, json!(true))?;
        }
        worked(&steps, "open", "/dev/tty")?;
        let (stdin, console) = (worked(&steps, "statfd", "0")?, worked(&steps, "stat", "/dev/console")?);
        same("major of fd 0", &stdin["major"], &json!(136))?;
        same("console is the same pty", (&console["major"], &console["minor"]), (&stdin["major"], &stdin["minor"]))
    }
);

case!(
    the_console_size_is_set,
    must(&["3.process.consoleSize"], "config.md#process: consoleSize: height and width of the terminal"),
    |bed| {
        let config = with_terminal(bed.config())
            .set("/process/consoleSize", json!({"height": 33, "width": 111}))
            .steps("window 0");
        let (_, steps) = on_terminal(bed, &config, &bed.scratch.join("console"))?;
        same("size", worked(&steps, "window", "0")?, json!([33, 111]))
    }
);

case!(
    the_console_size_is_ignored_without_a_terminal,
    must(&["3.process.consoleSize"], "config.md#process: consoleSize MUST be ignored if terminal is false or unset"),
    |bed| { bed.facts(&bed.config().set("/process/consoleSize", json!({"height": 33, "width": 111}))).map(drop) }
);

case!(
    the_terminal_belongs_to_the_user,
    must(&["3.process.terminal", "c6.3-console-socket"], "contracts 6.3: the slave is owned by the process's uid"),
    |bed| {
        bed.host.needs_root()?;
        let config =
            with_terminal(bed.config()).set("/process/user", json!({"uid": 1000, "gid": 1000})).steps("statfd 0");
        let (_, steps) = on_terminal(bed, &config, &bed.scratch.join("console"))?;
        same("owner", &worked(&steps, "statfd", "0")?["uid"], &json!(1000))
    }
);

case!(
    a_long_console_socket_path_works,
    caller(&["c6.3-console-socket"], "contracts 6.3: paths above 107 bytes"),
    |bed| {
        let dir = bed.directory(&"d".repeat(120))?;
        // The listener too must be addressed by a short path.
        let handle = std::fs::File::open(&dir)?;
        let short = format!("/proc/self/fd/{}/console", std::os::fd::AsRawFd::as_raw_fd(&handle));
        let listener = UnixListener::bind(short)?;
        let container = bed
            .create_with(&with_terminal(bed.config()), &["--console-socket", &dir.join("console").to_string_lossy()])?;
        same("descriptors", receive(&listener)?.1.len(), 1)?;
        container.delete_force()
    }
);

case!(
    a_terminal_without_a_console_socket_is_refused,
    caller(
        &["c4.1.console-socket-S"],
        "contracts 4.1: `cannot allocate tty if NAME will detach without setting console socket`"
    ),
    |bed| {
        let output = bed.create_refused(&with_terminal(bed.config()))?;
        output.refuses_with("without setting console socket")
    }
);

case!(
    a_console_socket_without_a_terminal_is_refused,
    caller(
        &["c4.1.console-socket-S"],
        "contracts 4.1: `cannot use console socket if NAME will not detach or allocate tty`"
    ),
    |bed| {
        let socket = bed.scratch.join("console");
        let _listener = UnixListener::bind(&socket)?;
        let bundle = bed.bundle(&bed.config())?;
        let output = bed.call(&[
            "create",
            "--console-socket",
            &socket.to_string_lossy(),
            "--bundle",
            &bundle.path.to_string_lossy(),
            &bed.id(),
        ])?;
        std::fs::remove_file(&socket)?;
        output.refuses_with("cannot use console socket if")
    }
);

case!(
    a_hostile_console_is_never_written,
    crate::case::safety(
        &["T-A02"],
        "T-A02a: no /dev mount, rootfs/dev/console -> outside, terminal: the target never exists"
    ),
    |bed| {
        bed.host.needs_root()?;
        let escape = bed.scratch.join("esc");
        for readonly in [false, true] {
            let config = with_terminal(bed.config())
                .without_mount("/dev")
                .without_mount("/dev/shm")
                .without_mount("/dev/mqueue")
                .set("/root/readonly", json!(readonly));
            let bundle = bed.bundle_named(&format!("bundle-{readonly}"), &config.steps("exit 0"))?;
            std::fs::create_dir_all(bundle.rootfs().join("dev/pts"))?;
            std::os::unix::fs::symlink(&escape, bundle.rootfs().join("dev/console"))?;
            let socket = bed.scratch.join("console");
            let listener = UnixListener::bind(&socket)?;
            match Container::create(bed, &bed.id(), &bundle, &["--console-socket", &socket.to_string_lossy()]) {
                Ok(container) => {
                    drop(receive(&listener)?);
                    container.start()?;
                    container.wait()?;
                    container.delete()?;
                }
                Err(_) => {
                    drop(listener);
                    bed.nothing_left()?;
                }
            }
            std::fs::remove_file(&socket)?;
            ensure!(std::fs::symlink_metadata(&escape).is_err(), "made outside the root (readonly {readonly})");
        }
        Ok(())
    }
);

/// What the payload of a foreground run says on its terminal, with the caller on a pty of its own.
fn in_the_foreground(bed: &Bed, config: &Config, typed: &[u8]) -> Check<Output> {
    let bundle = bed.bundle(config)?;
    let fifo = super::Fifo::make(&bundle.rootfs().join("sync/ready"))?;
    let command = bed.command(&["run", "--bundle", &bundle.path.to_string_lossy(), &bed.id()]);
    let output = on_a_callers_terminal(bed, command, &fifo, typed)?;
    bed.nothing_left()?;
    Ok(output)
}

/// A call whose stdin is a pty. Once its payload says that it is ready, `typed` is typed there;
/// afterwards the pty must be as it was.
pub(super) fn on_a_callers_terminal(
    bed: &Bed,
    command: std::process::Command,
    ready: &super::Fifo,
    typed: &[u8],
) -> Check<Output> {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    unlockpt(&master)?;
    let slave = ioctl_tiocgptpeer(&master, OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    tcsetwinsize(&slave, Winsize { ws_row: 41, ws_col: 123, ws_xpixel: 0, ws_ypixel: 0 })?;
    let before = tcgetattr(&slave)?;
    let running = bed.spawn(command, slave.try_clone()?.into())?;
    if ready.comes_before_the_end_of(&running.handle)? {
        rustix::io::write(&master, typed)?;
    }
    let words = running.words().to_owned();
    let output = running.finish()?;
    bed.note(crate::command::describe(&words, &output));
    let after = tcgetattr(&slave)?;
    same("the caller's local modes afterwards", after.local_modes, before.local_modes)?;
    same("the caller's output modes afterwards", after.output_modes, before.output_modes)?;
    same("the caller's input modes afterwards", after.input_modes, before.input_modes)?;
    Ok(output)
}

case!(
    a_foreground_run_proxies_its_terminal,
    caller(
        &["c6.5-stdio", "c9.tty", "3.process.terminal"],
        "contracts 9: foreground: raw mode, restored; initial resize; tty output drained"
    ),
    |bed| {
        let config = with_terminal(bed.config())
            .steps("isatty 0 + isatty 1 + isatty 2 + tell /sync/ready + line + window 0 + exit 7");
        let output = in_the_foreground(bed, &config, b"line\n")?;
        same("code", output.code, 7)?;
        let steps = output.steps();
        for fd in ["0", "1", "2"] {
            same(fd, worked(&steps, "isatty", fd)?, json!(true))?;
        }
        same("the caller's size", worked(&steps, "window", "0")?, json!([41, 123]))?;
        same("typed", &output.step("line")?["value"], &json!("line\n"))
    }
);

case!(
    a_foreground_run_keeps_the_configured_size,
    caller(&["c9.tty", "3.process.consoleSize"], "config.md#process: consoleSize counts, not the caller's size"),
    |bed| {
        let config = with_terminal(bed.config())
            .set("/process/consoleSize", json!({"height": 33, "width": 111}))
            .steps("tell /sync/ready + window 0");
        let output = in_the_foreground(bed, &config, b"")?;
        same("size", worked(&output.steps(), "window", "0")?, json!([33, 111]))
    }
);

case!(
    a_foreground_terminal_needs_no_terminal_of_the_caller,
    caller(&["c6.5-stdio"], "contracts 6.5, 9: proxied over plain files; EOF on stdin does not close the pty"),
    |bed| {
        let bundle = bed.bundle(&with_terminal(bed.config()).steps("isatty 0 + isatty 1 + exit 3"))?;
        let command = bed.command(&["run", "--bundle", &bundle.path.to_string_lossy(), &bed.id()]);
        let output = bed.finish_with(command, bed.null())?;
        same("code", output.code, 3)?;
        same("terminal", worked(&output.steps(), "isatty", "1")?, json!(true))?;
        bed.nothing_left()
    }
);

case!(
    a_console_socket_that_nobody_serves_is_an_error,
    caller(
        &["c6.3-console-socket", "c4.1.console-socket-S"],
        "contracts 6.3, security C-21: missing, or no socket: refused, and nothing is left"
    ),
    |bed| {
        let missing = bed.scratch.join("missing");
        let file = bed.file("plain", "")?;
        for socket in [missing, file] {
            let bundle = bed.bundle(&with_terminal(bed.config()))?;
            let output = bed.call(&[
                "create",
                "--console-socket",
                &socket.to_string_lossy(),
                "--bundle",
                &bundle.path.to_string_lossy(),
                &bed.id(),
            ])?;
            bed.is_clean_refusal(&output)?;
        }
        Ok(())
    }
);
