//! contracts.md 4.2: exec's flags: terminal, privileges, labels, cgroups.

use super::exec::{exec, report, running};
use super::terminal::{on_a_callers_terminal, read_all, receive};
use crate::bed::Bed;
use crate::case::{Check, Stop, caller, case, ensure, same, skip};
use crate::command::Output;
use crate::container::Container;
use crate::facts::worked;
use serde_json::{Value, json};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;

case!(
    exec_allocates_a_terminal,
    caller(&["c4.2.t-tty", "c9.tty"], "contracts 4.2: -t, --tty, --tty=true: a pty, proxied in the foreground"),
    |bed| {
        let container = running(bed, bed.config())?;
        let ready = super::Fifo::make(&bed.scratch.join("bundle/rootfs/sync/ready"))?;
        for flag in ["--tty", "-t", "--tty=true"] {
            let steps = "isatty 0 + isatty 1 + tell /sync/ready + line + window 0 + exit 7";
            let args: Vec<&str> =
                ["exec", flag, &container.id, "/probe"].into_iter().chain(steps.split_whitespace()).collect();
            let output = on_a_callers_terminal(bed, bed.command(&args), &ready, b"line\n")?;
            same(flag, output.code, 7)?;
            let steps = output.steps();
            same("stdin is a terminal", worked(&steps, "isatty", "0")?, json!(true))?;
            same("stdout is a terminal", worked(&steps, "isatty", "1")?, json!(true))?;
            same("the caller's size", worked(&steps, "window", "0")?, json!([41, 123]))?;
            same("typed", &output.step("line")?["value"], &json!("line\n"))?;
        }
        Ok(())
    }
);

case!(
    exec_has_no_terminal_unless_asked,
    caller(&["c4.2.t-tty"], "contracts 4.2: without --tty, and with --tty=false, there is none"),
    |bed| {
        let _container = running(bed, bed.config())?;
        for flags in [&[][..], &["--tty=false"]] {
            let facts = report(bed, flags)?;
            same("terminals", &facts["terminal"], &json!([false, false, false]))?;
        }
        Ok(())
    }
);

case!(
    exec_sends_its_terminal_over_the_console_socket,
    caller(
        &["c4.2.t-tty", "c4.2.d-detach", "c6.3-console-socket"],
        "contracts 4.2, 6.3: --tty --detach --console-socket: one message, one descriptor: the pty of the new process"
    ),
    |bed| {
        let container = running(bed, bed.config())?;
        let socket = bed.scratch.join("console");
        let listener = UnixListener::bind(&socket)?;
        let pid_file = bed.scratch.join("exec.pid");
        let (path, file) = (socket.to_string_lossy().into_owned(), pid_file.to_string_lossy().into_owned());
        let flags = ["--tty", "--detach", "--console-socket", &path, "--pid-file", &file];
        let argv = ["/probe", "isatty", "0", "+", "open", "/dev/tty", "rw"];
        let output = exec(bed, &flags, &argv)?;
        std::fs::remove_file(&socket)?;
        output.succeeded("exec")?;
        let pid = std::fs::read_to_string(&pid_file)?.parse()?;
        let (name, mut fds) = receive(&listener)?;
        same("descriptors", fds.len(), 1)?;
        ensure!(!name.is_empty(), "the message has no payload");
        let steps = read_all(fds.pop().ok_or_else(|| Stop::Fail("no descriptor".to_owned()))?);
        same("stdin is a terminal", worked(&steps, "isatty", "0")?, json!(true))?;
        worked(&steps, "open", "/dev/tty")?;
        ensure!(super::ends(pid), "process {pid} did not end");
        same("status", container.status()?, "running")
    }
);

case!(
    exec_refuses_a_detached_terminal_without_a_socket,
    caller(
        &["c4.2.t-tty", "c4.1.console-socket-S"],
        "contracts 4.1, 4.2: `cannot allocate tty if NAME will detach without setting console socket`"
    ),
    |bed| {
        let _container = running(bed, bed.config())?;
        let output = exec(bed, &["--tty", "--detach"], &["/probe", "pause"])?;
        ensure!(output.code != 0, "a terminal that nobody holds");
        ensure!(output.stderr.contains("without setting console socket"), "{}", output.stderr);
        Ok(())
    }
);

