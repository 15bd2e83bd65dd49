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

fn map(raw: Option<&[Raw]>, all: &At<'_>) -> Result<Vec<IdMapping>, ResolveError> {
    let raw = raw.unwrap_or_default();
    if raw.len() > MOST_EXTENTS {
        return Err(all.breaks("must have at most 340 entries"));
    }
    let mut map: Vec<IdMapping> = Vec::with_capacity(raw.len());
    for (index, part) in raw.iter().enumerate() {
        let at = all.index(index);
        let ids = [
            (part.container_id, "/containerID"),
            (part.host_id, "/hostID"),
        ];
        if part.size == 0 {
            return Err(at.member("/size").breaks("must not be 0"));
        }
        for (first, member) in ids {
            // The last id is at most 2^32 - 2, see NO_ID.
            if first.checked_add(part.size).is_none() {
                return Err(at
                    .member(member)
                    .wrong(first, "and size go beyond the last id"));
            }
        }
        if map.iter().any(|other| overlap(part, other)) {
            return Err(at.breaks("overlaps with an earlier entry"));
        }
        let &Raw {
            container_id,
            host_id,
            size,
        } = part;
        map.push(IdMapping {
            container_id,
            host_id,
            size,
        });
    }
    Ok(map)
}

fn overlap(one: &Raw, other: &IdMapping) -> bool {
    let meet = |a: u32, b: u32| a < b + other.size && b < a + one.size;
    meet(one.container_id, other.container_id) || meet(one.host_id, other.host_id)
}
