//! One cgroup directory, made beneath its hierarchy's root and held by fd.

use super::{CgroupError, enable, placement::Hierarchy};
use crate::kernel_file::{c_string, read, write};
use hull_sys::{
    Errno,
    path::{self, Open, Resolve},
};
use std::os::fd::OwnedFd;

/// A container's directory in one hierarchy.
#[derive(Debug)]
pub(super) struct Directory {
    pub(super) hierarchy: Hierarchy,
    pub(super) fd: OwnedFd,
}

impl Directory {
    /// Makes what is missing of the path; each directory made is told to `made`.
    pub(super) fn make(hierarchy: &Hierarchy, made: &mut Vec<String>) -> Result<Self, CgroupError> {
        let mut path = hierarchy.mount_point();
        let failed = |step, path: &str| {
            let path = path.to_owned();
            move |source| CgroupError::Step { step, path, source }
        };
        let open = Open::PATH.and(Open::DIRECTORY);
        let mut here = c_string(&path)
            .and_then(|root| path::open(&root, open))
            .map_err(failed("open", &path))?;
        let last = hierarchy.components.len().saturating_sub(1);
        for (depth, component) in hierarchy.components.iter().enumerate() {
            if hierarchy.unified {
                enable::all_controllers(&here);
            }
            let above = here;
            path = format!("{path}/{component}");
            let name = c_string(component).map_err(failed("open", &path))?;
            let existed = match path::make_dir(&above, &name, 0o755) {
                Ok(()) => false,
                Err(Errno::EEXIST) => true,
                Err(errno) => return Err(errno).map_err(failed("mkdir", &path)),
            };
            if !existed {
                made.push(path.clone());
            }
            here = path::open_confined(&above, &name, open, Resolve::BENEATH)
                .map_err(failed("open", &path))?;
            if !existed && hierarchy.controllers.iter().any(|c| c == "cpuset") {
                inherit_cpuset(&above, &here).map_err(failed("fill cpuset", &path))?;
            }
            if existed && depth == last {
                check_unused(&here, &path)?;
            }
        }
        Ok(Self {
            hierarchy: hierarchy.clone(),
            fd: here,
        })
    }

    /// Writes one file.
    pub(super) fn write(&self, file: &str, value: &str) -> Result<(), Errno> {
        write(&self.fd, file, value)
    }

    /// Reads one file.
    pub(super) fn read(&self, file: &str) -> Result<String, Errno> {
        read(&self.fd, file)
    }
}

/// A v1 cpuset takes no process before it has cpus and mems.
fn inherit_cpuset(above: &OwnedFd, here: &OwnedFd) -> Result<(), Errno> {
    for file in ["cpuset.cpus", "cpuset.mems"] {
        if read(here, file)?.trim().is_empty() {
            write(here, file, read(above, file)?.trim())?;
        }
    }
    Ok(())
}

/// Processes or a frozen state in a directory that was there before are somebody else's.
fn check_unused(here: &OwnedFd, path: &str) -> Result<(), CgroupError> {
    let count = read(here, "cgroup.procs").map_or(0, |pids| pids.lines().count());
    if count > 0 {
        return Err(CgroupError::NotEmpty {
            path: path.to_owned(),
            count,
        });
    }
    let frozen = [("cgroup.freeze", "1"), ("freezer.state", "FROZEN")]
        .iter()
        .any(|(file, value)| read(here, file).is_ok_and(|text| text.trim() == *value));
    if frozen {
        return Err(CgroupError::Frozen {
            path: path.to_owned(),
        });
    }
    Ok(())
}
