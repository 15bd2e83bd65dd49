//! By which maps a mount shows its ids: `idmap`, `ridmap`, `uidMappings` and `gidMappings`.
//!
//! A mount has maps of its own, as lists or in the option's text, or borrows those of the container's
//! user namespace. Which filesystems can be mapped is the kernel's affair, but for those that show
//! the namespaces of whoever mounts them: an id-mapped one is made by the host.

use crate::config::Mount as Raw;
use crate::plan::{CopyUp, IdMapping, IdMaps, NamespaceKind, Namespaces, TreeIdMap, TreeMaps};

use super::error::{At, ResolveError};
use super::handed::Handed;
use super::id_map_text;
use super::idmaps::{self, KnownMaps};
use super::mount_options::{IdMapOption, Options};
use super::mount_words::Reach;

/// Never id-mapped: each belongs to a namespace of its own.
const OF_A_NAMESPACE: &[&str] = &["cgroup", "cgroup2", "devpts", "mqueue", "proc", "sysfs"];

/// The container's user namespace, and what is known of its maps.
#[derive(Debug, Clone, Copy)]
pub(super) struct Container<'a> {
    pub(super) own: &'a Namespaces,
    pub(super) maps: &'a KnownMaps,
}

/// The id map of one mount; `None` where it shows ids as they are stored.
pub(super) fn resolve(
    raw: &Raw,
    options: &Options<'_>,
    at: &At<'_>,
    container: Container<'_>,
    handed: &mut Handed,
) -> Result<Option<TreeIdMap>, ResolveError> {
    let lists = lists(raw, at)?;
    if lists.is_none() && options.id_map.is_none() {
        return Ok(None);
    }
    let all = at.member("/options");
    let index = options.id_map.map_or(0, |option| option.index);
    let option = all.index(index);
    let place = if options.id_map.is_some() {
        &option
    } else {
        at
    };
    let fstype = raw.kind.as_deref().unwrap_or_default();
    if options.remount {
        return Err(place.breaks("remount cannot change the id map of a mount"));
    }
    if options.bind.is_none() && OF_A_NAMESPACE.contains(&fstype) {
        return Err(place.wrong(fstype, "does not support id-mapped mounts"));
    }
    let reach = options.id_map.map_or(Reach::One, |option| option.reach);
    Ok(Some(TreeIdMap {
        maps: maps(lists, options.id_map, place, container, handed)?,
        recursive: reach == Reach::All,
    }))
}

/// `uidMappings` and `gidMappings`: both or neither (config.md#mounts).
fn lists(raw: &Raw, at: &At<'_>) -> Result<Option<IdMaps>, ResolveError> {
    let maps = IdMaps {
        uid: idmaps::map(raw.uid_mappings.as_deref(), &at.member("/uidMappings"))?,
        gid: idmaps::map(raw.gid_mappings.as_deref(), &at.member("/gidMappings"))?,
    };
    match (maps.uid.is_empty(), maps.gid.is_empty()) {
        (true, true) => Ok(None),
        (false, false) => Ok(Some(maps)),
        (false, true) => Err(at.member("/uidMappings").breaks("needs gidMappings too")),
        (true, false) => Err(at.member("/gidMappings").breaks("needs uidMappings too")),
    }
}

fn maps(
    lists: Option<IdMaps>,
    option: Option<IdMapOption<'_>>,
    at: &At<'_>,
    container: Container<'_>,
    handed: &mut Handed,
) -> Result<TreeMaps, ResolveError> {
    let text = option.and_then(|option| option.maps);
    let own = match (lists, text) {
        (Some(_), Some(_)) => {
            return Err(at.breaks("mappings are given twice: here and as uidMappings"));
        }
        (Some(maps), None) => maps,
        (None, Some(text)) => id_map_text::parse(text, container.maps.known(), at)?,
        (None, None) if container.own.is_joined(NamespaceKind::User) => {
            return Ok(TreeMaps::Joined);
        }
        (None, None) if container.own.is_new(NamespaceKind::User) => container.maps.known().clone(),
        (None, None) => {
            return Err(at.breaks("needs mappings, of the mount or of a user namespace"));
        }
    };
    Ok(TreeMaps::Own(handed.maps(own)))
}

