//! config-linux.md, `intelRdt`: groups below the resctrl file system, and the
//! errors where it is not mounted.

use super::all_refused;
use crate::bed::Bed;
use crate::bundle::Config;
use crate::case::{Check, case, ensure, must, same, skip};
use crate::container::Container;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

const RDT: &str = "/linux/intelRdt";

fn with_rdt(bed: &Bed, rdt: Value) -> Config {
    bed.config().set(RDT, rdt)
}

/// Where resctrl is mounted, if it is.
fn mounted() -> Option<PathBuf> {
    let table = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let line = table.lines().find(|line| line.contains(" - resctrl "))?;
    line.split(' ').nth(4).map(PathBuf::from)
}

fn resctrl(bed: &Bed) -> Check<PathBuf> {
    bed.host.needs_root()?;
    mounted().map_or_else(|| skip("resctrl is not mounted here"), Ok)
}

/// The root group's line of one resource, such as `L3:0=fff`.
fn default_of(resctrl: &Path, resource: &str) -> Check<String> {
    let all = fs::read_to_string(resctrl.join("schemata"))?;
    let line = all.lines().map(str::trim).find(|line| line.starts_with(resource));
    line.map_or_else(|| skip(format!("this machine allocates no {resource}")), |line| Ok(line.to_owned()))
}

/// A group that ends with its case, whoever made it.
struct Group(PathBuf);

impl Group {
    fn make(path: PathBuf) -> Check<Self> {
        fs::create_dir(&path)?;
        Ok(Self(path))
    }

    fn name(&self) -> String {
        self.0.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // A group that a runtime removed is gone already.
        fs::remove_dir(&self.0).unwrap_or_default();
    }
}

fn holds_process(group: &Path, container: &Container) -> Check {
    let tasks = fs::read_to_string(group.join("tasks"))?;
    let pid = container.pid().to_string();
    ensure!(tasks.lines().any(|line| line == pid), "{} does not hold the container's process", group.display());
    Ok(())
}

fn has_line(group: &Path, wanted: &str) -> Check {
    let schemata = fs::read_to_string(group.join("schemata"))?;
    ensure!(schemata.lines().any(|line| line.trim() == wanted), "{schemata:?} lacks {wanted}");
    Ok(())
}

case!(
    rdt_without_resctrl_is_refused,
    must(
        &["6.intelRdt", "6.closID", "6.enableMonitoring", "1.Un-appliable-property"],
        "config-linux.md#intelrdt: if no mounted resctrl is available the runtime MUST generate an error"
    ),
    |bed| {
        if mounted().is_some() {
            return skip("resctrl is mounted here");
        }
        let values = [
            json!({}),
            json!({"closID": "guaranteed"}),
            json!({"closID": "/"}),
            json!({"l3CacheSchema": "L3:0=f"}),
            json!({"memBwSchema": "MB:0=70"}),
            json!({"schemata": ["L3:0=f", "MB:0=70"]}),
            json!({"enableMonitoring": true}),
        ];
        all_refused(bed, RDT, &values)
    }
);

case!(
    a_malformed_rdt_property_is_refused,
    must(
        &["6.l3CacheSchema", "6.schemata", "6.closID", "1.Known-property-wrong-JSON-type"],
        "config-linux.md#intelrdt: memBwSchema MUST start with `MB:`; it and schemata hold no newline; closID is a name"
    ),
    |bed| {
        let values = [
            json!({"memBwSchema": "L3:0=f"}),
            json!({"memBwSchema": "0=70"}),
            json!({"memBwSchema": "MB:0=70\nL3:0=f"}),
            json!({"schemata": ["L3:0=f\nMB:0=70"]}),
            json!({"schemata": "L3:0=f"}),
            json!({"closID": ".."}),
            json!({"closID": "."}),
            json!({"closID": "guaranteed/inner"}),
            json!({"closID": "../guaranteed"}),
            json!({"enableMonitoring": "yes"}),
        ];
        all_refused(bed, RDT, &values)
    }
);

case!(
    without_rdt_resctrl_is_left_alone,
    must(&["6.intelRdt"], "config-linux.md#intelrdt: if not set, the runtime MUST NOT manipulate any resctrl"),
    |bed| {
        let resctrl = resctrl(bed)?;
        let look = || -> Check<(Vec<PathBuf>, String)> {
            let mut names: Vec<PathBuf> = fs::read_dir(&resctrl)?.flatten().map(|entry| entry.path()).collect();
            names.sort();
            Ok((names, fs::read_to_string(resctrl.join("schemata"))?))
        };
        let before = look()?;
        let container = bed.create(&bed.config())?;
        holds_process(&resctrl, &container)?;
        same("resctrl", look()?, before)
    }
);

case!(
    without_a_closid_the_group_has_the_containers_id,
    must(
        &["6.closID", "6.intelRdt", "6.schemata"],
        "config-linux.md#intelrdt: closID not set: the <container-id> directory is created, and removed with the container"
    ),
    |bed| {
        let resctrl = resctrl(bed)?;
        let group = Group(resctrl.join(bed.id()));
        let l3 = default_of(&resctrl, "L3:")?;
        for rdt in [json!({}), json!({"l3CacheSchema": l3}), json!({"schemata": [l3]})] {
            let container = bed.create(&with_rdt(bed, rdt))?;
            holds_process(&group.0, &container)?;
            has_line(&group.0, &l3)?;
            container.delete_force()?;
            ensure!(!group.0.exists(), "{} is left behind", group.0.display());
        }
        Ok(())
    }
);

