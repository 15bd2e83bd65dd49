//! `blockIO`: weights and throttles, of v1's blkio or v2's io.
//!
//! Which file a weight goes to depends on the schedulers that the kernel has; the first that is
//! there takes it. A rate of 0 is no limit, as v1's files have it.

use crate::config::{BlockIo, ThrottleDevice, WeightDevice};
use crate::plan::OnAbsence;

use super::super::error::{At, ResolveError};
use super::writes::Writes;

const POINTER: &str = "/linux/resources/blockIO";
const WEIGHT: &str = "/linux/resources/blockIO/weight";
const WEIGHT_DEVICE: &str = "/linux/resources/blockIO/weightDevice";

/// Weights of the config; those of io.weight go from 1 to 10000.
const WEIGHTS: std::ops::RangeInclusive<u16> = 10..=1000;

type Throttles = fn(&BlockIo) -> Option<&[ThrottleDevice]>;

/// Property, pointer, v1's file, the key in v2's io.max.
const THROTTLES: [(Throttles, &str, &str, &str); 4] = [
    (
        |io| io.throttle_read_bps_device.as_deref(),
        "/linux/resources/blockIO/throttleReadBpsDevice",
        "blkio.throttle.read_bps_device",
        "rbps",
    ),
    (
        |io| io.throttle_write_bps_device.as_deref(),
        "/linux/resources/blockIO/throttleWriteBpsDevice",
        "blkio.throttle.write_bps_device",
        "wbps",
    ),
    (
        |io| io.throttle_read_iops_device.as_deref(),
        "/linux/resources/blockIO/throttleReadIOPSDevice",
        "blkio.throttle.read_iops_device",
        "riops",
    ),
    (
        |io| io.throttle_write_iops_device.as_deref(),
        "/linux/resources/blockIO/throttleWriteIOPSDevice",
        "blkio.throttle.write_iops_device",
        "wiops",
    ),
];

pub(super) fn resolve(raw: Option<&BlockIo>, writes: &mut Writes) -> Result<(), ResolveError> {
    let Some(raw) = raw else {
        return Ok(());
    };
    let at = At::new(POINTER);
    if let Some(weight) = checked(raw.weight, &at.member("/weight"))? {
        put_weight(writes, "", weight, WEIGHT);
    }
    if let Some(weight) = leaf(raw.leaf_weight, writes, &at.member("/leafWeight"))? {
        let pointer = "/linux/resources/blockIO/leafWeight";
        writes.put(("blkio", "blkio.leaf_weight", ""), weight, pointer);
    }
    let devices = raw.weight_device.iter().flatten();
    for (index, device) in devices.enumerate() {
        weigh_device(device, writes, &at.member("/weightDevice").index(index))?;
    }
    for (devices, pointer, v1, key) in THROTTLES {
        for device in devices(raw).unwrap_or_default() {
            throttle(device, (pointer, v1, key), writes);
        }
    }
    Ok(())
}

fn weigh_device(raw: &WeightDevice, writes: &mut Writes, at: &At<'_>) -> Result<(), ResolveError> {
    let weight = checked(raw.weight, &at.member("/weight"))?;
    let leaf = leaf(raw.leaf_weight, writes, &at.member("/leafWeight"))?;
    if weight.is_none() && leaf.is_none() {
        return Err(at.breaks("needs weight or leafWeight"));
    }
    let device = format!("{}:{}", raw.major, raw.minor);
    if let Some(weight) = weight {
        put_weight(writes, &device, weight, WEIGHT_DEVICE);
    }
    if let Some(weight) = leaf {
        let file = ("blkio", "blkio.leaf_weight_device", "");
        writes.put(file, format_args!("{device} {weight}"), WEIGHT_DEVICE);
    }
    Ok(())
}

fn throttle(
    raw: &ThrottleDevice,
    (pointer, v1, key): (&'static str, &'static str, &'static str),
    writes: &mut Writes,
) {
    let &ThrottleDevice { major, minor, rate } = raw;
    let value = match (writes.is_v2(), rate) {
        (false, _) => format!("{major}:{minor} {rate}"),
        (true, 0) => format!("{major}:{minor} {key}=max"),
        (true, _) => format!("{major}:{minor} {key}={rate}"),
    };
    writes.put((controller(writes), v1, "io.max"), value, pointer);
}

/// The files of which the first that is there takes the weight, of all devices or of this one.
fn put_weight(writes: &mut Writes, device: &str, weight: u16, pointer: &'static str) {
    let (first, second, other) = match (writes.is_v2(), device.is_empty()) {
        (true, _) => ("io.bfq.weight", "io.weight", of_io_weight(weight)),
        (false, true) => ("blkio.weight", "blkio.bfq.weight", weight),
        (false, false) => ("blkio.weight_device", "blkio.bfq.weight_device", weight),
    };
    let gap = if device.is_empty() { "" } else { " " };
    let controller = controller(writes);
    let mut put = |file, weight, on_absence| {
        let value = format!("{device}{gap}{weight}");
        writes.push((controller, file, file), value, pointer, on_absence);
    };
    put(first, weight, OnAbsence::Next);
    put(second, other, OnAbsence::Fail);
}

fn controller(writes: &Writes) -> &'static str {
    if writes.is_v2() { "io" } else { "blkio" }
}

