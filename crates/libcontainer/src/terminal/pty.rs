//! The master of the payload's pty, as init handed it over.

use hull_sys::fd::OwnedFd;

/// The master of the payload's pty.
#[derive(Debug)]
pub(crate) struct Pty {
    pub(crate) master: OwnedFd,
    /// Names the other end in the container's devpts.
    pub(crate) number: u32,
}

impl Pty {
    /// The other end, as the container sees it.
    pub(super) fn name(&self) -> String {
        format!("/dev/pts/{}", self.number)
    }
}
