//! Who is who in a user namespace: the two maps, and whether an id that the config uses is mapped.
//!
//! The kernel's own rules (user_namespaces(7)) are checked here, because its answer to a broken
//! one is a bare EINVAL. Who may write the maps is found out by writing.

use crate::config::{IdMapping as Raw, Linux};
use crate::plan::{IdMapping, IdMaps, NamespaceKind, Namespaces};

use super::error::{At, Problem, ResolveError, Warnings};

/// UID_GID_MAP_MAX_EXTENTS.
const MOST_EXTENTS: usize = 340;

/// (uid_t) -1 is nobody's id: setuid and chown take it for "leave as it is".
pub(super) const NO_ID: u32 = u32::MAX;

/// The maps of a new user namespace, or what is known of a joined one.
#[derive(Debug, Default)]
pub(super) struct KnownMaps {
    /// Written by the runtime: only those of a new namespace.
    pub(super) written: IdMaps,
    /// Ids can be checked against these.
    known: IdMaps,
}

impl KnownMaps {
    /// The uid must be mapped, where the map is known.
    pub(super) fn check_uid(&self, id: u32, at: &At<'_>) -> Result<(), ResolveError> {
        check(&self.known.uid, "uid", id, at)
    }

    /// The host's id for this one; `None` where a joined namespace does not tell.
    pub(super) fn host_uid(&self, id: u32, namespaces: &Namespaces) -> Option<u32> {
        if !namespaces.is_own(NamespaceKind::User) {
            return Some(id);
        }
        self.known.uid.iter().find_map(|part| {
            let offset = id.checked_sub(part.container_id)?;
            (offset < part.size).then(|| part.host_id + offset)
        })
    }

    /// What is known of the container's maps; empty where it has no user namespace.
    pub(super) fn known(&self) -> &IdMaps {
        &self.known
    }

    /// The same for a gid.
    pub(super) fn check_gid(&self, id: u32, at: &At<'_>) -> Result<(), ResolveError> {
        check(&self.known.gid, "gid", id, at)
    }
}

fn check(map: &[IdMapping], kind: &'static str, id: u32, at: &At<'_>) -> Result<(), ResolveError> {
    if id == NO_ID {
        return Err(at.wrong(id, "is no id"));
    }
    let covers = |part: &IdMapping| id >= part.container_id && id - part.container_id < part.size;
    if map.is_empty() || map.iter().any(covers) {
        return Ok(());
    }
    Err(at.refuse(Problem::Unmapped { kind, id }))
}

/// The maps that go with the namespaces.
pub(super) fn resolve(
    linux: &Linux,
    namespaces: &Namespaces,
    warnings: &mut Warnings,
) -> Result<KnownMaps, ResolveError> {
    let (uids, gids) = (At::new("/linux/uidMappings"), At::new("/linux/gidMappings"));
    let known = IdMaps {
        uid: map(linux.uid_mappings.as_deref(), &uids)?,
        gid: map(linux.gid_mappings.as_deref(), &gids)?,
    };
    if namespaces.is_joined(NamespaceKind::User) {
        if !known.uid.is_empty() || !known.gid.is_empty() {
            warnings.add(
                &uids,
                "not written: the user namespace is joined by path and has its maps",
            );
        }
        return Ok(KnownMaps {
            written: IdMaps::default(),
            known,
        });
    }
    for (map, at) in [(&known.uid, &uids), (&known.gid, &gids)] {
        match (namespaces.is_new(NamespaceKind::User), map.is_empty()) {
            (true, true) => return Err(at.breaks("a new user namespace needs mappings")),
            (false, false) => return Err(at.breaks("mappings need a user namespace")),
            (true, false) if !map.iter().any(|part| part.container_id == 0) => {
                return Err(at.breaks("must map id 0, which sets the container up"));
            }
            _ => {}
        }
    }
    Ok(KnownMaps {
        written: known.clone(),
        known,
    })
}

/// A list of the config as a map that the kernel would take.
pub(super) fn map(raw: Option<&[Raw]>, all: &At<'_>) -> Result<Vec<IdMapping>, ResolveError> {
    let part = |raw: &Raw| IdMapping {
        container_id: raw.container_id,
        host_id: raw.host_id,
        size: raw.size,
    };
    let map: Vec<IdMapping> = raw.unwrap_or_default().iter().map(part).collect();
    match flaw(&map) {
        None => Ok(map),
        Some(flaw) => Err(flaw.in_list(all)),
    }
}

/// What the kernel would refuse about a map, by the place of the entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flaw {
    TooMany,
    NoSize(usize),
    /// A member of the entry, and its value.
    BeyondLast(usize, &'static str, u32),
    Overlap(usize),
}

impl Flaw {
    fn in_list(self, all: &At<'_>) -> ResolveError {
        match self {
            Self::TooMany => all.breaks("must have at most 340 entries"),
            Self::NoSize(index) => all.index(index).member("/size").breaks("must not be 0"),
            Self::BeyondLast(index, member, first) => all
                .index(index)
                .member(member)
                .wrong(first, "and size go beyond the last id"),
            Self::Overlap(index) => all.index(index).breaks("overlaps with an earlier entry"),
        }
    }
}

