//! The config.json of a case, made by changing a small default, and the
//! bundle directory around it: a root with nothing but the probe.

use serde_json::{Value, json};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Directories every root has; the probe is /probe and /bin/probe.
const DIRECTORIES: [&str; 9] = ["dev", "proc", "sys", "tmp", "bin", "etc", "mnt", "run", "sync"];

#[derive(Debug, Clone)]
pub(crate) struct Config(pub(crate) Value);

impl Config {
    /// The default: all the usual mounts, five new namespaces, `probe report`.
    pub(crate) fn new(cgroups_path: &str) -> Self {
        let capabilities = json!(["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"]);
        let namespaces: Vec<Value> =
            ["pid", "network", "ipc", "uts", "mount"].iter().map(|kind| json!({"type": kind})).collect();
        Self(json!({
            "ociVersion": "1.0.2",
            "process": {
                "user": {"uid": 0, "gid": 0},
                "args": ["/probe", "report"],
                "env": ["PATH=/bin:/usr/bin", "TERM=xterm"],
                "cwd": "/",
                "capabilities": {"bounding": capabilities, "effective": capabilities, "permitted": capabilities},
                "noNewPrivileges": true,
            },
            "root": {"path": "rootfs", "readonly": false},
            "hostname": "conformance",
            "mounts": default_mounts(),
            "linux": {"cgroupsPath": cgroups_path, "namespaces": namespaces},
        }))
    }

    /// Sets the value at a JSON pointer, making objects on the way; a last `-` appends.
    pub(crate) fn set(mut self, pointer: &str, value: Value) -> Self {
        let mut at = &mut self.0;
        for key in pointer.trim_start_matches('/').split('/') {
            at = slot(at, &key.replace("~1", "/"));
        }
        *at = value;
        self
    }

    /// Removes the member a JSON pointer names.
    pub(crate) fn remove(mut self, pointer: &str) -> Self {
        let (parent, key) = pointer.rsplit_once('/').unwrap_or(("", pointer));
        if let Some(object) = self.0.pointer_mut(parent).and_then(Value::as_object_mut) {
            object.remove(key);
        }
        self
    }

    pub(crate) fn args(self, args: &[&str]) -> Self {
        self.set("/process/args", json!(args))
    }

    /// The probe's steps, words separated by blanks.
    pub(crate) fn steps(self, steps: &str) -> Self {
        let words: Vec<&str> = std::iter::once("/probe").chain(steps.split_whitespace()).collect();
        self.args(&words)
    }

    pub(crate) fn mount(self, destination: &str, fstype: &str, source: &str, options: &[&str]) -> Self {
        self.set("/mounts/-", json!({"destination": destination, "type": fstype, "source": source, "options": options}))
    }

    pub(crate) fn bind(self, source: &Path, destination: &str, options: &[&str]) -> Self {
        self.mount(destination, "none", &source.to_string_lossy(), options)
    }

    pub(crate) fn without_mount(mut self, destination: &str) -> Self {
        if let Some(mounts) = self.0["mounts"].as_array_mut() {
            mounts.retain(|mount| mount["destination"] != destination);
        }
        self
    }

    pub(crate) fn without_namespace(mut self, kind: &str) -> Self {
        if let Some(namespaces) = self.0["linux"]["namespaces"].as_array_mut() {
            namespaces.retain(|namespace| namespace["type"] != kind);
        }
        self
    }

    pub(crate) fn has_namespace(&self, kind: &str) -> bool {
        let namespaces = self.0["linux"]["namespaces"].as_array();
        namespaces.is_some_and(|all| all.iter().any(|namespace| namespace["type"] == kind))
    }

    pub(crate) fn namespace(self, kind: &str) -> Self {
        self.without_namespace(kind).set("/linux/namespaces/-", json!({"type": kind}))
    }

    pub(crate) fn namespace_path(self, kind: &str, path: &str) -> Self {
        self.without_namespace(kind).set("/linux/namespaces/-", json!({"type": kind, "path": path}))
    }

