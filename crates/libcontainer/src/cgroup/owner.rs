//! A cgroup2 directory given to the container's user (cgroups(7), "Cgroups v2 delegation: containment").

use super::{CgroupError, directory::Directory};
use crate::kernel_file::{c_string, read_path};
use hull_sys::{
    Errno,
    path::{self, Open, Resolve},
};

/// The kernel's own list of the files that go with the directory.
const DELEGATE: &str = "/sys/kernel/cgroup/delegate";
/// What the list has had since it exists; kernels before 4.15 have none.
const ALWAYS: &str = "cgroup.procs\ncgroup.threads\ncgroup.subtree_control\n";

/// Gives the directory and those of the files that are there; nothing else of the cgroup.
pub(super) fn give(directory: &Directory, uid: u32) -> Result<(), CgroupError> {
    let failed = |source| CgroupError::Step {
        step: "give to the container's user",
        path: directory.hierarchy.path(),
        source,
    };
    path::set_owner(&directory.fd, uid, u32::MAX).map_err(failed)?;
    let files = read_path(DELEGATE).unwrap_or_else(|_| ALWAYS.to_owned());
    files
        .lines()
        .try_for_each(|name| give_file(directory, name, uid))
        .map_err(failed)
}

/// A file that this cgroup does not have is none to give.
fn give_file(directory: &Directory, name: &str, uid: u32) -> Result<(), Errno> {
    let name = c_string(name)?;
    match path::open_confined(&directory.fd, &name, Open::PATH, Resolve::BENEATH) {
        Ok(file) => path::set_owner(file, uid, u32::MAX),
        Err(Errno::ENOENT) => Ok(()),
        Err(errno) => Err(errno),
    }
}
