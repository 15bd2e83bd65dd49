//! `unified`: files of cgroup2 by name. Their meaning is the kernel's affair; a name must stay
//! inside the container's directory.

use crate::config::Entries;
use crate::plan::{CgroupWrite, OnAbsence};

use super::super::error::{At, ResolveError};
use super::writes::Writes;

const POINTER: &str = "/linux/resources/unified";

/// Controllers that must be enabled for a file of theirs to be there.
const CONTROLLERS: &[&str] = &[
    "cpu", "cpuset", "dmem", "hugetlb", "io", "memory", "misc", "pids", "rdma",
];

pub(super) fn resolve(
    files: Option<&Entries<String>>,
    writes: &mut Writes,
) -> Result<(), ResolveError> {
    let all = At::new(POINTER);
    for (file, value) in files.iter().flat_map(|files| files.iter()) {
        let at = all.key(file);
        if !writes.is_v2() {
            return Err(at.breaks("cannot be set on cgroup v1"));
        }
        if file.contains('/') || matches!(file, "" | "." | "..") {
            return Err(at.breaks("must be the name of a file"));
        }
        let controller = file.split('.').next().unwrap_or_default();
        let known = CONTROLLERS.iter().find(|known| **known == controller);
        writes.list.push(CgroupWrite {
            controller: known.copied().unwrap_or(""),
            file: file.to_owned(),
            value: value.clone(),
            pointer: POINTER,
            on_absence: OnAbsence::Fail,
        });
    }
    Ok(())
}
