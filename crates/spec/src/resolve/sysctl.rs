//! `linux.sysctl`: only what a namespace of the container's own has for itself.
//!
//! Whether a network namespace joined by path is not the host's after all is checked by fd, by
//! whoever joins it.

use std::collections::BTreeSet;

use crate::config::{Config, Linux};
use crate::plan::{NamespaceKind, Namespaces, Sysctl};

use super::error::{At, ResolveError};

/// The settings of an ipc namespace, besides all of fs/mqueue.
const IPC: &[&str] = &[
    "kernel/msgmax",
    "kernel/msgmnb",
    "kernel/msgmni",
    "kernel/sem",
    "kernel/shm_rmid_forced",
    "kernel/shmall",
    "kernel/shmmax",
    "kernel/shmmni",
];

/// All settings, each allowed in the namespaces that are the container's own.
pub(super) fn resolve(
    config: &Config,
    linux: &Linux,
    own: &Namespaces,
) -> Result<Vec<Sysctl>, ResolveError> {
    let all = At::new("/linux/sysctl");
    let mut sysctls = Vec::new();
    let mut seen = BTreeSet::new();
    for (name, value) in linux.sysctl.iter().flat_map(|sysctls| sysctls.iter()) {
        let at = all.key(name);
        let path = path(name);
        if path.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return Err(at.breaks("is no name of a setting"));
        }
        if path == "kernel/hostname" {
            return Err(at.breaks("conflicts with hostname: set that instead"));
        }
        let sets_domainname = config
            .domainname
            .as_ref()
            .is_some_and(|name| !name.is_empty());
        if path == "kernel/domainname" && sets_domainname {
            return Err(at.breaks("conflicts with domainname"));
        }
        if !namespace(&path).is_some_and(|kind| own.is_own(kind)) {
            return Err(at.breaks("is not in a separate kernel namespace"));
        }
        if !seen.insert(path.clone()) {
            return Err(at.breaks("is set twice"));
        }
        sysctls.push(Sysctl {
            path,
            value: value.clone(),
        });
    }
    Ok(sysctls)
}

/// sysctl(8): the separator is whichever of `.` and `/` comes first, and the other one stands
/// for itself, swapped.
fn path(name: &str) -> String {
    match name.find(['.', '/']) {
        Some(first) if name.as_bytes()[first] == b'/' => name.to_owned(),
        _ => name
            .chars()
            .map(|letter| match letter {
                '.' => '/',
                '/' => '.',
                other => other,
            })
            .collect(),
    }
}

/// The kind of namespace that a setting belongs to; `None` for the host's.
fn namespace(path: &str) -> Option<NamespaceKind> {
    match path.split_once('/') {
        Some(("net", _)) => Some(NamespaceKind::Network),
        Some(("user", _)) => Some(NamespaceKind::User),
        Some(("fs", rest)) if rest.starts_with("mqueue/") => Some(NamespaceKind::Ipc),
        _ if IPC.contains(&path) => Some(NamespaceKind::Ipc),
        _ if path == "kernel/domainname" => Some(NamespaceKind::Uts),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Scene, USER};
    use super::*;

    fn set(name: &str) -> String {
        format!(r#""linux": {{"sysctl": {{"{name}": "1"}}}}"#)
    }

    #[test]
    fn both_forms_of_a_name_become_one_path() {
        for (name, path) in [
            ("net.ipv4.ip_forward", "net/ipv4/ip_forward"),
            (
                "net/ipv4/conf/eth0.1/forwarding",
                "net/ipv4/conf/eth0.1/forwarding",
            ),
            (
                "net.ipv4.conf.eth0/1.forwarding",
                "net/ipv4/conf/eth0.1/forwarding",
            ),
            ("kernel.msgmax", "kernel/msgmax"),
            ("kernel.shm_rmid_forced", "kernel/shm_rmid_forced"),
            ("fs.mqueue.msg_max", "fs/mqueue/msg_max"),
            ("kernel.domainname", "kernel/domainname"),
        ] {
            let plan = Scene::v2().plan(&set(name));
            let expected = Sysctl {
                path: path.to_owned(),
                value: "1".to_owned(),
            };
            assert_eq!(plan.init.sysctls, [expected], "{name}");
        }
        Scene::v2().plan(&format!(
            r#""linux": {{"sysctl": {{"user.max_x": "1"}}, {USER}}}"#
        ));
    }

    #[test]
    fn a_setting_of_the_host_is_refused() {
        let at = |name: &str| format!("/linux/sysctl/{}: ", name.replace('/', "~1"));
        for name in [
            "kernel.shm",
            "vm.swappiness",
            "fs.file-max",
            "fs.mqueue",
            "user.max_x",
            "net",
            "kernel.msg",
        ] {
            let expected = at(name) + "is not in a separate kernel namespace";
            assert_eq!(Scene::v2().refusal(&set(name)), expected);
        }
        for name in ["net..ipv4", "net/../kernel/x", "net.ipv4.", "/net/a", ""] {
            assert_eq!(
                Scene::v2().refusal(&set(name)),
                at(name) + "is no name of a setting"
            );
        }
        let only_mount = |name: &str| {
            format!(
                r#""linux": {{"namespaces": [{{"type": "mount"}}], "sysctl": {{"{name}": ""}}}}"#
            )
        };
        for name in ["net.x", "kernel.sem", "fs.mqueue.x", "kernel.domainname"] {
            assert!(
                Scene::v2()
                    .refusal(&only_mount(name))
                    .ends_with("kernel namespace"),
                "{name}"
            );
        }
    }

    #[test]
    fn a_setting_with_a_property_of_its_own_conflicts() {
        let hostname = Scene::v2().refusal(&set("kernel.hostname"));
        assert!(hostname.contains("conflicts with hostname"));
        let domainname = format!(r#"{}, "domainname": "a""#, set("kernel/domainname"));
        assert!(
            Scene::v2()
                .refusal(&domainname)
                .contains("conflicts with domainname")
        );
        let twice = r#""linux": {"sysctl": {"net.a": "1", "net/a": "2"}}"#;
        assert!(Scene::v2().refusal(twice).ends_with("is set twice"));
    }
}
