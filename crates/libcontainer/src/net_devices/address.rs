//! Addresses of a device: as the kernel tells them, so that one that is given again is the same in
//! all that it has: prefix, peer, broadcast, label, flags, scope, metric, protocol, lifetimes.

use super::{
    channel::Channel,
    message::{Request, attribute, attributes, flag, kind, number, text},
};
use hull_sys::Errno;
use std::net::IpAddr;

/// `struct ifaddrmsg`: family, prefix, flags, scope, index of the link.
const HEAD: usize = 8;

/// AF_INET, AF_INET6: all that there are.
pub(super) const FAMILIES: [u8; 2] = [2, 10];

/// IFA_F_PERMANENT
const PERMANENT: u32 = 0x80;
/// RT_SCOPE_UNIVERSE
const GLOBAL: u8 = 0;
/// The longest name of a link; a label is as long at most.
const LONGEST_LABEL: usize = 15;

/// `IFA_*`
mod of {
    pub(super) const ADDRESS: u16 = 1;
    pub(super) const LOCAL: u16 = 2;
    pub(super) const LABEL: u16 = 3;
    pub(super) const FLAGS: u16 = 8;
}

/// All addresses of a link, of all kinds.
pub(super) fn all(channel: &Channel, index: u32) -> Result<Vec<Vec<u8>>, Errno> {
    let mut all = Vec::new();
    for family in FAMILIES {
        let mut head = [0; HEAD];
        head[0] = family;
        head[4..].copy_from_slice(&index.to_ne_bytes());
        let mut found = channel.list(&Request::new(kind::GET_ADDRESS, flag::DUMP, &head))?;
        // A kernel without a family answers with those of all others.
        found.retain(|body| body.first() == Some(&family) && number(body, 4) == Some(index));
        all.append(&mut found);
    }
    Ok(all)
}

/// Is it one that a device takes along (config-linux.md#network-devices)? Others depend on where the
/// device was: a lease, a router's announcement, the link itself.
pub(super) fn is_kept(body: &[u8]) -> bool {
    let [_, _, flags, scope, ..] = *body else {
        return false;
    };
    let wide = attribute(body, HEAD, of::FLAGS).and_then(|value| number(value, 0));
    scope == GLOBAL && wide.unwrap_or(flags.into()) & PERMANENT != 0
}

/// Gives it to the link `index`, whose name was `old` and is `new`.
pub(super) fn give(
    channel: &Channel,
    body: &[u8],
    index: u32,
    (old, new): (&str, &str),
) -> Result<(), Errno> {
    channel.change(&again(body, index, (old, new)))
}

fn again(body: &[u8], index: u32, (old, new): (&str, &str)) -> Request {
    let flags = flag::ACKNOWLEDGE | flag::CREATE | flag::EXCLUSIVE;
    let mut head = [0; HEAD];
    head[..4].copy_from_slice(body.get(..4).unwrap_or(&[0; 4]));
    head[4..].copy_from_slice(&index.to_ne_bytes());
    let mut request = Request::new(kind::NEW_ADDRESS, flags, &head);
    for (kind, value) in attributes(body, HEAD) {
        request = match kind {
            of::LABEL => match label(&text(value), old, new) {
                Some(label) => request.text(of::LABEL, &label),
                None => request,
            },
            _ => request.attribute(kind, value),
        };
    }
    request
}

/// A label begins with the link's name by custom, and follows it where it still fits.
fn label(label: &str, old: &str, new: &str) -> Option<String> {
    let renamed = match label.strip_prefix(old) {
        Some(rest) if rest.is_empty() || rest.starts_with(':') => format!("{new}{rest}"),
        _ => label.to_owned(),
    };
    (renamed.len() <= LONGEST_LABEL).then_some(renamed)
}

