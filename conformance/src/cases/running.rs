//! contracts.md 4.3: what is done to a running container: ps, pause, resume,
//! update, events.

use crate::bed::Bed;
use crate::case::{Check, caller, case, ensure, same};
use crate::container::Container;
use serde_json::{Value, json};

pub(super) fn waiting<'b>(bed: &'b Bed) -> Check<Container<'b>> {
    super::ready(bed, &bed.config().steps("spawn + trap TERM 0 + tell /sync/ready + pause"))
}

case!(
    ps_lists_every_process,
    caller(
        &["c4.3.ps-f-table-json-ID", "c1.12"],
        "contracts 4.3: ps --format json: sorted int array of all pids of the cgroup, host pid namespace"
    ),
    |bed| {
        let container = waiting(bed)?;
        let mut wanted = super::children_of(container.pid())?;
        wanted.push(container.pid());
        wanted.sort_unstable();
        let output = bed.call(&["ps", "--format", "json", &container.id])?.succeeded("ps")?;
        let pids: Vec<i32> = serde_json::from_str(&output.stdout)?;
        let mut sorted = pids.clone();
        sorted.sort_unstable();
        same("pids", sorted, wanted)?;
        same("stderr", output.stderr, "")
    }
);

case!(
    ps_shows_a_table,
    caller(&["c4.3.ps-f-table-json-ID"], "contracts 4.3: ps: table filtered to the container's pids"),
    |bed| {
        let container = waiting(bed)?;
        let output = bed.call(&["ps", &container.id])?.succeeded("ps")?;
        ensure!(output.stdout.lines().next().is_some_and(|line| line.contains("PID")), "{}", output.stdout);
        ensure!(output.stdout.contains(&container.pid().to_string()), "{}", output.stdout);
        Ok(())
    }
);

case!(
    pause_and_resume,
    caller(
        &["c4.3.pause-ID", "c7.1.status"],
        "contracts 4.3: pause waits for frozen; state is paused; resume makes it running"
    ),
    |bed| {
        let container = waiting(bed)?;
        if !bed.host.cgroups.is_unified() {
            bed.host.needs_controller("freezer")?;
        }
        bed.call(&["pause", &container.id])?.succeeded("pause")?;
        same("status", container.status()?, "paused")?;
        bed.call(&["resume", &container.id])?.succeeded("resume")?;
        same("status", container.status()?, "running")
    }
);

case!(
    a_paused_container_can_be_killed_and_deleted,
    caller(
        &["c4.3.pause-ID", "c4.1.kill-ID-SIG", "c4.1.f-force"],
        "contracts 4.1: delete --force ends a paused container; SIGKILL thaws"
    ),
    |bed| {
        let container = waiting(bed)?;
        bed.call(&["pause", &container.id])?.succeeded("pause")?;
        let refused = bed.call(&["delete", &container.id])?;
        same("delete of a paused container", refused.code, 1)?;
        container.delete_force()?;
        container.wait().map(drop)
    }
);

case!(
    pause_and_resume_are_refused_in_other_states,
    caller(&["c4.3.pause-ID"], "contracts 4.3: pause of non running, resume of non paused: error"),
    |bed| {
        let container = waiting(bed)?;
        let output = bed.call(&["resume", &container.id])?;
        ensure!(output.code == 1, "resume of a running container ended with {}", output.code);
        container.kill("KILL")?;
        container.wait()?;
        let output = bed.call(&["pause", &container.id])?;
        ensure!(output.code == 1, "pause of a stopped container ended with {}", output.code);
        Ok(())
    }
);

case!(
    exec_in_a_paused_container_is_refused,
    caller(&["c4.2.ignore-paused"], "contracts 4.2: `cannot exec in a paused container`"),
    |bed| {
        let container = waiting(bed)?;
        bed.call(&["pause", &container.id])?.succeeded("pause")?;
        let output = bed.call(&["exec", &container.id, "/probe", "exit", "0"])?;
        bed.call(&["resume", &container.id])?.succeeded("resume")?;
        ensure!(
            output.code == 255 && output.stderr.contains("cannot exec in a paused container"),
            "{} {}",
            output.code,
            output.stderr
        );
        Ok(())
    }
);

case!(
    update_changes_the_pids_limit,
    caller(&["c4.3.update-ID", "c4.3.blkio-weight-cpu-period-cpu"], "contracts 4.3: update --pids-limit"),
    |bed| {
        bed.host.needs_controller("pids")?;
        let container = waiting(bed)?;
        bed.call(&["update", "--pids-limit", "17", &container.id])?.succeeded("update")?;
        same("pids.max", container.control("pids", ("pids.max", "pids.max"))?, "17")
    }
);

