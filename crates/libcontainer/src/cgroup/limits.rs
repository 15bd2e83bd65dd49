//! The plan's writes, each into the one hierarchy that has the controller.

use super::{CgroupError, directory::Directory};
use hull_spec::plan::{CgroupWrite, OnAbsence};
use hull_sys::Errno;

/// Writes them in order.
pub(super) fn apply(directories: &[Directory], writes: &[CgroupWrite]) -> Result<(), CgroupError> {
    let mut in_place_of = Written::No;
    for write in writes {
        in_place_of = match (in_place_of, write.on_absence) {
            (Written::No, _) => apply_one(directories, write)?,
            (Written::Yes, OnAbsence::Next) => Written::Yes,
            (Written::Yes, _) => Written::No,
        };
    }
    Ok(())
}

/// Was a value written that the next write would stand in for?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Written {
    Yes,
    No,
}

fn apply_one(directories: &[Directory], write: &CgroupWrite) -> Result<Written, CgroupError> {
    let Some(directory) = directories
        .iter()
        .find(|directory| has(directory, write.controller))
    else {
        return absent(write);
    };
    match directory.write(&write.file, &write.value) {
        Ok(()) if write.on_absence == OnAbsence::Next => Ok(Written::Yes),
        Ok(()) => Ok(Written::No),
        Err(Errno::ENOENT) => absent(write),
        Err(source) => Err(CgroupError::Limit {
            pointer: write.pointer,
            value: write.value.clone(),
            file: write.file.clone(),
            path: directory.hierarchy.path(),
            source,
        }),
    }
}

fn has(directory: &Directory, controller: &str) -> bool {
    let hierarchy = &directory.hierarchy;
    let v1 = hierarchy.controllers.iter().any(|name| name == controller);
    // Alone on the host, cgroup2 is the place of everything; beside v1, of nothing limited here.
    v1 || hierarchy.unified && hierarchy.name.is_empty()
}

fn absent(write: &CgroupWrite) -> Result<Written, CgroupError> {
    match write.on_absence {
        OnAbsence::Skip | OnAbsence::Next => Ok(Written::No),
        OnAbsence::Fail => Err(CgroupError::NoController {
            pointer: write.pointer,
            controller: write.controller,
        }),
    }
}