/// For people: `192.0.2.5/24`.
pub(super) fn describe(body: &[u8]) -> String {
    let value = attribute(body, HEAD, of::LOCAL).or_else(|| attribute(body, HEAD, of::ADDRESS));
    let prefix = body.get(1).copied().unwrap_or_default();
    match value.and_then(ip) {
        Some(address) => format!("{address}/{prefix}"),
        None => "of an unknown form".to_owned(),
    }
}

/// An address of either family.
pub(super) fn ip(value: &[u8]) -> Option<IpAddr> {
    match value.len() {
        4 => <[u8; 4]>::try_from(value).ok().map(IpAddr::from),
        _ => <[u8; 16]>::try_from(value).ok().map(IpAddr::from),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net_devices::message::messages;

    const V4: [u8; 4] = [192, 0, 2, 5];

    fn body(head: [u8; 4], attributes: &[(u16, &[u8])]) -> Vec<u8> {
        let head = [&head[..], &7u32.to_ne_bytes()].concat();
        let request = Request::new(kind::NEW_ADDRESS, 0, &head);
        let add = |request: Request, (kind, value): &(u16, &[u8])| request.attribute(*kind, value);
        attributes.iter().fold(request, add).numbered(0)[16..].to_vec()
    }

    #[test]
    fn permanent_global_addresses_of_all_families_are_kept() {
        let wide = |flags: u32| flags.to_ne_bytes();
        for (head, flags, kept) in [
            ([2, 24, 0x80, 0], None, true),
            ([10, 64, 0x80, 0], Some(0x82), true),
            ([10, 64, 0, 0], Some(0x380), true),
            // A lease, a link-local address, one of the host alone.
            ([2, 24, 0, 0], None, false),
            ([10, 64, 0, 0], Some(0x100), false),
            ([10, 64, 0x80, 253], Some(0x80), false),
            ([2, 8, 0x80, 254], None, false),
        ] {
            let flags = flags.map(wide);
            let attributes: Vec<_> = flags.iter().map(|flags| (of::FLAGS, &flags[..])).collect();
            assert_eq!(
                is_kept(&body(head, &attributes)),
                kept,
                "{head:?} {flags:?}"
            );
        }
        assert!(!is_kept(&[2]));
    }

    #[test]
    fn an_address_is_given_again_with_all_it_has() {
        let attributes = [
            (of::ADDRESS, &[192, 0, 2, 9][..]),
            (of::LOCAL, &V4),
            (of::LABEL, b"ctr0:a\0"),
            (4, &[192, 0, 2, 255]),
            (9, &[1, 0, 0, 0]),
        ];
        let request = again(&body([2, 24, 0x80, 0], &attributes), 9, ("ctr0", "eth0"));
        let expected = [
            attributes[0],
            attributes[1],
            (of::LABEL, b"eth0:a\0"),
            attributes[3],
            attributes[4],
        ];
        let bytes = request.numbered(0);
        let sent = messages(&bytes).next().unwrap();
        assert_eq!(sent.body[..4], [2, 24, 0x80, 0]);
        assert_eq!(number(sent.body, 4), Some(9));
        assert_eq!(
            super::attributes(sent.body, HEAD).collect::<Vec<_>>(),
            expected
        );
    }

    #[test]
    fn a_label_follows_the_name_where_it_fits() {
        for (old_label, expected) in [
            ("ctr0", Some("wan-15-letters.")),
            ("ctr0:a", None),
            ("ctr01", Some("ctr01")),
            ("other", Some("other")),
        ] {
            assert_eq!(
                label(old_label, "ctr0", "wan-15-letters.").as_deref(),
                expected
            );
        }
    }

    #[test]
    fn an_address_is_shown_as_people_write_it() {
        assert_eq!(
            describe(&body([2, 24, 0, 0], &[(of::LOCAL, &V4)])),
            "192.0.2.5/24"
        );
        let v6 = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5];
        assert_eq!(
            describe(&body([10, 64, 0, 0], &[(of::ADDRESS, &v6)])),
            "2001:db8::5/64"
        );
        assert_eq!(describe(&[]), "of an unknown form");
    }
}
