//! Security tests T-A06, T-A11..T-A16, T-A29: what a process inside could
//! reach of the host, and inputs of hostile size.

use super::hostile_root::fresh;
use crate::case::{case, ensure, safety, same, skip};
use crate::facts::worked;
use serde_json::json;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

case!(
    nothing_ordinary_is_mounted_over_proc,
    safety(
        &["T-A06"],
        "T-A06: a bind of a plain directory on /proc, /proc/self/attr, /proc/sys, or through a link to /proc/self: refused"
    ),
    |bed| {
        bed.host.needs_root()?;
        let source = bed.directory("plain")?;
        for destination in ["/proc", "/proc/self/attr", "/proc/sys", "/proc/1/attr", "/x/attr"] {
            let bundle = fresh(bed, &bed.config().bind(&source, destination, &["bind"]).steps("exit 0"))?;
            symlink("/proc/self", bundle.rootfs().join("x"))?;
            let output = bed.run_bundle(&bundle)?;
            ensure!(output.code != 0, "a bind on {destination} was accepted");
            bed.is_clean_refusal(&output)?;
        }
        Ok(())
    }
);

case!(
    the_files_that_lxcfs_covers_may_be_mounted_over,
    safety(&["T-A06"], "T-A06: allowed on procfs: cpuinfo, meminfo, stat, uptime, loadavg, ..."),
    |bed| {
        let source = bed.file("file", "covered")?;
        let mut config = bed.config();
        let names = ["cpuinfo", "diskstats", "meminfo", "stat", "swaps", "uptime", "loadavg", "slabinfo"];
        for name in names.iter().filter(|name| Path::new("/proc").join(name).exists()) {
            config = config.bind(&source, &format!("/proc/{name}"), &["bind", "ro"]);
        }
        same(
            "content",
            worked(&bed.steps(&config.steps("read /proc/uptime"))?, "read", "/proc/uptime")?,
            json!("covered"),
        )
    }
);

case!(
    the_working_directory_cannot_reach_outside,
    safety(&["T-A14"], "T-A14: the caller holds fds of /; cwd and argv[0] by /proc/self/fd/N never reach the host"),
    |bed| {
        bed.host.needs_root()?;
        std::fs::write(bed.scratch.join("mark"), "MARKER")?;
        let walk = format!("..{}/mark", "/..".repeat(3).replace("/..", ""));
        let here = bed.scratch.to_string_lossy().into_owned();
        for number in 3..14 {
            let cwd = format!("/proc/self/fd/{number}");
            let bundle = fresh(
                bed,
                &bed.config()
                    .set("/process/cwd", json!(cwd))
                    .steps(&format!("read mark + read {walk} + read ..{here}/mark + list ..")),
            )?;
            let holders: Vec<String> = (3..9).map(|fd| format!("{fd}:{here}")).collect();
            let caller: Vec<&str> = holders.iter().flat_map(|holder| ["--fd", holder.as_str()]).collect();
            let output =
                bed.finish(bed.command_from(&caller, &["run", "--bundle", &bundle.path.to_string_lossy(), &bed.id()]))?;
            ensure!(!output.stdout.contains("MARKER"), "{cwd}: the host's file was read");
            if output.code != 0 {
                bed.nothing_left()?;
            }
        }
        Ok(())
    }
);

case!(
    a_created_init_holds_no_directory_of_the_host,
    safety(
        &["T-A15"],
        "T-A15: fd table of a created init: 0,1,2, sockets, memfds; no directory but the root, no host file"
    ),
    |bed| {
        bed.host.needs_root()?;
        let bundle = bed.bundle(&bed.config())?;
        let pid_file = bed.scratch.join("the.pid");
        let command = bed.command_from(
            &["--fd", "3:/", "--fd", "9:/etc/passwd"],
            &[
                "create",
                "--pid-file",
                &pid_file.to_string_lossy(),
                "--bundle",
                &bundle.path.to_string_lossy(),
                &bed.id(),
            ],
        );
        let container = crate::container::Container::adopt(bed, &bed.id(), command, &pid_file)?;
        let dir = format!("/proc/{}/fd", container.pid());
        for entry in std::fs::read_dir(&dir)?.flatten() {
            let number: u32 = entry.file_name().to_string_lossy().parse().unwrap_or(0);
            let target = std::fs::read_link(entry.path())?.to_string_lossy().into_owned();
            let kind = std::fs::metadata(entry.path());
            if number > 2 {
                ensure!(target != "/etc/passwd", "fd {number} is /etc/passwd");
                let is_host_directory =
                    kind.is_ok_and(|kind| kind.is_dir()) && target == "/" && is_host_root(&entry.path());
                ensure!(!is_host_directory, "fd {number} is the host's /");
            }
        }
        Ok(())
    }
);

fn is_host_root(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let (Ok(here), Ok(root)) = (std::fs::metadata(path), std::fs::metadata("/")) else { return false };
    (here.dev(), here.ino()) == (root.dev(), root.ino())
}

