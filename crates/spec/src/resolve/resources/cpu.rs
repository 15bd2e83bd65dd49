//! `cpu`: weight, quota with its period and burst, idle, realtime, and the sets of cpuset.

use oci_spec::runtime::LinuxCpu;

use super::super::error::{At, ResolveError, Warnings};
use super::writes::{Files, Writes, is_list};

const SHARES: Files = ("cpu", "cpu.shares", "cpu.weight");
const IDLE: Files = ("cpu", "cpu.idle", "cpu.idle");
const QUOTA: Files = ("cpu", "cpu.cfs_quota_us", "cpu.max");
const PERIOD: Files = ("cpu", "cpu.cfs_period_us", "");
const BURST: Files = ("cpu", "cpu.cfs_burst_us", "cpu.max.burst");
const RT_RUNTIME: Files = ("cpu", "cpu.rt_runtime_us", "");
const RT_PERIOD: Files = ("cpu", "cpu.rt_period_us", "");
const CPUS: Files = ("cpuset", "cpuset.cpus", "cpuset.cpus");
const MEMS: Files = ("cpuset", "cpuset.mems", "cpuset.mems");

const AT: At<'_> = At::new("/linux/resources/cpu");
/// The kernel's own, when only a quota is given (cgroup-v2.rst, cpu.max).
const DEFAULT_PERIOD: u64 = 100_000;

pub(super) fn resolve(
    cpu: Option<&LinuxCpu>,
    writes: &mut Writes,
    warnings: &mut Warnings,
) -> Result<(), ResolveError> {
    let Some(cpu) = cpu else {
        return Ok(());
    };
    // An idle group refuses a weight, and leaving idle resets the weight: idle comes first.
    idle_and_shares(cpu, writes, warnings)?;
    quota(cpu, writes)?;
    realtime(cpu, writes)?;
    set(
        cpu.cpus().as_deref(),
        CPUS,
        "/linux/resources/cpu/cpus",
        writes,
    )?;
    set(
        cpu.mems().as_deref(),
        MEMS,
        "/linux/resources/cpu/mems",
        writes,
    )
}

fn idle_and_shares(
    cpu: &LinuxCpu,
    writes: &mut Writes,
    warnings: &mut Warnings,
) -> Result<(), ResolveError> {
    let idle = cpu.idle();
    if let Some(idle) = idle {
        if !matches!(idle, 0 | 1) {
            return Err(AT.member("/idle").wrong(idle, "must be 0 or 1"));
        }
        writes.put(IDLE, idle, "/linux/resources/cpu/idle");
    }
    let Some(shares) = cpu.shares().filter(|shares| *shares != 0) else {
        return Ok(());
    };
    if idle == Some(1) {
        warnings.add(
            &AT.member("/shares"),
            "ignored: an idle cgroup has no weight",
        );
        return Ok(());
    }
    let value = if writes.is_v2() {
        weight(shares)
    } else {
        shares.to_string()
    };
    writes.put(SHARES, value, "/linux/resources/cpu/shares");
    Ok(())
}

/// cpu.weight for cpu.shares: the curve through lowest (2 is 1), default (1024 is 100) and
/// highest (262144 is 10000), as Kubernetes and runc have it.
fn weight(shares: u64) -> String {
    match shares {
        0..=2 => "1".to_owned(),
        262_144.. => "10000".to_owned(),
        _ => {
            #[allow(clippy::cast_precision_loss, reason = "less than 2^18")]
            let log = (shares as f64).log2();
            let exponent = (log * log + 125.0 * log) / 612.0 - 7.0 / 34.0;
            format!("{:.0}", 10_f64.powf(exponent).ceil())
        }
    }
}

fn quota(cpu: &LinuxCpu, writes: &mut Writes) -> Result<(), ResolveError> {
    let period = cpu.period().filter(|period| *period != 0);
    let quota = cpu.quota().filter(|quota| *quota != 0);
    let limited = quota.and_then(|quota| u64::try_from(quota).ok());
    if let (Some(burst), Some(_)) = (cpu.burst().filter(|burst| limited < Some(*burst)), limited) {
        return Err(AT
            .member("/burst")
            .wrong(burst, "must not be above the quota"));
    }
    let pointer = "/linux/resources/cpu/quota";
    if writes.is_v2() && (quota.is_some() || period.is_some()) {
        let limit = limited.map_or_else(|| "max".to_owned(), |quota| quota.to_string());
        let period = period.unwrap_or(DEFAULT_PERIOD);
        writes.put(QUOTA, format_args!("{limit} {period}"), pointer);
    }
    if !writes.is_v2() {
        if let Some(period) = period {
            writes.put(PERIOD, period, "/linux/resources/cpu/period");
        }
        if let Some(quota) = quota {
            writes.put(QUOTA, quota.max(-1), pointer);
        }
    }
    // The kernel holds burst against the quota, so it comes after it.
    match cpu.burst() {
        None => {}
        // No burst is what a kernel without the file has.
        Some(0) => writes.put_if_there(BURST, 0, "/linux/resources/cpu/burst"),
        Some(burst) => writes.put(BURST, burst, "/linux/resources/cpu/burst"),
    }
    Ok(())
}

fn realtime(cpu: &LinuxCpu, writes: &mut Writes) -> Result<(), ResolveError> {
    let period = cpu.realtime_period().filter(|period| *period != 0);
    let runtime = cpu.realtime_runtime().filter(|runtime| *runtime != 0);
    let asked = [
        (period.is_some(), "/realtimePeriod"),
        (runtime.is_some(), "/realtimeRuntime"),
    ];
    if let Some((_, member)) = asked.iter().find(|(asked, _)| *asked && writes.is_v2()) {
        return Err(AT.member(member).breaks("cannot be set on cgroup v2"));
    }
    if let Some(period) = period {
        writes.put(RT_PERIOD, period, "/linux/resources/cpu/realtimePeriod");
    }
    if let Some(runtime) = runtime {
        writes.put(RT_RUNTIME, runtime, "/linux/resources/cpu/realtimeRuntime");
    }
    Ok(())
}

fn set(
    list: Option<&str>,
    files: Files,
    pointer: &'static str,
    writes: &mut Writes,
) -> Result<(), ResolveError> {
    match list {
        None | Some("") => Ok(()),
        Some(list) if !is_list(list) => {
            Err(At::new(pointer).wrong(list, "must be a list such as 0-3,7"))
        }
        Some(list) => {
            writes.put(files, list, pointer);
            Ok(())
        }
    }
}
