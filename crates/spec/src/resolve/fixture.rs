//! A small config, a host and a call, changed by the tables of the tests beside this file.
//!
//! A table says what differs as a JSON merge patch (RFC 7396): members replace, null removes.

use serde_json::Value;

use crate::bundle::Bundle;
use crate::config::Config;
use crate::host::{HostFacts, SecurityModules, V1Hierarchy};
use crate::id::ContainerId;
use crate::plan::{CgroupLayout, CgroupManager, Plan, Verbosity};
use crate::request::{Activation, Request, RootChange, Rootless, SessionKeyring};

/// Own namespaces of all kinds but user and time.
const BASE: &str = r#"{
    "ociVersion": "1.3.0",
    "root": {"path": "rootfs"},
    "process": {"args": ["sh"], "cwd": "/", "user": {"uid": 0, "gid": 0}},
    "linux": {"namespaces": [{"type": "pid"}, {"type": "network"}, {"type": "ipc"},
        {"type": "uts"}, {"type": "mount"}, {"type": "cgroup"}]}
}"#;

/// A new user namespace instead of a cgroup one, with both maps.
pub(super) const USER: &str = r#""namespaces": [{"type": "user"}, {"type": "mount"}, {"type": "uts"}],
    "uidMappings": [{"containerID": 0, "hostID": 100000, "size": 1000}],
    "gidMappings": [{"containerID": 0, "hostID": 200000, "size": 500}]"#;

/// Everything beside the config.
#[derive(Debug)]
pub(super) struct Scene {
    pub(super) host: HostFacts,
    pub(super) manager: CgroupManager,
    pub(super) rootless: Rootless,
    pub(super) root_change: RootChange,
    pub(super) keyring: SessionKeyring,
    pub(super) console: bool,
    pub(super) detached: bool,
    pub(super) notify: bool,
}

impl Scene {
    /// Root on a host with cgroup2.
    pub(super) fn v2() -> Self {
        Self {
            host: HostFacts {
                cgroup_layout: CgroupLayout::V2,
                cgroup_v1: Vec::new(),
                cgroup_unified: false,
                uid: 0,
                gid: 0,
                privileged: true,
                setgroups_denied: false,
                last_capability: 40,
                security_modules: SecurityModules::default(),
            },
            manager: CgroupManager::Cgroupfs,
            rootless: Rootless::Auto,
            root_change: RootChange::PivotRoot,
            keyring: SessionKeyring::New,
            console: false,
            detached: true,
            notify: false,
        }
    }

    /// Root on a host with v1 hierarchies.
    pub(super) fn v1() -> Self {
        let mut scene = Self::v2();
        let hierarchy = |name: &str, controllers: &[&str]| V1Hierarchy {
            name: name.to_owned(),
            controllers: controllers.iter().map(|name| (*name).to_owned()).collect(),
        };
        scene.host.cgroup_layout = CgroupLayout::V1;
        scene.host.cgroup_v1 = vec![
            hierarchy("cpu,cpuacct", &["cpu", "cpuacct"]),
            hierarchy("memory", &["memory"]),
            hierarchy("net_cls,net_prio", &["net_cls", "net_prio"]),
            hierarchy("systemd", &[]),
        ];
        scene
    }

    /// A user without privilege on a host with cgroup2.
    pub(super) fn rootless() -> Self {
        let mut scene = Self::v2();
        scene.host.uid = 1000;
        scene.host.gid = 1000;
        scene.host.privileged = false;
        scene
    }

    /// The plan for the base config with these members, given without their braces.
    pub(super) fn plan(&self, members: &str) -> Plan {
        self.answer(members)
            .unwrap_or_else(|error| panic!("{members}: {error}"))
    }

    /// The pointer and problem of a config that is refused.
    pub(super) fn refusal(&self, members: &str) -> String {
        match self.answer(members) {
            Ok(_) => panic!("accepted: {members}"),
            Err(error) => error.trim_start_matches("config.json ").to_owned(),
        }
    }

    /// Each config is refused, with a text that begins so.
    pub(super) fn refuses(&self, table: &[(&str, &str)]) {
        for (members, expected) in table {
            let refusal = self.refusal(members);
            assert!(refusal.starts_with(expected), "{refusal:?} for {members}");
        }
    }

    fn answer(&self, members: &str) -> Result<Plan, String> {
        let mut whole: Value = serde_json::from_str(BASE).unwrap();
        let patch = serde_json::from_str(&format!("{{{members}}}"));
        merge(
            &mut whole,
            patch.unwrap_or_else(|error| panic!("{members}: {error}")),
        );
        let text = whole.to_string().into_bytes();
        let config = Config::parse(&text).map_err(|error| error.to_string())?;
        let bundle = Bundle {
            directory: "/bundle".into(),
            config,
            text,
        };
        let id = ContainerId::new("web").unwrap();
        let request = Request {
            id: &id,
            manager: self.manager,
            rootless: self.rootless,
            root_change: self.root_change,
            keyring: self.keyring,
            preserved_fds: 2,
            activation: Activation {
                notify: self.notify,
                ..Activation::default()
            },
            verbosity: Verbosity::Quiet,
            console: self.console,
            detached: self.detached,
        };
        super::resolve(&bundle, &self.host, &request).map_err(|error| error.to_string())
    }
}

fn merge(target: &mut Value, patch: Value) {
    match (target, patch) {
        (Value::Object(members), Value::Object(patch)) => {
            for (key, value) in patch {
                match value {
                    Value::Null => drop(members.remove(&key)),
                    value => merge(members.entry(key).or_insert(Value::Null), value),
                }
            }
        }
        (target, patch) => *target = patch,
    }
}
