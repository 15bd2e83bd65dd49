//! To the new root and out of the old one.
//!
//! The handed root tree is put on `/` of our own mount namespace: a place that always exists and
//! that nobody else can rename. Only hooks, which run before it is entered, find it at its own
//! path. pivot_root(".", ".") then swaps the two, with the old root on top
//! of the new one until it is detached, at once (pivot_root(2), "pivot_root(".", ".")").

use super::trees::Trees;
use crate::{
    failure::{Context, Failure},
    root::{Root, c_string},
};
use alloc::format;
use hull_spec::plan::{Entering, OldRoot, Rootfs};
use hull_sys::{
    Errno,
    fd::OwnedFd,
    mount::{self, Attributes, Depth, propagation},
    path::{self, Open},
    stat,
};

/// The root filesystem is in this mount namespace, and can be filled.
pub(super) struct Reached(Root);

/// It is the root of this process; the host's is out of reach, where it is not the same.
pub(super) struct Entered(Root);

/// Opens the root directory, attached in this mount namespace.
pub(super) fn reach(rootfs: &Rootfs, trees: Trees<'_>) -> Result<Reached, Failure> {
    if let Entering::Chroot(path) = &rootfs.entering {
        let c_path = c_string(path).context("root path")?;
        let root = path::open(&c_path, Open::PATH.and(Open::DIRECTORY))
            .with_context(|| format!("open root {path:?}"))?;
        return Ok(Reached(Root::new(root)));
    }
    // Nothing we do from here on reaches the host, nor the host us through the old root.
    let private = Attributes {
        propagation: propagation::PRIVATE,
        ..Attributes::default()
    };
    mount::set_root_attributes(private, Depth::Tree).context("make the mount namespace private")?;
    let tree = trees.take(0)?;
    let place = match &rootfs.old_root {
        OldRoot::LeftLast { stands_on } if stands_on != "/" => own_place(stands_on, &tree)?,
        OldRoot::LeftFirst | OldRoot::LeftLast { .. } => slash()?,
    };
    mount::attach(&tree, place).context("attach the root filesystem")?;
    Ok(Reached(Root::new(tree)))
}

fn slash() -> Result<OwnedFd, Failure> {
    path::open(c"/", Open::PATH).context("open /")
}

/// The directory at the root's own path, if that still is the one that was handed over. Where a
/// user namespace has no right to go there, no hook can either.
fn own_place(path: &str, tree: &OwnedFd) -> Result<OwnedFd, Failure> {
    let c_path = c_string(path).context("root path")?;
    let found = match path::open(&c_path, Open::PATH.and(Open::DIRECTORY)) {
        Err(Errno::EACCES) => return slash(),
        other => other.with_context(|| format!("open root {path:?}"))?,
    };
    let identity = |fd: &OwnedFd| stat::fstat(fd).map(|facts| (facts.device, facts.inode));
    if identity(&found).context("stat the root path")? != identity(tree).context("stat the root")? {
        return Err(Failure::new(&format!(
            "root {path:?} is another directory by now"
        )));
    }
    Ok(found)
}

impl Reached {
    pub(super) fn root(&self) -> &Root {
        &self.0
    }

    /// Makes it the root of this process.
    pub(super) fn enter(self, entering: &Entering) -> Result<Entered, Failure> {
        let Self(root) = self;
        if *entering == Entering::Chroot("/".into()) {
            return Ok(Entered(root));
        }
        path::change_dir(&root).context("chdir to the root filesystem")?;
        if *entering == Entering::PivotRoot {
            mount::pivot_here().context("pivot_root to the root filesystem")?;
            // The current directory is still the new root's own; what lies on it is the old root.
            mount::detach(c".").context("detach the old root")?;
        } else {
            path::change_root(c".").context("chroot to the root filesystem")?;
        }
        Ok(Entered(root))
    }
}

impl Entered {
    pub(super) fn root(&self) -> &Root {
        &self.0
    }
}
