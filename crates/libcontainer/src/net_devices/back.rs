//! The way back into the runtime's network namespace, with all that a device had there.

use super::{
    address,
    channel::Channel,
    link::{self, Link},
    name_on_the_way, route,
};
use crate::state::NetDeviceRecord;
use hull_sys::{Errno, fd::OwnedFd};

/// Where devices go back to.
#[derive(Debug)]
pub(super) struct Home {
    pub(super) namespace: OwnedFd,
    pub(super) channel: Channel,
}

impl Home {
    /// A device of which it is not known whether it left, or where it is: one of `places`, or none,
    /// which is ENODEV.
    pub(super) fn fetch<'a>(
        &'a self,
        device: &NetDeviceRecord,
        places: impl Iterator<Item = &'a Channel>,
    ) -> Result<(), Errno> {
        if link::find(&self.channel, &device.host_name)?.is_some() {
            return Ok(());
        }
        let (there, index) = search(device, places)?.ok_or(Errno::ENODEV)?;
        self.bring_back(device, there, index)
    }

    /// The link `index` of `there` gets its name, addresses, state and routes again.
    pub(super) fn bring_back(
        &self,
        device: &NetDeviceRecord,
        there: &Channel,
        index: u32,
    ) -> Result<(), Errno> {
        let here = &self.channel;
        let name = device.host_name.as_str();
        match link::send(there, index, &self.namespace, name) {
            // A `delete --force` was quicker, or it went by itself.
            Err(Errno::ENODEV) if link::find(here, name)?.is_some() => return Ok(()),
            other => other?,
        }
        let index = link::find(here, name)?.ok_or(Errno::ENODEV)?.index;
        for body in &device.addresses {
            missed(name, "address", &address::describe(body), || {
                address::give(here, body, index, (name, name))
            });
        }
        if let Some(master) = device.master {
            missed(name, "membership in link", &master.to_string(), || {
                link::join(here, index, master)
            });
        }
        if device.up {
            link::set_up(here, index)?;
        }
        for body in &device.routes {
            missed(name, "route", &route::describe(body), || {
                route::make(here, body, index)
            });
        }
        log::debug!("network device {name:?}: brought back");
        Ok(())
    }
}

/// One thing that cannot be had again keeps no other from coming back.
fn missed(name: &str, what: &str, which: &str, give: impl FnOnce() -> Result<(), Errno>) {
    match give() {
        // The kernel made it by itself.
        Ok(()) | Err(Errno::EEXIST) => {}
        Err(errno) => log::warn!("network device {name:?}: {what} {which} is lost: {errno}"),
    }
}

fn search<'a>(
    device: &NetDeviceRecord,
    places: impl Iterator<Item = &'a Channel>,
) -> Result<Option<(&'a Channel, u32)>, Errno> {
    for place in places {
        let links = link::all(place)?;
        if let Some(link) = links.iter().find(|link| is_it(link, device)) {
            return Ok(Some((place, link.index)));
        }
    }
    Ok(None)
}

/// An index may be another after a move; a hardware address is not enough, since links on top of
/// another share its.
fn is_it(link: &Link, device: &NetDeviceRecord) -> bool {
    let on_the_way = name_on_the_way(&device.name, device.index);
    let named = link.name == on_the_way || fits(&link.name, &device.name);
    named && link.hardware_address == device.hardware_address
}

/// Can the kernel have made this name of `wish`?
fn fits(name: &str, wish: &str) -> bool {
    let Some((before, after)) = wish.split_once("%d") else {
        return name == wish;
    };
    let number = name
        .strip_prefix(before)
        .and_then(|rest| rest.strip_suffix(after));
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_known_by_name_and_hardware_address() {
        let device = |name: &str| NetDeviceRecord {
            host_name: "ctr0".to_owned(),
            name: name.to_owned(),
            index: 7,
            up: true,
            hardware_address: vec![2, 0, 0, 0, 0, 5],
            master: None,
            addresses: Vec::new(),
            routes: Vec::new(),
        };
        let link = |name: &str, last| Link {
            index: 9,
            name: name.to_owned(),
            up: false,
            immovable: false,
            hardware_address: vec![2, 0, 0, 0, 0, last],
            master: None,
        };
        for (name, wish, last, expected) in [
            ("eth0", "eth0", 5, true),
            ("eth0", "eth0", 6, false),
            ("eth1", "eth0", 5, false),
            ("wan12", "wan%d", 5, true),
            ("wan12x", "wan%dx", 5, true),
            ("hull-7", "wan%d", 5, true),
            ("hull-7", "eth0", 5, false),
            ("wan", "wan%d", 5, false),
            ("wanx", "wan%d", 5, false),
            ("wan1", "wan%d", 6, false),
        ] {
            let is = is_it(&link(name, last), &device(wish));
            assert_eq!(is, expected, "{name} for {wish}");
        }
    }
}
