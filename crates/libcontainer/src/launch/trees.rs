//! Mount trees for init, before the birth: bind sources and the root, cloned from the host, and
//! filesystems that only the host can make.

use super::{doors::Doors, error::LaunchError, tree_maps::TreeNamespaces};
use crate::cgroup::Cgroup;
use hull_spec::plan::{FsParameter, HandedTree, HostPlan, TreeSource};
use hull_sys::{
    Errno,
    mount::{self, Attributes, Depth, Link},
    process, stat,
};
use std::{ffi::CString, os::fd::OwnedFd};

/// So many need no look at how many may be open.
const FEW: usize = 200;

/// All but the container's own directories, which do not exist yet.
pub(super) fn open_all(
    plan: &HostPlan,
    joined: &[OwnedFd],
) -> Result<Vec<Option<OwnedFd>>, LaunchError> {
    if plan.handed.len() > FEW {
        refuse_too_many(&plan.handed)?;
    }
    let mut namespaces = TreeNamespaces::new(plan, joined);
    plan.handed
        .iter()
        .map(|tree| open_one(tree, &mut namespaces))
        .collect()
}

/// The child has them beside what it needs otherwise.
fn refuse_too_many(handed: &[HandedTree]) -> Result<(), LaunchError> {
    const BESIDES: u64 = 64;
    let limit = process::most_open_files().unwrap_or(u64::MAX);
    let room = usize::try_from(limit.saturating_sub(BESIDES)).unwrap_or(usize::MAX);
    match handed.get(room) {
        None => Ok(()),
        Some(tree) => Err(LaunchError::TooManyTrees {
            pointer: tree.pointer.clone(),
            limit,
            source: Errno::EMFILE,
        }),
    }
}

fn open_one(
    tree: &HandedTree,
    namespaces: &mut TreeNamespaces<'_>,
) -> Result<Option<OwnedFd>, LaunchError> {
    let opened = match &tree.source {
        TreeSource::Path(path) => open(tree, path, Link::Followed)?,
        TreeSource::Unfollowed(path) => open(tree, path, Link::Itself)?,
        TreeSource::Device { path, major, minor } => device(tree, path, (*major, *minor))?,
        TreeSource::Filesystem {
            fstype,
            source,
            parameters,
        } => make(tree, fstype, source, parameters)?,
        TreeSource::CgroupV1(_) | TreeSource::Notify => return Ok(None),
    };
    if let Some(id_map) = tree.id_map {
        namespaces.map(&opened, tree, id_map)?;
    }
    Ok(Some(opened))
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
            _ => continue,
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

fn open(tree: &HandedTree, path: &str, link: Link) -> Result<OwnedFd, LaunchError> {
    let failed = failed(tree, path);
    let name = CString::new(path).map_err(|_| failed(Errno::EINVAL))?;
    let clone = mount::clone_tree(&name, link, depth(tree)).map_err(&failed)?;
    tied(clone, tree).map_err(failed)
}

fn make(
    tree: &HandedTree,
    fstype: &str,
    source: &str,
    parameters: &[FsParameter],
) -> Result<OwnedFd, LaunchError> {
    let source = std::iter::once(("source", Some(source)));
    let all = source.chain(parameters.iter().map(FsParameter::pair));
    mount::make(fstype, all, 0).map_err(|unmade| LaunchError::Filesystem {
        pointer: tree.pointer.clone(),
        step: unmade.step,
        source: unmade.errno,
    })
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
    let clone = open(tree, path, Link::Followed)?;
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
