//! Mount trees for init: bind sources and the root, cloned from the host before the birth.

use super::{doors::Doors, error::LaunchError};
use crate::cgroup::Cgroup;
use hull_spec::plan::{HandedTree, TreeSource};
use hull_sys::{
    Errno,
    mount::{self, Attributes, Depth},
    stat,
};
use std::{ffi::CString, os::fd::OwnedFd};

/// All but the container's own directories, which do not exist yet.
pub(super) fn open_all(handed: &[HandedTree]) -> Result<Vec<Option<OwnedFd>>, LaunchError> {
    handed
        .iter()
        .map(|tree| match &tree.source {
            TreeSource::Path(path) => open(tree, path).map(Some),
            TreeSource::Device { path, major, minor } => {
                device(tree, path, (*major, *minor)).map(Some)
            }
            TreeSource::CgroupV1(_) | TreeSource::Notify => Ok(None),
        })
        .collect()
}

/// The rest, once the cgroups and the container's directory are made.
pub(super) fn open_own_dirs(
    handed: &[HandedTree],
    trees: &mut [Option<OwnedFd>],
    (cgroup, doors): (&Cgroup, &Doors),
) -> Result<(), LaunchError> {
    for (tree, slot) in handed.iter().zip(trees) {
        let (directory, name) = match &tree.source {
            TreeSource::CgroupV1(name) => (cgroup.v1_directory(name), name.as_str()),
            TreeSource::Notify => (doors.notify.as_ref(), "notify"),
            TreeSource::Path(_) | TreeSource::Device { .. } => continue,
        };
        let failed = failed(tree, name);
        let directory = directory.ok_or(Errno::ENOENT).map_err(&failed)?;
        let clone = mount::clone_tree_of(directory, depth(tree)).map_err(&failed)?;
        *slot = Some(tied(clone, tree).map_err(&failed)?);
    }
    Ok(())
}

fn depth(tree: &HandedTree) -> Depth {
    if tree.recursive {
        Depth::Tree
    } else {
        Depth::One
    }
}

fn failed(tree: &HandedTree, path: &str) -> impl Fn(Errno) -> LaunchError {
    let (pointer, source_path) = (tree.pointer.clone(), path.to_owned());
    move |source| LaunchError::Tree {
        pointer: pointer.clone(),
        source_path: source_path.clone(),
        source,
    }
}

fn open(tree: &HandedTree, path: &str) -> Result<OwnedFd, LaunchError> {
    let failed = failed(tree, path);
    let name = CString::new(path).map_err(|_| failed(Errno::EINVAL))?;
    let clone = mount::clone_tree(&name, depth(tree)).map_err(&failed)?;
    tied(clone, tree).map_err(failed)
}

/// Ties the clone to the host's mount as the plan says, before init sees it.
fn tied(clone: OwnedFd, tree: &HandedTree) -> Result<OwnedFd, Errno> {
    let propagation = tree.propagation.mount_flag();
    let attributes = Attributes {
        propagation,
        ..Attributes::default()
    };
    mount::set_attributes(&clone, attributes, Depth::Tree)?;
    Ok(clone)
}

/// A node of the host is what its numbers say, or it is refused.
fn device(
    tree: &HandedTree,
    path: &str,
    (major, minor): (u32, u32),
) -> Result<OwnedFd, LaunchError> {
    let clone = open(tree, path)?;
    let facts = stat::fstat(&clone).map_err(failed(tree, path))?;
    let numbers = facts.char_device().or_else(|| facts.block_device());
    if numbers == Some((major, minor)) {
        return Ok(clone);
    }
    let (pointer, source_path) = (tree.pointer.clone(), path.to_owned());
    Err(LaunchError::NotTheDevice {
        pointer,
        source_path,
        major,
        minor,
    })
}