case!(
    a_group_that_exists_is_joined_and_kept,
    must(
        &["6.closID", "6.closID-set"],
        "config-linux.md#intelrdt: closID set and nothing else: the pre-configured directory is used; it stays"
    ),
    |bed| {
        let group = Group::make(resctrl(bed)?.join(format!("{}-group", bed.token)))?;
        let container = bed.create(&with_rdt(bed, json!({"closID": group.name()})))?;
        holds_process(&group.0, &container)?;
        container.delete_force()?;
        ensure!(group.0.exists(), "a group that was there before is gone with the container");
        Ok(())
    }
);

case!(
    the_root_group_is_joined_when_asked,
    must(&["6.closID"], "config-linux.md#intelrdt: closID: `/` is the root of the resctrl file system"),
    |bed| {
        let resctrl = resctrl(bed)?;
        let container = bed.create(&with_rdt(bed, json!({"closID": "/"})))?;
        holds_process(&resctrl, &container)?;
        ensure!(!resctrl.join(bed.id()).exists(), "a group was made all the same");
        Ok(())
    }
);

case!(
    a_missing_group_without_a_schema_is_refused,
    must(
        &["6.closID-set"],
        "config-linux.md#intelrdt: closID set, no schema: MUST generate an error if it is not there"
    ),
    |bed| {
        let group = Group(resctrl(bed)?.join(format!("{}-group", bed.token)));
        bed.create_refused(&with_rdt(bed, json!({"closID": group.name()})))?;
        ensure!(!group.0.exists(), "the group was made");
        Ok(())
    }
);

case!(
    a_missing_group_is_made_for_its_schema,
    must(
        &["6.closID-set", "6.closID"],
        "config-linux.md#intelrdt: closID set, with any schema: MUST be created; it stays"
    ),
    |bed| {
        let resctrl = resctrl(bed)?;
        let group = Group(resctrl.join(format!("{}-group", bed.token)));
        let l3 = default_of(&resctrl, "L3:")?;
        let container = bed.create(&with_rdt(bed, json!({"closID": group.name(), "l3CacheSchema": l3})))?;
        holds_process(&group.0, &container)?;
        has_line(&group.0, &l3)?;
        container.delete_force()?;
        ensure!(group.0.exists(), "a named group is gone with the container");
        Ok(())
    }
);

case!(
    a_group_with_another_schema_is_refused,
    must(
        &["6.closID-set", "6.l3CacheSchema"],
        "config-linux.md#intelrdt: the directory exists: schemas MUST be compared, a difference MUST be an error"
    ),
    |bed| {
        let resctrl = resctrl(bed)?;
        let l3 = default_of(&resctrl, "L3:")?;
        let group = Group::make(resctrl.join(format!("{}-group", bed.token)))?;
        // A new group may use all of the cache; one bit of it is another schema.
        bed.create_refused(&with_rdt(bed, json!({"closID": group.name(), "l3CacheSchema": "L3:0=1"})))?;
        has_line(&group.0, &l3)
    }
);

case!(
    the_bandwidth_comes_from_its_own_property,
    must(
        &["6.l3CacheSchema"],
        "config-linux.md#intelrdt: lines of l3CacheSchema that begin with MB: give way to memBwSchema"
    ),
    |bed| {
        let resctrl = resctrl(bed)?;
        let group = Group(resctrl.join(bed.id()));
        let (l3, bandwidth) = (default_of(&resctrl, "L3:")?, default_of(&resctrl, "MB:")?);
        let rdt = json!({"l3CacheSchema": format!("MB:0=50\n{l3}"), "memBwSchema": bandwidth});
        let _container = bed.create(&with_rdt(bed, rdt))?;
        has_line(&group.0, &l3)?;
        has_line(&group.0, &bandwidth)
    }
);

case!(
    schemata_are_written_last,
    must(&["6.schemata", "6.l3CacheSchema"], "config-linux.md#intelrdt: schemata MUST be written last"),
    |bed| {
        let resctrl = resctrl(bed)?;
        let group = Group(resctrl.join(bed.id()));
        let bandwidth = default_of(&resctrl, "MB:")?;
        let half = bandwidth.replace("=100", "=50");
        if half == bandwidth {
            return skip(format!("{bandwidth} is no share that could be halved"));
        }
        let _container = bed.create(&with_rdt(bed, json!({"memBwSchema": bandwidth, "schemata": [half]})))?;
        let schemata = fs::read_to_string(group.0.join("schemata"))?;
        let seen = schemata.lines().map(|line| line.replace(' ', "")).find(|line| line.starts_with("MB:"));
        same("the last word", seen, Some(half.replace(' ', "")))
    }
);

case!(
    monitoring_makes_a_group_that_ends_with_the_container,
    must(
        &["6.enableMonitoring"],
        "config-linux.md#intelrdt: enableMonitoring: a mon_groups/<container-id> MUST be made, and deleted with the container"
    ),
    |bed| {
        let resctrl = resctrl(bed)?;
        if !resctrl.join("mon_groups").exists() {
            return skip("this machine monitors no cache and no bandwidth");
        }
        let group = Group::make(resctrl.join(format!("{}-group", bed.token)))?;
        let monitor = group.0.join("mon_groups").join(bed.id());
        let container = bed.create(&with_rdt(bed, json!({"closID": group.name(), "enableMonitoring": true})))?;
        holds_process(&monitor, &container)?;
        container.delete_force()?;
        ensure!(!monitor.exists(), "{} is left behind", monitor.display());
        Ok(())
    }
);
