//! contracts.md 7.3: the members of events' statistics, by name.

use super::running::waiting;
use crate::bed::Bed;
use crate::case::{Check, caller, case, ensure, same};
use serde_json::{Value, json};

/// The `data` of `events --stats` of a running container.
fn statistics(bed: &Bed) -> Check<Value> {
    let container = waiting(bed)?;
    let output = bed.call(&["events", "--stats", &container.id])?.succeeded("events --stats")?;
    let event: Value = serde_json::from_str(&output.stdout)?;
    Ok(event["data"].clone())
}

case!(
    statistics_of_the_cpuset,
    caller(
        &["c7.3.cpuset"],
        "contracts 7.3: cpuset: nine flags as numbers, always there; on v1 cpus and mems as lists"
    ),
    |bed| {
        bed.host.needs_controller("cpuset")?;
        let cpuset = statistics(bed)?["cpuset"].clone();
        for list in ["cpus", "mems"] {
            if bed.host.cgroups.is_unified() && cpuset[list].is_null() {
                continue;
            }
            let numbers = cpuset[list].as_array().into_iter().flatten();
            ensure!(numbers.clone().count() > 0 && numbers.clone().all(Value::is_u64), "{list}: {cpuset}");
        }
        let flags = [
            "cpu_exclusive",
            "mem_hardwall",
            "mem_exclusive",
            "memory_migrate",
            "memory_spread_page",
            "memory_spread_slab",
            "memory_pressure",
            "sched_load_balance",
            "sched_relax_domain_level",
        ];
        for flag in flags {
            ensure!(cpuset[flag].is_i64() || cpuset[flag].is_u64(), "{flag}: {cpuset}");
        }
        Ok(())
    }
);

case!(
    statistics_of_block_devices,
    caller(&["c7.3.blkio"], "contracts 7.3: blkio: an object; each list that is there has major, minor, op, value"),
    |bed| {
        let blkio = statistics(bed)?["blkio"].clone();
        let known = [
            "ioServiceBytesRecursive",
            "ioServicedRecursive",
            "ioQueueRecursive",
            "ioServiceTimeRecursive",
            "ioWaitTimeRecursive",
            "ioMergedRecursive",
            "ioTimeRecursive",
            "sectorsRecursive",
            "psi",
        ];
        ensure!(blkio.is_object(), "{blkio}");
        for (name, list) in blkio.as_object().into_iter().flatten() {
            ensure!(known.contains(&name.as_str()), "the unknown member {name}");
            for entry in list.as_array().into_iter().flatten() {
                ensure!(
                    entry["major"].is_u64() && entry["minor"].is_u64() || entry["major"].is_null(),
                    "{name}: {entry}"
                );
            }
        }
        Ok(())
    }
);

case!(
    statistics_of_huge_pages,
    caller(
        &["c7.3.hugetlb"],
        "contracts 7.3: hugetlb: always there; by size as `2MB`, each with failcnt, usage and max as numbers"
    ),
    |bed| {
        let hugetlb = statistics(bed)?["hugetlb"].clone();
        ensure!(hugetlb.is_object(), "{hugetlb}");
        for (size, entry) in hugetlb.as_object().into_iter().flatten() {
            ensure!(size.ends_with("KB") || size.ends_with("MB") || size.ends_with("GB"), "the size {size}");
            ensure!(entry["failcnt"].is_u64(), "{size}: {entry}");
            for number in ["usage", "max"] {
                ensure!(entry[number].is_null() || entry[number].is_u64(), "{size}: {entry}");
            }
        }
        Ok(())
    }
);

case!(
    statistics_of_cache_monitoring,
    caller(
        &["c7.3.intel_rdt"],
        "contracts 7.3: intel_rdt: always there, an empty object where there is no resctrl; else its schemas as text"
    ),
    |bed| {
        let rdt = statistics(bed)?["intel_rdt"].clone();
        ensure!(rdt.is_object(), "{rdt}");
        if !std::path::Path::new("/sys/fs/resctrl/schemata").exists() {
            return same("without resctrl", rdt, json!({}));
        }
        for schema in ["l3_cache_schema_root", "l3_cache_schema", "mem_bw_schema_root", "mem_bw_schema"] {
            ensure!(rdt[schema].is_null() || rdt[schema].is_string(), "{schema}: {rdt}");
        }
        for list in ["mbm_stats", "cmt_stats"] {
            ensure!(rdt[list].is_null() || rdt[list].is_array(), "{list}: {rdt}");
        }
        Ok(())
    }
);

case!(
    statistics_of_interfaces,
    caller(
        &["c7.3.network_interfaces"],
        "contracts 7.3: network_interfaces: always there: null, or a list with Name and eight counters"
    ),
    |bed| {
        let data = statistics(bed)?;
        let interfaces = data.get("network_interfaces").cloned();
        ensure!(interfaces.as_ref().is_some_and(|list| list.is_null() || list.is_array()), "{interfaces:?}");
        for interface in interfaces.unwrap_or_default().as_array().into_iter().flatten() {
            ensure!(interface["Name"].is_string(), "{interface}");
            for direction in ["Rx", "Tx"] {
                for counter in ["Bytes", "Packets", "Errors", "Dropped"] {
                    ensure!(interface[format!("{direction}{counter}")].is_u64(), "{direction}{counter}: {interface}");
                }
            }
        }
        Ok(())
    }
);

case!(
    a_stream_of_statistics_ends_with_the_container,
    caller(
        &["c4.3.events-ID-stats-interval-D"],
        "contracts 4.3: --interval D: a line per interval; the stream ends when the container stops"
    ),
    |bed| {
        let container = waiting(bed)?;
        let running = bed.spawn(bed.command(&["events", "--interval", "100ms", &container.id]), bed.null())?;
        // The payload ends a little later; two intervals are enough for a line.
        running.handle.ends_within(std::time::Duration::from_millis(350));
        container.kill("KILL")?;
        container.wait()?;
        let output = running.finish_within(std::time::Duration::from_secs(3))?;
        let first = output.stdout.lines().next().unwrap_or_default();
        let event: Value = serde_json::from_str(first)?;
        same("type", &event["type"], &json!("stats"))?;
        same("id", &event["id"], &json!(container.id))
    }
);

case!(
    an_interval_must_be_above_zero,
    caller(&["c4.3.events-ID-stats-interval-D"], "contracts 4.3: `duration interval must be greater than 0`"),
    |bed| {
        let container = waiting(bed)?;
        for interval in ["0s", "-1s"] {
            let output = bed.call(&["events", &format!("--interval={interval}"), &container.id])?;
            output.refuses_with("duration interval must be greater than 0")?;
        }
        Ok(())
    }
);
