//! contracts.md 2, 3 and 6: what the runtime keeps and shows on the host:
//! its state root, its sockets, its cgroup drivers, calls that are killed.

use crate::case::{caller, case, ensure, may, must, safety, same};
use crate::container::Container;
use rustix::process::Signal;
use serde_json::json;
use std::os::unix::fs::PermissionsExt;

case!(
    the_state_is_for_its_owner_only,
    safety(
        &["T-A24", "c6.11-state"],
        "T-A24: the state root is 0700, the id's directory at most 0711, whatever the caller's umask"
    ),
    |bed| {
        bed.host.needs_root()?;
        let root = bed.root();
        let bundle = bed.bundle(&bed.config())?;
        for umask in ["0000", "0777"] {
            let id = format!("{}-{umask}", bed.token);
            let pid_file = bed.scratch.join("the.pid");
            let command = bed.command_from(
                &["--umask", umask],
                &["create", "--pid-file", &pid_file.to_string_lossy(), "--bundle", &bundle.path.to_string_lossy(), &id],
            );
            let container = Container::adopt(bed, &id, command, &pid_file)?;
            let mode = |path: &std::path::Path| -> crate::case::Check<u32> {
                Ok(std::fs::metadata(path)?.permissions().mode() & 0o777)
            };
            ensure!(mode(&root)? & 0o066 == 0, "state root {:o} under umask {umask}", mode(&root)?);
            ensure!(mode(&root.join(&id))? & 0o066 == 0, "{id} {:o} under umask {umask}", mode(&root.join(&id))?);
            for entry in std::fs::read_dir(root.join(&id))?.flatten() {
                let kind = entry.file_type()?;
                let bits = mode(&entry.path())?;
                ensure!(!kind.is_file() || bits & 0o022 == 0, "{:?} {bits:o} under umask {umask}", entry.file_name());
            }
            container.delete_force()?;
        }
        Ok(())
    }
);

case!(
    no_abstract_socket_is_ever_open,
    safety(&["T-A23"], "T-A23: /proc/net/unix shows no `@` name of the runtime while a container is created"),
    |bed| {
        let names = || -> crate::case::Check<Vec<String>> {
            let table = std::fs::read_to_string("/proc/net/unix")?;
            Ok(table
                .lines()
                .filter_map(|line| line.split_whitespace().nth(7))
                .filter(|name| name.starts_with('@'))
                .map(str::to_owned)
                .collect())
        };
        let before = names()?;
        let container = bed.create(&bed.config())?;
        let fresh: Vec<String> = names()?
            .into_iter()
            .filter(|name| !before.contains(name) && (name.contains(&bed.runtime.family) || name.contains(&bed.token)))
            .collect();
        same("new abstract sockets", fresh, Vec::<String>::new())?;
        container.delete_force()
    }
);

case!(
    the_systemd_driver_needs_its_own_form_of_path,
    caller(
        &["c2.systemd-cgroup", "c8.expected-cgroupsPath-to-be-of", "5.systemd-driver"],
        "contracts 8: `expected cgroupsPath to be of format \"slice:prefix:name\" for systemd cgroups`"
    ),
    |bed| {
        let bundle = bed.bundle(&bed.config().set("/linux/cgroupsPath", json!(format!("/{}", bed.token))))?;
        let root = bed.root();
        let output = bed.call_without_root(&[
            "--systemd-cgroup",
            "--root",
            &root.to_string_lossy(),
            "create",
            "--bundle",
            &bundle.path.to_string_lossy(),
            &bed.id(),
        ])?;
        if !std::path::Path::new("/run/systemd/system").exists() && !output.stderr.contains("expected cgroupsPath") {
            // Without systemd either error is clear; what matters is that nothing is made.
            return bed.is_clean_refusal(&output);
        }
        bed.is_clean_refusal(&output)?;
        output.refuses_with("expected cgroupsPath to be of format \"slice:prefix:name\" for systemd cgroups")
    }
);

case!(
    cgroups_can_be_disabled,
    caller(
        &["c2.cgroup-manager-cgroupfs-systemd-disabled"],
        "contracts 2: --cgroup-manager disabled: no cgroup is created or joined; a limit is an error"
    ),
    |bed| {
        let root = bed.root();
        let root = root.to_string_lossy().into_owned();
        let bundle = bed.bundle(&bed.config().steps("report"))?;
        let run = |config: &crate::bundle::Bundle| {
            bed.call_without_root(&[
                "--cgroup-manager",
                "disabled",
                "--root",
                &root,
                "run",
                "--bundle",
                &config.path.to_string_lossy(),
                &bed.id(),
            ])
        };
        let facts = run(&bundle)?.succeeded("run")?.step("report")?;
        ensure!(!facts["cgroup"].to_string().contains(&bed.token), "{}", facts["cgroup"]);
        let limited = bed.bundle(&bed.config().set("/linux/resources/pids/limit", json!(5)))?;
        bed.is_clean_refusal(&run(&limited)?)
    }
);

