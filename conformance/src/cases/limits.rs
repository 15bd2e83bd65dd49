//! config-linux.md: cgroupsPath and resources, read back from the host's
//! cgroup files of a created container.

use super::limited;
use crate::case::{Check, caller, case, ensure, may, must, same};
use serde_json::json;
use std::fs;

case!(the_memory_limit_is_set, must(&["5.memory.limit"], "config-linux.md#memory: limit"), |bed| {
    let container = bed.create(&limited(bed, "memory", "memory/limit", json!(67_108_864))?)?;
    same("limit", container.control("memory", ("memory.limit_in_bytes", "memory.max"))?, "67108864")
});

case!(the_memory_reservation_is_set, must(&["5.memory.reservation"], "config-linux.md#memory: reservation"), |bed| {
    let container = bed.create(&limited(bed, "memory", "memory/reservation", json!(33_554_432))?)?;
    same("reservation", container.control("memory", ("memory.soft_limit_in_bytes", "memory.low"))?, "33554432")
});

case!(
    a_memory_limit_of_minus_one_is_no_limit,
    must(&["5.memory.limit", "1.No-op-value-of-an"], "config-linux.md#memory: -1 is unlimited"),
    |bed| {
        let container = bed.create(&limited(bed, "memory", "memory/limit", json!(-1))?)?;
        let text = container.control("memory", ("memory.limit_in_bytes", "memory.max"))?;
        ensure!(text == "max" || text.parse::<u64>().is_ok_and(|bytes| bytes > 1 << 60), "{text}");
        Ok(())
    }
);

case!(the_swap_limit_is_set, must(&["5.memory.swap"], "config-linux.md#memory: swap is memory plus swap"), |bed| {
    let config = limited(bed, "memory", "memory/limit", json!(67_108_864))?
        .set("/linux/resources/memory/swap", json!(100_663_296));
    let memsw = "/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes";
    if !bed.host.cgroups.is_unified() && !std::path::Path::new(memsw).exists() {
        return crate::case::skip("this kernel does not account swap");
    }
    let container = bed.create(&config)?;
    let wanted = if bed.host.cgroups.is_unified() { "33554432" } else { "100663296" };
    same("swap", container.control("memory", ("memory.memsw.limit_in_bytes", "memory.swap.max"))?, wanted)
});

case!(
    a_swap_limit_below_the_memory_limit_is_refused,
    must(&["5.memory.swap"], "config-linux.md#memory: swap below limit cannot be applied"),
    |bed| {
        let config = limited(bed, "memory", "memory/limit", json!(67_108_864))?;
        bed.create_refused(&config.set("/linux/resources/memory/swap", json!(33_554_432))).map(drop)
    }
);

case!(
    the_swappiness_is_set_or_refused,
    must(
        &["5.memory.swappiness", "5.v1-property-on-v2-host"],
        "config-linux.md#memory: swappiness on v1; on v2 it cannot be applied"
    ),
    |bed| {
        let config = limited(bed, "memory", "memory/swappiness", json!(33))?;
        if bed.host.cgroups.is_unified() {
            return bed.create_refused(&config).map(drop);
        }
        let container = bed.create(&config)?;
        same("swappiness", container.control("memory", ("memory.swappiness", ""))?, "33")
    }
);

case!(
    a_swappiness_above_100_is_refused,
    must(&["5.memory.swappiness"], "config-linux.md#memory: swappiness is 0 to 100"),
    |bed| { bed.create_refused(&limited(bed, "memory", "memory/swappiness", json!(101))?).map(drop) }
);

case!(
    disabling_the_oom_killer_is_applied_or_refused,
    must(&["5.memory.disableOOMKiller"], "config-linux.md#memory: disableOOMKiller"),
    |bed| {
        let config = limited(bed, "memory", "memory/disableOOMKiller", json!(true))?;
        if bed.host.cgroups.is_unified() {
            return bed.create_refused(&config).map(drop);
        }
        let container = bed.create(&config)?;
        let text = container.control("memory", ("memory.oom_control", ""))?;
        ensure!(text.contains("oom_kill_disable 1"), "{text}");
        Ok(())
    }
);

case!(
    noop_memory_values_are_accepted,
    must(
        &["1.No-op-value-of-an", "5.memory.kernel"],
        "hull: disableOOMKiller false, kernel -1, useHierarchy true change nothing and are accepted"
    ),
    |bed| {
        let memory = json!({"disableOOMKiller": false, "kernel": -1, "kernelTCP": -1});
        bed.facts(&bed.config().set("/linux/resources/memory", memory)).map(drop)
    }
);

