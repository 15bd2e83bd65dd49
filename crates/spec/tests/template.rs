//! `hull spec` against the runc of this machine: equal values but for the version. Skipped where
//! there is no runc.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test that asks another program, and cannot go on without its answer"
)]

use std::fs;
use std::process::Command;

use hull_spec::{Config, template};
use serde_json::Value;

fn runc_spec(arguments: &[&str]) -> Option<Value> {
    let folder = tempfile::tempdir().unwrap();
    let asked = Command::new("runc")
        .arg("spec")
        .args(arguments)
        .current_dir(&folder)
        .status();
    if !asked.is_ok_and(|status| status.success()) {
        eprintln!("skipped: no runc");
        return None;
    }
    let text = fs::read(folder.path().join("config.json")).unwrap();
    let mut config: Value = serde_json::from_slice(&text).unwrap();
    config["ociVersion"] = "1.3.0".into();
    // runc adds a cgroup namespace on hosts with cgroup2; a template says the same everywhere.
    let namespaces = config["linux"]["namespaces"].as_array_mut().unwrap();
    namespaces.retain(|namespace| namespace["type"] != "cgroup");
    Some(config)
}

#[test]
fn the_default_config_says_what_runcs_says() {
    let ours = template::default_config();
    Config::parse(ours.as_bytes()).unwrap();
    if let Some(theirs) = runc_spec(&[]) {
        assert_eq!(serde_json::from_str::<Value>(&ours).unwrap(), theirs);
    }
}

#[test]
fn the_rootless_config_says_what_runcs_says() {
    let ours = template::rootless_config(1000, 1001);
    let config = Config::parse(ours.as_bytes()).unwrap().linux.unwrap();
    assert_eq!(config.uid_mappings.unwrap()[0].host_id, 1000);
    assert_eq!(config.gid_mappings.unwrap()[0].host_id, 1001);
    if let Some(mut theirs) = runc_spec(&["--rootless"]) {
        theirs["linux"]["uidMappings"][0]["hostID"] = 1000.into();
        theirs["linux"]["gidMappings"][0]["hostID"] = 1001.into();
        assert_eq!(serde_json::from_str::<Value>(&ours).unwrap(), theirs);
    }
}
