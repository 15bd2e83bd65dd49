//! The cgroups of a container whose records are lost: found by its id, which callers put into
//! the name of the directory.

use super::{membership, placement::mount_point, removal::pids, tree::children};
use crate::kernel_file::c_string;
use crate::state::CgroupRecord;
use hull_spec::{
    id::ContainerId,
    plan::{CgroupLayout, CgroupManager},
};
use hull_sys::{
    Errno,
    path::{self, Open},
    stat,
};
use std::os::fd::OwnedFd;

/// Callers put containers a few levels deep; what payloads make far below is theirs.
const DEEPEST: usize = 12;

/// Each directory that is named by the id and has nobody in it who lives in the host's root.
pub(crate) fn find(id: &ContainerId, layout: CgroupLayout) -> Result<Vec<CgroupRecord>, Errno> {
    let host = root_of("self")?;
    let mut found = Vec::new();
    for name in hierarchies(layout)? {
        let open = Open::READ.and(Open::DIRECTORY);
        let Ok(root) = path::open(&c_string(&mount_point(&name))?, open) else {
            continue;
        };
        let places = search(&root, "", DEEPEST, id.as_str());
        found.extend(places.into_iter().map(|place| CgroupRecord {
            manager: CgroupManager::Cgroupfs,
            layout,
            places: vec![(name.clone(), place)],
            made: Vec::new(),
        }));
    }
    // Who is dead meanwhile has no root, and is no reason to spare the others.
    let is_host = |pid: &i32| root_of(&pid.to_string()).is_ok_and(|root| root == host);
    found.retain(|record| !pids(record).iter().any(is_host));
    Ok(found)
}

fn hierarchies(layout: CgroupLayout) -> Result<Vec<String>, Errno> {
    let all = match layout {
        CgroupLayout::V2 => return Ok(vec![String::new()]),
        CgroupLayout::V1 => membership::own()?,
    };
    Ok(all.into_iter().map(|one| one.name).collect())
}

/// Device and inode of a process's root directory.
fn root_of(process: &str) -> Result<(u64, u64), Errno> {
    let root = path::open(&c_string(&format!("/proc/{process}/root"))?, Open::PATH)?;
    let facts = stat::fstat(root)?;
    Ok((facts.device, facts.inode))
}

/// Places below `here`, which stands at `place`; not below one that was found.
fn search(here: &OwnedFd, place: &str, deeper: usize, id: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (name, child) in children(here).into_iter().flatten() {
        let Ok(name) = name.to_str() else { continue };
        let place = format!("{place}/{name}");
        if is_named_by(name, id) {
            found.push(place);
        } else if deeper > 0 {
            found.extend(search(&child, &place, deeper - 1, id));
        }
    }
    found
}

/// `ID` as containerd and Docker name it, `libpod-ID` and `crio-ID.scope` as others do.
fn is_named_by(name: &str, id: &str) -> bool {
    let name = name.strip_suffix(".scope").unwrap_or(name);
    name == id
        || name
            .strip_suffix(id)
            .is_some_and(|prefix| prefix.ends_with('-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_that_callers_give_are_known() {
        for name in [
            "web",
            "libpod-web",
            "crio-web.scope",
            "docker-web.scope",
            "web.scope",
        ] {
            assert!(is_named_by(name, "web"), "{name}");
        }
        for name in [
            "webs",
            "other",
            "my.web",
            "web.slice",
            "libpod-web-payload",
            "",
        ] {
            assert!(!is_named_by(name, "web"), "{name}");
        }
    }
}