case!(
    hierarchical_accounting_is_accepted,
    must(&["5.memory.useHierarchy", "1.No-op-value-of-an"], "config-linux.md#memory: useHierarchy: true is how it is"),
    |bed| {
        let container = bed.create(&limited(bed, "memory", "memory/useHierarchy", json!(true))?)?;
        let file = container.cgroup("memory")?.join("memory.use_hierarchy");
        if bed.host.cgroups.is_unified() || !file.exists() {
            return Ok(());
        }
        same("memory.use_hierarchy", container.control("memory", ("memory.use_hierarchy", ""))?, "1")
    }
);

case!(
    accounting_without_hierarchy_is_applied_or_refused,
    must(
        &["5.memory.useHierarchy", "5.v1-property-on-v2-host", "1.Un-appliable-property"],
        "config-linux.md#memory: useHierarchy: false cannot be had on cgroup v2, nor on v1 since Linux 5.11"
    ),
    |bed| {
        let config = limited(bed, "memory", "memory/useHierarchy", json!(false))?;
        let bundle = bed.bundle(&config)?;
        let output = bed.call(&["create", "--bundle", &bundle.path.to_string_lossy(), &bed.id()])?;
        if output.code != 0 {
            return bed.is_clean_refusal(&output);
        }
        let files = bed.host.cgroups.directories_naming(&bed.token);
        let read = |dir: &std::path::PathBuf| fs::read_to_string(dir.join("memory.use_hierarchy")).ok();
        let seen: Vec<String> = files.iter().filter_map(read).collect();
        bed.call(&["delete", "--force", &bed.id()])?.succeeded("delete")?;
        same("memory.use_hierarchy", seen, vec!["0\n".to_owned()])
    }
);

case!(
    a_memory_limit_below_the_usage_is_rejected_when_asked,
    must(
        &["5.memory.checkBeforeUpdate"],
        "config-linux.md#memory: checkBeforeUpdate: a new limit below the current usage MUST be rejected"
    ),
    |bed| {
        let config = limited(bed, "memory", "memory", json!({"limit": 67_108_864, "swap": 67_108_864}))?;
        let config = config.set("/linux/resources/memory/checkBeforeUpdate", json!(true));
        // The memory stays in use: it belongs to a file of the container's own tmpfs.
        let container = super::ready(bed, &config.steps("fill /dev/shm/block 32768 + tell /sync/ready + pause"))?;
        let update = |bytes: u32| -> Check<crate::command::Output> {
            let limits = json!({"memory": {"limit": bytes, "swap": bytes, "checkBeforeUpdate": true}});
            let file = bed.file("resources.json", &limits.to_string())?;
            bed.call(&["update", "--resources", &file.to_string_lossy(), &container.id])
        };
        let limit = || container.control("memory", ("memory.limit_in_bytes", "memory.max"));
        update(50_331_648)?.succeeded("update to more than is used")?;
        same("limit", limit()?, "50331648")?;
        let output = update(8_388_608)?;
        ensure!(output.code == 1 && !output.stderr.is_empty(), "update ended with {}: {}", output.code, output.stderr);
        same("limit after the refusal", limit()?, "50331648")?;
        ensure!(container.handle.is_alive(), "the container was ended by its new limit");
        Ok(())
    }
);

case!(the_memory_limit_holds, must(&["5.memory.limit"], "config-linux.md#memory: limit: more cannot be used"), |bed| {
    let config = limited(bed, "memory", "memory", json!({"limit": 33_554_432, "swap": 33_554_432}))?;
    let output = bed.run(&config.steps("spawn + memory 64 + say survived"))?;
    ensure!(output.code == 137 && !output.stdout.contains("survived"), "code {}: {}", output.code, output.stdout);
    Ok(())
});

case!(the_pids_limit_is_set_and_holds, must(&["5.pids.limit"], "config-linux.md#pids: limit"), |bed| {
    let config = limited(bed, "pids", "pids/limit", json!(6))?;
    {
        let container = bed.create(&config)?;
        same("limit", container.control("pids", ("pids.max", "pids.max"))?, "6")?;
        container.delete_force()?;
    }
    let steps = bed.steps(&config.steps("forks 20"))?;
    let made = &steps[0]["value"];
    ensure!(made["errno"] == "EAGAIN" && made["made"].as_u64().is_some_and(|made| made < 6), "{made}");
    Ok(())
});

