//! The move, and the way back: a guard, since a create that fails leaves the host as it was.

use super::{
    Found, NetDeviceError, address, back::Home, channel::Channel, link, name_on_the_way, route,
};
use crate::state::NetDeviceRecord;
use hull_sys::{Errno, fd::OwnedFd};

/// Devices that are in the container's network namespace; they come back on drop unless kept.
#[derive(Debug)]
pub(crate) struct Moved {
    home: Home,
    there: Channel,
    /// With its index there once that is known.
    devices: Vec<(NetDeviceRecord, Option<u32>)>,
}

impl Moved {
    /// Moves all of them.
    pub(crate) fn into(namespace: &OwnedFd, found: Found) -> Result<Self, NetDeviceError> {
        let record = found.record().clone();
        let there = match found.there {
            Some(there) => there,
            None => Channel::inside(namespace).map_err(|source| {
                NetDeviceError::Prepare("open a netlink socket in the network namespace", source)
            })?,
        };
        let mut moved = Self {
            home: found.home,
            there,
            devices: Vec::new(),
        };
        for (device, pointer) in record.devices.into_iter().zip(&found.pointers) {
            moved.take(device, pointer, namespace)?;
        }
        Ok(moved)
    }

    /// They live and die with the container's network namespace from now on.
    pub(crate) fn keep(mut self) {
        self.devices.clear();
    }

    fn take(
        &mut self,
        device: NetDeviceRecord,
        pointer: &str,
        namespace: &OwnedFd,
    ) -> Result<(), NetDeviceError> {
        let on_the_way = name_on_the_way(&device.name, device.index);
        // From here on it comes back whatever happens: that no answer came does not say that it stayed.
        self.devices.push((device.clone(), None));
        link::send(&self.home.channel, device.index, namespace, &on_the_way)
            .map_err(|errno| refused(errno, &device, pointer))?;
        let index = link::find(&self.there, &on_the_way)
            .and_then(|link| link.ok_or(Errno::ENODEV))
            .map_err(failed(&device, pointer, "find the moved link".to_owned()))?
            .index;
        if let Some((_, known)) = self.devices.last_mut() {
            *known = Some(index);
        }
        self.furnish(&device, index, pointer)
    }

    /// Its name, its addresses, up, its routes: in this order, as each needs the one before.
    fn furnish(
        &self,
        device: &NetDeviceRecord,
        index: u32,
        pointer: &str,
    ) -> Result<(), NetDeviceError> {
        let there = &self.there;
        let step = |step: String| failed(device, pointer, step);
        let mut name = device.name.clone();
        if name.contains('%') {
            link::rename(there, index, &name).map_err(step(format!("name {name:?}")))?;
            name = link::at(there, index)
                .map_err(step("the number in the name".to_owned()))?
                .name;
        }
        let names = (device.host_name.as_str(), name.as_str());
        for body in device
            .addresses
            .iter()
            .filter(|body| address::is_kept(body))
        {
            address::give(there, body, index, names)
                .map_err(step(format!("keep address {}", address::describe(body))))?;
        }
        link::set_up(there, index).map_err(step("set up the link".to_owned()))?;
        for body in device.routes.iter().filter(|body| route::is_kept(body)) {
            // One that went by a lease's address, say: no word of the specification demands it.
            if let Err(errno) = route::make(there, body, index) {
                let route = route::describe(body);
                log::warn!(
                    "network device {:?}: route {route} is not kept: {errno}",
                    names.0
                );
            }
        }
        log::debug!("network device {:?}: moved, named {name:?}", names.0);
        Ok(())
    }
}

impl Drop for Moved {
    fn drop(&mut self) {
        for (device, index) in self.devices.drain(..).rev() {
            let back = match index {
                Some(index) => self.home.bring_back(&device, &self.there, index),
                None => self.home.fetch(&device, [&self.there].into_iter()),
            };
            if let Err(errno) = back {
                let name = &device.host_name;
                log::warn!("network device {name:?} is not brought back: {errno}");
            }
        }
    }
}

/// Why the kernel does not let it go.
fn refused(errno: Errno, device: &NetDeviceRecord, pointer: &str) -> NetDeviceError {
    let pointer = pointer.to_owned();
    match errno {
        Errno::EEXIST => NetDeviceError::Taken {
            pointer,
            name: device.name.clone(),
        },
        Errno::EINVAL => NetDeviceError::Immovable {
            pointer,
            name: device.host_name.clone(),
        },
        _ => failed(device, &pointer, "move it: the link".to_owned())(errno),
    }
}

fn failed(
    device: &NetDeviceRecord,
    pointer: &str,
    step: String,
) -> impl FnOnce(Errno) -> NetDeviceError {
    let (pointer, name) = (pointer.to_owned(), device.host_name.clone());
    move |source| NetDeviceError::Step {
        pointer,
        step,
        name,
        source,
    }
}
