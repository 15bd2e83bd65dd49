//! config-linux.md, `resources.blockIO`: weights and throttles, read back from
//! the cgroup files of a created container.

use super::limited;
use crate::bed::Bed;
use crate::case::{Check, case, ensure, must, same, skip};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

/// The controller's name in the hierarchy of this view.
fn controller(bed: &Bed) -> &'static str {
    if bed.host.cgroups.is_unified() { "io" } else { "blkio" }
}

fn limit(bed: &Bed, pointer: &str, value: Value) -> Check<crate::bundle::Config> {
    limited(bed, controller(bed), &format!("blockIO/{pointer}"), value)
}

/// The first of `files` that cgroups here have; which ones depends on the kernel's schedulers.
fn first_of(bed: &Bed, files: &[&'static str]) -> Check<Option<&'static str>> {
    bed.host.needs_controller(controller(bed))?;
    let plain = bed.create(&bed.config())?;
    let dir = plain.cgroup(controller(bed))?;
    let found = files.iter().find(|file| dir.join(file).exists()).copied();
    plain.delete_force()?;
    Ok(found)
}

/// Major and minor number of the first disk whose scheduler suits.
fn disk(scheduler: Option<&str>) -> Check<(u32, u32)> {
    let mut disks: Vec<_> = fs::read_dir("/sys/block")?.flatten().map(|entry| entry.path()).collect();
    disks.sort();
    let suits = |disk: &Path| {
        let schedulers = fs::read_to_string(disk.join("queue/scheduler")).unwrap_or_default();
        scheduler.is_none_or(|wanted| schedulers.contains(&format!("[{wanted}]")))
    };
    let Some(disk) = disks.into_iter().find(|disk| suits(disk)) else {
        return skip(format!("no disk here has the scheduler {}", scheduler.unwrap_or("any")));
    };
    let numbers = fs::read_to_string(disk.join("dev"))?;
    let (major, minor) = numbers.trim().split_once(':').unwrap_or_default();
    Ok((major.parse()?, minor.parse()?))
}

case!(the_weight_is_set, must(&["5.blockIO.weight"], "config-linux.md#block-io: weight"), |bed| {
    let knobs = if bed.host.cgroups.is_unified() {
        ["io.bfq.weight", "io.weight"]
    } else {
        ["blkio.weight", "blkio.bfq.weight"]
    };
    let Some(file) = first_of(bed, &knobs)? else {
        return skip("this kernel has no weights for block devices");
    };
    let container = bed.create(&limit(bed, "weight", json!(321))?)?;
    // 10..1000 of the configuration stand for 1..10000 of io.weight.
    let wanted = if file == "io.weight" { "3142" } else { "321" };
    let seen = container.control(controller(bed), (file, file))?;
    same(file, seen.trim_start_matches("default "), wanted)
});

case!(
    a_weight_out_of_range_is_refused,
    must(
        &["5.blockIO.weight", "1.Un-appliable-property"],
        "config-linux.md#block-io: weight: what the kernel has no weight for cannot be applied"
    ),
    |bed| {
        for weight in [json!(1001), json!(65_536), json!(-1)] {
            bed.create_refused(&limit(bed, "weight", weight)?)?;
        }
        Ok(())
    }
);

case!(
    the_leaf_weight_is_set_or_refused,
    must(
        &["5.blockIO.leafWeight", "5.v1-property-on-v2-host"],
        "config-linux.md#block-io: leafWeight: only the CFQ scheduler of cgroup v1 has it"
    ),
    |bed| {
        let config = limit(bed, "leafWeight", json!(321))?;
        match first_of(bed, &["blkio.leaf_weight"])? {
            Some(file) => same(file, bed.create(&config)?.control("blkio", (file, ""))?, "321"),
            None => bed.create_refused(&config).map(drop),
        }
    }
);

case!(
    the_weight_of_a_device_is_set,
    must(&["5.blockIO.weightDevice"], "config-linux.md#block-io: weightDevice: bandwidth weight of one device"),
    |bed| {
        let knobs = if bed.host.cgroups.is_unified() {
            ["io.bfq.weight", ""]
        } else {
            ["blkio.weight_device", "blkio.bfq.weight_device"]
        };
        let Some(file) = first_of(bed, &knobs)? else {
            return skip("this kernel has no weights for single devices");
        };
        let (major, minor) = disk(Some("bfq"))?;
        let device = json!([{"major": major, "minor": minor, "weight": 321}]);
        let container = bed.create(&limit(bed, "weightDevice", device)?)?;
        let seen = container.control(controller(bed), (file, file))?;
        ensure!(seen.lines().any(|line| line == format!("{major}:{minor} 321")), "{file}: {seen:?}");
        Ok(())
    }
);

case!(
    a_device_weight_without_its_members_is_refused,
    must(
        &["5.blockIO.weightDevice", "1.REQUIRED-member-missing"],
        "config-linux.md#block-io: weightDevice: major and minor are REQUIRED; weight or leafWeight MUST be given"
    ),
    |bed| {
        let (major, minor) = disk(None)?;
        for device in [
            json!({"major": major, "minor": minor}),
            json!({"major": major, "weight": 100}),
            json!({"minor": minor, "weight": 100}),
        ] {
            let refused = bed.create_refused(&limit(bed, "weightDevice", json!([device]))?);
            ensure!(refused.is_ok(), "{device}: {refused:?}");
        }
        Ok(())
    }
);

/// The four throttles: property, v1 file, key in io.max.
const THROTTLES: [(&str, &str, &str); 4] = [
    ("throttleReadBpsDevice", "blkio.throttle.read_bps_device", "rbps"),
    ("throttleWriteBpsDevice", "blkio.throttle.write_bps_device", "wbps"),
    ("throttleReadIOPSDevice", "blkio.throttle.read_iops_device", "riops"),
    ("throttleWriteIOPSDevice", "blkio.throttle.write_iops_device", "wiops"),
];

case!(
    the_throttles_are_set,
    must(
        &["5.blockIO.throttleRead-WriteBps-IOPSDevice"],
        "config-linux.md#block-io: throttle{Read,Write}{Bps,IOPS}Device: rate limits per device"
    ),
    |bed| {
        let (major, minor) = disk(None)?;
        let rates = [1_048_576_u64, 2_097_152, 300, 400];
        let mut config = limited(bed, controller(bed), "blockIO", json!({}))?;
        for ((property, ..), rate) in THROTTLES.iter().zip(rates) {
            let device = json!([{"major": major, "minor": minor, "rate": rate}]);
            config = config.set(&format!("/linux/resources/blockIO/{property}"), device);
        }
        let container = bed.create(&config)?;
        for ((property, file, key), rate) in THROTTLES.iter().zip(rates) {
            let seen = container.control(controller(bed), (file, "io.max"))?;
            let line = seen.lines().find_map(|line| line.strip_prefix(&format!("{major}:{minor} ")));
            let words: Vec<&str> = line.unwrap_or_default().split(' ').collect();
            let wanted = if bed.host.cgroups.is_unified() { format!("{key}={rate}") } else { rate.to_string() };
            ensure!(words.contains(&wanted.as_str()), "{property}: {seen:?} lacks {wanted}");
        }
        Ok(())
    }
);

case!(
    a_throttle_without_its_members_is_refused,
    must(
        &["5.blockIO.throttleRead-WriteBps-IOPSDevice", "1.REQUIRED-member-missing"],
        "config-linux.md#block-io: throttles: major, minor and rate are REQUIRED; rate is not negative"
    ),
    |bed| {
        let (major, minor) = disk(None)?;
        for (property, ..) in THROTTLES {
            for device in [
                json!({"major": major, "minor": minor}),
                json!({"major": major, "rate": 1000}),
                json!({"minor": minor, "rate": 1000}),
                json!({"major": major, "minor": minor, "rate": -1}),
            ] {
                let refused = bed.create_refused(&limit(bed, property, json!([device]))?);
                ensure!(refused.is_ok(), "{property} {device}: {refused:?}");
            }
        }
        Ok(())
    }
);

case!(
    a_throttle_of_an_absent_device_is_refused,
    must(
        &["5.blockIO.throttleRead-WriteBps-IOPSDevice", "1.Un-appliable-property"],
        "config-linux.md#block-io: what no device is there for cannot be applied"
    ),
    |bed| {
        let absent = (200..255).find(|major| !Path::new(&format!("/sys/dev/block/{major}:77")).exists());
        for (property, ..) in THROTTLES {
            bed.create_refused(&limit(bed, property, json!([{"major": absent, "minor": 77, "rate": 1000}]))?)?;
        }
        Ok(())
    }
);
