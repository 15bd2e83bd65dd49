//! Fault model C-02, C-06, C-21: state that cannot be written, descriptors
//! that run out, console sockets that nobody serves well.

use super::Mounted;
use super::terminal::receive;
use crate::bed::Bed;
use crate::case::{Check, case, ensure, safety, same};
use crate::command::Output;
use crate::container::DeleteAtEnd;
use crate::process::{DEADLINE, readable_within};
use serde_json::json;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::time::{Duration, Instant};

/// `create` below another state root.
fn create_below(bed: &Bed, root: &Path, id: &str) -> Check<Output> {
    let bundle = bed.bundle(&bed.config())?;
    let (root, path) = (root.to_string_lossy(), bundle.path.to_string_lossy());
    bed.call_without_root(&["--root", &root, "create", "--bundle", &path, id])
}

/// A create that failed cleanly, or that worked and is deleted again: nothing of it is left either way.
fn fine_or_clean(bed: &Bed, root: &Path, output: &Output) -> Check {
    if output.code == 0 {
        let root = root.to_string_lossy();
        bed.call_without_root(&["--root", &root, "delete", "--force", &bed.id()])?.succeeded("delete --force")?;
    } else {
        same("exit code", output.code, 1)?;
        bed.is_one_clear_line(&output.stderr)?;
    }
    bed.nothing_left()
}

case!(
    a_foreign_directory_is_no_container,
    safety(
        &["c4.1.create-ID", "c8.container-with-given-ID-already"],
        "security C-02: a directory of the id's name that no runtime made: create refuses, and the directory is as it was"
    ),
    |bed| {
        let foreign = bed.root().join(bed.id());
        std::fs::create_dir_all(&foreign)?;
        std::fs::write(foreign.join("diary"), "mine")?;
        let output = create_below(bed, &bed.root(), &bed.id())?;
        same("the file in it", std::fs::read_to_string(foreign.join("diary"))?, "mine")?;
        std::fs::remove_dir_all(&foreign)?;
        bed.is_clean_refusal(&output)?;
        output.refuses_with("already exists")
    }
);

case!(
    a_state_root_that_is_no_directory_is_refused,
    safety(
        &["c2.root-DIR"],
        "security C-02: the state root is a file, or below one: one clear line; a link: fine or clean"
    ),
    |bed| {
        let file = bed.file("file", "text")?;
        for root in [file.clone(), file.join("below")] {
            let output = create_below(bed, &root, &bed.id())?;
            bed.is_clean_refusal(&output)?;
        }
        same("the file", std::fs::read_to_string(&file)?, "text")?;
        let link = bed.scratch.join("link");
        std::os::unix::fs::symlink(bed.directory("real-root")?, &link)?;
        let output = create_below(bed, &link, &bed.id())?;
        fine_or_clean(bed, &link, &output)
    }
);

case!(
    a_full_state_root_is_a_clean_error,
    safety(
        &["c2.root-DIR", "c6.11-state"],
        "security C-02, C-05: the state root has room for few files, then for few bytes: one clear line and nothing left, or it works"
    ),
    |bed| {
        bed.host.needs_root()?;
        let small = bed.directory("small")?;
        let mut worked = 0;
        let sizes = (1..10).map(|inodes| format!("nr_inodes={inodes}")).chain(["size=4k".into(), "size=8k".into()]);
        for options in sizes {
            let mounted = Mounted::tmpfs(&small, &options)?;
            let output = create_below(bed, &small, &bed.id())?;
            worked += usize::from(output.code == 0);
            if output.code == 0 {
                let root = small.to_string_lossy();
                bed.call_without_root(&["--root", &root, "delete", "--force", &bed.id()])?.succeeded("delete")?;
            } else {
                bed.is_one_clear_line(&output.stderr)?;
            }
            let left = std::fs::read_dir(&small)?.flatten().filter(|entry| entry.file_name() == bed.id().as_str());
            same(&format!("directories of the id under {options}"), left.count(), 0)?;
            drop(mounted);
            bed.nothing_left()?;
        }
        ensure!(worked > 0, "it never worked: the sizes say nothing");
        Ok(())
    }
);

case!(
    a_read_only_state_root_is_a_clean_error,
    safety(
        &["c2.root-DIR"],
        "security C-02: the state root is read-only: `read-only file system` in one line, nothing left"
    ),
    |bed| {
        bed.host.needs_root()?;
        let small = bed.directory("small")?;
        let mounted = Mounted::tmpfs(&small, "size=1m,ro")?;
        let output = create_below(bed, &small, &bed.id())?;
        drop(mounted);
        bed.is_clean_refusal(&output)?;
        ensure!(output.stderr.to_lowercase().contains("read-only file system"), "{}", output.stderr);
        Ok(())
    }
);