case!(
    exec_sets_no_new_privileges_when_asked,
    caller(&["c4.2.no-new-privs"], "contracts 4.2: --no-new-privs overrides the container's config"),
    |bed| {
        let _container = running(bed, bed.config().set("/process/noNewPrivileges", json!(false)))?;
        same("without the flag", &report(bed, &[])?["status"]["NoNewPrivs"], &json!("0"))?;
        same("with it", &report(bed, &["--no-new-privs"])?["status"]["NoNewPrivs"], &json!("1"))
    }
);

/// The label of nobody: exec must not run the program without it.
fn refuses_label(bed: &Bed, flag: &str) -> Check<Output> {
    let _container = running(bed, bed.config())?;
    let output = exec(bed, &[flag, "no-such-label"], &["/probe", "say", "ran"])?;
    ensure!(!output.stdout.contains("ran"), "{flag}: the program ran without its label");
    same(flag, output.code, 255)?;
    bed.is_one_clear_line(&output.stderr)?;
    Ok(output)
}

case!(
    exec_refuses_a_profile_that_cannot_be_set,
    caller(
        &["c4.2.no-new-privs"],
        "contracts 4.2: --apparmor P: a profile that is unknown, or a kernel without AppArmor: exit 255, the program does not run"
    ),
    |bed| { refuses_label(bed, "--apparmor").map(drop) }
);

case!(
    exec_refuses_a_label_without_selinux,
    caller(&["c4.2.no-new-privs"], "contracts 4.2: --process-label L is really set; without SELinux it is an error"),
    |bed| {
        if std::path::Path::new("/sys/fs/selinux/enforce").exists() {
            return skip("this machine has SELinux, which may accept the label");
        }
        refuses_label(bed, "--process-label").map(drop)
    }
);

/// A directory `name` in every cgroup of the container, usable at once.
fn sub_cgroups(bed: &Bed, container: &Container, name: &str) -> Check<Vec<PathBuf>> {
    let dirs: Vec<PathBuf> =
        bed.host.cgroups.directories_naming(&container.id).into_iter().map(|dir| dir.join(name)).collect();
    ensure!(!dirs.is_empty(), "no cgroup names {}", container.id);
    for dir in &dirs {
        std::fs::create_dir(dir)?;
        // A new cpuset of v1 has neither CPU nor memory until it is given some.
        for file in ["cpuset.cpus", "cpuset.mems"] {
            if let Ok(value) = std::fs::read(dir.with_file_name(file))
                && !bed.host.cgroups.is_unified()
            {
                std::fs::write(dir.join(file), value)?;
            }
        }
    }
    Ok(dirs)
}

/// The lines of the payload's cgroup file that name the container.
fn own_lines(facts: &Value, token: &str) -> Vec<String> {
    let lines = facts["cgroup"].as_array().into_iter().flatten().filter_map(Value::as_str);
    lines.filter(|line| line.contains(token)).map(str::to_owned).collect()
}

case!(
    exec_joins_a_sub_cgroup,
    caller(&["c4.2.cgroup-ctrl-ctrl-PATH"], "contracts 4.2: --cgroup PATH: relative to the container's cgroup"),
    |bed| {
        let container = running(bed, bed.config())?;
        sub_cgroups(bed, &container, "sub")?;
        for path in ["sub", "/sub"] {
            let lines = own_lines(&report(bed, &["--cgroup", path])?, &bed.token);
            ensure!(!lines.is_empty() && lines.iter().all(|line| line.ends_with("/sub")), "{path}: {lines:?}");
        }
        container.kill("KILL")?;
        container.wait()?;
        container.delete()?;
        bed.nothing_left()
    }
);