/// 10..1000 to 1..10000, in whole numbers as runc and crun do it.
fn of_io_weight(weight: u16) -> u16 {
    let stretched = 1 + (u32::from(weight) - 10) * 9999 / 990;
    u16::try_from(stretched).unwrap_or(u16::MAX)
}

/// 0 is unset.
fn checked(weight: Option<u16>, at: &At<'_>) -> Result<Option<u16>, ResolveError> {
    match weight {
        None | Some(0) => Ok(None),
        Some(weight) if WEIGHTS.contains(&weight) => Ok(Some(weight)),
        Some(weight) => Err(at.wrong(weight, "must be from 10 to 1000")),
    }
}

/// Only the CFQ scheduler of v1 tells leaves from others.
fn leaf(weight: Option<u16>, writes: &Writes, at: &At<'_>) -> Result<Option<u16>, ResolveError> {
    match checked(weight, at)? {
        Some(_) if writes.is_v2() => Err(at.breaks("cannot be set on cgroup v2")),
        weight => Ok(weight),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{check, refuses, v1_with_all};
    use crate::resolve::fixture::Scene;

    #[test]
    fn a_weight_goes_to_the_first_file_that_is_there() {
        check(&[
            (
                r#""blockIO": {"weight": 10}"#,
                &["io.bfq.weight|10", "io.weight=1"],
                &["blkio.weight|10", "blkio.bfq.weight=10"],
            ),
            (
                r#""blockIO": {"weight": 1000}"#,
                &["io.bfq.weight|1000", "io.weight=10000"],
                &["blkio.weight|1000", "blkio.bfq.weight=1000"],
            ),
            (
                r#""blockIO": {"weightDevice": [{"major": 8, "minor": 1, "weight": 321}]}"#,
                &["io.bfq.weight|8:1 321", "io.weight=8:1 3142"],
                &[
                    "blkio.weight_device|8:1 321",
                    "blkio.bfq.weight_device=8:1 321",
                ],
            ),
            (r#""blockIO": {"weight": 0, "leafWeight": 0}"#, &[], &[]),
        ]);
    }

    #[test]
    fn throttles_have_a_file_each_or_a_key_each() {
        check(&[(
            r#""blockIO": {"throttleReadBpsDevice": [{"major": 8, "minor": 0, "rate": 1}],
                "throttleWriteBpsDevice": [{"major": 8, "minor": 0, "rate": 0}],
                "throttleReadIOPSDevice": [{"major": 8, "minor": 0, "rate": 3}],
                "throttleWriteIOPSDevice": [{"major": 8, "minor": 0, "rate": 4}]}"#,
            &[
                "io.max=8:0 rbps=1",
                "io.max=8:0 wbps=max",
                "io.max=8:0 riops=3",
                "io.max=8:0 wiops=4",
            ],
            &[
                "blkio.throttle.read_bps_device=8:0 1",
                "blkio.throttle.write_bps_device=8:0 0",
                "blkio.throttle.read_iops_device=8:0 3",
                "blkio.throttle.write_iops_device=8:0 4",
            ],
        )]);
    }

    #[test]
    fn what_cannot_be_weighed_is_refused() {
        let weighed = |members: &str| {
            format!(r#""blockIO": {{"weightDevice": [{{"major": 8, "minor": 0{members}}}]}}"#)
        };
        let (bare, leaf) = (weighed(""), weighed(r#", "leafWeight": 20"#));
        refuses(
            &Scene::v2(),
            &[
                (
                    r#""blockIO": {"weight": 9}"#,
                    "blockIO/weight: \"9\" must be from 10",
                ),
                (
                    r#""blockIO": {"weight": 1001}"#,
                    "blockIO/weight: \"1001\" must be",
                ),
                (
                    r#""blockIO": {"weight": 65536}"#,
                    "blockIO/weight: invalid value",
                ),
                (
                    r#""blockIO": {"leafWeight": 20}"#,
                    "blockIO/leafWeight: cannot be set on cgroup v2",
                ),
                (&bare, "blockIO/weightDevice/0: needs weight or leafWeight"),
                (
                    &leaf,
                    "blockIO/weightDevice/0/leafWeight: cannot be set on cgroup v2",
                ),
                (
                    r#""blockIO": {"throttleReadBpsDevice": [{"major": -1, "minor": 0, "rate": 1}]}"#,
                    "blockIO/throttleReadBpsDevice/0/major: invalid value",
                ),
                (
                    r#""blockIO": {"throttleReadBpsDevice": [{"major": 1, "minor": 0}]}"#,
                    "blockIO/throttleReadBpsDevice/0: missing field `rate`",
                ),
            ],
        );
        let v1 = super::super::fixture::writes(&v1_with_all(), &leaf);
        assert_eq!(v1, ["blkio.leaf_weight_device=8:0 20"]);
    }
}
