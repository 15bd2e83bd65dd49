//! `cpu`: weight, quota with its period and burst, idle, realtime, and the sets of cpuset.

use oci_spec::runtime::LinuxCpu;

use super::super::cpu_list::is_list;
use super::super::error::{At, ResolveError, Warnings};
use super::writes::{Files, Writes};

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

#[cfg(test)]
mod tests {
    use super::super::fixture::{check, refuses, v1_with_all, warnings};
    use super::weight;
    use crate::resolve::fixture::Scene;

    #[test]
    fn shares_become_a_weight_by_the_known_curve() {
        for (shares, expected) in [
            (1, "1"),
            (2, "1"),
            (3, "2"),
            (100, "17"),
            (256, "35"),
            (512, "59"),
            (1024, "100"),
            (2048, "174"),
            (262_143, "10000"),
            (262_144, "10000"),
            (u64::MAX, "10000"),
        ] {
            assert_eq!(weight(shares), expected, "{shares}");
        }
        check(&[
            (r#""cpu": {"shares": 0}"#, &[], &[]),
            (
                r#""cpu": {"shares": 1024}"#,
                &["cpu.weight=100"],
                &["cpu.shares=1024"],
            ),
        ]);
    }

    #[test]
    fn quota_and_period_go_together() {
        check(&[
            (r#""cpu": {"quota": 0, "period": 0}"#, &[], &[]),
            (
                r#""cpu": {"quota": 5000}"#,
                &["cpu.max=5000 100000"],
                &["cpu.cfs_quota_us=5000"],
            ),
            (
                r#""cpu": {"period": 7000}"#,
                &["cpu.max=max 7000"],
                &["cpu.cfs_period_us=7000"],
            ),
            (
                r#""cpu": {"quota": -5, "period": 7000}"#,
                &["cpu.max=max 7000"],
                &["cpu.cfs_period_us=7000", "cpu.cfs_quota_us=-1"],
            ),
            (
                r#""cpu": {"quota": 5000, "period": 7000, "burst": 5000}"#,
                &["cpu.max=5000 7000", "cpu.max.burst=5000"],
                &[
                    "cpu.cfs_period_us=7000",
                    "cpu.cfs_quota_us=5000",
                    "cpu.cfs_burst_us=5000",
                ],
            ),
            (
                r#""cpu": {"burst": 0}"#,
                &["cpu.max.burst?=0"],
                &["cpu.cfs_burst_us?=0"],
            ),
        ]);
        refuses(
            &Scene::v2(),
            &[(
                r#""cpu": {"quota": 5000, "burst": 5001}"#,
                "cpu/burst: \"5001\" must not be above",
            )],
        );
    }

    #[test]
    fn an_idle_group_has_no_weight() {
        check(&[
            (r#""cpu": {"idle": 1}"#, &["cpu.idle=1"], &["cpu.idle=1"]),
            (
                r#""cpu": {"idle": 1, "shares": 5}"#,
                &["cpu.idle=1"],
                &["cpu.idle=1"],
            ),
            (
                r#""cpu": {"idle": 0, "shares": 1024}"#,
                &["cpu.idle=0", "cpu.weight=100"],
                &["cpu.idle=0", "cpu.shares=1024"],
            ),
        ]);
        assert_eq!(warnings(r#""cpu": {"idle": 1, "shares": 5}"#).len(), 1);
        refuses(
            &Scene::v2(),
            &[(r#""cpu": {"idle": 2}"#, "cpu/idle: \"2\" must be 0 or 1")],
        );
    }

    #[test]
    fn realtime_is_for_v1_alone() {
        check(&[(
            r#""cpu": {"realtimeRuntime": 0, "realtimePeriod": 0}"#,
            &[],
            &[],
        )]);
        let both = r#""cpu": {"realtimeRuntime": 5, "realtimePeriod": 9}"#;
        let writes = super::super::fixture::writes(&v1_with_all(), both);
        assert_eq!(writes, ["cpu.rt_period_us=9", "cpu.rt_runtime_us=5"]);
        refuses(
            &Scene::v2(),
            &[
                (both, "cpu/realtimePeriod: cannot be set on cgroup v2"),
                (
                    r#""cpu": {"realtimeRuntime": 5}"#,
                    "cpu/realtimeRuntime: cannot be set on",
                ),
            ],
        );
    }

    #[test]
    fn sets_are_lists() {
        check(&[
            (r#""cpu": {"cpus": "", "mems": ""}"#, &[], &[]),
            (
                r#""cpu": {"cpus": "0-3, 7", "mems": "0"}"#,
                &["cpuset.cpus=0-3, 7", "cpuset.mems=0"],
                &["cpuset.cpus=0-3, 7", "cpuset.mems=0"],
            ),
        ]);
        for list in ["a", "3-1", "1,,2", "-1", "0-", "1;2"] {
            let resources = format!(r#""cpu": {{"cpus": "{list}"}}"#);
            refuses(
                &Scene::v2(),
                &[(&resources, &format!("cpu/cpus: {list:?} must be a list"))],
            );
        }
    }
}
