//! `memory`: limits in bytes, -1 for none, 0 for "say nothing".
//!
//! The config's `swap` is memory and swap together, as v1 counts; v2 counts swap alone, so the
//! limit is taken off. A limit of none takes swap's limit along.

use oci_spec::runtime::LinuxMemory;

use super::super::error::{At, ResolveError, Warnings};
use super::writes::{Files, Writes};

const LIMIT: Files = ("memory", "memory.limit_in_bytes", "memory.max");
const SWAP: Files = ("memory", "memory.memsw.limit_in_bytes", "memory.swap.max");
const RESERVATION: Files = ("memory", "memory.soft_limit_in_bytes", "memory.low");
const SWAPPINESS: Files = ("memory", "memory.swappiness", "");
const OOM_CONTROL: Files = ("memory", "memory.oom_control", "");
const HIERARCHY: Files = ("memory", "memory.use_hierarchy", "");

const AT: At<'_> = At::new("/linux/resources/memory");
const V1_ONLY: &str = "cannot be set on cgroup v2";

pub(super) fn resolve(
    memory: Option<&LinuxMemory>,
    writes: &mut Writes,
    warnings: &mut Warnings,
) -> Result<(), ResolveError> {
    let Some(memory) = memory else {
        return Ok(());
    };
    warn_of_kernel_limits(memory, warnings);
    // A hierarchy must be made one before it has limits.
    use_hierarchy(memory, writes)?;
    limits(memory, writes)?;
    swappiness(memory, writes)?;
    oom_killer(memory, writes)
}

