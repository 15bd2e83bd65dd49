//! Devices of a create that was killed between its intent and its record.
//!
//! A network namespace that was made for the container dies with it, and the kernel with that
//! decides: a physical device returns to the initial namespace under its name in the container, a
//! virtual one ends. A joined namespace lives on, with the devices in it.

use super::{
    back::Home,
    channel::{Channel, own_namespace},
    identify,
};
use crate::state::{JoinedNamespace, NetworkRecord};
use hull_sys::{
    Errno,
    path::{self, Open},
};
use std::ffi::CString;

/// Brings back what is found, and says what is not. Without effect where nothing was moved.
pub(crate) fn bring_back(record: &NetworkRecord) -> Result<(), Errno> {
    let namespace = own_namespace()?;
    if identify(&namespace)? != record.own {
        log::warn!("network devices of the container are looked for in their own namespace only");
        return Ok(());
    }
    let home = Home {
        namespace,
        channel: Channel::here()?,
    };
    let joined = record.joined.as_ref().map(open).transpose()?.flatten();
    for device in &record.devices {
        match home.fetch(device, joined.iter().chain([&home.channel])) {
            Err(Errno::ENODEV) => log::warn!("network device {:?} is not found", device.host_name),
            fetched => fetched?,
        }
    }
    Ok(())
}

/// The namespace that was joined, if it is that one still.
fn open(joined: &JoinedNamespace) -> Result<Option<Channel>, Errno> {
    let path = CString::new(joined.path.as_str()).map_err(|_| Errno::EINVAL)?;
    match path::open(&path, Open::READ.and(Open::NONBLOCK)) {
        Ok(namespace) if identify(&namespace)? == joined.identity => {
            Channel::inside(&namespace).map(Some)
        }
        // Its last process ended, or another stands there now.
        Ok(_) | Err(Errno::ENOENT | Errno::ESRCH) => Ok(None),
        Err(errno) => Err(errno),
    }
}