case!(
    exec_joins_sub_cgroups_by_controller,
    caller(&["c4.2.cgroup-ctrl-ctrl-PATH"], "contracts 4.2: --cgroup ctrl[,ctrl]:PATH (repeat): only of these, on v1"),
    |bed| {
        bed.host.needs_cgroup_v1()?;
        bed.host.needs_controller("pids")?;
        bed.host.needs_controller("devices")?;
        bed.host.needs_controller("freezer")?;
        let container = running(bed, bed.config())?;
        sub_cgroups(bed, &container, "sub")?;
        let lines = own_lines(&report(bed, &["--cgroup", "pids,devices:sub", "--cgroup", "freezer:sub"])?, &bed.token);
        for line in &lines {
            let chosen = ["pids", "devices", "freezer"].iter().any(|name| line.contains(&format!(":{name}:")));
            same(line, line.ends_with("/sub"), chosen)?;
        }
        same("lines in /sub", lines.iter().filter(|line| line.ends_with("/sub")).count(), 3)
    }
);

case!(
    exec_stays_in_the_containers_cgroup,
    caller(
        &["c4.2.cgroup-ctrl-ctrl-PATH", "c4.2.failures"],
        "contracts 4.2: --cgroup outside: `bad sub cgroup path` (runc before 1.2: `is not a sub cgroup path`); exit 255"
    ),
    |bed| {
        let _container = running(bed, bed.config())?;
        for path in ["..", "../..", "sub/../../x", "/../x"] {
            let output = exec(bed, &["--cgroup", path], &["/probe", "say", "ran"])?;
            ensure!(!output.stdout.contains("ran"), "{path}: ran outside");
            same(path, output.code, 255)?;
            ensure!(output.stderr.contains("bad sub cgroup path"), "{path}: {}", output.stderr);
        }
        Ok(())
    }
);

case!(
    exec_refuses_an_unknown_controller,
    caller(
        &["c4.2.cgroup-ctrl-ctrl-PATH"],
        "contracts 4.2: `unknown controller X`; on v2 a controller or a second path is refused"
    ),
    |bed| {
        let container = running(bed, bed.config())?;
        sub_cgroups(bed, &container, "sub")?;
        let flags: &[&[&str]] = if bed.host.cgroups.is_unified() {
            &[&["--cgroup", "nosuch:sub"], &["--cgroup", "sub", "--cgroup", "/"]]
        } else {
            &[&["--cgroup", "nosuch:sub"], &["--cgroup", "pids,nosuch:sub"]]
        };
        for flags in flags {
            let output = exec(bed, flags, &["/probe", "say", "ran"])?;
            same(&format!("{flags:?}"), output.code, 255)?;
            if !bed.host.cgroups.is_unified() {
                ensure!(output.stderr.contains("unknown controller nosuch"), "{}", output.stderr);
            }
        }
        Ok(())
    }
);

case!(
    exec_follows_a_process_that_moved_below,
    caller(
        &["c4.2.cgroup-v2-with-domain-controllers"],
        "contracts 4.2: domain controllers in children (EBUSY on join): fall back to the first process's own cgroup"
    ),
    |bed| {
        bed.host.needs_unified_cgroups()?;
        let container = running(bed, bed.config())?;
        let dirs = sub_cgroups(bed, &container, "inner")?;
        let inner = dirs.first().cloned().unwrap_or_default();
        let outer = inner.parent().map(std::path::Path::to_path_buf).unwrap_or_default();
        std::fs::write(inner.join("cgroup.procs"), container.pid().to_string())?;
        let controllers = std::fs::read_to_string(outer.join("cgroup.controllers"))?;
        // Threaded controllers alone do not keep processes out of an inner cgroup.
        let domain =
            ["memory", "hugetlb", "io"].into_iter().find(|name| controllers.split_whitespace().any(|c| c == *name));
        let Some(domain) = domain else { return skip("no domain controller reaches the container's cgroup") };
        std::fs::write(outer.join("cgroup.subtree_control"), format!("+{domain}"))?;
        let lines = own_lines(&report(bed, &[])?, &bed.token);
        ensure!(lines.iter().all(|line| line.ends_with("/inner")) && !lines.is_empty(), "{lines:?}");
        std::fs::write(outer.join("cgroup.subtree_control"), format!("-{domain}"))?;
        container.delete_force()?;
        container.wait().map(drop)
    }
);
