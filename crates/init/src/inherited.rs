//! The fds that the runtime hands over, in the one order that both sides know:
//! the socket, the plan, the gate, the joined namespaces, the mount trees.

use crate::{
    conversation::Conversation,
    failure::{Context, Failure},
};
use alloc::{format, vec::Vec};
use hull_spec::plan::NamespaceKind;
use hull_sys::{
    Errno,
    fd::{OwnedFd, inherited},
    peer::Peer,
};

const SOCKET: i32 = 0;
const PLAN: i32 = 1;
const GATE: i32 = 2;
const NAMESPACES: i32 = 3;

/// The numbers, counted from the base; each is taken by its owner once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Inherited {
    base: i32,
}

impl Inherited {
    /// `None` where the program was not started by a runtime.
    pub(crate) fn at(base: i32) -> Option<Self> {
        (base >= 3).then_some(Self { base })
    }

    /// The number of the first fd that is not the payload's.
    pub(crate) fn base(self) -> u32 {
        self.base.unsigned_abs()
    }

    pub(crate) fn conversation(self) -> Result<Conversation, Failure> {
        Ok(Conversation::over(Peer::over(self.take(SOCKET, "socket")?)))
    }

    pub(crate) fn plan(self) -> Result<OwnedFd, Failure> {
        self.take(PLAN, "plan")
    }

    /// The listening socket of the start gate.
    pub(crate) fn gate(self) -> Result<OwnedFd, Failure> {
        self.take(GATE, "gate")
    }

    /// The joined namespaces, each with its kind.
    pub(crate) fn namespaces(
        self,
        kinds: &[NamespaceKind],
    ) -> Result<Vec<(NamespaceKind, OwnedFd)>, Failure> {
        (NAMESPACES..)
            .zip(kinds)
            .map(|(number, kind)| Ok((*kind, self.take(number, kind.name())?)))
            .collect()
    }

    /// The mount tree of this index, behind `joined` namespaces.
    pub(crate) fn tree(self, joined: usize, index: u32) -> Result<OwnedFd, Failure> {
        let offset = i32::try_from(joined)
            .ok()
            .zip(i32::try_from(index).ok())
            .and_then(|(joined, index)| joined.checked_add(index))
            .ok_or_else(|| Failure::new("number of a handed tree"))?;
        self.take(NAMESPACES + offset, "mount tree")
    }

    fn take(self, number: i32, what: &str) -> Result<OwnedFd, Failure> {
        inherited(self.base + number)
            .ok_or(Errno::EBADF)
            .with_context(|| format!("{what} handed over as fd {}", self.base + number))
    }
}
