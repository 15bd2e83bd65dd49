//! A config.json made fit for the bench: the same work for the kernel, on this machine's files.

use serde_json::{Value, json};
use std::path::Path;

/// Files that stand in for those an engine would have put beside the container.
#[derive(Debug)]
pub(crate) struct StandIns<'a> {
    pub(crate) rootfs: &'a Path,
    pub(crate) file: &'a Path,
    pub(crate) dir: &'a Path,
    pub(crate) rules: DeviceRules,
}

/// Whether the config's device rules stay, for a runtime that can load them here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DeviceRules {
    Kept,
    Dropped,
}

/// The config with our root and payload, and without what exists only on the engine's machine:
/// hooks, namespaces of other containers, LSM profiles, and limits that this machine may not have.
/// The version is one that the oldest peer reads.
pub(crate) fn adapt(mut config: Value, payload: &str, with: &StandIns) -> Value {
    config["root"]["path"] = json!(with.rootfs);
    config["process"]["args"] = json!([payload]);
    config["process"]["terminal"] = json!(false);
    config["process"]["rlimits"] = json!([{"type": "RLIMIT_NOFILE", "hard": 1024, "soft": 1024}]);
    config["ociVersion"] = json!("1.0.2");
    for (table, key) in [
        ("/process", "apparmorProfile"),
        ("/process", "selinuxLabel"),
        ("/linux", "mountLabel"),
        ("", "hooks"),
    ] {
        if let Some(Value::Object(table)) = config.pointer_mut(table) {
            table.remove(key);
        }
    }
    if config["linux"].get("cgroupsPath").is_some() {
        config["linux"]["cgroupsPath"] = json!("/hull-bench");
    }
    if let Some(Value::Object(resources)) = config.pointer_mut("/linux/resources") {
        resources.retain(|name, _| name == "devices" && with.rules == DeviceRules::Kept);
    }
    for namespace in array(&mut config, "/linux/namespaces") {
        if let Value::Object(namespace) = namespace {
            namespace.remove("path");
        }
    }
    for mount in array(&mut config, "/mounts") {
        stand_in(mount, with);
    }
    config
}

fn array<'a>(config: &'a mut Value, pointer: &str) -> impl Iterator<Item = &'a mut Value> {
    config
        .pointer_mut(pointer)
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
}

/// Gives a bind mount whose source is not here an empty one.
fn stand_in(mount: &mut Value, with: &StandIns) {
    let source = mount["source"].as_str().unwrap_or("").to_owned();
    let dir = mount["destination"]
        .as_str()
        .is_some_and(|path| path.ends_with("/shm"));
    if source.starts_with('/') && !Path::new(&source).exists() {
        mount["source"] = json!(if dir { with.dir } else { with.file });
    }
}

#[cfg(test)]
mod tests {
    use super::{DeviceRules, StandIns, adapt};
    use serde_json::json;
    use std::path::Path;

    #[test]
    fn only_what_is_not_here_is_replaced() {
        let config = json!({
            "process": {"args": ["sleep"], "apparmorProfile": "x", "cwd": "/"},
            "root": {"path": "/gone", "readonly": true},
            "hooks": {},
            "mounts": [
                {"destination": "/dev/shm", "source": "/gone/shm", "type": "bind"},
                {"destination": "/proc", "source": "proc", "type": "proc"},
                {"destination": "/etc/hosts", "source": "/gone/hosts", "type": "bind"},
            ],
            "linux": {
                "cgroupsPath": "a:b:c",
                "resources": {"devices": [1], "memory": {}},
                "namespaces": [{"type": "pid", "path": "/proc/1/ns/pid"}],
            },
        });
        let (file, dir, rules) = (Path::new("/f"), Path::new("/d"), DeviceRules::Kept);
        let with = StandIns {
            rootfs: Path::new("/r"),
            file,
            dir,
            rules,
        };
        let adapted = adapt(config, "/true", &with);
        let limits = json!([{"type": "RLIMIT_NOFILE", "hard": 1024, "soft": 1024}]);
        let expected = json!({
            "ociVersion": "1.0.2",
            "process": {"args": ["/true"], "cwd": "/", "terminal": false, "rlimits": limits},
            "root": {"path": "/r", "readonly": true},
            "mounts": [
                {"destination": "/dev/shm", "source": "/d", "type": "bind"},
                {"destination": "/proc", "source": "proc", "type": "proc"},
                {"destination": "/etc/hosts", "source": "/f", "type": "bind"},
            ],
            "linux": {
                "cgroupsPath": "/hull-bench",
                "resources": {"devices": [1]},
                "namespaces": [{"type": "pid"}],
            },
        });
        assert_eq!(adapted, expected);
    }
}
