//! What this build understands (features.md): fixed when it is compiled, the same on every host.
//!
//! Lists come from the tables that the parser itself uses. Nothing is claimed that is not carried
//! out: engines act on it. A part that is refused as "not supported yet" shows as disabled here.

use std::collections::BTreeMap;

use hull_bpf::{
    arch::Arch,
    seccomp::{Action, Op},
};
use serde::Serialize;

use crate::plan::NamespaceKind;
use crate::resolve::{
    MEMORY_POLICIES, NEWEST, OLDEST, SECCOMP_FLAGS, capability_names, memory_policy_flags,
    mount_option_names,
};

const HOOKS: [&str; 6] = [
    "prestart",
    "createRuntime",
    "createContainer",
    "startContainer",
    "poststart",
    "poststop",
];

/// Annotations, and beginnings of such, that can weaken a container.
const UNSAFE_ANNOTATIONS: [&str; 4] = [
    "org.systemd.property.",
    "org.criu.config",
    "run.oci.",
    "run.hull.",
];

/// The whole answer of `hull features`, of the program that was built from this commit.
#[must_use]
pub fn features(commit: &str) -> impl Serialize {
    Features {
        oci_version_min: OLDEST,
        oci_version_max: NEWEST,
        hooks: &HOOKS,
        mount_options: mount_option_names().collect(),
        linux: linux(),
        annotations: annotations(commit),
        potentially_unsafe_config_annotations: &UNSAFE_ANNOTATIONS,
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Features<'c> {
    oci_version_min: &'static str,
    oci_version_max: &'static str,
    hooks: &'static [&'static str],
    mount_options: Vec<&'static str>,
    linux: Linux,
    annotations: BTreeMap<&'static str, &'c str>,
    potentially_unsafe_config_annotations: &'static [&'static str],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Linux {
    namespaces: Vec<&'static str>,
    capabilities: Vec<String>,
    cgroup: Cgroup,
    seccomp: Seccomp,
    apparmor: Part,
    selinux: Part,
    intel_rdt: IntelRdt,
    memory_policy: MemoryPolicy,
    net_devices: Part,
    mount_extensions: MountExtensions,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Cgroup {
    v1: bool,
    v2: bool,
    systemd: bool,
    systemd_user: bool,
    rdma: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Seccomp {
    enabled: bool,
    actions: Vec<&'static str>,
    operators: Vec<&'static str>,
    archs: Vec<&'static str>,
    known_flags: [&'static str; 4],
    supported_flags: [&'static str; 4],
}

#[derive(Debug, Serialize)]
struct IntelRdt {
    enabled: bool,
    schemata: bool,
    monitoring: bool,
}

#[derive(Debug, Serialize)]
struct MemoryPolicy {
    modes: [&'static str; 7],
    flags: Vec<&'static str>,
}

#[derive(Debug, Serialize)]
struct MountExtensions {
    idmap: Part,
}

#[derive(Debug, Serialize)]
struct Part {
    enabled: bool,
}

const SUPPORTED: Part = Part { enabled: true };

fn linux() -> Linux {
    let mut namespaces: Vec<_> = NamespaceKind::ALL.iter().map(|kind| kind.name()).collect();
    namespaces.sort_unstable();
    Linux {
        namespaces,
        capabilities: capability_names(),
        cgroup: Cgroup {
            v1: true,
            v2: true,
            systemd: false,
            systemd_user: false,
            rdma: true,
        },
        seccomp: seccomp(),
        apparmor: SUPPORTED,
        selinux: SUPPORTED,
        intel_rdt: IntelRdt {
            enabled: true,
            schemata: true,
            monitoring: true,
        },
        memory_policy: MemoryPolicy {
            modes: MEMORY_POLICIES,
            flags: memory_policy_flags().collect(),
        },
        net_devices: SUPPORTED,
        mount_extensions: MountExtensions { idmap: SUPPORTED },
    }
}

fn seccomp() -> Seccomp {
    Seccomp {
        enabled: true,
        actions: words(&Action::NAMES),
        operators: words(&Op::NAMES),
        archs: words(&Arch::NAMES),
        known_flags: SECCOMP_FLAGS,
        supported_flags: SECCOMP_FLAGS,
    }
}

fn words<T>(table: &[(&'static str, T)]) -> Vec<&'static str> {
    let mut words: Vec<_> = table.iter().map(|(word, _)| *word).collect();
    words.sort_unstable();
    words
}

fn annotations(commit: &str) -> BTreeMap<&'static str, &str> {
    BTreeMap::from([
        ("run.hull.version", env!("CARGO_PKG_VERSION")),
        ("run.hull.commit", commit),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn shown() -> Value {
        serde_json::to_value(features("abc")).unwrap()
    }

    #[test]
    fn the_lists_are_sorted_and_nothing_is_null() {
        let shown = shown();
        let options: Vec<_> = shown["mountOptions"].as_array().unwrap().iter().collect();
        assert!(options.is_sorted_by(|a, b| a.as_str() < b.as_str()));
        assert!(options.iter().any(|option| *option == "rro"));
        let namespaces = [
            "cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts",
        ];
        assert_eq!(shown["linux"]["namespaces"], serde_json::json!(namespaces));
        assert!(!shown.to_string().contains("null"));
    }

    #[test]
    fn nothing_is_claimed_that_resolve_refuses() {
        let linux = &shown()["linux"];
        for part in ["apparmor", "selinux", "netDevices"] {
            assert_eq!(linux[part]["enabled"], true, "{part}");
        }
        assert_eq!(linux["cgroup"]["systemd"], false);
        assert_eq!(linux["mountExtensions"]["idmap"]["enabled"], true);
        assert!(mount_option_names().any(|option| option == "ridmap"));
    }
}