case!(
    the_longest_id_works,
    safety(&["c3.Container-id-A-Za-z0"], "security C-02: an id of 255 bytes, and one of 256: fine or clean"),
    |bed| {
        for length in [255, 256] {
            let id = format!("{}{}", bed.token, "x".repeat(length - bed.token.len()));
            let output = create_below(bed, &bed.root(), &id)?;
            if output.code == 0 {
                same("length of what was accepted", length, 255)?;
                bed.call(&["delete", "--force", &id])?.succeeded("delete --force")?;
            } else {
                bed.is_one_clear_line(&output.stderr)?;
            }
            bed.nothing_left()?;
        }
        Ok(())
    }
);

case!(
    few_descriptors_are_a_clean_error,
    safety(
        &["c5.run"],
        "security C-06: `ulimit -n` from 5 up: clean failures, then success, and success ever after; no hang, no crash"
    ),
    |bed| {
        let _end = DeleteAtEnd(bed);
        let bundle = bed.bundle(&bed.config().steps("exit 7"))?;
        let path = bundle.path.to_string_lossy().into_owned();
        let mut first_success = None;
        for limit in (5..40).chain([64, 128]) {
            let command = bed.command_from(&["--nofile", &limit.to_string()], &["run", "--bundle", &path, &bed.id()]);
            let output = bed.spawn(command, bed.null())?.finish_within(Duration::from_secs(5))?;
            if output.code == 7 {
                first_success.get_or_insert(limit);
                continue;
            }
            ensure!(
                first_success.is_none(),
                "works with {first_success:?}, not with {limit}: {}",
                output.stderr.trim()
            );
            same(&format!("exit code with {limit}"), output.code, 1)?;
            bed.is_one_clear_line(&output.stderr)?;
            let left = bed.nothing_left();
            ensure!(left.is_ok(), "with {limit}: {left:?}, after: {}", output.stderr.trim());
        }
        ensure!(first_success.is_some(), "never works");
        bed.nothing_left()
    }
);

/// `create` with this console socket: over within six seconds, and it worked or failed cleanly.
fn in_time(bed: &Bed, socket: &Path, serve: impl FnOnce() -> Check) -> Check<Output> {
    let bundle = bed.bundle(&bed.config().set("/process/terminal", json!(true)))?;
    let (socket, path) = (socket.to_string_lossy().into_owned(), bundle.path.to_string_lossy().into_owned());
    let _end = DeleteAtEnd(bed);
    let began = Instant::now();
    let command = bed.command(&["create", "--console-socket", &socket, "--bundle", &path, &bed.id()]);
    let running = bed.spawn(command, bed.null())?;
    serve()?;
    let output = running.finish_within(Duration::from_secs(6).saturating_sub(began.elapsed()))?;
    if output.code == 0 {
        bed.call(&["delete", "--force", &bed.id()])?.succeeded("delete --force")?;
    } else {
        same("exit code", output.code, 1)?;
        bed.is_one_clear_line(&output.stderr)?;
    }
    Ok(output)
}

case!(
    a_console_socket_may_be_served_badly,
    safety(
        &["c6.3-console-socket"],
        "security C-21: accepted and closed, accepted and never read, a link to the socket: over in 5 s, fine or clean"
    ),
    |bed| {
        let path = bed.scratch.join("console");
        let listener = UnixListener::bind(&path)?;
        in_time(bed, &path, || {
            ensure!(readable_within(&listener, DEADLINE), "nobody connected");
            drop(listener.accept()?);
            Ok(())
        })?;
        let mut held = None;
        in_time(bed, &path, || {
            ensure!(readable_within(&listener, DEADLINE), "nobody connected");
            held = Some(listener.accept()?);
            Ok(())
        })?;
        let link = bed.scratch.join("link");
        std::os::unix::fs::symlink(&path, &link)?;
        let output = in_time(bed, &link, || Ok(()))?;
        if output.code == 0 {
            same("descriptors over a link", receive(&listener)?.1.len(), 1)?;
        }
        drop((held, listener));
        std::fs::remove_file(&path)?;
        bed.nothing_left()
    }
);

case!(
    a_console_socket_with_a_full_queue_is_given_up,
    safety(
        &["c6.3-console-socket"],
        "security C-21: nobody accepts and the queue is full: exit 1 within 5 s, nothing left"
    ),
    |bed| {
        let path = bed.scratch.join("console");
        let listener = full_queue(&path)?;
        let output = in_time(bed, &path, || Ok(()))?;
        drop(listener);
        std::fs::remove_file(&path)?;
        ensure!(output.code != 0, "connected to a full queue");
        bed.nothing_left()
    }
);

/// A listener that accepts nobody, with as many waiting as it takes.
fn full_queue(path: &Path) -> Check<(rustix::fd::OwnedFd, Vec<UnixStream>)> {
    use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, connect, listen, socket_with};
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let address = SocketAddrUnix::new(path)?;
    let listener = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    bind(&listener, &address)?;
    listen(&listener, 0)?;
    let mut waiting = Vec::new();
    for _ in 0..64 {
        let stream = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
        match connect(&stream, &address) {
            Ok(()) => waiting.push(UnixStream::from(stream)),
            Err(rustix::io::Errno::AGAIN) => return Ok((listener, waiting)),
            Err(error) => return Err(error.into()),
        }
    }
    crate::verdict::fail!("the queue never fills");
}
