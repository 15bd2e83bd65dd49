//! The devices as they are before they move: what is missing, bound or in the way is an error with
//! nothing to undo.

use super::{
    NetDeviceError, address,
    back::Home,
    channel::{Channel, own_namespace},
    identify, link, route,
};
use crate::state::{JoinedNamespace, NetDeviceRecord, NetworkRecord};
use hull_spec::plan::{NamespaceKind, NetDevice, Plan};
use hull_sys::{Errno, fd::OwnedFd};

/// All that the move will need, and what a killed create leaves to be known.
#[derive(Debug)]
pub(crate) struct Found {
    pub(super) home: Home,
    /// Open already where the container joins a network namespace.
    pub(super) there: Option<Channel>,
    /// Where each stands in config.json, in the order of the record.
    pub(super) pointers: Vec<String>,
    record: NetworkRecord,
}

impl Found {
    /// Looks at the plan's devices; none, none.
    pub(crate) fn look(plan: &Plan, joined: &[OwnedFd]) -> Result<Option<Self>, NetDeviceError> {
        let devices = &plan.host.net_devices;
        if devices.is_empty() {
            return Ok(None);
        }
        let failed = NetDeviceError::Prepare;
        let home = Home {
            namespace: own_namespace().map_err(|e| failed("open the own network namespace", e))?,
            channel: Channel::here().map_err(|e| failed("open a netlink socket", e))?,
        };
        let identity =
            identify(&home.namespace).map_err(|e| failed("look at the network namespace", e))?;
        let mut record = NetworkRecord {
            own: identity,
            joined: None,
            devices: Vec::new(),
        };
        let mut there = None;
        if let Some((namespace, path)) = network(plan, joined) {
            let identity =
                identify(namespace).map_err(|e| failed("look at the network namespace", e))?;
            if identity == record.own {
                return Err(NetDeviceError::SameNamespace);
            }
            let channel = Channel::inside(namespace)
                .map_err(|e| failed("open a netlink socket in the network namespace", e))?;
            there = Some(channel);
            record.joined = Some(JoinedNamespace {
                path: path.to_owned(),
                identity,
            });
        }
        for device in devices {
            record.devices.push(look_at(device, &home.channel)?);
            if let Some(there) = &there {
                must_be_free(device, there)?;
            }
        }
        Ok(Some(Self {
            home,
            there,
            pointers: devices
                .iter()
                .map(|device| device.pointer.clone())
                .collect(),
            record,
        }))
    }

    /// For the intent.
    pub(crate) fn record(&self) -> &NetworkRecord {
        &self.record
    }
}

/// The network namespace that the container joins, with its path.
fn network<'a>(plan: &'a Plan, opened: &'a [OwnedFd]) -> Option<(&'a OwnedFd, &'a str)> {
    let joined = plan.host.namespaces.joined.iter().zip(opened);
    joined
        .filter(|((kind, _), _)| *kind == NamespaceKind::Network)
        .map(|((_, path), opened)| (opened, path.as_str()))
        .next()
}

fn look_at(device: &NetDevice, here: &Channel) -> Result<NetDeviceRecord, NetDeviceError> {
    let name = || device.host_name.clone();
    let pointer = || device.pointer.clone();
    let failed = |step: &str| {
        let step = step.to_owned();
        move |source: Errno| NetDeviceError::Step {
            pointer: pointer(),
            step,
            name: name(),
            source,
        }
    };
    let found = link::find(here, &device.host_name).map_err(failed("look at the link"))?;
    let Some(link) = found else {
        return Err(NetDeviceError::Missing {
            pointer: pointer(),
            name: name(),
        });
    };
    if link.immovable {
        return Err(NetDeviceError::Immovable {
            pointer: pointer(),
            name: name(),
        });
    }
    Ok(NetDeviceRecord {
        addresses: address::all(here, link.index).map_err(failed("list the addresses"))?,
        routes: route::all(here, link.index).map_err(failed("list the routes"))?,
        host_name: link.name,
        name: device.name.clone(),
        index: link.index,
        up: link.up,
        hardware_address: link.hardware_address,
        master: link.master,
    })
}

fn must_be_free(device: &NetDevice, there: &Channel) -> Result<(), NetDeviceError> {
    if device.is_numbered() {
        return Ok(());
    }
    let name = device.name.clone();
    let pointer = device.pointer.clone();
    match link::find(there, &name) {
        Ok(None) => Ok(()),
        Ok(Some(_)) => Err(NetDeviceError::Taken { pointer, name }),
        Err(source) => Err(NetDeviceError::Step {
            pointer,
            step: "look for another".to_owned(),
            name,
            source,
        }),
    }
}