/// Init copies as root of the container, whose ids the map must lead to, where it is known.
pub(super) fn check_copy_up(
    copy_up: Option<CopyUp>,
    id_map: Option<TreeIdMap>,
    container: Container<'_>,
    (handed, at): (&Handed, &At<'_>),
) -> Result<(), ResolveError> {
    let (
        Some(_),
        Some(TreeIdMap {
            maps: TreeMaps::Own(number),
            ..
        }),
    ) = (copy_up, id_map)
    else {
        return Ok(());
    };
    let known = container.maps.known();
    let leads_to = |map: &[IdMapping], root: u32| {
        let covers = |part: &IdMapping| root.wrapping_sub(part.host_id) < part.size;
        map.iter().any(covers)
    };
    let root = |map: &[IdMapping]| match container.own.is_own(NamespaceKind::User) {
        true => id_map_text::on_host(0, 1, map),
        false => Some(0),
    };
    let maps = usize::try_from(number)
        .ok()
        .and_then(|index| handed.maps.get(index));
    let fits = |map: &[IdMapping], root: Option<u32>| root.is_none_or(|root| leads_to(map, root));
    match maps {
        Some(maps) if !(fits(&maps.uid, root(&known.uid)) && fits(&maps.gid, root(&known.gid))) => {
            Err(at.breaks("tmpcopyup needs an id map that leads to the container's root"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Scene, USER};
    use super::*;
    use crate::plan::Plan;

    const MAPPINGS: &str = r#""uidMappings": [{"containerID": 0, "hostID": 7, "size": 9}],
        "gidMappings": [{"containerID": 1, "hostID": 8, "size": 2}]"#;
    const JOINED: &str =
        r#""linux": {"namespaces": [{"type": "user", "path": "/u"}, {"type": "mount"}]}"#;

    /// One bind with these members besides.
    fn bind(members: &str) -> String {
        format!(r#""mounts": [{{"destination": "/a", "source": "/b", {members}}}]"#)
    }

    fn with_options(options: &str) -> String {
        bind(&format!(r#""options": ["rbind", "{options}"]"#))
    }

    fn text(map: &[IdMapping]) -> String {
        let parts: Vec<_> = map
            .iter()
            .map(|part| format!("{} {} {}", part.container_id, part.host_id, part.size))
            .collect();
        parts.join(", ")
    }

    /// The maps of the one bind, and whether they reach below.
    fn shown(plan: &Plan) -> (String, String, bool) {
        let id_map = plan.host.handed[1].id_map.unwrap();
        let TreeMaps::Own(number) = id_map.maps else {
            panic!("joined")
        };
        let maps = &plan.host.tree_maps[number as usize];
        (text(&maps.uid), text(&maps.gid), id_map.recursive)
    }

    #[test]
    fn a_mount_has_its_own_maps_or_the_containers() {
        let user = format!(r#""linux": {{{USER}}}"#);
        for (mount, uid, gid, recursive) in [
            (
                bind(&format!(r#""options": ["bind"], {MAPPINGS}"#)),
                "0 7 9",
                "1 8 2",
                false,
            ),
            (
                bind(&format!(r#""options": ["rbind", "ridmap"], {MAPPINGS}"#)),
                "0 7 9",
                "1 8 2",
                true,
            ),
            (
                with_options("idmap"),
                "0 100000 1000",
                "0 200000 500",
                false,
            ),
            (
                with_options("ridmap"),
                "0 100000 1000",
                "0 200000 500",
                true,
            ),
            (
                with_options("idmap=uids=0-1-10#10-11-10;gids=0-100-10"),
                "0 1 10, 10 11 10",
                "0 100 10",
                false,
            ),
            (
                with_options("ridmap=gids=@5-3-10;uids=@0-990-10;"),
                "0 100990 10",
                "5 200003 10",
                true,
            ),
        ] {
            let plan = Scene::v2().plan(&format!("{mount}, {user}"));
            assert_eq!(shown(&plan), (uid.to_owned(), gid.to_owned(), recursive));
        }
        let joined = Scene::v2().plan(&format!("{}, {JOINED}", with_options("idmap")));
        assert_eq!(joined.host.handed[1].id_map.unwrap().maps, TreeMaps::Joined);
        let none = Scene::v2().plan(&bind(r#""options": ["bind"], "uidMappings": []"#));
        assert_eq!(none.host.handed[1].id_map, None);
    }

    #[test]
    fn equal_maps_are_made_once() {
        let mount = |place: &str| {
            format!(
                r#"{{"destination": "{place}", "source": "/b", "options": ["bind"], {MAPPINGS}}}"#
            )
        };
        let plan = Scene::v2().plan(&format!(r#""mounts": [{}, {}]"#, mount("/a"), mount("/b")));
        assert_eq!(plan.host.tree_maps.len(), 1);
        assert_eq!(plan.host.handed[1].id_map, plan.host.handed[2].id_map);
    }

    #[test]
    fn lists_that_are_no_maps_or_have_no_mount_are_refused() {
        let list = |uids: &str| {
            let gids = r#"[{"containerID": 0, "hostID": 1, "size": 1}]"#;
            bind(&format!(
                r#""options": ["bind"], "uidMappings": {uids}, "gidMappings": {gids}"#
            ))
        };
        Scene::v2().refuses(&[
            (&list("[]"), "/mounts/0/gidMappings: needs uidMappings too"),
            (
                &list(r#"[{"containerID": 0, "hostID": 1, "size": 0}]"#),
                "/mounts/0/uidMappings/0/size: must not be 0",
            ),
            (
                &list(r#"[{"containerID": 4294967295, "hostID": 1, "size": 1}]"#),
                "/mounts/0/uidMappings/0/containerID: \"4294967295\" and size go beyond",
            ),
            (
                &list(r#"[{"containerID": 0, "hostID": 1}]"#),
                "/mounts/0/uidMappings/0: missing field `size`",
            ),
            (
                &bind(&format!(
                    r#""options": ["bind", "idmap=uids=0-1-2;gids=0-1-2"], {MAPPINGS}"#
                )),
                "/mounts/0/options/1: mappings are given twice",
            ),
            (
                &bind(&format!(r#""options": ["remount", "bind"], {MAPPINGS}"#)),
                "/mounts/0: remount cannot change the id map",
            ),
            (
                &format!(r#""mounts": [{{"destination": "/a", "type": "mqueue", {MAPPINGS}}}]"#),
                "/mounts/0: \"mqueue\" does not support id-mapped mounts",
            ),
        ]);
    }

    #[test]
    fn what_is_copied_up_needs_ids_to_be_stored_with() {
        let tmpfs = |option: &str| {
            format!(
                r#""mounts": [{{"destination": "/a", "type": "tmpfs", "options": ["tmpcopyup", "{option}"]}}]"#
            )
        };
        let user = format!(r#""linux": {{{USER}}}"#);
        Scene::v2().plan(&tmpfs("idmap=uids=5-0-10;gids=5-0-1"));
        Scene::v2().plan(&format!("{}, {user}", tmpfs("idmap")));
        Scene::v2().plan(&format!("{}, {JOINED}", tmpfs("idmap")));
        let refused = "/mounts/0/options: tmpcopyup needs an id map that leads to";
        Scene::v2().refuses(&[
            (&tmpfs("idmap=uids=0-1-10;gids=0-0-1"), refused),
            (
                &format!("{}, {user}", tmpfs("idmap=uids=0-0-10;gids=0-0-10")),
                refused,
            ),
        ]);
    }
}
