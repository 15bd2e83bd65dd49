//! `mounts`, in listed order: what each one is, from where, with which attributes.
//!
//! Bind sources become handed trees; where a mount may go is decided by `destination`.

use std::path::Path;

use crate::bundle::Bundle;
use crate::config::Mount as Raw;
use crate::plan::{
    CgroupLayout, FsParameter, Links, Mount, MountKind, Propagation, TreeIdMap, TreeSource,
};

use super::destination;
use super::error::{At, ResolveError, Warnings};
use super::handed::Handed;
use super::mount_filesystem;
use super::mount_id_map::{self, Container};
use super::mount_label::MountLabel;
use super::mount_options::Options;
use super::mount_words::Reach;
use super::path;

/// Far more than any container has; the kernel takes about 0.1 ms for each.
const MOST_MOUNTS: usize = 4096;

/// What the mounts of one container share.
#[derive(Debug, Clone, Copy)]
pub(super) struct Surroundings<'a> {
    pub(super) bundle: &'a Bundle,
    pub(super) layout: CgroupLayout,
    /// How clones of bind sources are tied to the host.
    pub(super) ties: Propagation,
    pub(super) label: Option<&'a MountLabel>,
    pub(super) container: Container<'a>,
}

/// All of `mounts`.
pub(super) fn resolve(
    around: Surroundings<'_>,
    handed: &mut Handed,
    warnings: &mut Warnings,
) -> Result<Vec<Mount>, ResolveError> {
    let all = At::new("/mounts");
    let raw = around.bundle.config.mounts.as_deref().unwrap_or_default();
    if raw.len() > MOST_MOUNTS {
        return Err(all.breaks("must have at most 4096 entries"));
    }
    raw.iter()
        .enumerate()
        .map(|(index, raw)| one(raw, index, &all.index(index), around, (handed, warnings)))
        .collect()
}

