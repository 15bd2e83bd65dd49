//! config-linux.md, `resources`: the rarer controllers: hugetlb, net_cls,
//! net_prio, rdma, real-time scheduling. What this view lacks must be refused.

use super::limited;
use crate::bed::Bed;
use crate::case::{Check, case, ensure, must, same, skip};
use serde_json::{Value, json};
use std::fs;

/// The smallest size of huge pages here as the configuration names it, and in bytes.
fn page_size() -> Check<(String, u64)> {
    let names = fs::read_dir("/sys/kernel/mm/hugepages").into_iter().flatten().flatten();
    let sizes = names.filter_map(|entry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        name.strip_prefix("hugepages-")?.strip_suffix("kB")?.parse::<u64>().ok()
    });
    let Some(kilobytes) = sizes.min() else {
        return skip("this kernel has no huge pages");
    };
    let name = match kilobytes {
        size if size % (1 << 20) == 0 => format!("{}GB", size >> 20),
        size if size % (1 << 10) == 0 => format!("{}MB", size >> 10),
        size => format!("{size}KB"),
    };
    Ok((name, kilobytes << 10))
}

case!(
    the_hugepage_limit_is_set,
    must(
        &["5.hugepageLimits"],
        "config-linux.md#huge-page-limits: the limit of reservations if the kernel counts them, else of page faults"
    ),
    |bed| {
        let (size, bytes) = page_size()?;
        let limit = bytes * 3;
        let container =
            bed.create(&limited(bed, "hugetlb", "hugepageLimits", json!([{"pageSize": size, "limit": limit}]))?)?;
        let name = |kind: &str, last: &str| format!("hugetlb.{size}{kind}.{last}");
        let dir = container.cgroup("hugetlb")?;
        let counts = |last: &str| dir.join(name(".rsvd", last)).exists();
        let kind = if counts("limit_in_bytes") || counts("max") { ".rsvd" } else { "" };
        let files = (name(kind, "limit_in_bytes"), name(kind, "max"));
        same(&files.1, container.control("hugetlb", (&files.0, &files.1))?, limit.to_string())
    }
);

case!(
    a_hugepage_limit_that_cannot_be_set_is_refused,
    must(
        &["5.hugepageLimits", "1.REQUIRED-member-missing", "1.Un-appliable-property"],
        "config-linux.md#huge-page-limits: pageSize and limit are REQUIRED; a size the kernel lacks cannot be limited"
    ),
    |bed| {
        let (size, bytes) = page_size()?;
        for entry in [
            json!({"limit": bytes}),
            json!({"pageSize": size, "limit": -1}),
            json!({"pageSize": "3MB", "limit": bytes}),
            json!({"pageSize": "lots", "limit": bytes}),
            json!({"pageSize": format!("../hugetlb.{size}"), "limit": bytes}),
        ] {
            let config = bed.config().set("/linux/resources/hugepageLimits", json!([entry]));
            let refused = bed.create_refused(&config);
            ensure!(refused.is_ok(), "{entry}: {refused:?}");
        }
        Ok(())
    }
);

case!(
    a_hugepage_size_without_a_limit_is_refused,
    must(
        &["5.hugepageLimits", "1.REQUIRED-member-missing"],
        "config-linux.md#huge-page-limits: limit is REQUIRED; its absence is no limit of zero"
    ),
    |bed| {
        let (size, _) = page_size()?;
        bed.create_refused(&bed.config().set("/linux/resources/hugepageLimits", json!([{"pageSize": size}]))).map(drop)
    }
);

/// A property of cgroup v1: applied where its controller is mounted, else an error.
fn applied_or_refused(bed: &Bed, controller: &str, network: Value, file: &str, wanted: &str) -> Check {
    let config = bed.config().set("/linux/resources/network", network);
    if bed.host.cgroups.is_unified() || !bed.host.cgroups.has_controller(controller) {
        return bed.create_refused(&config).map(drop);
    }
    let container = bed.create(&config)?;
    let seen = container.control(controller, (file, ""))?;
    ensure!(seen.lines().any(|line| line == wanted), "{file}: {seen:?} lacks {wanted:?}");
    Ok(())
}

case!(
    the_network_class_is_set_or_refused,
    must(
        &["5.network.classID", "5.v1-property-on-v2-host", "1.Un-appliable-property"],
        "config-linux.md#network: classID: net_cls, which only cgroup v1 has"
    ),
    |bed| { applied_or_refused(bed, "net_cls", json!({"classID": 0x10_0001}), "net_cls.classid", "1048577") }
);

