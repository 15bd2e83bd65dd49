//! `linux.netDevices`: links of the host that go into the container's network namespace
//! (config-linux.md#network-devices), and come back only where the create fails.
//!
//! `found` looks at them before anything is made; `moved` moves them, and is the guard that brings
//! them `back`; `lost` does that for a create that was killed. `channel` and `message` speak rtnetlink
//! for `link`, `address` and `route`. docs/network.md says what moves along and what does not.

mod address;
mod back;
mod channel;
mod found;
mod link;
mod lost;
mod message;
mod moved;
mod route;

pub(crate) use found::Found;
pub(crate) use lost::bring_back as bring_back_lost;
pub(crate) use moved::Moved;

use crate::state::NamespaceIdentity;
use hull_sys::{Errno, fd::AsFd, stat};

/// A device that cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum NetDeviceError {
    #[error("{pointer}: there is no network device {name:?}")]
    Missing { pointer: String, name: String },
    #[error("{pointer}: network device {name:?} cannot leave its network namespace")]
    Immovable { pointer: String, name: String },
    #[error("{pointer}: the container's network namespace has a device {name:?} already")]
    Taken { pointer: String, name: String },
    #[error("/linux/netDevices: the network namespace is the runtime's own")]
    SameNamespace,
    #[error("{pointer}: {step} of network device {name:?}")]
    Step {
        pointer: String,
        step: String,
        name: String,
        source: Errno,
    },
    #[error("/linux/netDevices: {0}")]
    Prepare(&'static str, #[source] Errno),
}

/// Which namespace this is.
fn identify(namespace: impl AsFd) -> Result<NamespaceIdentity, Errno> {
    let facts = stat::fstat(namespace)?;
    Ok(NamespaceIdentity {
        device: facts.device,
        inode: facts.inode,
    })
}

/// Where a device whose name has a number that the kernel chooses is for a moment: the name of
/// nobody else, since an index belongs to one link.
fn name_on_the_way(name: &str, index: u32) -> String {
    match name.contains('%') {
        true => format!("hull-{index}"),
        false => name.to_owned(),
    }
}
