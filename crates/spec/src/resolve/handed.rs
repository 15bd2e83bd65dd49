//! The trees that the host opens before the container is born, numbered in the order of opening.

use crate::plan::{HandedTree, Propagation, TreeSource};

use super::error::At;

/// The list, while it grows.
#[derive(Debug, Default)]
pub(super) struct Handed(pub(super) Vec<HandedTree>);

impl Handed {
    /// Adds a tree; the answer is its number.
    pub(super) fn add(
        &mut self,
        at: &At<'_>,
        source: TreeSource,
        recursive: bool,
        propagation: Propagation,
    ) -> u32 {
        let number = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        self.0.push(HandedTree {
            pointer: at.pointer(),
            source,
            recursive,
            propagation,
        });
        number
    }
}