case!(a_pids_limit_of_minus_one_is_no_limit, must(&["5.pids.limit"], "config-linux.md#pids: -1 is unlimited"), |bed| {
    let container = bed.create(&limited(bed, "pids", "pids/limit", json!(-1))?)?;
    same("limit", container.control("pids", ("pids.max", "pids.max"))?, "max")
});

case!(the_cpu_shares_are_set, must(&["5.cpu.shares"], "config-linux.md#cpu: shares"), |bed| {
    let container = bed.create(&limited(bed, "cpu", "cpu/shares", json!(1024))?)?;
    same(
        "shares",
        container.control("cpu", ("cpu.shares", "cpu.weight"))?,
        if bed.host.cgroups.is_unified() { "100" } else { "1024" },
    )
});

case!(the_cpu_quota_and_period_are_set, must(&["5.cpu.quota"], "config-linux.md#cpu: quota and period"), |bed| {
    let config = limited(bed, "cpu", "cpu", json!({"quota": 40_000, "period": 80_000}))?;
    let container = bed.create(&config)?;
    if bed.host.cgroups.is_unified() {
        return same("cpu.max", container.control("cpu", ("", "cpu.max"))?, "40000 80000");
    }
    same("quota", container.control("cpu", ("cpu.cfs_quota_us", ""))?, "40000")?;
    same("period", container.control("cpu", ("cpu.cfs_period_us", ""))?, "80000")
});

case!(the_cpu_burst_is_set, must(&["5.cpu.burst"], "config-linux.md#cpu: burst"), |bed| {
    let config = limited(bed, "cpu", "cpu", json!({"quota": 40_000, "period": 80_000, "burst": 20_000}))?;
    if !bed.host.cgroups.is_unified() {
        bed.host.needs_path("/sys/fs/cgroup/cpu/cpu.cfs_burst_us")?;
    }
    let container = bed.create(&config)?;
    same("burst", container.control("cpu", ("cpu.cfs_burst_us", "cpu.max.burst"))?, "20000")
});

case!(the_cpu_idle_is_set, must(&["5.cpu.idle"], "config-linux.md#cpu: idle"), |bed| {
    let config = limited(bed, "cpu", "cpu/idle", json!(1))?;
    if !bed.host.cgroups.is_unified() {
        bed.host.needs_path("/sys/fs/cgroup/cpu")?;
    }
    let container = bed.create(&config)?;
    same("idle", container.control("cpu", ("cpu.idle", "cpu.idle"))?, "1")
});

case!(the_cpuset_is_set, must(&["5.cpu.cpus"], "config-linux.md#cpu: cpus and mems"), |bed| {
    let container = bed.create(&limited(bed, "cpuset", "cpu", json!({"cpus": "0", "mems": "0"}))?)?;
    same("cpus", container.control("cpuset", ("cpuset.cpus", "cpuset.cpus"))?, "0")?;
    same("mems", container.control("cpuset", ("cpuset.mems", "cpuset.mems"))?, "0")
});

case!(a_malformed_cpu_list_is_refused, must(&["5.cpu.cpus"], "config-linux.md#cpu: cpus is a list of CPUs"), |bed| {
    bed.create_refused(&limited(bed, "cpuset", "cpu/cpus", json!("0-"))?).map(drop)
});

case!(
    a_limit_without_its_controller_is_refused,
    must(
        &["5.limits-asked-but-controller-absent", "c8.the-requested-cgroup-controller"],
        "config.md#valid-values: a limit whose controller is missing cannot be applied"
    ),
    |bed| {
        let wanted = [
            ("hugetlb", json!({"hugepageLimits": [{"pageSize": "2MB", "limit": 4_194_304}]})),
            ("pids", json!({"pids": {"limit": 6}})),
            ("net_cls", json!({"network": {"classID": 7}})),
        ];
        let Some((_, resources)) = wanted.into_iter().find(|(name, _)| !bed.host.cgroups.has_controller(name)) else {
            return crate::case::skip("this machine has every controller");
        };
        bed.create_refused(&bed.config().set("/linux/resources", resources)).map(drop)
    }
);

