//! The container's class in resctrl: which share of caches and memory bandwidth it has.

use alloc::{string::String, vec::Vec};

/// What happens below the mounted resctrl.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RdtPlan {
    pub class: RdtClass,
    /// Texts for the class's `schemata`, each one write; none leaves the file alone.
    pub schemata: Vec<String>,
    /// The name of a monitoring group that is made in the class and ends with the container.
    pub monitoring: Option<String>,
}

/// The class of service, a directory of resctrl.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RdtClass {
    /// `/`: the default class, of all processes that are in no other.
    Default,
    /// No `closID`: made under the container's id, and removed with it.
    OfContainer(String),
    /// `closID` without a schema: somebody made it.
    Existing(String),
    /// `closID` with a schema: made where it is missing, compared where it is there, never removed.
    Shared(String),
}
