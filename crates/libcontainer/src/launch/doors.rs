//! What of a container's directory on the host leads inside.

use hull_sys::fd::OwnedFd;

/// Each is there where the plan, or the verb, has a use for it.
#[derive(Debug, Default)]
pub(crate) struct Doors {
    /// Where a later `start` is heard.
    pub(crate) gate: Option<OwnedFd>,
    /// The directory of the payload's NOTIFY_SOCKET.
    pub(crate) notify: Option<OwnedFd>,
}