fn one(
    raw: &Raw,
    index: usize,
    at: &At<'_>,
    around: Surroundings<'_>,
    (handed, warnings): (&mut Handed, &mut Warnings),
) -> Result<Mount, ResolveError> {
    let words = raw.options.as_deref().unwrap_or_default();
    let options = Options::of(words);
    let id_map = mount_id_map::resolve(raw, &options, at, around.container, handed)?;
    let kind = kind(raw, &options, at, around, handed)?;
    let destination = destination::resolve(raw, &kind, &at.member("/destination"), warnings)?;
    let place = at.member("/options");
    if options.copy_up && !destination::is_filesystem(&kind, "tmpfs") {
        return Err(place.breaks("tmpcopyup needs type tmpfs"));
    }
    let copy_up = mount_filesystem::copy_up(&options);
    mount_id_map::check_copy_up(copy_up, id_map, around.container, (handed, &place))?;
    Ok(Mount {
        index: u32::try_from(index).unwrap_or(u32::MAX),
        destination,
        kind: handed_over(kind, id_map, around, (handed, at)),
        attributes: options.attributes,
        recursive_attributes: options.recursive,
        propagation: options.propagation,
        copy_up,
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
    let links = links(options, at)?;
    if options.remount {
        refuse_unknown(options, at)?;
        return Ok(MountKind::Remount);
    }
    if let Some(reach) = options.bind {
        refuse_unknown(options, at)?;
        let place = at.member("/source");
        let path = source(raw, around.bundle, &place)?;
        let source = match links == Links::Copied || options.source_nofollow {
            true => TreeSource::Unfollowed(path),
            false => TreeSource::Path(path),
        };
        let handed = handed.add(&place, source, reach == Reach::All, around.ties);
        return Ok(MountKind::Bind { handed, links });
    }
    let place = at.member("/type");
    match raw.kind.as_deref() {
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
        Some("cgroup") => Ok(mount_filesystem::inside(
            "cgroup2",
            (raw, options),
            around.label,
        )),
        Some(fstype) => Ok(mount_filesystem::inside(
            fstype,
            (raw, options),
            around.label,
        )),
    }
}

/// What is handed to init shows its ids as it should.
fn handed_over(
    kind: MountKind,
    id_map: Option<TreeIdMap>,
    around: Surroundings<'_>,
    (handed, at): (&mut Handed, &At<'_>),
) -> MountKind {
    let kind = mount_filesystem::placed(kind, around.container.own, id_map, (handed, at));
    if id_map.is_some() {
        handed.map_last(id_map);
    }
    kind
}

/// crun's options about symlinks.
fn links(options: &Options<'_>, at: &At<'_>) -> Result<Links, ResolveError> {
    let place = at.member("/options");
    let nofollow = options.source_nofollow || options.destination_nofollow;
    if (options.copy_symlink || nofollow) && (options.bind.is_none() || options.remount) {
        return Err(place
            .breaks("copy-symlink, src-nofollow and dest-nofollow need the option bind or rbind"));
    }
    match (options.copy_symlink, options.destination_nofollow) {
        (true, _) if nofollow => {
            Err(place.breaks("copy-symlink excludes src-nofollow and dest-nofollow"))
        }
        (true, _) => Ok(Links::Copied),
        (false, true) => Ok(Links::Covered),
        (false, false) => Ok(Links::Followed),
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
    match raw.source.as_deref() {
        Some(source) if !source.is_empty() => path::below(&bundle.directory, Path::new(source), at),
        _ => Err(at.breaks("must be given for a bind")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Scene;
    use super::*;
    use crate::plan::CopyUp;

    fn mounts(mounts: &str) -> Vec<Mount> {
        Scene::v2()
            .plan(&format!(r#""mounts": [{mounts}]"#))
            .init
            .rootfs
            .mounts
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
        let links = Links::Followed;
        assert_eq!(kinds[0], &MountKind::Bind { handed: 1, links });
        assert_eq!(kinds[2], &MountKind::Bind { handed: 2, links });
        assert_eq!(plan.host.handed[2].pointer, "/mounts/2/source");
        assert_eq!(plan.init.rootfs.mounts[0].attributes.set, 1);
        assert_eq!(plan.init.rootfs.mounts[2].propagation.len(), 1);
    }

    #[test]
    fn copying_up_and_remounting_are_told() {
        let list = mounts(
            r#"{"destination": "/a", "type": "tmpfs", "options": ["tmpcopyup"]},
            {"destination": "/a", "options": ["remount", "bind", "ro"]}"#,
        );
        let whole = CopyUp {
            mode: true,
            owner: true,
        };
        assert_eq!((list[0].copy_up, list[1].copy_up), (Some(whole), None));
        assert_eq!((&list[1].kind, list[1].index), (&MountKind::Remount, 1));
        let list = mounts(
            r#"{"destination": "/a", "type": "tmpfs", "options": ["tmpcopyup", "size=1,mode=5"]},
            {"destination": "/a", "type": "tmpfs", "options": ["gid=5", "tmpcopyup", "models"]}"#,
        );
        let kept: Vec<_> = list.iter().filter_map(|mount| mount.copy_up).collect();
        assert_eq!((kept[0].mode, kept[0].owner), (false, true));
        assert_eq!((kept[1].mode, kept[1].owner), (true, false));
    }

    #[test]
    fn symlinks_are_followed_unless_an_option_says_else() {
        for (options, links, followed) in [
            (r#""bind""#, Links::Followed, true),
            (r#""bind", "src-nofollow""#, Links::Followed, false),
            (r#""bind", "dest-nofollow""#, Links::Covered, true),
            (
                r#""rbind", "src-nofollow", "dest-nofollow""#,
                Links::Covered,
                false,
            ),
            (r#""bind", "copy-symlink""#, Links::Copied, false),
        ] {
            let plan = Scene::v2().plan(&format!(
                r#""mounts": [{{"destination": "/a", "source": "/b", "options": [{options}]}}]"#
            ));
            let kind = &plan.init.rootfs.mounts[0].kind;
            assert_eq!(kind, &MountKind::Bind { handed: 1, links }, "{options}");
            let source = match followed {
                true => TreeSource::Path("/b".to_owned()),
                false => TreeSource::Unfollowed("/b".to_owned()),
            };
            assert_eq!(plan.host.handed[1].source, source, "{options}");
        }
    }

    #[test]
    fn more_mounts_than_any_container_has_are_refused() {
        let list = |many: usize| {
            let mount = r#"{"destination": "/a", "type": "tmpfs"}"#;
            format!(r#""mounts": [{}]"#, vec![mount; many].join(","))
        };
        Scene::v2().plan(&list(MOST_MOUNTS));
        assert_eq!(
            Scene::v2().refusal(&list(10_000)),
            "/mounts: must have at most 4096 entries"
        );
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
                r#""mounts": [{"destination": "/a", "type": "tmpfs", "options": ["src-nofollow"]}]"#,
                "/mounts/0/options: copy-symlink, src-nofollow and dest-nofollow need",
            ),
            (
                r#""mounts": [{"destination": "/a", "options": ["bind", "remount", "dest-nofollow"]}]"#,
                "/mounts/0/options: copy-symlink, src-nofollow and dest-nofollow need",
            ),
            (
                r#""mounts": [{"destination": "/a", "source": "/b", "options": ["bind", "copy-symlink", "dest-nofollow"]}]"#,
                "/mounts/0/options: copy-symlink excludes",
            ),
            (
                r#""mounts": [{"destination": "", "type": "tmpfs"}]"#,
                "/mounts/0/destination: must not be empty",
            ),
        ]);
    }
}