/// The first flaw, in the order of entries.
pub(super) fn flaw(map: &[IdMapping]) -> Option<Flaw> {
    if map.len() > MOST_EXTENTS {
        return Some(Flaw::TooMany);
    }
    let mut parts = map.iter().enumerate();
    parts.find_map(|(index, part)| {
        let ids = [
            (part.container_id, "/containerID"),
            (part.host_id, "/hostID"),
        ];
        // The last id is at most 2^32 - 2, see NO_ID.
        let beyond = |(first, _): &&(u32, _)| first.checked_add(part.size).is_none();
        if part.size == 0 {
            Some(Flaw::NoSize(index))
        } else if let Some((first, member)) = ids.iter().find(beyond) {
            Some(Flaw::BeyondLast(index, member, *first))
        } else {
            let meets = |other: &IdMapping| overlap(part, other);
            map[..index]
                .iter()
                .any(meets)
                .then_some(Flaw::Overlap(index))
        }
    })
}

fn overlap(one: &IdMapping, other: &IdMapping) -> bool {
    let meet = |a: u32, b: u32| a < b + other.size && b < a + one.size;
    meet(one.container_id, other.container_id) || meet(one.host_id, other.host_id)
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Scene, USER};

    fn maps(uids: &str) -> String {
        format!(
            r#""linux": {{"namespaces": [{{"type": "user"}}, {{"type": "mount"}}],
                "uidMappings": {uids}, "gidMappings": [{{"containerID": 0, "hostID": 1, "size": 1}}]}}"#
        )
    }

    #[test]
    fn both_maps_are_written_for_a_new_namespace() {
        let plan = Scene::v2().plan(&format!(r#""linux": {{{USER}}}"#));
        let [uid] = plan.host.id_maps.uid[..] else {
            panic!("one extent")
        };
        assert_eq!(
            (uid.container_id, uid.host_id, uid.size),
            (0, 100_000, 1000)
        );
        assert_eq!(plan.host.id_maps.gid[0].host_id, 200_000);
        assert!(Scene::v2().plan("").host.id_maps.uid.is_empty());
    }

    #[test]
    fn a_joined_namespace_has_its_maps_already() {
        let plan = Scene::v2().plan(
            r#""linux": {"namespaces": [{"type": "user", "path": "/u"}, {"type": "mount"}],
                "uidMappings": [{"containerID": 0, "hostID": 5, "size": 9}]}"#,
        );
        assert!(plan.host.id_maps.uid.is_empty());
        assert!(plan.warnings[0].contains("/linux/uidMappings: not written"));
    }

    #[test]
    fn maps_that_the_kernel_would_refuse_are_named() {
        let extent = |container: u32, host: u32, size: u32| {
            format!(r#"{{"containerID": {container}, "hostID": {host}, "size": {size}}}"#)
        };
        let many: Vec<String> = (0..341).map(|id| extent(id, id, 1)).collect();
        let last = u32::MAX;
        for (uids, expected) in [
            ("[]".to_owned(), ": a new user namespace needs mappings"),
            (format!("[{}]", extent(0, 1, 0)), "/0/size: must not be 0"),
            (
                format!("[{}]", extent(0, last, 1)),
                "/0/hostID: \"4294967295\" and size go beyond",
            ),
            (
                format!("[{},{}]", extent(0, 1, 2), extent(1, 9, 1)),
                "/1: overlaps",
            ),
            (
                format!("[{},{}]", extent(0, 1, 2), extent(2, 2, 1)),
                "/1: overlaps",
            ),
            (format!("[{}]", extent(1, 1, 2)), ": must map id 0"),
            (
                format!("[{}]", many.join(",")),
                ": must have at most 340 entries",
            ),
        ] {
            let refusal = Scene::v2().refusal(&maps(&uids));
            let expected = format!("/linux/uidMappings{expected}");
            assert!(refusal.starts_with(&expected), "{refusal}");
        }
        let refusal = Scene::v2()
            .refusal(r#""linux": {"gidMappings": [{"containerID": 0, "hostID": 1, "size": 1}]}"#);
        assert_eq!(
            refusal,
            "/linux/gidMappings: mappings need a user namespace"
        );
    }

    #[test]
    fn ids_that_are_used_must_be_mapped() {
        let user = |user: &str| format!(r#""process": {{"user": {user}}}, "linux": {{{USER}}}"#);
        Scene::v2().plan(&user(
            r#"{"uid": 999, "gid": 499, "additionalGids": [1, 2]}"#,
        ));
        Scene::v2().refuses(&[
            (
                &user(r#"{"uid": 1000, "gid": 0}"#),
                "/process/user/uid: cannot setuid to unmapped uid 1000 in user namespace",
            ),
            (
                &user(r#"{"uid": 0, "gid": 500}"#),
                "/process/user/gid: cannot setgid to unmapped gid 500 in user namespace",
            ),
            (
                &user(r#"{"additionalGids": [1, 700]}"#),
                "/process/user/additionalGids/1: cannot setgid to unmapped gid 700",
            ),
            (
                r#""process": {"user": {"uid": 4294967295}}"#,
                "/process/user/uid: \"4294967295\" is no id",
            ),
        ]);
    }
}