    /// Gives all five... of the sets named the same capabilities.
    pub(crate) fn capabilities(self, sets: &[&str], names: &[&str]) -> Self {
        sets.iter().fold(self, |config, set| config.set(&format!("/process/capabilities/{set}"), json!(names)))
    }

    /// A new user namespace with `size` ids mapped to `host`.
    pub(crate) fn user_namespace(self, host: u32, size: u32) -> Self {
        let mapping = json!([{"containerID": 0, "hostID": host, "size": size}]);
        self.namespace("user").set("/linux/uidMappings", mapping.clone()).set("/linux/gidMappings", mapping)
    }
}

/// The place a pointer's next word names, made if it is not there.
fn slot<'v>(at: &'v mut Value, key: &str) -> &'v mut Value {
    if key == "-" && !at.is_array() {
        *at = json!([]);
    } else if !at.is_array() && !at.is_object() {
        *at = json!({});
    }
    match at {
        Value::Array(list) => {
            let index = key.parse().unwrap_or(list.len());
            if index >= list.len() {
                list.push(Value::Null);
            }
            let last = list.len() - 1;
            &mut list[index.min(last)]
        }
        object => &mut object[key],
    }
}

fn default_mounts() -> Value {
    json!([
        {"destination": "/proc", "type": "proc", "source": "proc"},
        {"destination": "/dev", "type": "tmpfs", "source": "tmpfs",
         "options": ["nosuid", "strictatime", "mode=755", "size=65536k"]},
        {"destination": "/dev/pts", "type": "devpts", "source": "devpts",
         "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"]},
        {"destination": "/dev/shm", "type": "tmpfs", "source": "shm",
         "options": ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"]},
        {"destination": "/dev/mqueue", "type": "mqueue", "source": "mqueue", "options": ["nosuid", "noexec", "nodev"]},
        {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["nosuid", "noexec", "nodev", "ro"]},
    ])
}

/// A bundle directory on disk.
#[derive(Debug, Clone)]
pub(crate) struct Bundle {
    pub(crate) path: PathBuf,
}

impl Bundle {
    /// Makes the directory and its root; `probe` is linked in, or copied across file systems.
    pub(crate) fn make(path: &Path, probe: &Path) -> io::Result<Self> {
        let bundle = Self { path: path.to_owned() };
        let root = bundle.rootfs();
        for dir in DIRECTORIES {
            fs::create_dir_all(root.join(dir))?;
        }
        for place in ["probe", "bin/probe"] {
            let place = root.join(place);
            if fs::hard_link(probe, &place).is_err() {
                fs::copy(probe, &place)?;
            }
        }
        Ok(bundle)
    }

    pub(crate) fn rootfs(&self) -> PathBuf {
        self.path.join("rootfs")
    }

    pub(crate) fn write(&self, config: &Config) -> io::Result<()> {
        self.write_bytes(&serde_json::to_vec_pretty(&config.0)?)
    }

    pub(crate) fn write_bytes(&self, bytes: &[u8]) -> io::Result<()> {
        fs::write(self.path.join("config.json"), bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn set_makes_objects_and_appends_to_arrays() {
        let config = Config::new("/x")
            .set("/linux/resources/pids/limit", json!(5))
            .set("/mounts/-", json!({"destination": "/last"}));
        assert_eq!(config.0["linux"]["resources"]["pids"]["limit"], 5);
        assert_eq!(
            config.0["mounts"].as_array().and_then(|mounts| mounts.last()),
            Some(&json!({"destination": "/last"}))
        );
    }

    #[test]
    fn a_dash_on_an_absent_member_begins_an_array() {
        let config = Config::new("/x")
            .set("/hooks/prestart/-", json!({"path": "/a"}))
            .set("/hooks/prestart/-", json!({"path": "/b"}));
        assert_eq!(config.0["hooks"]["prestart"], json!([{"path": "/a"}, {"path": "/b"}]));
    }
}