case!(
    an_absolute_cgroups_path_is_below_the_mount,
    must(
        &["5.cgroupsPath"],
        "config-linux.md#cgroups-path: an absolute path MUST be relative to the cgroups mount point"
    ),
    |bed| {
        bed.needs_cgroup_paths()?;
        let path = bed.cgroups_path("/deep/down");
        let container = bed.create(&bed.config().set("/linux/cgroupsPath", json!(path)))?;
        let membership = fs::read_to_string(format!("/proc/{}/cgroup", container.pid()))?;
        ensure!(membership.lines().any(|line| line.ends_with(&path)), "{membership}");
        container.delete_force()?;
        bed.host.cgroups.remove_naming(&bed.token);
        Ok(())
    }
);

case!(
    the_same_cgroups_path_gives_the_same_cgroup,
    must(&["5.cgroupsPath"], "config-linux.md#cgroups-path: a relative value; the same value MUST give the same place"),
    |bed| {
        bed.needs_cgroup_paths()?;
        let config = bed.config().set("/linux/cgroupsPath", json!(format!("{}-rel", bed.token)));
        let place = || -> Check<String> {
            let container = bed.create(&config)?;
            let text = fs::read_to_string(format!("/proc/{}/cgroup", container.pid()))?;
            container.delete_force()?;
            Ok(text)
        };
        let first = place()?;
        ensure!(first.contains(&format!("{}-rel", bed.token)), "{first}");
        same("second time", place()?, first)
    }
);

case!(
    without_cgroups_path_the_container_has_a_cgroup_of_its_own,
    may(&["5.unset"], "config-linux.md#cgroups-path: unset: the runtime MAY define the default"),
    |bed| {
        let container = bed.create(&bed.config().remove("/linux/cgroupsPath"))?;
        let own = fs::read_to_string("/proc/self/cgroup")?;
        let theirs = fs::read_to_string(format!("/proc/{}/cgroup", container.pid()))?;
        ensure!(own != theirs && theirs.contains(&bed.token), "{theirs}");
        Ok(())
    }
);

case!(
    a_cgroups_path_that_climbs_stays_below_the_mount,
    must(&["5.invalid-values", "5.cgroupsPath"], "config-linux.md#cgroups-path: an invalid value is an error"),
    |bed| {
        bed.needs_cgroup_paths()?;
        bed.create_refused(&bed.config().set("/linux/cgroupsPath", json!(format!("/../../{}", bed.token)))).map(drop)
    }
);

case!(
    a_cgroup_in_use_is_refused,
    caller(
        &["5.cgroup-fit-for-purpose", "c8.container-s-cgroup-is-not"],
        "contracts 8: `container's cgroup is not empty: N process(es) found`"
    ),
    |bed| {
        let first = bed.create(&bed.config())?;
        let bundle = bed.bundle_named("second", &bed.config())?;
        let id = format!("{}-b", bed.token);
        let output = bed.call(&["create", "--bundle", &bundle.path.to_string_lossy(), &id])?;
        if output.code == 0 {
            bed.call(&["delete", "--force", &id])?;
        }
        first.delete_force()?;
        output.refuses_with("container's cgroup is not empty: 1 process(es) found")?;
        Ok(())
    }
);

case!(
    a_container_without_limits_has_none,
    must(&["5.resources"], "config-linux.md#resources absent: limits are not touched"),
    |bed| {
        bed.host.needs_controller("pids")?;
        let container = bed.create(&bed.config())?;
        same("pids.max", container.control("pids", ("pids.max", "pids.max"))?, "max")
    }
);

case!(
    every_process_of_the_container_is_in_its_cgroup,
    must(
        &["5.cgroupsPath"],
        "config-linux.md#control-groups: the container's processes are placed in its cgroup before they run"
    ),
    |bed| {
        let container = super::ready(bed, &bed.config().steps("spawn + tell /sync/ready + pause"))?;
        let unified = bed.host.cgroups.is_unified();
        let membership = |pid: i32| -> Check<Vec<String>> {
            let text = fs::read_to_string(format!("/proc/{pid}/cgroup"))?;
            // In a v2 view of a hybrid host the v1 hierarchies cannot be reached.
            Ok(text.lines().filter(|line| !unified || line.starts_with("0::")).map(str::to_owned).collect())
        };
        let own = membership(container.pid())?;
        ensure!(own.iter().all(|line| line.contains(&bed.token)), "{own:?}");
        for child in super::children_of(container.pid())? {
            same("child", membership(child)?, own.clone())?;
        }
        Ok(())
    }
);
