//! runtime.md: kill and delete; contracts: their flags and phrases.

use crate::case::{caller, case, ensure, must, same};
use rustix::process::Signal;

case!(
    kill_sends_the_signal_named,
    must(
        &["c4.1.kill-ID-SIG"],
        "runtime.md#kill: sends the specified signal to the container process; contracts: number, NAME, SIGNAME"
    ),
    |bed| {
        for (word, code) in [("TERM", 11), ("SIGUSR1", 12), ("1", 14)] {
            let config =
                bed.config().steps("trap TERM 11 + trap USR1 12 + trap HUP 14 + say ready + tell /sync/ready + pause");
            let container = super::ready(bed, &config)?;
            container.kill(word)?;
            same(word, container.wait()?, code)?;
            container.delete()?;
        }
        Ok(())
    }
);

case!(kill_sends_real_time_signals, caller(&["c4.1.kill-ID-SIG"], "contracts 4.1: RTMIN+n"), |bed| {
    let container = super::ready(bed, &bed.config().steps("trap RTMIN+3 15 + tell /sync/ready + pause"))?;
    container.kill("RTMIN+3")?;
    same("code", container.wait()?, 15)
});

case!(
    kill_without_a_signal_sends_term,
    caller(&["c4.1.kill-ID-SIG"], "contracts 4.1: default SIGTERM (buildah sends none)"),
    |bed| {
        let container = super::ready(bed, &bed.config().steps("trap TERM 11 + tell /sync/ready + pause"))?;
        bed.call(&["kill", &container.id])?.succeeded("kill")?;
        same("code", container.wait()?, 11)
    }
);

case!(an_unknown_signal_is_refused, caller(&["c4.1.kill-ID-SIG"], "contracts 4.1: `unknown signal \"X\"`"), |bed| {
    let container = super::ready(bed, &bed.config().steps("tell /sync/ready + pause"))?;
    for word in ["NOSUCH", "0x9", "SIGSIGTERM"] {
        let output = bed.call(&["kill", &container.id, word])?;
        output.refuses_with(&format!("unknown signal \"{word}\""))?;
    }
    same("status", container.status()?, "running")
});

case!(
    kill_of_a_created_container_works,
    must(&["2.kill-when-neither-created-nor"], "runtime.md#kill: allowed when created or running"),
    |bed| {
        let container = bed.create(&bed.config())?;
        container.kill("KILL")?;
        same("code", container.wait()?, 128 + 9)?;
        same("status", container.status()?, "stopped")
    }
);

case!(
    kill_of_a_stopped_container_is_an_error,
    must(
        &["2.kill-when-neither-created-nor", "c1.6", "c8.container-not-running"],
        "runtime.md#kill: MUST generate an error when neither created nor running; contracts 8: `container not running`"
    ),
    |bed| {
        let container = bed.create(&bed.config().steps("exit 0"))?;
        container.finish()?;
        for word in ["TERM", "KILL"] {
            let output = bed.call(&["kill", &container.id, word])?;
            output.refuses_with("container not running")?;
        }
        Ok(())
    }
);

case!(
    kill_all_reaches_every_process,
    caller(&["c4.1.a-all"], "contracts 4.1: kill --all signals every process of the container's cgroup"),
    |bed| {
        // Without a pid namespace of its own the children outlive the first process.
        let container = super::ready(
            bed,
            &bed.config().without_namespace("pid").steps("spawn + spawn + tell /sync/ready + pause"),
        )?;
        let children = super::children_of(container.pid())?;
        same("children", children.len(), 2)?;
        bed.call(&["kill", "--all", &container.id, "KILL"])?.succeeded("kill --all")?;
        container.wait()?;
        for child in children {
            ensure!(super::ends(child), "process {child} is alive after kill --all");
        }
        container.delete()
    }
);

case!(
    kill_all_of_a_stopped_container_succeeds,
    caller(&["c4.1.a-all"], "contracts 4.1: kill --all: not running and nothing left: exit 0"),
    |bed| {
        let container = bed.create(&bed.config().steps("exit 0"))?;
        container.finish()?;
        bed.call(&["kill", "--all", &container.id, "9"])?.succeeded("kill --all").map(drop)
    }
);

