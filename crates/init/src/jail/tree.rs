//! The root as it is built, and the mount trees it is built from.

use super::scratch::Scratch;
use crate::{failure::Failure, inherited::Inherited, root::Root};

/// A root that is reached but not yet entered.
pub(super) struct Tree {
    pub(super) root: Root,
    /// Where masks are cloned from, if there are any.
    pub(super) scratch: Option<Scratch>,
}

/// The mount trees that the runtime handed over.
#[derive(Clone, Copy)]
pub(super) struct Trees<'a> {
    inherited: &'a Inherited,
    joined: usize,
}

impl<'a> Trees<'a> {
    /// They follow `joined` namespaces.
    pub(super) fn behind(joined: usize, inherited: &'a Inherited) -> Self {
        Self { inherited, joined }
    }

    pub(super) fn take(self, index: u32) -> Result<hull_sys::fd::OwnedFd, Failure> {
        self.inherited.tree(self.joined, index)
    }
}