case!(
    the_runtimes_binary_is_out_of_reach,
    safety(
        &["T-A11", "c6.14-proc-self-exe"],
        "T-A11: /proc/PID/exe of a created init is not the runtime's binary, nor mapped from a host file"
    ),
    |bed| {
        use std::os::unix::fs::MetadataExt;
        bed.host.needs_root()?;
        let container = bed.create(&bed.config())?;
        let exe = std::fs::metadata(format!("/proc/{}/exe", container.pid()))?;
        let own = std::fs::metadata(&bed.runtime.path)?;
        ensure!((exe.dev(), exe.ino()) != (own.dev(), own.ino()), "the runtime's own binary is /proc/PID/exe");
        Ok(())
    }
);

case!(
    a_host_that_executes_no_memory_files_runs_containers,
    safety(
        &["T-A11"],
        "T-A11: under vm.memfd_noexec=2 a fallback runs, and the runtime's own binary is out of reach as well"
    ),
    |bed| {
        use std::os::unix::fs::MetadataExt;
        bed.host.needs_root()?;
        let knob = "/proc/sys/vm/memfd_noexec";
        if !Path::new(knob).exists() {
            return skip("this kernel has no vm.memfd_noexec");
        }
        let bundle = bed.bundle(&bed.config().steps("exit 0"))?;
        let pid_file = bed.scratch.join("pid");
        let (id, shown) = (bed.id(), pid_file.display());
        // The setting is of a pid namespace, so only ours changes.
        let script = format!(
            "echo 2 >{knob} && \"$@\" create --bundle {} --pid-file {shown} {id} &&
            stat -L -c %d:%i /proc/$(cat {shown})/exe && \"$@\" start {id} && \"$@\" delete --force {id}",
            bundle.path.display()
        );
        let plain = bed.command(&[]);
        let mut command = Command::new("unshare");
        command.args(["--pid", "--fork", "--mount-proc", "sh", "-c", &script, "sh"]);
        command.arg(plain.get_program()).args(plain.get_args());
        let output = bed.finish(command)?.succeeded("create, start, delete")?;
        let own = std::fs::metadata(&bed.runtime.path)?;
        let exe = output.stdout.lines().next().unwrap_or_default();
        ensure!(exe.contains(':'), "no /proc/PID/exe: {}", output.stdout);
        ensure!(exe != format!("{}:{}", own.dev(), own.ino()), "the runtime's own binary is /proc/PID/exe");
        Ok(())
    }
);

case!(
    large_inputs_are_fine_or_refused,
    safety(
        &["T-A16"],
        "T-A16: env of 2 MiB, one argument above 128 KiB, 341 id mappings, a namespace path of 70000 bytes: OK or clean, nothing truncated"
    ),
    |bed| {
        bed.host.needs_root()?;
        let env: Vec<String> = (0..32).map(|number| format!("V{number}={}", "x".repeat(1 << 16))).collect();
        let mappings: Vec<_> =
            (0..341).map(|id| json!({"containerID": id, "hostID": 100_000 + id, "size": 1})).collect();
        let configs = [
            bed.config().set("/process/env", json!(env)).steps("exit 0"),
            bed.config().args(&["/probe", "exit", "0", &"x".repeat((128 << 10) + 1)]),
            bed.config()
                .namespace("user")
                .set("/linux/uidMappings", json!(mappings))
                .set("/linux/gidMappings", json!(mappings))
                .steps("exit 0"),
            bed.config().namespace_path("network", &format!("/{}", "x".repeat(70_000))).steps("exit 0"),
        ];
        for config in configs {
            let output = bed.run(&config)?;
            if output.code != 0 {
                bed.is_clean_refusal(&output)?;
            }
        }
        Ok(())
    }
);

case!(
    pushing_terminal_input_does_not_reach_the_caller,
    safety(&["T-A29"], "T-A29: TIOCSTI on fd 0 never reaches the caller's terminal"),
    |bed| {
        let steps = bed.steps(&bed.config().steps("tiocsti"))?;
        ensure!(steps[0]["ok"] == false, "TIOCSTI worked");
        Ok(())
    }
);

case!(
    cgroups_that_a_payload_made_are_removed_however_many,
    safety(
        &["2.delete-removes-what-create-made", "c4.1.f-force"],
        "the payload is hostile: cgroups below its own, deep and wide, cost delete no descriptor each, and all go"
    ),
    |bed| {
        const MANY: usize = 120;
        let container = bed.create(&bed.config().steps("pause"))?;
        container.start()?;
        let own = bed.host.cgroups.directories_naming(&container.id);
        ensure!(!own.is_empty(), "the container has no cgroup");
        for mut path in own {
            for number in 0..MANY {
                std::fs::create_dir(path.join(format!("wide{number}")))?;
                path = path.join("deep");
                std::fs::create_dir(&path)?;
            }
        }
        bed.finish(bed.command_from(&["--nofile", "40"], &["delete", "--force", &container.id]))?
            .succeeded("delete --force")?;
        container.wait()?;
        bed.nothing_left()
    }
);
