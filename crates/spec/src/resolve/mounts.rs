//! `mounts`, in listed order: what each one is, from where, with which attributes.
//!
//! Bind sources become handed trees; where a mount may go is decided by `destination`.

use oci_spec::runtime::Mount as Raw;

use crate::bundle::Bundle;
use crate::plan::{CgroupLayout, FsParameter, Mount, MountKind, Propagation, TreeSource};

use super::destination;
use super::error::{At, ResolveError, Warnings};
use super::handed::Handed;
use super::mount_label::{MountLabel, OnMount};
use super::mount_options::Options;
use super::mount_words::Reach;
use super::path;
use super::unsupported;

/// Their superblocks are the kernel's own or made for this container: `ro` is the mount's affair.
const NO_DISK: &[&str] = &[
    "cgroup", "cgroup2", "devpts", "mqueue", "proc", "sysfs", "tmpfs",
];

/// What the mounts of one container share.
#[derive(Debug, Clone, Copy)]
pub(super) struct Surroundings<'a> {
    pub(super) bundle: &'a Bundle,
    pub(super) layout: CgroupLayout,
    /// How clones of bind sources are tied to the host.
    pub(super) ties: Propagation,
    pub(super) label: Option<&'a MountLabel>,
}

/// All of `mounts`.
pub(super) fn resolve(
    around: Surroundings<'_>,
    handed: &mut Handed,
    warnings: &mut Warnings,
) -> Result<Vec<Mount>, ResolveError> {
    let all = At::new("/mounts");
    let raw = around.bundle.config.mounts.iter().flatten().enumerate();
    raw.map(|(index, raw)| one(raw, index, &all.index(index), around, (handed, warnings)))
        .collect()
}

fn one(
    raw: &Raw,
    index: usize,
    at: &At<'_>,
    around: Surroundings<'_>,
    (handed, warnings): (&mut Handed, &mut Warnings),
) -> Result<Mount, ResolveError> {
    unsupported::refuse_mount(raw, at)?;
    let words = raw.options().as_deref().unwrap_or_default();
    let options = Options::of(words);
    let kind = kind(raw, &options, at, around, handed)?;
    let destination = destination::resolve(raw, &kind, &at.member("/destination"), warnings)?;
    if options.copy_up && !destination::is_filesystem(&kind, "tmpfs") {
        return Err(at.member("/options").breaks("tmpcopyup needs type tmpfs"));
    }
    Ok(Mount {
        index: u32::try_from(index).unwrap_or(u32::MAX),
        destination,
        kind,
        attributes: options.attributes,
        recursive_attributes: options.recursive,
        propagation: options.propagation,
        copy_up: options.copy_up,
    })
}

/// Options alone make a bind; the type of one means nothing (config.md#mounts).
fn kind(
    raw: &Raw,
    options: &Options<'_>,
    at: &At<'_>,
    around: Surroundings<'_>,
    handed: &mut Handed,
) -> Result<MountKind, ResolveError> {
    if options.remount {
        refuse_unknown(options, at)?;
        return Ok(MountKind::Remount);
    }
    if let Some(reach) = options.bind {
        refuse_unknown(options, at)?;
        let place = at.member("/source");
        let source = source(raw, around.bundle, &place)?;
        let number = handed.add(
            &place,
            TreeSource::Path(source),
            reach == Reach::All,
            around.ties,
        );
        return Ok(MountKind::Bind { handed: number });
    }
    let place = at.member("/type");
    match raw.typ().as_deref() {
        None | Some("" | "none") => {
            Err(place.breaks("must name a filesystem where no option says bind or rbind"))
        }
        Some("bind") => Err(place.breaks("needs the option bind or rbind")),
        // Which hierarchies, and from where, is known once all other trees are.
        Some("cgroup") if around.layout == CgroupLayout::V1 => {
            refuse_unknown(options, at)?;
            let mode = FsParameter::Text("mode".to_owned(), "755".to_owned());
            let context = around.label.map(MountLabel::parameter);
            Ok(MountKind::CgroupV1 {
                parameters: std::iter::once(mode).chain(context).collect(),
                hierarchies: Vec::new(),
            })
        }
        Some("cgroup") => Ok(filesystem("cgroup2", raw, options, around.label)),
        Some(fstype) => Ok(filesystem(fstype, raw, options, around.label)),
    }
}

