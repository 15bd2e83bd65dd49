//! `linux.sysctl`: only what a namespace of the container's own has for itself.
//!
//! Whether a network namespace joined by path is not the host's after all is checked by fd, by
//! whoever joins it.

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
    let mut sysctls: Vec<Sysctl> = Vec::new();
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
        if sysctls.iter().any(|other| other.path == path) {
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
