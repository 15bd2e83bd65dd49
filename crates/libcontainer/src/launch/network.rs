//! The network namespace, made while the container's first process already mounts: of all that a
//! container is made of, the kernel takes longest for it (docs/adr/0014-network-beside-the-birth.md).
//!
//! This thread is in it for a moment, and comes back; nothing of the container can be there yet.

use super::{Conversation, LaunchError};
use hull_spec::plan::NamespaceKind;
use hull_sys::{
    Errno,
    fd::OwnedFd,
    namespace, network,
    path::{self, Open},
};
use std::ffi::{CStr, CString};

/// Every thread has its own: a library's caller may have several.
const OWN: &CStr = c"/proc/thread-self/ns/net";

/// Makes it, hands it over, sets its loopback up.
pub(super) fn make(talk: &Conversation) -> Result<OwnedFd, LaunchError> {
    let failed = |what| move |source| LaunchError::Prepare(what, source);
    let kind = NamespaceKind::Network.clone_flag();
    let own = path::open(OWN, Open::READ).map_err(failed("open the own network namespace"))?;
    namespace::unshare(kind).map_err(failed("make the network namespace"))?;
    let furnished = furnish(talk);
    // Whatever came of it: this thread lives on among the host's interfaces.
    namespace::join(own, kind).map_err(failed("return to the own network namespace"))?;
    furnished
}

/// Init waits for the namespace, but not for the loopback: that is up before `Start` is said.
fn furnish(talk: &Conversation) -> Result<OwnedFd, LaunchError> {
    let failed = |what| move |source: Errno| LaunchError::Prepare(what, source);
    let made = path::open(OWN, Open::READ).map_err(failed("open the new network namespace"))?;
    talk.hand_network(&made)?;
    network::loopback_up().map_err(failed("set the loopback up"))?;
    Ok(made)
}

/// That of the container's first process, which the clone made.
pub(super) fn of(pid: i32) -> Result<OwnedFd, LaunchError> {
    let failed = |source| LaunchError::Prepare("open the container's network namespace", source);
    let path = CString::new(format!("/proc/{pid}/ns/net")).map_err(|_| failed(Errno::EINVAL))?;
    path::open(&path, Open::READ).map_err(failed)
}
