//! A container's cgroups while a create holds them: removed on drop unless kept.

use super::{
    CgroupError, Placement, devices,
    directory::Directory,
    limits, owner,
    removal::{self, Patience},
};
use crate::state::CgroupRecord;
use hull_spec::plan::CgroupPlan;
use hull_sys::Errno;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Made, limited, not yet kept.
#[derive(Debug)]
pub(crate) struct Cgroup {
    placement: Placement,
    directories: Vec<Directory>,
    made: Vec<String>,
    kept: bool,
}

impl Cgroup {
    /// Makes a directory in each hierarchy and writes the limits.
    pub(crate) fn make(placement: &Placement, plan: &CgroupPlan) -> Result<Self, CgroupError> {
        let mut cgroup = Self {
            placement: placement.clone(),
            directories: Vec::new(),
            made: Vec::new(),
            kept: false,
        };
        for hierarchy in &placement.hierarchies {
            match Directory::make(hierarchy, &mut cgroup.made) {
                Ok(directory) => cgroup.directories.push(directory),
                Err(error) if plan.best_effort && is_denied(&error) => {
                    log::debug!("going on without: {error}");
                }
                Err(error) => return Err(error),
            }
        }
        limits::apply(&cgroup.directories, &plan.writes)?;
        devices::write_v1(&cgroup.directories, &plan.devices)?;
        cgroup.give_to(plan.owner)?;
        Ok(cgroup)
    }

    fn give_to(&self, owner: Option<u32>) -> Result<(), CgroupError> {
        match (self.unified(), owner) {
            (Some(directory), Some(uid)) => owner::give(directory, uid),
            _ => Ok(()),
        }
    }

    fn unified(&self) -> Option<&Directory> {
        self.directories
            .iter()
            .find(|directory| directory.hierarchy.unified)
    }

    /// The cgroup2 directory that the first process is born into.
    pub(crate) fn birthplace(&self) -> Option<BorrowedFd<'_>> {
        self.unified().map(|directory| directory.fd.as_fd())
    }

    /// The container's own directory in the v1 hierarchy of this name.
    pub(crate) fn v1_directory(&self, name: &str) -> Option<&OwnedFd> {
        self.directories
            .iter()
            .find(|d| d.hierarchy.name == name)
            .map(|d| &d.fd)
    }

    /// Moves the first process into the v1 directories; in cgroup2 it is born.
    pub(crate) fn attach(&self, pid: i32) -> Result<(), CgroupError> {
        for directory in self.directories.iter().filter(|d| !d.hierarchy.unified) {
            let failed = |source| CgroupError::Step {
                step: "attach the container's first process",
                path: directory.hierarchy.path(),
                source,
            };
            directory
                .write("cgroup.procs", &pid.to_string())
                .map_err(failed)?;
        }
        Ok(())
    }

    /// Attaches the v2 device filter: late enough that it costs no time, before any payload.
    pub(crate) fn filter_devices(&self, plan: &CgroupPlan) -> Result<(), CgroupError> {
        devices::attach_v2(&self.directories, &plan.devices)
    }

    /// Did the kernel kill for memory in here?
    pub(crate) fn saw_oom_kill(&self) -> bool {
        ["memory.events", "memory.oom_control"].iter().any(|file| {
            self.directories.iter().any(|directory| {
                directory.read(file).is_ok_and(|text| {
                    text.lines()
                        .any(|line| line.starts_with("oom_kill ") && line != "oom_kill 0")
                })
            })
        })
    }

    /// As the state remembers it.
    pub(crate) fn record(&self) -> CgroupRecord {
        let mut record = self.placement.record(self.made.clone());
        record.places.retain(|(name, _)| {
            self.directories
                .iter()
                .any(|directory| directory.hierarchy.name == *name)
        });
        record
    }

    pub(crate) fn keep(mut self) {
        self.kept = true;
    }
}

fn is_denied(error: &CgroupError) -> bool {
    let CgroupError::Step { source, .. } = error else {
        return false;
    };
    matches!(
        *source,
        Errno::EACCES | Errno::EPERM | Errno::EROFS | Errno::ENOENT
    )
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        if !self.kept
            && let Err(error) = removal::remove(&self.record(), Patience::UNDO)
        {
            log::warn!("{error}");
        }
    }
}
