//! What masked paths are covered with: an empty directory, and the null device.
//!
//! Whatever an image prepared, a cover is what its fd was found to be (CVE-2025-31133).

use super::filesystem;
use crate::{
    failure::{Context, Failure},
    root::Root,
};
use alloc::vec::Vec;
use hull_spec::plan::FsParameter;
use hull_sys::{
    Errno,
    fd::OwnedFd,
    mount::{self, Attributes, Depth, attr},
    path::{self, Open},
    stat,
};

const NULL: (u32, u32) = (1, 3);
const CHAR_DEVICE: u32 = 0o020_000;

/// Each is made when the first path needs it, and serves all others.
pub(super) struct Covers<'p> {
    label: Option<&'p FsParameter>,
    /// Mounted on the first directory that was masked.
    empty: Option<OwnedFd>,
    null: Option<OwnedFd>,
}

impl<'p> Covers<'p> {
    pub(super) fn labelled(label: Option<&'p FsParameter>) -> Self {
        Self {
            label,
            empty: None,
            null: None,
        }
    }

    /// Puts an empty read-only directory on this one.
    pub(super) fn cover_directory(&mut self, target: &OwnedFd) -> Result<OwnedFd, Failure> {
        let cover = match &self.empty {
            Some(empty) => mount::clone_tree_of(empty, Depth::One).context("clone the cover")?,
            None => tmpfs(attr::RDONLY | attr::NODEV, self.label)?,
        };
        mount::attach(&cover, target).context("cover it")?;
        if self.empty.is_none() {
            self.empty = Some(path::open_at(&cover, c".", Open::PATH).context("open the cover")?);
        }
        Ok(cover)
    }

    /// Puts the null device on this file.
    pub(super) fn cover_file(&mut self, root: &Root, target: &OwnedFd) -> Result<OwnedFd, Failure> {
        if self.null.is_none() {
            self.null = Some(null_device(root, self.label)?);
        }
        let null = self
            .null
            .as_ref()
            .ok_or(Errno::ENOENT)
            .context("null device")?;
        let cover = mount::clone_tree_of(null, Depth::One).context("clone the null device")?;
        let quiet = Attributes {
            set: attr::RDONLY | attr::NOSUID | attr::NOEXEC,
            ..Attributes::default()
        };
        mount::set_attributes(&cover, quiet, Depth::One).context("make the cover read-only")?;
        mount::attach(&cover, target).context("cover it")?;
        Ok(cover)
    }
}

/// The container's own, if it is one: by now it is init that made it, or the image, or whoever
/// gave the container its /dev. Else one that nobody can have touched.
fn null_device(root: &Root, label: Option<&FsParameter>) -> Result<OwnedFd, Failure> {
    match root.open("/dev/null", Open::PATH.and(Open::NO_FOLLOW)) {
        Ok(found) if is_null(&found)? => Ok(found),
        Ok(_) | Err(Errno::ENOENT | Errno::ENOTDIR | Errno::ELOOP) => made_for_this(label),
        Err(errno) => Err(errno).context("open /dev/null"),
    }
}

fn is_null(file: &OwnedFd) -> Result<bool, Failure> {
    let facts = stat::fstat(file).context("stat /dev/null")?;
    Ok(facts.char_device() == Some(NULL))
}

/// On a tmpfs that is mounted nowhere: kernels before 6.15 will not clone from there.
fn made_for_this(label: Option<&FsParameter>) -> Result<OwnedFd, Failure> {
    let tmpfs = tmpfs(0, label)?;
    path::make_node(&tmpfs, c"null", CHAR_DEVICE | 0o666, NULL)
        .context("/dev/null of the container is not the null device; make one")?;
    path::open_at(&tmpfs, c"null", Open::PATH.and(Open::NO_FOLLOW)).context("open it")
}

fn tmpfs(attributes: u64, label: Option<&FsParameter>) -> Result<OwnedFd, Failure> {
    let limits = [
        FsParameter::Text("mode".into(), "555".into()),
        FsParameter::Text("nr_inodes".into(), "2".into()),
        FsParameter::Text("size".into(), "4096".into()),
    ];
    let parameters: Vec<_> = limits.into_iter().chain(label.cloned()).collect();
    filesystem::detached(
        "tmpfs",
        "tmpfs",
        &parameters,
        attributes | attr::NOSUID | attr::NOEXEC,
    )
}