case!(
    kill_with_a_shared_pid_namespace_ends_the_whole_container,
    caller(&["c4.1.kill-ID-SIG"], "contracts 4.1: SIGKILL with a shared pid namespace kills the whole cgroup"),
    |bed| {
        let container =
            super::ready(bed, &bed.config().without_namespace("pid").steps("spawn + tell /sync/ready + pause"))?;
        let children = super::children_of(container.pid())?;
        container.kill("KILL")?;
        container.wait()?;
        for child in children {
            ensure!(super::ends(child), "process {child} is alive after kill KILL");
        }
        container.delete()
    }
);

case!(
    delete_removes_everything,
    must(
        &["2.delete-removes-what-create-made", "c4.1.delete-ID"],
        "runtime.md#delete: MUST delete the resources that were created during create; the id MAY be used again"
    ),
    |bed| {
        for _ in 0..2 {
            let container = bed.create(&bed.config().steps("exit 0"))?;
            container.finish()?;
            container.delete()?;
            bed.nothing_left()?;
            let output = bed.call(&["state", &container.id])?;
            output.refuses_with("does not exist")?;
        }
        Ok(())
    }
);

case!(
    delete_of_a_running_container_is_an_error,
    must(
        &["2.delete-when-not-stopped", "c8.cannot-delete-container-X-that"],
        "runtime.md#delete: a container that is not stopped MUST have no effect and MUST generate an error"
    ),
    |bed| {
        let container = super::ready(bed, &bed.config().steps("tell /sync/ready + pause"))?;
        let output = bed.call(&["delete", &container.id])?;
        let phrase = format!("cannot delete container {} that is not stopped: running", container.id);
        output.refuses_with(&phrase)?;
        same("status", container.status()?, "running")
    }
);

case!(
    delete_of_a_created_container_kills_it,
    caller(
        &["c4.1.delete-ID", "2.delete-when-not-stopped"],
        "contracts 4.1: created: kill and delete, as the peers do"
    ),
    |bed| {
        let container = bed.create(&bed.config())?;
        container.delete()?;
        container.wait()?;
        bed.nothing_left()
    }
);

case!(
    delete_force_ends_a_running_container,
    caller(&["c4.1.f-force"], "contracts 4.1: --force: SIGKILL, wait, delete"),
    |bed| {
        let container = super::ready(bed, &bed.config().steps("spawn + tell /sync/ready + pause"))?;
        container.delete_force()?;
        ensure!(!container.handle.is_alive(), "alive after delete --force");
        container.wait()?;
        bed.nothing_left()
    }
);

case!(
    delete_force_ends_the_rest_of_a_shared_pid_namespace,
    caller(&["c4.1.f-force"], "contracts 4.1: --force kills leftovers of containers with a shared pid namespace"),
    |bed| {
        let container =
            super::ready(bed, &bed.config().without_namespace("pid").steps("spawn + tell /sync/ready + pause"))?;
        let children = super::children_of(container.pid())?;
        container.handle.signal(Signal::KILL)?;
        container.wait()?;
        container.delete_force()?;
        for child in children {
            ensure!(super::ends(child), "process {child} is alive after delete --force");
        }
        Ok(())
    }
);

case!(
    delete_of_an_unknown_id_is_an_error,
    caller(&["c1.5"], "contracts 1#5: delete of a missing id fails with `does not exist`"),
    |bed| {
        let output = bed.call(&["delete", "no-such-container"])?;
        output.refuses_with("does not exist")?;
        Ok(())
    }
);

case!(
    delete_force_of_an_unknown_id_is_silent,
    caller(&["c1.5", "c4.1.f-force"], "contracts 1#5: delete --force of a missing id exits 0 silently"),
    |bed| {
        for args in [["delete", "--force", "no-such-container"], ["delete", "-f", "no-such-container"]] {
            let output = bed.call(&args)?;
            same("exit code", output.code, 0)?;
            same("stderr", output.stderr, "")?;
        }
        Ok(())
    }
);

case!(
    delete_works_twice_with_force,
    caller(&["c4.1.f-force"], "security 5.1: delete -f succeeds in any state, any number of times"),
    |bed| {
        let container = bed.create(&bed.config())?;
        container.delete_force()?;
        container.delete_force()?;
        container.wait().map(drop)
    }
);

