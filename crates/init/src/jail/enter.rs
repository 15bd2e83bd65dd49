//! To the new root and out of the old one.
//!
//! The handed root tree is put on `/` of our own mount namespace: a place that always exists and
//! that nobody else can rename. pivot_root(".", ".") then swaps the two, with the old root on top
//! of the new one until it is detached (pivot_root(2), "pivot_root(".", ".")").

use super::{
    scratch::Scratch,
    tree::{Tree, Trees},
};
use crate::{
    failure::{Context, Failure},
    root::{Root, c_string},
};
use alloc::format;
use hull_spec::plan::{Entering, Rootfs};
use hull_sys::{
    mount::{self, Attributes, Depth, propagation},
    path::{self, Open},
};

/// The new root is `/`; the old one may still be mounted below the current directory.
pub(super) struct Entered {
    old: OldRoot,
    pub(super) scratch: Option<Scratch>,
}

/// Where the old root is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum OldRoot {
    /// On top of `/`, to be detached.
    Stacked,
    /// Hidden below, or shared with others: left alone.
    Kept,
}

/// An [`Entered`] whose masks are in place.
pub(super) struct Sealed(pub(super) Entered);

/// Opens the root directory, attached in this mount namespace.
pub(super) fn reach(rootfs: &Rootfs, trees: Trees<'_>) -> Result<Tree, Failure> {
    let slash = path::open(c"/", Open::PATH).context("open /")?;
    if !matches!(rootfs.entering, Entering::Chroot(_)) {
        // Nothing we do from here on reaches the host, nor the host us through the old root.
        let private = Attributes {
            propagation: propagation::PRIVATE,
            ..Attributes::default()
        };
        mount::set_root_attributes(private, Depth::Tree)
            .context("make the mount namespace private")?;
    }
    // Below the new root, so that one detach takes it away together with the old root: each
    // detach waits for an RCU grace period, a third of a millisecond and more.
    let scratch = match rootfs.masked_paths.is_empty() {
        true => None,
        false => Some(Scratch::make(&slash).context("make the scratch tmpfs for masks")?),
    };
    let directory = match &rootfs.entering {
        Entering::PivotRoot | Entering::MoveAndChroot => {
            let tree = trees.take(0)?;
            mount::attach(&tree, &slash).context("attach the root filesystem")?;
            tree
        }
        Entering::Chroot(path) => {
            let c_path = c_string(path).context("root path")?;
            path::open(&c_path, Open::PATH.and(Open::DIRECTORY))
                .with_context(|| format!("open root {path:?}"))?
        }
    };
    Ok(Tree {
        root: Root::new(directory),
        scratch,
    })
}

/// Makes the tree the root of this process.
pub(super) fn enter(tree: Tree, entering: &Entering) -> Result<Entered, Failure> {
    if *entering == Entering::Chroot("/".into()) {
        return Ok(Entered {
            old: OldRoot::Kept,
            scratch: tree.scratch,
        });
    }
    path::change_dir(&tree.root).context("chdir to the root filesystem")?;
    let old = match entering {
        Entering::PivotRoot => {
            mount::pivot_here().context("pivot_root to the root filesystem")?;
            OldRoot::Stacked
        }
        Entering::MoveAndChroot | Entering::Chroot(_) => {
            path::change_root(c".").context("chroot to the root filesystem")?;
            OldRoot::Kept
        }
    };
    Ok(Entered {
        old,
        scratch: tree.scratch,
    })
}

/// Detaches what is left of the host's tree.
pub(super) fn leave_old_root(Sealed(entered): Sealed) -> Result<(), Failure> {
    if entered.old == OldRoot::Stacked {
        // The current directory is still the new root's own; what lies on it is the old root.
        mount::detach(c".").context("detach the old root")?;
    }
    let slash = path::open(c"/", Open::PATH.and(Open::DIRECTORY)).context("open /")?;
    path::change_dir(slash).context("chdir to /")
}