/// The kernel drops data for a bind without a word; the caller meant something by it.
fn refuse_unknown(options: &Options<'_>, at: &At<'_>) -> Result<(), ResolveError> {
    match options.unknown.first() {
        None => Ok(()),
        Some((index, word)) => Err(at
            .member("/options")
            .index(*index)
            .wrong(word, "is an invalid mount option here")),
    }
}

fn source(raw: &Raw, bundle: &Bundle, at: &At<'_>) -> Result<String, ResolveError> {
    match raw.source() {
        Some(source) if !source.as_os_str().is_empty() => {
            path::below(&bundle.directory, source, at)
        }
        _ => Err(at.breaks("must be given for a bind")),
    }
}

fn filesystem(
    fstype: &str,
    raw: &Raw,
    options: &Options<'_>,
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
    let source = raw
        .source()
        .as_ref()
        .map(|source| source.to_string_lossy().into_owned());
    MountKind::Filesystem {
        fstype: fstype.to_owned(),
        source: source
            .filter(|source| !source.is_empty())
            .unwrap_or_else(|| fstype.to_owned()),
        parameters,
        root_label,
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Scene;
    use super::*;

    fn mounts(mounts: &str) -> Vec<Mount> {
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
    fn a_bind_is_told_by_its_options_alone() {
        let plan = Scene::v2().plan(
            r#""mounts": [
                {"destination": "/a", "source": "data", "type": "none", "options": ["rbind", "ro"]},
                {"destination": "/t", "type": "tmpfs", "source": "tmpfs"},
                {"destination": "/b", "source": "/abs", "options": ["bind", "rprivate"]}]"#,
        );
        let sources: Vec<_> = plan
            .host
            .handed
            .iter()
            .map(|tree| (&tree.source, tree.recursive))
            .collect();
        let path = |path: &str| TreeSource::Path(path.to_owned());
        assert_eq!(
            sources,
            [
                (&path("/bundle/rootfs"), true),
                (&path("/bundle/data"), true),
                (&path("/abs"), false)
            ]
        );
        let kinds: Vec<_> = plan
            .init
            .rootfs
            .mounts
            .iter()
            .map(|mount| &mount.kind)
            .collect();
        assert_eq!(kinds[0], &MountKind::Bind { handed: 1 });
        assert_eq!(kinds[2], &MountKind::Bind { handed: 2 });
        assert_eq!(plan.host.handed[2].pointer, "/mounts/2/source");
        assert_eq!(plan.init.rootfs.mounts[0].attributes.set, 1);
        assert_eq!(plan.init.rootfs.mounts[2].propagation.len(), 1);
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
                r#""type": "ext4", "source": "/dev/x", "options": ["ro", "acl"]"#,
                "ext4",
                "/dev/x",
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
    fn copying_up_and_remounting_are_told() {
        let list = mounts(
            r#"{"destination": "/a", "type": "tmpfs", "options": ["tmpcopyup"]},
            {"destination": "/a", "options": ["remount", "bind", "ro"]}"#,
        );
        assert!(list[0].copy_up && !list[1].copy_up);
        assert_eq!((&list[1].kind, list[1].index), (&MountKind::Remount, 1));
    }

    #[test]
    fn a_mount_that_is_not_whole_is_refused() {
        Scene::v2().refuses(&[
            (r#""mounts": [{"destination": "/a"}]"#, "/mounts/0/type: must name a filesystem"),
            (
                r#""mounts": [{"destination": "/a", "type": "bind", "source": "/b"}]"#,
                "/mounts/0/type: needs the option bind or rbind",
            ),
            (
                r#""mounts": [{"destination": "/a", "options": ["bind"]}]"#,
                "/mounts/0/source: must be given for a bind",
            ),
            (
                r#""mounts": [{"destination": "/a", "source": "/b", "options": ["bind", "size=1"]}]"#,
                "/mounts/0/options/1: \"size=1\" is an invalid mount option here",
            ),
            (
                r#""mounts": [{"destination": "/a", "options": ["remount", "x"]}]"#,
                "/mounts/0/options/1: \"x\" is an invalid mount option here",
            ),
            (
                r#""mounts": [{"destination": "/a", "type": "ext4", "options": ["tmpcopyup"]}]"#,
                "/mounts/0/options: tmpcopyup needs type tmpfs",
            ),
            (
                r#""mounts": [{"destination": "", "type": "tmpfs"}]"#,
                "/mounts/0/destination: must not be empty",
            ),
        ]);
    }
}