case!(
    the_network_priorities_are_set_or_refused,
    must(
        &["5.network.classID", "5.v1-property-on-v2-host", "1.Un-appliable-property"],
        "config-linux.md#network: priorities: net_prio, which only cgroup v1 has"
    ),
    |bed| {
        let network = json!({"priorities": [{"name": "lo", "priority": 7}]});
        applied_or_refused(bed, "net_prio", network, "net_prio.ifpriomap", "lo 7")
    }
);

case!(
    a_malformed_network_property_is_refused,
    must(
        &["5.network.classID", "1.REQUIRED-member-missing", "1.Known-property-wrong-JSON-type"],
        "config-linux.md#network: name and priority are REQUIRED; classID is a uint32"
    ),
    |bed| {
        for network in [
            json!({"priorities": [{"name": "lo"}]}),
            json!({"priorities": [{"priority": 7}]}),
            json!({"priorities": [{"name": "no such link", "priority": 7}]}),
            json!({"classID": -1}),
            json!({"classID": 4_294_967_296_u64}),
        ] {
            let refused = bed.create_refused(&bed.config().set("/linux/resources/network", network.clone()));
            ensure!(refused.is_ok(), "{network}: {refused:?}");
        }
        Ok(())
    }
);

case!(
    the_rdma_limits_are_set,
    must(&["5.rdma.dev"], "config-linux.md#rdma: hcaHandles and hcaObjects of a device"),
    |bed| {
        bed.host.needs_controller("rdma")?;
        bed.host.needs_path("/sys/class/infiniband")?;
        let Some(device) = fs::read_dir("/sys/class/infiniband")?.flatten().next() else {
            return skip("this machine has no RDMA device");
        };
        let device = device.file_name().to_string_lossy().into_owned();
        let limits = json!({&device: {"hcaHandles": 3, "hcaObjects": 10_000}});
        let container = bed.create(&limited(bed, "rdma", "rdma", limits)?)?;
        let seen = container.control("rdma", ("rdma.max", "rdma.max"))?;
        let wanted = format!("{device} hca_handle=3 hca_object=10000");
        ensure!(seen.lines().any(|line| line.trim() == wanted), "rdma.max: {seen:?}");
        Ok(())
    }
);

case!(
    an_rdma_limit_that_cannot_be_set_is_refused,
    must(
        &["5.rdma.dev", "1.Un-appliable-property"],
        "config-linux.md#rdma: a device that is not there, or no rdma controller: cannot be applied"
    ),
    |bed| {
        let limits = json!({"no_such_device": {"hcaHandles": 3}});
        bed.create_refused(&bed.config().set("/linux/resources/rdma", limits)).map(drop)
    }
);

case!(
    an_rdma_device_without_any_limit_is_refused,
    must(
        &["5.rdma.dev", "1.REQUIRED-member-missing"],
        "config-linux.md#rdma: at least one of hcaHandles and hcaObjects MUST be given"
    ),
    |bed| { bed.create_refused(&bed.config().set("/linux/resources/rdma", json!({"mlx5_1": {}}))).map(drop) }
);

case!(
    no_rdma_limit_at_all_is_accepted,
    must(&["5.rdma.dev", "1.No-op-value-of-an"], "config-linux.md#rdma: an empty object limits nothing"),
    |bed| { bed.facts(&bed.config().set("/linux/resources/rdma", json!({}))).map(drop) }
);

case!(
    the_realtime_runtime_and_period_are_set_or_refused,
    must(
        &["5.cpu.realtimeRuntime", "5.v1-property-on-v2-host"],
        "config-linux.md#cpu: realtimeRuntime and realtimePeriod: cgroup v1 of a kernel with real-time groups"
    ),
    |bed| {
        let config = limited(bed, "cpu", "cpu", json!({"realtimePeriod": 500_000, "realtimeRuntime": 5_000}))?;
        let plain = bed.create(&bed.config())?;
        let has_files = plain.cgroup("cpu")?.join("cpu.rt_runtime_us").exists();
        plain.delete_force()?;
        if !has_files {
            return bed.create_refused(&config).map(drop);
        }
        let container = bed.create(&config)?;
        same("period", container.control("cpu", ("cpu.rt_period_us", ""))?, "500000")?;
        same("runtime", container.control("cpu", ("cpu.rt_runtime_us", ""))?, "5000")
    }
);
