//! The text behind `idmap=` and `ridmap=`: `uids=0-1-10#10-11-10;gids=0-100-10`, as crun has it.
//!
//! Each range maps SIZE ids as they are stored, from FIRST on, to those of the host from HOST on.

use crate::plan::{IdMapping, IdMaps};

use super::error::{At, ResolveError};
use super::idmaps::{self, Flaw};

const FORM: &str = "must be FIRST-HOST-SIZE, where @ in front makes HOST an id of the container";

/// Both maps; `container` has those that an `@` refers to.
pub(super) fn parse(text: &str, container: &IdMaps, at: &At<'_>) -> Result<IdMaps, ResolveError> {
    let mut maps = IdMaps::default();
    for part in text.split(';').filter(|part| !part.is_empty()) {
        let (map, container, ranges) = match part.split_once('=') {
            Some(("uids", ranges)) if maps.uid.is_empty() => {
                (&mut maps.uid, &container.uid, ranges)
            }
            Some(("gids", ranges)) if maps.gid.is_empty() => {
                (&mut maps.gid, &container.gid, ranges)
            }
            _ => return Err(at.wrong(part, "must be uids=RANGES or gids=RANGES, each once")),
        };
        let ranges: Vec<&str> = ranges.split('#').collect();
        for text in &ranges {
            map.push(range(text, container, at)?);
        }
        if let Some(flaw) = idmaps::flaw(map) {
            return Err(refuse(flaw, &ranges, at));
        }
    }
    if maps.uid.is_empty() || maps.gid.is_empty() {
        return Err(at.wrong(text, "must give both uids and gids"));
    }
    Ok(maps)
}

fn range(text: &str, container: &[IdMapping], at: &At<'_>) -> Result<IdMapping, ResolveError> {
    let (numbers, relative) = match text.strip_prefix('@') {
        Some(numbers) => (numbers, true),
        None => (text, false),
    };
    let numbers: Result<Vec<u32>, _> = numbers.split('-').map(str::parse).collect();
    let Ok([first, host, size]) = numbers.as_deref() else {
        return Err(at.wrong(text, FORM));
    };
    let host_id = match relative {
        true => on_host(*host, *size, container)
            .ok_or_else(|| at.wrong(text, "lies in no one mapping of the container"))?,
        false => *host,
    };
    Ok(IdMapping {
        container_id: *first,
        host_id,
        size: *size,
    })
}

/// Where the host has the container's ids from `first` on.
pub(super) fn on_host(first: u32, size: u32, container: &[IdMapping]) -> Option<u32> {
    container.iter().find_map(|part| {
        let offset = first.checked_sub(part.container_id)?;
        let end = offset.checked_add(size)?;
        (end <= part.size).then(|| part.host_id + offset)
    })
}

fn refuse(flaw: Flaw, ranges: &[&str], at: &At<'_>) -> ResolveError {
    match flaw {
        Flaw::TooMany => at.breaks("must have at most 340 ranges"),
        Flaw::NoSize(index) => at.wrong(ranges[index], "has size 0"),
        Flaw::BeyondLast(index, ..) => at.wrong(ranges[index], "goes beyond the last id"),
        Flaw::Overlap(index) => at.wrong(ranges[index], "overlaps with an earlier range"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Scene, USER};

    fn with_options(option: &str) -> String {
        format!(
            r#""mounts": [{{"destination": "/a", "source": "/b", "options": ["rbind", "{option}"]}}]"#
        )
    }

    /// The text of an option, and what is wrong with it.
    const NO_MAPS: &[(&str, &str)] = &[
        (
            "idmap",
            "needs mappings, of the mount or of a user namespace",
        ),
        ("idmap=", "\"\" must give both uids and gids"),
        (
            "ridmap=uids=0-1-2",
            "\"uids=0-1-2\" must give both uids and gids",
        ),
        (
            "idmap=uids=0-1-2;pids=0-1-2",
            "\"pids=0-1-2\" must be uids=RANGES",
        ),
        (
            "idmap=uids=0-1-2;uids=0-1-2",
            "\"uids=0-1-2\" must be uids=RANGES",
        ),
        ("idmap=uids=0-1", "\"0-1\" must be FIRST-HOST-SIZE"),
        (
            "idmap=uids=0-1-4294967296",
            "\"0-1-4294967296\" must be FIRST-HOST-SIZE",
        ),
        ("idmap=uids=0-1-2#", "\"\" must be FIRST-HOST-SIZE"),
        ("idmap=uids=0-1-0", "\"0-1-0\" has size 0"),
        (
            "idmap=uids=0-4294967295-1",
            "\"0-4294967295-1\" goes beyond the last id",
        ),
        (
            "idmap=uids=0-1-2#1-9-1",
            "\"1-9-1\" overlaps with an earlier range",
        ),
        (
            "idmap=uids=@0-1-2;gids=@0-1-2",
            "\"@0-1-2\" lies in no one mapping of the container",
        ),
    ];

    #[test]
    fn an_option_without_good_maps_is_refused_with_its_place() {
        let many = format!("idmap=uids={}", vec!["0-0-1"; 341].join("#"));
        let too_many = (many.as_str(), "must have at most 340 ranges");
        for (option, problem) in NO_MAPS.iter().chain([&too_many]) {
            let refusal = Scene::v2().refusal(&with_options(option));
            let expected = format!("/mounts/0/options/1: {problem}");
            assert!(
                refusal.starts_with(&expected),
                "{refusal:?}, not {expected:?}"
            );
        }
        let over = with_options("idmap=uids=@0-990-11;gids=0-1-2");
        assert_eq!(
            Scene::v2().refusal(&format!(r#"{over}, "linux": {{{USER}}}"#)),
            "/mounts/0/options/1: \"@0-990-11\" lies in no one mapping of the container"
        );
    }
}
