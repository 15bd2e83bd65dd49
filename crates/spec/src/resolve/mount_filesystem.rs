//! A mount that is no bind: which filesystem with which parameters, and who makes it.
//!
//! Init makes what belongs to the container's namespaces. The host makes what is only found from
//! the host, before its root goes out of reach (`source` is a device name there, overlayfs names
//! directories), and what is id-mapped: that takes rights over the filesystem, which must belong to
//! the host and not to a user namespace of the container's.

use crate::config::Mount as Raw;
use crate::plan::{
    CopyUp, FsParameter, MountKind, NamespaceKind, Namespaces, Propagation, TreeIdMap, TreeSource,
};

use super::error::At;
use super::handed::Handed;
use super::mount_label::{MountLabel, OnMount};
use super::mount_options::Options;

/// Their superblocks are the kernel's own or made for this container: `ro` is the mount's affair.
const NO_DISK: &[&str] = &[
    "cgroup", "cgroup2", "devpts", "mqueue", "proc", "sysfs", "tmpfs",
];

/// The filesystem, made by init.
pub(super) fn inside(
    fstype: &str,
    (raw, options): (&Raw, &Options<'_>),
    label: Option<&MountLabel>,
) -> MountKind {
    let mut parameters: Vec<FsParameter> = options
        .superblock
        .iter()
        .map(|flag| FsParameter::Flag((*flag).to_owned()))
        .collect();
    if options.read_only() && !NO_DISK.contains(&fstype) {
        parameters.push(FsParameter::Flag("ro".to_owned()));
    }
    parameters.extend(options.filesystem_parameters());
    let mut root_label = None;
    match label.map_or(OnMount::Nothing, |label| label.on(fstype, &parameters)) {
        OnMount::Nothing => {}
        OnMount::Parameter(context) => parameters.push(context),
        OnMount::Root(context) => root_label = Some(context),
    }
    let source = raw.source.as_deref().filter(|source| !source.is_empty());
    MountKind::Filesystem {
        fstype: fstype.to_owned(),
        source: source.unwrap_or(fstype).to_owned(),
        parameters,
        root_label,
    }
}

/// The same, made by the host where init cannot.
pub(super) fn placed(
    kind: MountKind,
    own: &Namespaces,
    id_map: Option<TreeIdMap>,
    (handed, at): (&mut Handed, &At<'_>),
) -> MountKind {
    match kind {
        MountKind::Filesystem {
            fstype,
            source,
            parameters,
            root_label: None,
        } if id_map.is_some()
            || (!own.is_own(NamespaceKind::User) && names_path(&source, &parameters)) =>
        {
            let made = TreeSource::Filesystem {
                fstype,
                source,
                parameters,
            };
            let handed = handed.add(at, made, false, Propagation::Private);
            MountKind::Made { handed }
        }
        kind => kind,
    }
}

/// `//server/share` is no path, and belongs to the container's network.
fn names_path(source: &str, parameters: &[FsParameter]) -> bool {
    let is_path = |text: &str| text.starts_with('/') && !text.starts_with("//");
    is_path(source)
        || parameters
            .iter()
            .any(|parameter| matches!(parameter, FsParameter::Text(_, value) if is_path(value)))
}

/// What the tmpfs takes of the directory that it covers: what no option says.
pub(super) fn copy_up(options: &Options<'_>) -> Option<CopyUp> {
    let says = |key: &str| {
        let names = |(_, word): &(usize, &str)| {
            word.split(',').any(|word| {
                word.strip_prefix(key)
                    .is_some_and(|rest| rest.starts_with('='))
            })
        };
        options.unknown.iter().any(names)
    };
    options.copy_up.then(|| CopyUp {
        mode: !says("mode"),
        owner: !says("uid") && !says("gid"),
    })
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Scene, USER};
    use super::*;

    fn mounts(mounts: &str) -> Vec<crate::plan::Mount> {
        Scene::v2()
            .plan(&format!(r#""mounts": [{mounts}]"#))
            .init
            .rootfs
            .mounts
    }

    fn flag(word: &str) -> FsParameter {
        FsParameter::Flag(word.to_owned())
    }

    #[test]
    fn a_filesystem_takes_what_is_not_ours() {
        for (mount, fstype, source, parameters) in [
            (
                r#""type": "proc", "source": "proc""#,
                "proc",
                "proc",
                vec![],
            ),
            (
                r#""type": "proc", "options": ["ro"]"#,
                "proc",
                "proc",
                vec![],
            ),
            (
                r#""type": "tmpfs", "source": "shm", "options": ["ro", "sync", "noswap"]"#,
                "tmpfs",
                "shm",
                vec![flag("sync"), flag("noswap")],
            ),
            (
                r#""type": "nfs", "source": "server:/x", "options": ["ro", "acl"]"#,
                "nfs",
                "server:/x",
                vec![flag("ro"), flag("acl")],
            ),
            (
                r#""type": "ext4", "source": "", "options": ["ro", "rw"]"#,
                "ext4",
                "ext4",
                vec![],
            ),
            (
                r#""type": "cgroup", "source": "cgroup", "options": ["ro"]"#,
                "cgroup2",
                "cgroup",
                vec![],
            ),
        ] {
            let place = if fstype == "proc" { "/proc" } else { "/a" };
            let mounts = mounts(&format!(r#"{{"destination": "{place}", {mount}}}"#));
            let expected = MountKind::Filesystem {
                fstype: fstype.to_owned(),
                source: source.to_owned(),
                parameters,
                root_label: None,
            };
            assert_eq!(mounts[0].kind, expected, "{mount}");
        }
    }

    #[test]
    fn the_host_makes_what_is_only_found_from_there() {
        let user = format!(r#", "linux": {{{USER}}}"#);
        let made = |mount: &str, besides: &str| {
            let place = r#"{"destination": "/a", "type""#;
            let plan = Scene::v2().plan(&format!(r#""mounts": [{place}: {mount}}}]{besides}"#));
            match plan.init.rootfs.mounts[0].kind {
                MountKind::Made { handed } => {
                    let tree = plan.host.handed[usize::try_from(handed).unwrap()].clone();
                    assert_eq!(tree.pointer, "/mounts/0");
                    Some(tree)
                }
                _ => None,
            }
        };
        let disk = r#""ext4", "source": "/dev/x", "options": ["ro", "sync"]"#;
        let tree = made(disk, "").unwrap();
        let source = TreeSource::Filesystem {
            fstype: "ext4".to_owned(),
            source: "/dev/x".to_owned(),
            parameters: vec![flag("sync"), flag("ro")],
        };
        assert_eq!((tree.source, tree.id_map), (source, None));
        let overlay = r#""overlay", "options": ["lowerdir=/a:/b"]"#;
        let share = r#""cifs", "source": "//server/share""#;
        let mapped = r#""tmpfs", "options": ["idmap=uids=0-1-2;gids=0-1-2"]"#;
        for (mount, alone, with_user) in [
            (disk, true, false),
            (overlay, true, false),
            (share, false, false),
            (r#""tmpfs", "source": "tmpfs""#, false, false),
            (mapped, true, true),
            (r#""tmpfs", "options": ["size=1"]"#, false, false),
        ] {
            assert_eq!(made(mount, "").is_some(), alone, "{mount}");
            assert_eq!(made(mount, &user).is_some(), with_user, "{mount}");
        }
        assert!(made(mapped, "").unwrap().id_map.is_some());
    }
}