case!(two_dashes_end_the_options, caller(&["c3"], "contracts 3: `--` before the id ends options"), |bed| {
    let bundle = bed.bundle(&bed.config().steps("say ran"))?;
    let output = bed.call(&["run", "--bundle", &bundle.path.to_string_lossy(), "--", &bed.id()])?;
    same("output", output.succeeded("run")?.stdout.trim(), "ran")
});

case!(
    long_options_are_not_abbreviated,
    caller(&["c3.No-abbreviated-long-options-repeatable"], "contracts 3: no abbreviated long options"),
    |bed| {
        let bundle = bed.bundle(&bed.config())?;
        let output = bed.call(&["run", "--bun", &bundle.path.to_string_lossy(), &bed.id()])?;
        ensure!(output.code != 0, "--bun was taken for --bundle");
        bed.nothing_left()
    }
);

case!(
    a_config_without_linux_runs,
    must(&["3.linux"], "config.md: linux is OPTIONAL: no new namespaces, nothing of the host is changed"),
    |bed| {
        let config = bed.config().remove("/linux").remove("/hostname").remove("/mounts").steps("exit 0");
        let output = bed.run(&config)?;
        // Without a mount namespace the default devices and the root cannot be made safely: a clean refusal is fine too.
        if output.code == 0 { bed.nothing_left() } else { bed.is_clean_refusal(&output) }
    }
);

case!(
    device_numbers_may_be_listed_twice,
    may(
        &["4.supplying-devices-same-type-major"],
        "config-linux.md#devices: the same type, major and minor SHOULD NOT be used for multiple devices; repeats are accepted"
    ),
    |bed| {
        bed.host.needs_root()?;
        let device = |path: &str| json!({"type": "c", "path": path, "major": 1, "minor": 5});
        let facts = bed.facts(&bed.config().set("/linux/devices", json!([device("/dev/one"), device("/dev/two")])))?;
        for name in ["one", "two"] {
            same(name, &facts["devices"][name]["minor"], &json!(5))?;
        }
        Ok(())
    }
);

case!(
    a_killed_create_is_cleaned_by_one_delete,
    caller(
        &["c6.9-PDEATHSIG", "c4.1.f-force", "c4.1.create-ID"],
        "contracts 6.9: callers set PDEATHSIG KILL: every command is safe to kill at any point; delete --force undoes it"
    ),
    |bed| {
        let bundle = bed.bundle(&bed.config())?;
        for point in 0..24_u64 {
            let running =
                bed.spawn(bed.command(&["create", "--bundle", &bundle.path.to_string_lossy(), &bed.id()]), bed.null())?;
            // The deadline is the instrument here: create is killed after a little more of its life each time.
            if !running.handle.ends_within(std::time::Duration::from_micros(300 * point)) {
                running.signal(Signal::KILL)?;
            }
            running.finish()?;
            bed.call(&["delete", "--force", &bed.id()])?.succeeded("delete --force")?;
            let leaks = bed.nothing_left();
            ensure!(leaks.is_ok(), "killed after {} us: {leaks:?}", 300 * point);
        }
        Ok(())
    }
);

case!(
    state_does_not_wait_for_a_lock,
    caller(&["c6.13-locking"], "contracts 6.13: state, kill, list never block on a container's lock"),
    |bed| {
        let container = bed.create(&bed.config())?;
        let mut held = Vec::new();
        for entry in std::fs::read_dir(bed.root().join(&container.id))?
            .flatten()
            .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()))
        {
            let file = std::fs::File::open(entry.path())?;
            rustix::fs::flock(&file, rustix::fs::FlockOperation::LockExclusive)?;
            held.push(file);
        }
        same("status", container.status()?, "created")?;
        bed.call(&["list", "-q"])?.succeeded("list")?;
        drop(held);
        container.delete_force()
    }
);

case!(
    the_hosts_cgroup_options_are_kept,
    safety(
        &["T-A19"],
        "T-A19: a container with cgroup mounts, in the host's cgroup namespace and in one of its own, takes no option from the host's cgroup2"
    ),
    |bed| {
        let options = crate::cgroups::KeptOptions::keep();
        let mounted = bed.config().mount("/sys/fs/cgroup", "cgroup", "cgroup", &["ro", "nosuid", "noexec", "nodev"]);
        for config in [mounted.clone(), mounted.namespace("cgroup")] {
            bed.run(&config.steps("exit 0"))?.succeeded("run")?;
            options.unchanged()?;
        }
        Ok(())
    }
);
