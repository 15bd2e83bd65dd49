//! `linux.uidMappings` of a new user namespace, and a uid that must be in them.

use arbitrary::{Result, Unstructured};
use serde_json::{Value, json};

use super::{promises, worlds};

/// UID_GID_MAP_MAX_EXTENTS.
const MOST_EXTENTS: usize = 340;

#[derive(Debug, Clone, Copy)]
struct Extent {
    container: u32,
    host: u32,
    size: u32,
}

pub(crate) fn check(bytes: &[u8]) {
    let mut choices = Unstructured::new(bytes);
    if let (Ok(extents), Ok(uid)) = (extents(&mut choices), id(&mut choices)) {
        compare(&extents, uid);
    }
}

fn extents(choices: &mut Unstructured<'_>) -> Result<Vec<Extent>> {
    let count = match choices.int_in_range(0..=9)? {
        9 => choices.int_in_range(330..=345)?,
        few => few,
    };
    (0..count)
        .map(|number| {
            // Many extents are only accepted when they do not overlap.
            if count > 9 && choices.ratio(9, 10)? {
                let first = number * 2;
                return Ok(Extent {
                    container: first,
                    host: first,
                    size: 1,
                });
            }
            Ok(Extent {
                container: id(choices)?,
                host: id(choices)?,
                size: id(choices)?,
            })
        })
        .collect()
}

/// Small numbers meet often; the edges are where numbers wrap.
fn id(choices: &mut Unstructured<'_>) -> Result<u32> {
    Ok(match choices.int_in_range(0..=4)? {
        0 => 0,
        1 | 2 => choices.int_in_range(0..=12)?,
        3 => u32::MAX - choices.int_in_range(0..=12)?,
        _ => choices.arbitrary()?,
    })
}

fn compare(extents: &[Extent], uid: u32) {
    let listed: Vec<Value> = extents
        .iter()
        .map(|one| json!({"containerID": one.container, "hostID": one.host, "size": one.size}))
        .collect();
    let config = json!({
        "ociVersion": "1.3.0",
        "root": {"path": "rootfs"},
        "process": {"args": ["sh"], "cwd": "/", "user": {"uid": uid, "gid": 0}},
        "linux": {
            "namespaces": [{"type": "user"}, {"type": "mount"}],
            "uidMappings": listed,
            "gidMappings": [{"containerID": 0, "hostID": 1000, "size": 1}],
        },
    });
    let answer = worlds::first(config.to_string().as_bytes());
    promises::kept(&answer);
    let expected = is_map(extents) && extents.iter().any(|one| holds(one, uid));
    assert_eq!(answer.is_ok(), expected, "{extents:?} {uid}: {answer:?}");
    if let Ok(plan) = answer {
        let written = plan.host.id_maps.uid.iter();
        let written = written.map(|one| (one.container_id, one.host_id, one.size));
        assert!(
            written.eq(extents
                .iter()
                .map(|one| (one.container, one.host, one.size)))
        );
    }
}

/// user_namespaces(7), in 64 bits, where nothing wraps.
fn is_map(extents: &[Extent]) -> bool {
    let range = |first: u32, size: u32| (u64::from(first), u64::from(first) + u64::from(size));
    let apart = |(a, b): (u64, u64), (c, d): (u64, u64)| b <= c || d <= a;
    let fits = |(_, end): (u64, u64)| end <= u64::from(u32::MAX);
    (1..=MOST_EXTENTS).contains(&extents.len())
        && extents.iter().any(|one| holds(one, 0))
        && extents.iter().all(|one| {
            one.size > 0 && fits(range(one.container, one.size)) && fits(range(one.host, one.size))
        })
        && extents.iter().enumerate().all(|(index, one)| {
            extents[..index].iter().all(|other| {
                apart(
                    range(one.container, one.size),
                    range(other.container, other.size),
                ) && apart(range(one.host, one.size), range(other.host, other.size))
            })
        })
}

fn holds(extent: &Extent, id: u32) -> bool {
    let (first, id) = (u64::from(extent.container), u64::from(id));
    id != u64::from(u32::MAX) && first <= id && id < first + u64::from(extent.size)
}
