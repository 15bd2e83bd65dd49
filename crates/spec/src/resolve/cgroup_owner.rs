//! Whose the container's cgroup is (config-linux.md#cgroup-ownership).
//!
//! It goes to the user of the container's process where that can do no harm and is of use: in
//! cgroup2, seen by the container as the root of a cgroup namespace of its own, and mounted on
//! /sys/fs/cgroup for writing.

use crate::host::HostFacts;
use crate::plan::{CgroupLayout, Mount, MountKind, NamespaceKind, Namespaces};

use super::idmaps::KnownMaps;
use super::path;

/// MOUNT_ATTR_RDONLY.
const READ_ONLY: u64 = 1;

/// What the decision follows from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Surroundings<'a> {
    pub(super) host: &'a HostFacts,
    pub(super) own: &'a Namespaces,
    pub(super) maps: &'a KnownMaps,
    pub(super) mounts: &'a [Mount],
    /// The process's user, as the container has it.
    pub(super) uid: u32,
}

/// The host's uid of the new owner; `None` where the owner stays.
pub(super) fn resolve(around: Surroundings<'_>) -> Option<u32> {
    let Surroundings { host, own, .. } = around;
    let delegated = host.cgroup_layout == CgroupLayout::V2
        && host.privileged
        && own.is_new(NamespaceKind::Cgroup)
        && around.mounts.iter().any(is_writable_cgroup);
    if !delegated {
        return None;
    }
    let owner = around.maps.host_uid(around.uid, own)?;
    (owner != host.uid).then_some(owner)
}

fn is_writable_cgroup(mount: &Mount) -> bool {
    let fresh = matches!(&mount.kind, MountKind::Filesystem { fstype, .. } if fstype == "cgroup2");
    fresh
        && path::clean(&mount.destination) == "/sys/fs/cgroup"
        && mount.attributes.set & READ_ONLY == 0
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Scene, USER};

    const MOUNT: &str =
        r#""mounts": [{"destination": "/sys/fs/cgroup", "type": "cgroup", "options": ["rw"]}]"#;

    fn owner(scene: &Scene, members: &str) -> Option<u32> {
        scene.plan(members).host.cgroup.owner
    }

    #[test]
    fn a_cgroup_that_the_container_may_write_is_its_users() {
        let user = r#""process": {"user": {"uid": 7, "gid": 7}}"#;
        assert_eq!(owner(&Scene::v2(), &format!("{MOUNT}, {user}")), Some(7));
        let mapped = USER.replace(r#"{"type": "uts"}"#, r#"{"type": "cgroup"}"#);
        let mapped = format!(r#"{MOUNT}, "linux": {{{mapped}}}"#);
        assert_eq!(owner(&Scene::v2(), &mapped), Some(100_000));
        assert_eq!(
            owner(&Scene::v2(), &format!("{mapped}, {user}")),
            Some(100_007)
        );
    }

    #[test]
    fn the_owner_stays_unless_all_of_it_is_so() {
        let user = r#""process": {"user": {"uid": 7, "gid": 7}}"#;
        let read_only = MOUNT.replace("rw", "ro");
        let elsewhere = MOUNT.replace("/sys/fs/cgroup", "/cgroup");
        let shared = r#""linux": {"namespaces": [{"type": "mount"}]}"#;
        for members in [
            MOUNT,
            user,
            &format!("{read_only}, {user}"),
            &format!("{elsewhere}, {user}"),
            &format!("{MOUNT}, {user}, {shared}"),
        ] {
            assert_eq!(owner(&Scene::v2(), members), None, "{members}");
        }
        let both = format!("{MOUNT}, {user}");
        assert_eq!(owner(&Scene::v1(), &both), None);
        assert_eq!(owner(&Scene::rootless(), &both), None);
    }
}
