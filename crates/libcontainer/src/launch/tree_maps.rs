//! The user namespaces whose id maps mounts show their ids by.
//!
//! One is made for each pair of maps, by a process that ends as soon as an fd names the namespace.
//! The container's own new namespace does not exist yet, so a mount that borrows its maps gets
//! another one with the same.

use super::{error::LaunchError, idmap};
use hull_spec::plan::{
    HandedTree, HostPlan, IdMaps, NamespaceKind, TreeIdMap, TreeMaps, TreeSource,
};
use hull_sys::{
    Errno,
    mount::{self, Depth},
    path::{self, Open},
    spawn::Holder,
};
use std::{
    ffi::CString,
    fs,
    os::fd::{AsRawFd, OwnedFd},
};

/// Each is made when the first tree needs it, and serves all others.
#[derive(Debug)]
pub(super) struct TreeNamespaces<'a> {
    maps: &'a [IdMaps],
    made: Vec<Option<OwnedFd>>,
    /// The one that the container joins.
    joined: Option<&'a OwnedFd>,
}

impl<'a> TreeNamespaces<'a> {
    /// `joined` are the namespaces to join, in joining order.
    pub(super) fn new(plan: &'a HostPlan, joined: &'a [OwnedFd]) -> Self {
        let kinds = plan.namespaces.joined.iter().map(|(kind, _)| *kind);
        let user = kinds
            .zip(joined)
            .find(|(kind, _)| *kind == NamespaceKind::User);
        Self {
            maps: &plan.tree_maps,
            made: Vec::new(),
            joined: user.map(|(_, fd)| fd),
        }
    }

    /// Maps a clone or a filesystem that nobody has used yet.
    pub(super) fn map(
        &mut self,
        mount: &OwnedFd,
        tree: &HandedTree,
        id_map: TreeIdMap,
    ) -> Result<(), LaunchError> {
        let namespace = self
            .namespace(id_map.maps)
            .map_err(|source| LaunchError::TreeMaps {
                pointer: tree.pointer.clone(),
                source: Box::new(source),
            })?;
        let depth = if id_map.recursive {
            Depth::Tree
        } else {
            Depth::One
        };
        mount::map_ids(mount, namespace, depth).map_err(|errno| refused(tree, errno))
    }

    fn namespace(&mut self, maps: TreeMaps) -> Result<&OwnedFd, LaunchError> {
        let lost = LaunchError::Prepare("find the namespace", Errno::ENOENT);
        let TreeMaps::Own(number) = maps else {
            return self.joined.ok_or(lost);
        };
        let index = usize::try_from(number).unwrap_or(usize::MAX);
        let Some(maps) = self.maps.get(index) else {
            return Err(lost);
        };
        if self.made.len() <= index {
            self.made.resize_with(index + 1, || None);
        }
        let slot = &mut self.made[index];
        match slot {
            Some(namespace) => Ok(namespace),
            None => Ok(slot.insert(namespace_with(maps)?)),
        }
    }
}

/// A user namespace with these maps, and nobody in it.
fn namespace_with(maps: &IdMaps) -> Result<OwnedFd, LaunchError> {
    let failed = |what| move |source| LaunchError::Prepare(what, source);
    let holder = Holder::of_new(NamespaceKind::User.clone_flag())
        .map_err(failed("make a user namespace"))?;
    idmap::write(holder.pid(), maps)?;
    let file = CString::new(format!("/proc/{}/ns/user", holder.pid()))
        .map_err(|_| failed("name the namespace")(Errno::EINVAL))?;
    path::open(&file, Open::READ).map_err(failed("open the namespace"))
}

/// EINVAL is the kernel's word for a filesystem that cannot be mapped.
fn refused(tree: &HandedTree, source: Errno) -> LaunchError {
    let pointer = tree.pointer.clone();
    let object = match &tree.source {
        TreeSource::Path(path) | TreeSource::Unfollowed(path) => match filesystem_of(path) {
            Some(fstype) => format!("{path:?} on {fstype}"),
            None => format!("{path:?}"),
        },
        TreeSource::Filesystem { fstype, .. } => fstype.clone(),
        TreeSource::Device { path, .. } | TreeSource::CgroupV1(path) => path.clone(),
        TreeSource::Notify => "NOTIFY_SOCKET".to_owned(),
    };
    match source {
        Errno::EINVAL => LaunchError::NotMappable {
            pointer,
            object,
            source,
        },
        source => LaunchError::MapIds {
            pointer,
            object,
            source,
        },
    }
}

/// The type of the filesystem at a path, for a message only.
fn filesystem_of(path: &str) -> Option<String> {
    let path = CString::new(path).ok()?;
    let fd = path::open(&path, Open::PATH).ok()?;
    let facts = fs::read_to_string(format!("/proc/self/fdinfo/{}", fd.as_raw_fd())).ok()?;
    let mount = facts
        .lines()
        .find_map(|line| line.strip_prefix("mnt_id:"))?;
    let table = fs::read_to_string("/proc/self/mountinfo").ok()?;
    type_of(&table, mount.trim())
}

/// proc_pid_mountinfo(5): the id comes first, the type behind a lone dash.
fn type_of(table: &str, id: &str) -> Option<String> {
    let line = table
        .lines()
        .find(|line| line.split(' ').next() == Some(id))?;
    let (_, behind) = line.split_once(" - ")?;
    behind.split(' ').next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_type_of_a_mount_is_found_by_its_id() {
        let table =
            "1 2 8:1 / / rw - ext4 /dev/a rw\n21 1 0:5 / /proc rw,x shared:3 - proc proc rw\n";
        assert_eq!(type_of(table, "21").as_deref(), Some("proc"));
        assert_eq!(type_of(table, "1").as_deref(), Some("ext4"));
        assert_eq!(type_of(table, "2"), None);
        assert!(filesystem_of("/").is_some());
    }
}
