//! The trees that the host opens before the container is born, numbered in the order of opening.

use crate::plan::{HandedTree, IdMaps, Propagation, TreeIdMap, TreeSource};

use super::error::At;

/// The list, while it grows.
#[derive(Debug, Default)]
pub(super) struct Handed {
    pub(super) trees: Vec<HandedTree>,
    /// Each once, however many trees have it.
    pub(super) maps: Vec<IdMaps>,
}

impl Handed {
    /// Adds a tree; the answer is its number.
    pub(super) fn add(
        &mut self,
        at: &At<'_>,
        source: TreeSource,
        recursive: bool,
        propagation: Propagation,
    ) -> u32 {
        let number = number(self.trees.len());
        self.trees.push(HandedTree {
            pointer: at.pointer(),
            source,
            recursive,
            propagation,
            id_map: None,
        });
        number
    }

    /// The tree that was added last shows its ids by this map.
    pub(super) fn map_last(&mut self, id_map: Option<TreeIdMap>) {
        if let Some(tree) = self.trees.last_mut() {
            tree.id_map = id_map;
        }
    }

    /// The number of these maps.
    pub(super) fn maps(&mut self, maps: IdMaps) -> u32 {
        let known = self.maps.iter().position(|other| *other == maps);
        number(known.unwrap_or_else(|| {
            self.maps.push(maps);
            self.maps.len() - 1
        }))
    }
}

fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}
