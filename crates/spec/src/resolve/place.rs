//! Where the container's cgroup stands (config-linux.md#cgroups-path), and whether it may fail.
//!
//! An absolute path counts from the root of each hierarchy, a relative one from the runtime's own
//! cgroup. Without a path the container's name is taken, below the root for a privileged runtime
//! and below its own cgroup, which may have been delegated, for another.

use crate::config::Linux;
use crate::host::HostFacts;
use crate::plan::{CgroupManager, CgroupPlace};
use crate::request::{Request, Rootless};

use super::error::{At, Problem, ResolveError};
use super::path;

/// NAME_MAX.
const LONGEST_NAME: usize = 255;

/// Engines nest some ten. Every one costs the kernel more than the one above it, so that a few
/// thousand, which a path has room for, would take hours.
const MOST_NAMES: usize = 128;

/// Is the runtime to behave as one without rights over cgroups?
pub(super) fn is_rootless(request: &Request<'_>, host: &HostFacts) -> bool {
    match request.rootless {
        Rootless::Yes => true,
        Rootless::No => false,
        Rootless::Auto => !host.privileged,
    }
}

/// `linux.cgroupsPath`, empty as absent.
pub(super) fn asked(linux: &Linux) -> Option<&str> {
    linux
        .cgroups_path
        .as_deref()
        .filter(|path| !path.is_empty())
}

/// The place of the container.
pub(super) fn resolve(
    linux: &Linux,
    request: &Request<'_>,
    host: &HostFacts,
) -> Result<CgroupPlace, ResolveError> {
    let at = At::new("/linux/cgroupsPath");
    let path = asked(linux);
    if request.manager == CgroupManager::Systemd {
        return Err(systemd(path, &at));
    }
    let Some(path) = path else {
        let name = vec![request.id.as_str().to_owned()];
        return Ok(match is_rootless(request, host) {
            true => CgroupPlace::Relative(name),
            false => CgroupPlace::Absolute(name),
        });
    };
    if is_systemd_form(path) {
        return Err(at.wrong(path, "is a place for the systemd cgroup manager"));
    }
    let components = components(path, &at)?;
    Ok(match path.starts_with('/') {
        true => CgroupPlace::Absolute(components),
        false => CgroupPlace::Relative(components),
    })
}

/// `slice:prefix:name`.
fn is_systemd_form(path: &str) -> bool {
    let parts: Vec<&str> = path.split(':').collect();
    matches!(parts.as_slice(), [slice, _, _] if slice.is_empty() || slice.ends_with(".slice"))
        && !path.contains('/')
}

fn systemd(path: Option<&str>, at: &At<'_>) -> ResolveError {
    match path {
        Some(path) if path.split(':').count() != 3 => {
            at.refuse(Problem::SystemdPath(path.to_owned()))
        }
        _ => at.breaks("the systemd cgroup manager is not supported yet"),
    }
}

fn components(path: &str, at: &At<'_>) -> Result<Vec<String>, ResolveError> {
    path::short(path, at)?;
    let mut components = Vec::new();
    for part in path.split('/').filter(|part| !matches!(*part, "" | ".")) {
        if part == ".." {
            return Err(at.wrong(path, "must not contain .."));
        }
        if part.len() > LONGEST_NAME {
            return Err(at.breaks("must have names of at most 255 bytes"));
        }
        components.push(part.to_owned());
    }
    match components.len() {
        0 => Err(at.wrong(path, "must name a cgroup below the root")),
        1..=MOST_NAMES => Ok(components),
        _ => Err(at.breaks("must have at most 128 names")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Scene;
    use super::*;

    fn components(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn at(path: &str) -> String {
        format!(r#""linux": {{"cgroupsPath": "{path}"}}"#)
    }

    #[test]
    fn a_path_is_absolute_or_below_the_runtimes_own() {
        let absolute = |names: &[&str]| CgroupPlace::Absolute(components(names));
        let relative = |names: &[&str]| CgroupPlace::Relative(components(names));
        for (path, expected) in [
            ("/a/b", absolute(&["a", "b"])),
            ("//a/./b/", absolute(&["a", "b"])),
            ("a/b", relative(&["a", "b"])),
            ("a:b:c", relative(&["a:b:c"])),
            ("/x.slice:b:c", absolute(&["x.slice:b:c"])),
            ("", absolute(&["web"])),
        ] {
            assert_eq!(
                Scene::v2().plan(&at(path)).host.cgroup.place,
                expected,
                "{path}"
            );
        }
        assert_eq!(
            Scene::rootless().plan("").host.cgroup.place,
            relative(&["web"])
        );
        assert_eq!(
            Scene::rootless().plan(&at("/a")).host.cgroup.place,
            absolute(&["a"])
        );
    }

    #[test]
    fn a_path_that_leads_elsewhere_is_refused() {
        let long = "a".repeat(256);
        Scene::v2().plan(&at(&"/a".repeat(128)));
        Scene::v2().refuses(&[
            (
                &at("/a/../b"),
                "/linux/cgroupsPath: \"/a/../b\" must not contain ..",
            ),
            (
                &at("/"),
                "/linux/cgroupsPath: \"/\" must name a cgroup below the root",
            ),
            (
                &at("system.slice:p:n"),
                "/linux/cgroupsPath: \"system.slice:p:n\" is a place for",
            ),
            (
                &at(&long),
                "/linux/cgroupsPath: must have names of at most 255 bytes",
            ),
            (
                &at(&"/a".repeat(129)),
                "/linux/cgroupsPath: must have at most 128 names",
            ),
            (
                &at(&"/a".repeat(10_000)),
                "/linux/cgroupsPath: must have at most 4095 bytes",
            ),
        ]);
        let systemd = Scene {
            manager: CgroupManager::Systemd,
            ..Scene::v2()
        };
        systemd.refuses(&[
            (
                &at("/a"),
                "/linux/cgroupsPath: expected cgroupsPath to be of format \"slice:prefix:name\" \
                 for systemd cgroups, got \"/a\" instead",
            ),
            (
                &at("a:b:c"),
                "/linux/cgroupsPath: the systemd cgroup manager is not supported yet",
            ),
            (
                "",
                "/linux/cgroupsPath: the systemd cgroup manager is not supported yet",
            ),
        ]);
    }

    #[test]
    fn only_who_asks_for_nothing_may_go_without_a_cgroup() {
        let limit = r#""linux": {"resources": {"pids": {"limit": 5}}}"#;
        for (rootless, scene, members, expected) in [
            (Rootless::Auto, Scene::v2(), "", false),
            (Rootless::Yes, Scene::v2(), "", true),
            (Rootless::Auto, Scene::rootless(), "", true),
            (Rootless::No, Scene::rootless(), "", false),
            (Rootless::Auto, Scene::rootless(), limit, false),
            (
                Rootless::Auto,
                Scene::rootless(),
                r#""linux": {"cgroupsPath": "a"}"#,
                false,
            ),
        ] {
            let plan = Scene { rootless, ..scene }.plan(members);
            assert_eq!(
                plan.host.cgroup.best_effort, expected,
                "{rootless:?} {members}"
            );
        }
    }
}
