//! Links: what the kernel says of one, and what can be asked of it.

use super::{
    channel::Channel,
    message::{Request, attribute, flag, kind, number, text},
};
use hull_sys::{Errno, fd::OwnedFd};
use std::os::fd::AsRawFd;

/// `struct ifinfomsg`: family, type, index, flags, and which of them are to change.
const HEAD: usize = 16;

const UP: u32 = 0x1;
const LOOPBACK: u32 = 0x8;

/// `IFLA_*`
mod of {
    pub(super) const ADDRESS: u16 = 1;
    pub(super) const NAME: u16 = 3;
    pub(super) const MASTER: u16 = 10;
    pub(super) const NAMESPACE_FD: u16 = 28;
    /// Since Linux 6.15.
    pub(super) const NAMESPACE_IMMUTABLE: u16 = 67;
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) index: u32,
    pub(super) name: String,
    pub(super) up: bool,
    /// As far as the kernel tells.
    pub(super) immovable: bool,
    pub(super) hardware_address: Vec<u8>,
    /// The bridge, bond or other link that it is a part of.
    pub(super) master: Option<u32>,
}

impl Link {
    fn read(body: &[u8]) -> Option<Self> {
        let flags = number(body, 8)?;
        let find = |kind| attribute(body, HEAD, kind);
        let immutable =
            find(of::NAMESPACE_IMMUTABLE).is_some_and(|value| value.first() == Some(&1));
        Some(Self {
            index: number(body, 4)?,
            name: text(find(of::NAME)?),
            up: flags & UP != 0,
            immovable: immutable || flags & LOOPBACK != 0,
            hardware_address: find(of::ADDRESS).unwrap_or_default().to_vec(),
            master: find(of::MASTER).and_then(|value| number(value, 0)),
        })
    }
}

/// A link by its name, if there is one.
pub(super) fn find(channel: &Channel, name: &str) -> Result<Option<Link>, Errno> {
    let request = Request::new(kind::GET_LINK, flag::ACKNOWLEDGE, &[0; HEAD]).text(of::NAME, name);
    match channel.ask(&request) {
        Err(Errno::ENODEV) => Ok(None),
        answer => Link::read(&answer?).ok_or(Errno::EPROTO).map(Some),
    }
}

/// A link by its index.
pub(super) fn at(channel: &Channel, index: u32) -> Result<Link, Errno> {
    let request = Request::new(kind::GET_LINK, flag::ACKNOWLEDGE, &head(index, 0));
    Link::read(&channel.ask(&request)?).ok_or(Errno::EPROTO)
}

/// All links.
pub(super) fn all(channel: &Channel) -> Result<Vec<Link>, Errno> {
    let links = channel.list(&Request::new(kind::GET_LINK, flag::DUMP, &[0; HEAD]))?;
    Ok(links.iter().filter_map(|body| Link::read(body)).collect())
}

/// Moves a link to another namespace, and names it, in one step.
pub(super) fn send(
    channel: &Channel,
    index: u32,
    namespace: &OwnedFd,
    name: &str,
) -> Result<(), Errno> {
    let namespace = namespace.as_raw_fd().cast_unsigned();
    let request = change(index, 0).text(of::NAME, name);
    channel.change(&request.number(of::NAMESPACE_FD, namespace))
}

pub(super) fn rename(channel: &Channel, index: u32, name: &str) -> Result<(), Errno> {
    channel.change(&change(index, 0).text(of::NAME, name))
}

pub(super) fn set_up(channel: &Channel, index: u32) -> Result<(), Errno> {
    channel.change(&change(index, UP))
}

/// Makes it a part of another link again.
pub(super) fn join(channel: &Channel, index: u32, master: u32) -> Result<(), Errno> {
    channel.change(&change(index, 0).number(of::MASTER, master))
}

fn change(index: u32, flags: u32) -> Request {
    Request::new(kind::NEW_LINK, flag::ACKNOWLEDGE, &head(index, flags))
}

/// These flags are to be set, others left as they are.
fn head(index: u32, flags: u32) -> [u8; HEAD] {
    let mut head = [0; HEAD];
    head[4..8].copy_from_slice(&index.to_ne_bytes());
    head[8..12].copy_from_slice(&flags.to_ne_bytes());
    head[12..].copy_from_slice(&flags.to_ne_bytes());
    head
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net_devices::message::messages;

    fn read(request: &Request) -> Option<Link> {
        messages(&request.numbered(0)).find_map(|message| Link::read(message.body))
    }

    #[test]
    fn a_link_is_read_as_the_kernel_tells_it() {
        let plain = change(7, UP).text(of::NAME, "eth0");
        let link = Link {
            index: 7,
            name: "eth0".to_owned(),
            up: true,
            immovable: false,
            hardware_address: Vec::new(),
            master: None,
        };
        assert_eq!(read(&plain).as_ref(), Some(&link));
        let more = plain
            .attribute(of::ADDRESS, &[2, 0, 0, 0, 0, 5])
            .number(of::MASTER, 3)
            .attribute(of::NAMESPACE_IMMUTABLE, &[1]);
        let link = Link {
            immovable: true,
            hardware_address: vec![2, 0, 0, 0, 0, 5],
            master: Some(3),
            ..link
        };
        assert_eq!(read(&more), Some(link));
        let loopback = change(1, LOOPBACK).text(of::NAME, "l");
        assert!(read(&loopback).is_some_and(|link| link.immovable && !link.up));
        assert_eq!(read(&change(1, 0)), None);
    }
}
