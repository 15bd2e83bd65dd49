//! The mount trees that the root is built from.

use crate::{failure::Failure, inherited::Inherited};
use hull_sys::fd::OwnedFd;

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

    pub(super) fn take(self, index: u32) -> Result<OwnedFd, Failure> {
        self.inherited.tree(self.joined, index)
    }
}