case!(
    delete_works_after_the_bundle_is_gone,
    must(&["2.delete-removes-what-create-made"], "runtime.md#delete does not need the bundle"),
    |bed| {
        let container = bed.create(&bed.config().steps("exit 0"))?;
        container.finish()?;
        std::fs::remove_dir_all(bed.scratch.join("bundle"))?;
        container.delete()?;
        bed.nothing_left()
    }
);

case!(
    a_cgroup_that_was_there_before_is_kept_usable,
    must(
        &["2.delete-removes-what-create-made"],
        "runtime.md#delete: resources that the container did not create MUST NOT be deleted"
    ),
    |bed| {
        bed.needs_cgroup_paths()?;
        let parents: Vec<_> = bed.host.cgroups.homes().iter().map(|home| home.join(&bed.token)).collect();
        for parent in &parents {
            std::fs::create_dir(parent)?;
            for file in ["cpuset.cpus", "cpuset.mems"] {
                if let Ok(value) = std::fs::read(parent.with_file_name(file)) {
                    std::fs::write(parent.join(file), value).unwrap_or_default();
                }
            }
        }
        bed.rebase();
        bed.run(&bed.config().set("/linux/cgroupsPath", serde_json::json!(bed.cgroups_path("/inner"))))?
            .succeeded("run")?;
        for parent in &parents {
            ensure!(parent.is_dir(), "{} is gone", parent.display());
        }
        bed.nothing_left()
    }
);

case!(
    a_run_leaves_another_container_of_its_id_alone,
    caller(
        &["c9.End"],
        "contracts 9: `run` ends its own container; one that was made meanwhile under the same id is not that"
    ),
    |bed| {
        let bundle = bed.bundle(&bed.config().steps("tell /sync/ready + pause"))?;
        let fifo = super::Fifo::make(&bundle.rootfs().join("sync/ready"))?;
        let running =
            bed.spawn(bed.command(&["run", "--bundle", &bundle.path.to_string_lossy(), &bed.id()]), bed.null())?;
        fifo.wait()?;
        running.handle.stop()?;
        bed.call(&["delete", "--force", &bed.id()])?.succeeded("delete --force")?;
        let second = bed.create(&bed.config())?;
        running.signal(Signal::CONT)?;
        same("code of the first", running.finish()?.code, 128 + 9)?;
        same("status of the second", second.status()?, "created")?;
        second.start()?;
        same("code of the second", second.wait()?, 0)?;
        second.delete()
    }
);

/// Three containers, two of whose ids have `pick` in them.
fn three(bed: &crate::bed::Bed) -> crate::case::Check<Vec<crate::container::Container<'_>>> {
    let bundle = bed.bundle(&bed.config().remove("/linux/cgroupsPath").steps("pause"))?;
    ["pick-a", "pick-b", "other"]
        .iter()
        .map(|name| {
            let id = format!("{}-{name}", bed.token);
            let container = crate::container::Container::create(bed, &id, &bundle, &[])?;
            container.start()?;
            Ok(container)
        })
        .collect()
}

case!(
    kill_and_delete_take_a_regular_expression,
    caller(&["c4.1.r-regex"], "contracts 4.1: --regex: an extended regex, unanchored, over all ids; also of delete"),
    |bed| {
        let containers = three(bed)?;
        bed.call(&["kill", "--regex", "pick-(a|b)", "KILL"])?.succeeded("kill --regex")?;
        for container in &containers[..2] {
            same("code", container.wait()?, 128 + 9)?;
        }
        same("status of the other", containers[2].status()?, "running")?;
        bed.call(&["delete", "-r", "pick-[ab]$"])?.succeeded("delete -r")?;
        let left = bed.call(&["list", "-q"])?.succeeded("list")?;
        same("left", left.stdout.trim(), containers[2].id.as_str())
    }
);

case!(
    a_regular_expression_without_a_match_does_nothing,
    caller(&["c4.1.r-regex"], "contracts 4.1: --regex that matches no id: as crun: exit 0"),
    |bed| {
        let containers = three(bed)?;
        for args in [["kill", "--regex", "^pick", "KILL"].as_slice(), &["delete", "--force", "--regex", "nothing"]] {
            bed.call(args)?.succeeded(args[0])?;
        }
        for container in &containers {
            same("status", container.status()?, "running")?;
        }
        Ok(())
    }
);
