//! One understood command line: the global flags and those of the verb.
//!
//! Verbs ask it for what several of them need: the store, and the container that is meant.

use crate::grammar::Matches;
use crate::state_root::{RootError, StateRoot};
use libcontainer::{ContainerId, Store};
use std::borrow::Cow;
use std::error::Error;
use std::ffi::OsStr;

/// What a verb is handed.
#[derive(Debug)]
pub(crate) struct Invocation<'a> {
    pub(crate) globals: &'a Matches,
    pub(crate) given: &'a Matches,
}

impl Invocation<'_> {
    pub(crate) fn root(&self) -> Result<StateRoot, RootError> {
        StateRoot::from(self.globals)
    }

    pub(crate) fn store(&self) -> Result<Store, RootError> {
        Ok(self.root()?.store())
    }

    /// The first argument of most verbs. What is not text is no valid id either way.
    pub(crate) fn container(&self) -> Result<ContainerId, Box<dyn Error>> {
        Ok(ContainerId::new(&self.word(0))?)
    }

    /// The argument at `index`, empty when there is none.
    pub(crate) fn word(&self, index: usize) -> Cow<'_, str> {
        self.given
            .positional(index)
            .map(OsStr::to_string_lossy)
            .unwrap_or_default()
    }
}