fn amount(bytes: Option<i64>, member: &str) -> Result<Amount, ResolveError> {
    match bytes {
        None | Some(0) => Ok(Amount::Unset),
        Some(-1) => Ok(Amount::Unlimited),
        Some(bytes) => match u64::try_from(bytes) {
            Ok(bytes) => Ok(Amount::Bytes(bytes)),
            Err(_) => Err(AT.member(member).wrong(bytes, "must be -1 or at least 0")),
        },
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Amount {
    Unset,
    Unlimited,
    Bytes(u64),
}

fn limits(memory: &LinuxMemory, writes: &mut Writes) -> Result<(), ResolveError> {
    let limit = amount(memory.limit(), "/limit")?;
    let reservation = amount(memory.reservation(), "/reservation")?;
    let swap = swap(limit, amount(memory.swap(), "/swap")?)?;
    put(writes, LIMIT, limit, "/linux/resources/memory/limit");
    put_swap(writes, limit, swap);
    put(
        writes,
        RESERVATION,
        reservation,
        "/linux/resources/memory/reservation",
    );
    Ok(())
}

/// Memory and swap together, checked against memory alone.
fn swap(limit: Amount, swap: Amount) -> Result<Amount, ResolveError> {
    let at = AT.member("/swap");
    match (limit, swap) {
        (Amount::Unlimited, Amount::Unset) => Ok(Amount::Unlimited),
        (_, Amount::Unset | Amount::Unlimited) => Ok(swap),
        (Amount::Bytes(limit), Amount::Bytes(both)) if both >= limit => Ok(swap),
        (Amount::Bytes(_), Amount::Bytes(both)) => {
            Err(at.wrong(both, "memory+swap limit should be >= memory limit"))
        }
        (_, Amount::Bytes(_)) => Err(at.breaks("unable to set swap limit without memory limit")),
    }
}

fn put(writes: &mut Writes, files: Files, amount: Amount, pointer: &'static str) {
    match amount {
        Amount::Unset => {}
        Amount::Unlimited => writes.put(files, unlimited(writes), pointer),
        Amount::Bytes(bytes) => writes.put(files, bytes, pointer),
    }
}

fn unlimited(writes: &Writes) -> &'static str {
    if writes.is_v2() { "max" } else { "-1" }
}

/// A kernel that does not count swap has no such file; no limit and no swap need none.
fn put_swap(writes: &mut Writes, limit: Amount, swap: Amount) {
    let pointer = "/linux/resources/memory/swap";
    match (limit, swap) {
        (_, Amount::Unset) => {}
        (_, Amount::Unlimited) => writes.put_if_there(SWAP, unlimited(writes), pointer),
        (Amount::Bytes(limit), Amount::Bytes(both)) if writes.is_v2() => match both - limit {
            0 => writes.put_if_there(SWAP, 0, pointer),
            swap => writes.put(SWAP, swap, pointer),
        },
        (_, Amount::Bytes(both)) => writes.put(SWAP, both, pointer),
    }
}

fn swappiness(memory: &LinuxMemory, writes: &mut Writes) -> Result<(), ResolveError> {
    let at = AT.member("/swappiness");
    match memory.swappiness() {
        None => Ok(()),
        Some(value) if value > 100 => Err(at.wrong(value, "must be at most 100")),
        Some(_) if writes.is_v2() => Err(at.breaks(V1_ONLY)),
        Some(value) => {
            writes.put(SWAPPINESS, value, "/linux/resources/memory/swappiness");
            Ok(())
        }
    }
}

fn oom_killer(memory: &LinuxMemory, writes: &mut Writes) -> Result<(), ResolveError> {
    match memory.disable_oom_killer() {
        None | Some(false) => Ok(()),
        Some(true) if writes.is_v2() => Err(AT.member("/disableOOMKiller").breaks(V1_ONLY)),
        Some(true) => {
            writes.put(OOM_CONTROL, 1, "/linux/resources/memory/disableOOMKiller");
            Ok(())
        }
    }
}

fn use_hierarchy(memory: &LinuxMemory, writes: &mut Writes) -> Result<(), ResolveError> {
    let pointer = "/linux/resources/memory/useHierarchy";
    match memory.use_hierarchy() {
        None => {}
        // v2 always is one, and so are v1 kernels without the file.
        Some(true) if writes.is_v2() => {}
        Some(true) => writes.put_if_there(HIERARCHY, 1, pointer),
        Some(false) if writes.is_v2() => return Err(At::new(pointer).breaks(V1_ONLY)),
        Some(false) => writes.put(HIERARCHY, 0, pointer),
    }
    Ok(())
}

/// Kernels no longer have these limits.
fn warn_of_kernel_limits(memory: &LinuxMemory, warnings: &mut Warnings) {
    #[allow(deprecated, reason = "callers still send it")]
    let kernel = memory.kernel();
    for (limit, member) in [(kernel, "/kernel"), (memory.kernel_tcp(), "/kernelTCP")] {
        if limit.is_some_and(|limit| limit > 0) {
            warnings.add(
                &AT.member(member),
                "ignored: kernels no longer have this limit",
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{check, refuses, v1_with_all, warnings};
    use crate::resolve::fixture::Scene;

    #[test]
    fn limits_in_bytes() {
        check(&[
            (r#""memory": {}"#, &[], &[]),
            (
                r#""memory": {"limit": 0, "swap": 0, "reservation": 0}"#,
                &[],
                &[],
            ),
            (
                r#""memory": {"limit": 9}"#,
                &["memory.max=9"],
                &["memory.limit_in_bytes=9"],
            ),
            (
                r#""memory": {"limit": -1}"#,
                &["memory.max=max", "memory.swap.max?=max"],
                &[
                    "memory.limit_in_bytes=-1",
                    "memory.memsw.limit_in_bytes?=-1",
                ],
            ),
            (
                r#""memory": {"limit": 9, "swap": 12, "reservation": 4}"#,
                &["memory.max=9", "memory.swap.max=3", "memory.low=4"],
                &[
                    "memory.limit_in_bytes=9",
                    "memory.memsw.limit_in_bytes=12",
                    "memory.soft_limit_in_bytes=4",
                ],
            ),
            (
                r#""memory": {"limit": 9, "swap": 9}"#,
                &["memory.max=9", "memory.swap.max?=0"],
                &["memory.limit_in_bytes=9", "memory.memsw.limit_in_bytes=9"],
            ),
            (
                r#""memory": {"limit": 9, "swap": -1}"#,
                &["memory.max=9", "memory.swap.max?=max"],
                &["memory.limit_in_bytes=9", "memory.memsw.limit_in_bytes?=-1"],
            ),
            (
                r#""memory": {"swap": -1, "reservation": -1}"#,
                &["memory.swap.max?=max", "memory.low=max"],
                &[
                    "memory.memsw.limit_in_bytes?=-1",
                    "memory.soft_limit_in_bytes=-1",
                ],
            ),
        ]);
    }

    #[test]
    fn limits_that_contradict_each_other_are_refused() {
        for scene in [Scene::v2(), v1_with_all()] {
            refuses(
                &scene,
                &[
                    (
                        r#""memory": {"swap": 5}"#,
                        "memory/swap: unable to set swap limit without memory limit",
                    ),
                    (
                        r#""memory": {"limit": -1, "swap": 5}"#,
                        "memory/swap: unable to set swap",
                    ),
                    (
                        r#""memory": {"limit": 6, "swap": 5}"#,
                        "memory/swap: \"5\" memory+swap limit should be >= memory limit",
                    ),
                    (
                        r#""memory": {"limit": -2}"#,
                        "memory/limit: \"-2\" must be -1 or",
                    ),
                    (
                        r#""memory": {"reservation": -2}"#,
                        "memory/reservation: \"-2\" must be",
                    ),
                    (
                        r#""memory": {"swappiness": 101}"#,
                        "memory/swappiness: \"101\" must be at most",
                    ),
                ],
            );
        }
    }

    #[test]
    fn what_only_v1_has_is_refused_on_v2() {
        check(&[
            (
                r#""memory": {"disableOOMKiller": false, "checkBeforeUpdate": true}"#,
                &[],
                &[],
            ),
            (
                r#""memory": {"useHierarchy": true}"#,
                &[],
                &["memory.use_hierarchy?=1"],
            ),
        ]);
        let v1_only = [
            (
                r#""memory": {"disableOOMKiller": true}"#,
                "disableOOMKiller",
                "memory.oom_control=1",
            ),
            (
                r#""memory": {"swappiness": 60}"#,
                "swappiness",
                "memory.swappiness=60",
            ),
            (
                r#""memory": {"useHierarchy": false}"#,
                "useHierarchy",
                "memory.use_hierarchy=0",
            ),
        ];
        for (resources, member, write) in v1_only {
            let expected = format!("memory/{member}: cannot be set on cgroup v2");
            refuses(&Scene::v2(), &[(resources, &expected)]);
            assert_eq!(
                super::super::fixture::writes(&v1_with_all(), resources),
                [write]
            );
        }
    }

    #[test]
    fn kernel_limits_are_ignored_with_a_warning() {
        check(&[(r#""memory": {"kernel": 5, "kernelTCP": 6}"#, &[], &[])]);
        assert_eq!(
            warnings(r#""memory": {"kernel": 5, "kernelTCP": 6}"#).len(),
            2
        );
        assert_eq!(
            warnings(r#""memory": {"kernel": -1, "kernelTCP": 0}"#).len(),
            0
        );
    }
}