case!(
    update_changes_memory_and_cpu,
    caller(
        &["c4.3.update-ID", "c4.3.blkio-weight-cpu-period-cpu"],
        "contracts 4.3: update --memory, --cpu-share, --cpu-quota, --cpu-period; sizes with a unit"
    ),
    |bed| {
        bed.host.needs_controller("memory")?;
        bed.host.needs_controller("cpu")?;
        let container = waiting(bed)?;
        bed.call(&["update", "--memory", "64m", "--cpu-quota", "27000", "--cpu-period", "90000", &container.id])?
            .succeeded("update")?;
        same("memory", container.control("memory", ("memory.limit_in_bytes", "memory.max"))?, "67108864")?;
        let quota = container.control("cpu", ("cpu.cfs_quota_us", "cpu.max"))?;
        ensure!(quota == "27000" || quota == "27000 90000", "{quota}");
        bed.call(&["update", "--cpu-share", "512", &container.id])?.succeeded("update")?;
        let quota = container.control("cpu", ("cpu.cfs_quota_us", "cpu.max"))?;
        ensure!(quota.starts_with("27000"), "the quota was lost: {quota}");
        Ok(())
    }
);

case!(
    update_reads_resources_from_stdin,
    caller(&["c4.3.r-resources-FILE"], "contracts 4.3: -r FILE|-: JSON LinuxResources"),
    |bed| {
        bed.host.needs_controller("pids")?;
        let container = waiting(bed)?;
        let input = std::fs::File::open(bed.file("resources", &json!({"pids": {"limit": 23}}).to_string())?)?;
        bed.finish_with(bed.command(&["update", "--resources", "-", &container.id]), input.into())?
            .succeeded("update")?;
        same("pids.max", container.control("pids", ("pids.max", "pids.max"))?, "23")
    }
);

case!(
    update_refuses_a_malformed_value,
    caller(
        &["c4.3.blkio-weight-cpu-period-cpu", "c3.Integer-flags-range-checked-sizes"],
        "contracts 4.3: `invalid value for <flag>`"
    ),
    |bed| {
        let container = waiting(bed)?;
        let output = bed.call(&["update", "--memory", "much", &container.id])?;
        ensure!(
            output.code == 1 && output.stderr.contains("invalid value for memory"),
            "{} {}",
            output.code,
            output.stderr
        );
        Ok(())
    }
);

case!(
    update_of_a_stopped_container_is_refused,
    caller(&["c4.3.update-ID"], "contracts 4.3: running, created, paused only"),
    |bed| {
        let container = bed.create(&bed.config().steps("exit 0"))?;
        container.finish()?;
        let output = bed.call(&["update", "--pids-limit", "5", &container.id])?;
        ensure!(output.code == 1, "exit code {}", output.code);
        Ok(())
    }
);

case!(
    events_give_statistics,
    caller(
        &["c4.3.events-ID-stats-interval-D", "c7.3.pids", "c7.3.memory", "c7.3.cpu"],
        "contracts 7.3: events --stats: one line {type: stats, id, data}"
    ),
    |bed| {
        let container = waiting(bed)?;
        let output = bed.call(&["events", "--stats", &container.id])?.succeeded("events --stats")?;
        same("lines", output.stdout.lines().count(), 1)?;
        let event: Value = serde_json::from_str(&output.stdout)?;
        same("type", &event["type"], &json!("stats"))?;
        same("id", &event["id"], &json!(container.id))?;
        ensure!(event["data"]["cpu"].is_object() && event["data"]["memory"].is_object(), "{event}");
        if bed.host.cgroups.has_controller("pids") {
            ensure!(
                event["data"]["pids"]["current"].as_u64().is_some_and(|current| current >= 2),
                "{}",
                event["data"]["pids"]
            );
        }
        Ok(())
    }
);

case!(
    events_of_a_stopped_container_are_refused,
    caller(&["c4.3.events-ID-stats-interval-D"], "contracts 4.3: stopped: `container with id X is not running`"),
    |bed| {
        let container = bed.create(&bed.config().steps("exit 0"))?;
        container.finish()?;
        bed.call(&["events", "--stats", &container.id])?
            .refuses_with(&format!("container with id {} is not running", container.id))
    }
);
