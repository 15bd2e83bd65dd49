//! contracts.md 4.3: what update changes, ignores and refuses.

use super::running::waiting;
use crate::bed::Bed;
use crate::bundle::Config;
use crate::case::{Check, caller, case, ensure, same, skip};
use crate::command::Output;
use crate::container::Container;
use crate::facts::{denied, worked};
use serde_json::{Value, json};
use std::path::PathBuf;

fn update(bed: &Bed, container: &Container, flags: &[&str]) -> Check<Output> {
    bed.call(&[&["update"][..], flags, &[&container.id]].concat())
}

/// `update --resources` with this JSON.
fn update_with(bed: &Bed, container: &Container, resources: &Value) -> Check<Output> {
    let file = bed.file("resources.json", &resources.to_string())?;
    update(bed, container, &["--resources", &file.to_string_lossy()])
}

/// The container's directory of a controller that has this file.
fn directory(bed: &Bed, container: &Container, controller: &str, file: &str) -> Check<PathBuf> {
    bed.host.needs_controller(controller)?;
    let dir = bed.host.cgroups.directory_of(container.pid(), controller).unwrap_or_default();
    if dir.join(file).exists() { Ok(dir) } else { skip(format!("this kernel has no {file} here")) }
}

case!(
    update_changes_the_cpu_burst,
    caller(
        &["c4.3.cpu-burst-cpu-idle"],
        "contracts 4.3: --cpu-burst: microseconds (runc since 1.2; in no release of Debian 12 or 13)"
    ),
    |bed| {
        let container = waiting(bed)?;
        let file = if bed.host.cgroups.is_unified() { "cpu.max.burst" } else { "cpu.cfs_burst_us" };
        let dir = directory(bed, &container, "cpu", file)?;
        update(bed, &container, &["--cpu-quota", "50000", "--cpu-period", "100000"])?.succeeded("update")?;
        update(bed, &container, &["--cpu-burst", "20000"])?.succeeded("update --cpu-burst")?;
        same(file, std::fs::read_to_string(dir.join(file))?.trim(), "20000")
    }
);

case!(
    update_makes_a_container_idle,
    caller(
        &["c4.3.cpu-burst-cpu-idle"],
        "contracts 4.3: --cpu-idle: 1 is SCHED_IDLE, 0 undoes it (runc since 1.2; in no release of Debian 12 or 13)"
    ),
    |bed| {
        let container = waiting(bed)?;
        let dir = directory(bed, &container, "cpu", "cpu.idle")?;
        for value in ["1", "0"] {
            update(bed, &container, &["--cpu-idle", value])?.succeeded("update --cpu-idle")?;
            same("cpu.idle", std::fs::read_to_string(dir.join("cpu.idle"))?.trim(), value)?;
        }
        Ok(())
    }
);

case!(
    kernel_memory_is_ignored,
    caller(
        &["c4.3.kernel-memory-kernel-memory-tcp"],
        "contracts 4.3: --kernel-memory, --kernel-memory-tcp: warn, ignore: exit 0, and no limit is changed"
    ),
    |bed| {
        bed.host.needs_controller("memory")?;
        let container = waiting(bed)?;
        let limit = || container.control("memory", ("memory.limit_in_bytes", "memory.max"));
        let before = limit()?;
        for flag in ["--kernel-memory", "--kernel-memory-tcp"] {
            update(bed, &container, &[flag, "16777216"])?.succeeded(flag)?;
        }
        same("the memory limit", limit()?, before)
    }
);

case!(
    cache_schemas_need_their_configuration,
    caller(
        &["c4.3.l3-cache-schema-mem-bw"],
        "contracts 4.3: --l3-cache-schema, --mem-bw-schema without intelRdt at create: `updating a non-existent Intel RDT configuration is not supported`; without resctrl an error that names RDT"
    ),
    |bed| {
        let container = waiting(bed)?;
        for flags in [["--l3-cache-schema", "L3:0=f"], ["--mem-bw-schema", "MB:0=50"]] {
            let output = update(bed, &container, &flags)?;
            if std::path::Path::new("/sys/fs/resctrl/schemata").exists() {
                output.refuses_with("updating a non-existent Intel RDT configuration is not supported")?;
            } else {
                output.refuses_with("Intel RDT")?;
            }
            bed.is_one_clear_line(&output.stderr)?;
        }
        Ok(())
    }
);

/// A container of cgroup v2 that uses at least 24 MiB.
fn full<'b>(bed: &'b Bed) -> Check<Container<'b>> {
    bed.host.needs_unified_cgroups()?;
    bed.host.needs_controller("memory")?;
    let limits = json!({"limit": 100 << 20, "swap": 100 << 20});
    let config = bed.config().set("/linux/resources/memory", limits).mount("/run", "tmpfs", "tmpfs", &[]);
    super::ready(bed, &config.steps("fill /run/block 24576 + tell /sync/ready + pause"))
}

