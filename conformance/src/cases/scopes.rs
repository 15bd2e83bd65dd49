//! systemd's driver: contracts.md 7.1, 8 and 12, security test T-A25. They
//! run with --systemd-cgroup, as in the virtual machine.

use crate::bed::Bed;
use crate::bundle::Config;
use crate::case::{Check, caller, case, ensure, safety, same};
use serde_json::json;
use std::process::Command;

/// A runtime that refuses every property would pass for the wrong reason: one is fine.
fn takes_a_good_property(bed: &Bed) -> Check {
    let container = bed.create(&annotated(bed, "org.systemd.property.TimeoutStopUSec", "uint64 5000000"))?;
    container.delete_force()?;
    container.wait().map(drop)
}

/// What systemd knows of a unit.
fn property(bed: &Bed, unit: &str, name: &str) -> Check<String> {
    let mut show = Command::new("systemctl");
    show.args(["show", "--value", "--property", name, unit]);
    Ok(bed.finish(show)?.succeeded("systemctl show")?.stdout.trim().to_owned())
}

fn scope(bed: &Bed) -> String {
    format!("conformance-{}.scope", bed.token)
}

fn annotated(bed: &Bed, key: &str, value: &str) -> Config {
    bed.config().set("/annotations", json!({key: value})).steps("pause")
}

case!(
    state_names_the_scope,
    caller(&["c7.1.systemd-scope"], "contracts 7.1: systemd-scope: the unit's name, with the systemd driver, as crun"),
    |bed| {
        bed.needs_systemd_driver()?;
        let container = bed.create(&bed.config())?;
        same("systemd-scope", &container.state()?["systemd-scope"], &json!(scope(bed)))?;
        same("the unit", property(bed, &scope(bed), "ActiveState")?.as_str(), "active")?;
        container.delete_force()?;
        same("the unit after delete", property(bed, &scope(bed), "ActiveState")?.as_str(), "inactive")
    }
);

case!(
    state_has_no_scope_without_systemd,
    caller(&["c7.1.systemd-scope"], "contracts 7.1: systemd-scope only with the systemd driver"),
    |bed| {
        if bed.needs_systemd_driver().is_ok() {
            return crate::case::skip("this run is with the systemd driver");
        }
        let scope = bed.create(&bed.config())?.state()?["systemd-scope"].clone();
        ensure!(scope.is_null() || scope == json!(""), "{scope}");
        Ok(())
    }
);

case!(
    unit_properties_come_from_annotations,
    caller(
        &["c2.systemd-cgroup"],
        "contracts 12: org.systemd.property.NAME=GVARIANT; ...Sec in seconds becomes ...USec"
    ),
    |bed| {
        bed.needs_systemd_driver()?;
        let config = bed.config().set(
            "/annotations",
            json!({"org.systemd.property.TimeoutStopSec": "123", "org.systemd.property.CollectMode": "'inactive-or-failed'"}),
        );
        let container = bed.create(&config)?;
        same("TimeoutStopUSec", property(bed, &scope(bed), "TimeoutStopUSec")?.as_str(), "2min 3s")?;
        same("CollectMode", property(bed, &scope(bed), "CollectMode")?.as_str(), "inactive-or-failed")?;
        container.delete_force()
    }
);

case!(
    hostile_property_names_are_refused,
    safety(
        &["T-A25"],
        "T-A25: org.systemd.property. with a blank, a newline, `=`, a digit, a short or an empty name: refused, or left out, and never sent"
    ),
    |bed| {
        bed.needs_systemd_driver()?;
        takes_a_good_property(bed)?;
        for name in ["", "ab", "Exec Start", "A=b", "Desc\nExecStart", "Tasks1Max", "../Description", "ÀÀÀ"] {
            let config = annotated(bed, &format!("org.systemd.property.{name}"), "'x'");
            let bundle = bed.bundle(&config)?;
            let output = bed.call(&["create", "--bundle", &bundle.path.to_string_lossy(), &bed.id()])?;
            if output.code == 0 {
                let description = property(bed, &scope(bed), "Description");
                bed.call(&["delete", "--force", &bed.id()])?.succeeded("delete --force")?;
                ensure!(description? != "x", "{name:?} was sent");
            } else {
                bed.is_clean_refusal(&output)?;
            }
        }
        Ok(())
    }
);

case!(
    programs_are_no_unit_properties,
    safety(
        &["T-A25"],
        "T-A25: org.systemd.property.ExecStartPre, ExecStopPost, OnFailure and values with trailing garbage: refused before anything is made"
    ),
    |bed| {
        bed.needs_systemd_driver()?;
        takes_a_good_property(bed)?;
        let marker = bed.scratch.join("marker");
        let touch = format!("[('/bin/touch', ['touch', '{}'], false)]", marker.display());
        for (name, value) in [
            ("ExecStartPre", touch.as_str()),
            ("ExecStopPost", &touch),
            ("TimeoutStopUSec", "uint64 5 garbage"),
            ("TimeoutStopUSec", "uint64 5\nExecStart=/bin/true"),
            ("Description", "'open"),
        ] {
            let config = annotated(bed, &format!("org.systemd.property.{name}"), value);
            bed.create_refused(&config)?;
            ensure!(!marker.exists(), "{name} was executed");
        }
        Ok(())
    }
);

case!(
    weight_gives_way_to_idle,
    caller(
        &["c8.unable-to-apply-both-CPUWeight", "c4.3.cpu-burst-cpu-idle"],
        "contracts 8: idle and shares both given: the warning `unable to apply both CPUWeight and CpuIdle to systemd, ignoring CPUWeight` (runc since 1.2)"
    ),
    |bed| {
        bed.needs_systemd_driver()?;
        bed.host.needs_controller("cpu")?;
        let config = bed.config().set("/linux/resources/cpu", json!({"shares": 200, "idle": 1})).steps("exit 0");
        let bundle = bed.bundle(&config)?;
        let root = bed.root().to_string_lossy().into_owned();
        let path = bundle.path.to_string_lossy().into_owned();
        let output = bed.call_without_root(&[
            "--debug",
            "--systemd-cgroup",
            "--root",
            &root,
            "run",
            "--bundle",
            &path,
            &bed.id(),
        ])?;
        let output = output.succeeded("run")?;
        let phrase = "unable to apply both CPUWeight and CpuIdle to systemd, ignoring CPUWeight";
        ensure!(output.stderr.contains(phrase), "no warning: {}", output.stderr.trim());
        Ok(())
    }
);
