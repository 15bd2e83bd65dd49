//! Where a mount may go. A destination that would hide or replace what the runtime's own safety
//! stands on is refused by its text here, and by its fd again when it is mounted.

use crate::config::Mount as Raw;
use crate::plan::MountKind;

use super::error::{At, ResolveError, Warnings};
use super::path;

/// What lxcfs and the like may put below /proc, and nothing else may.
const PROC_FILES: &[&str] = &[
    "cpuinfo",
    "diskstats",
    "loadavg",
    "meminfo",
    "slabinfo",
    "stat",
    "swaps",
    "sys/crypto/fips_enabled",
    "sys/kernel/ns_last_pid",
    "uptime",
];

/// The absolute path in the container; a relative one counts from its root (config.md#mounts).
pub(super) fn resolve(
    raw: &Raw,
    kind: &MountKind,
    at: &At<'_>,
    warnings: &mut Warnings,
) -> Result<String, ResolveError> {
    let written = &raw.destination;
    if written.is_empty() {
        return Err(at.breaks("must not be empty"));
    }
    path::short(written, at)?;
    refuse_place(&path::clean(written), raw, kind, at)?;
    if written.starts_with('/') {
        return Ok(written.clone());
    }
    warnings.add(
        at,
        format_args!("{written:?} is relative, taken as \"/{written}\""),
    );
    Ok(format!("/{written}"))
}

/// The root itself; /proc by anything but a procfs; what stands below it; the securityfs.
fn refuse_place(place: &str, raw: &Raw, kind: &MountKind, at: &At<'_>) -> Result<(), ResolveError> {
    if place == "/" {
        return Err(at.wrong(place, "must not be the root"));
    }
    if place == "/proc" && !is_procfs(raw, kind) {
        return Err(at.wrong(place, "can only be a procfs"));
    }
    if place
        .strip_prefix("/proc/")
        .is_some_and(|file| !PROC_FILES.contains(&file))
    {
        return Err(at.wrong(place, "must not be below /proc"));
    }
    if place == "/sys/kernel/security" || place.starts_with("/sys/kernel/security/") {
        return Err(at.wrong(place, "must not be mounted on"));
    }
    Ok(())
}

/// A new one, the host's (rootless with the host's pid namespace), or one that stands there.
fn is_procfs(raw: &Raw, kind: &MountKind) -> bool {
    match kind {
        MountKind::Bind { .. } => raw.source.as_deref() == Some("/proc"),
        MountKind::Remount => true,
        kind => is_filesystem(kind, "proc"),
    }
}

/// Is it a filesystem of this type?
pub(super) fn is_filesystem(kind: &MountKind, name: &str) -> bool {
    matches!(kind, MountKind::Filesystem { fstype, .. } if fstype == name)
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Scene;
    use super::*;

    #[test]
    fn a_relative_destination_is_a_warning() {
        let plan = Scene::v2().plan(r#""mounts": [{"destination": "a/b", "type": "tmpfs"}]"#);
        assert_eq!(plan.init.rootfs.mounts[0].destination, "/a/b");
        let expected = "config.json /mounts/0/destination: \"a/b\" is relative, taken as \"/a/b\"";
        assert_eq!(plan.warnings, [expected]);
    }

    #[test]
    fn a_destination_that_safety_stands_on_is_refused() {
        for place in [
            "/",
            ".",
            "/a/..",
            "/proc",
            "//proc/",
            "/a/../proc",
            "/proc/self/attr",
            "/proc/sys",
            "/proc/sys/kernel",
            "/proc/cpuinfo/x",
            "/sys/kernel/security",
            "/sys/kernel/security/a",
        ] {
            for mount in [
                r#""type": "tmpfs""#,
                r#""source": "/data", "options": ["bind"]"#,
            ] {
                let refusal = Scene::v2().refusal(&format!(
                    r#""mounts": [{{"destination": "{place}", {mount}}}]"#
                ));
                assert!(
                    refusal.starts_with("/mounts/0/destination: \"/"),
                    "{place}: {refusal}"
                );
            }
        }
        for place in PROC_FILES {
            Scene::v2().plan(&format!(
                r#""mounts": [{{"destination": "/proc/{place}", "source": "/l", "options": ["bind"]}}]"#
            ));
        }
        Scene::v2().plan(
            r#""mounts": [{"destination": "/proc", "source": "/proc", "options": ["rbind"]}]"#,
        );
    }
}