case!(
    a_limit_below_the_usage_is_rejected_when_checked,
    caller(
        &["c4.3.checkBeforeUpdate", "c8.rejecting-memory-limit"],
        "contracts 4.3, 8: checkBeforeUpdate on v2: `rejecting memory limit` when below usage; the old limit stays"
    ),
    |bed| {
        let container = full(bed)?;
        let small = json!({"memory": {"limit": 8 << 20, "checkBeforeUpdate": true}});
        update_with(bed, &container, &small)?.refuses_with("rejecting memory limit")?;
        same("memory.max", container.control("memory", ("", "memory.max"))?, (100 << 20).to_string())?;
        same("status", container.status()?, "running")
    }
);

case!(
    a_limit_with_swap_below_the_usage_is_rejected_when_checked,
    caller(
        &["c4.3.checkBeforeUpdate", "c8.rejecting-memory-limit"],
        "contracts 8: `rejecting memory+swap limit` when the sum is below usage"
    ),
    |bed| {
        let container = full(bed)?;
        let small = json!({"memory": {"limit": 8 << 20, "swap": 8 << 20, "checkBeforeUpdate": true}});
        update_with(bed, &container, &small)?.refuses_with("rejecting memory+swap limit")?;
        same("status", container.status()?, "running")
    }
);

/// A container that opens /dev/zero, waits, and opens it again.
fn opening_twice(bed: &Bed) -> Check<(Container<'_>, super::Fifo)> {
    if !bed.host.cgroups.is_unified() {
        bed.host.needs_controller("devices")?;
    }
    let steps = "open /dev/zero r + tell /sync/ready + await /sync/go + open /dev/zero w + exit 0";
    let config: Config = bed.config().steps(steps);
    let bundle = bed.bundle(&config)?;
    let (ready, go) =
        (super::Fifo::make(&bundle.rootfs().join("sync/ready"))?, super::Fifo::make(&bundle.rootfs().join("sync/go"))?);
    let container = Container::create(bed, &bed.id(), &bundle, &[])?;
    container.start()?;
    ready.wait()?;
    Ok((container, go))
}

/// What the payload's last step says, once it may go on.
fn last_open(container: &Container, go: &super::Fifo) -> Check<Vec<Value>> {
    go.tell()?;
    let code = container.wait()?;
    let steps = container.output(code).steps();
    worked(&steps[..1], "open", "/dev/zero")?;
    Ok(steps[1..].to_vec())
}

case!(
    update_replaces_the_device_rules_it_is_given,
    caller(
        &["c4.3.devices-in-update-JSON"],
        "contracts 4.3: devices in the JSON replace the device program: a device that they deny cannot be opened any more"
    ),
    |bed| {
        bed.host.needs_root()?;
        let (container, go) = opening_twice(bed)?;
        let rules = json!({"devices": [
            {"allow": true, "access": "rwm"},
            {"allow": false, "type": "c", "major": 1, "minor": 5, "access": "rwm"},
        ]});
        update_with(bed, &container, &rules)?.succeeded("update")?;
        denied(&last_open(&container, &go)?, "open", "/dev/zero", &["EPERM"])
    }
);

case!(
    update_keeps_the_device_rules_it_is_not_given,
    caller(&["c4.3.devices-in-update-JSON"], "contracts 4.3: without the field the device program stays"),
    |bed| {
        bed.host.needs_root()?;
        let (container, go) = opening_twice(bed)?;
        update_with(bed, &container, &json!({"memory": {}}))?.succeeded("update")?;
        worked(&last_open(&container, &go)?, "open", "/dev/zero").map(drop)
    }
);

case!(
    an_update_is_all_or_nothing,
    caller(
        &["c4.3.devices-in-update-JSON"],
        "contracts 4.3: unified keys are validated first, all-or-nothing: a bad one leaves the other limits as they were"
    ),
    |bed| {
        bed.host.needs_unified_cgroups()?;
        bed.host.needs_controller("pids")?;
        let container = waiting(bed)?;
        let good = json!({"unified": {"pids.max": "44"}});
        update_with(bed, &container, &good)?.succeeded("update of a good key")?;
        let before = container.control("pids", ("", "pids.max"))?;
        for bad in ["../pids.max", "a/b", "no.such.file"] {
            let resources = json!({"pids": {"limit": 33}, "unified": {bad: "1"}});
            let output = update_with(bed, &container, &resources)?;
            same(bad, output.code, 1)?;
            bed.is_one_clear_line(&output.stderr)?;
            same("pids.max", container.control("pids", ("", "pids.max"))?, before.clone())?;
        }
        ensure!(container.handle.is_alive(), "the container ended");
        Ok(())
    }
);
