//! Routes that lead out by a device: the kernel forgets them when it leaves, and makes only those
//! anew that follow from its addresses.

use super::{
    address::{FAMILIES, ip},
    channel::Channel,
    message::{Request, attribute, attributes, flag, kind, number},
};
use hull_sys::Errno;

/// `struct rtmsg`: family, prefixes, type of service, table, protocol, scope, type, flags.
const HEAD: usize = 12;

const MAIN: u8 = 254;
const UNICAST: u8 = 1;
/// RTNH_F_ONLINK: the one flag that is asked for; others tell how the route is.
const ON_LINK: u32 = 4;

/// `RTPROT_*`: who made a route.
mod by {
    pub(super) const REDIRECT: u8 = 1;
    pub(super) const KERNEL: u8 = 2;
    /// `ip route add`, of which nobody takes care later.
    pub(super) const BOOT: u8 = 3;
    pub(super) const STATIC: u8 = 4;
    pub(super) const ROUTER_ANNOUNCEMENT: u8 = 9;
}

/// `RTA_*`
mod of {
    pub(super) const DESTINATION: u16 = 1;
    pub(super) const LINK: u16 = 4;
    pub(super) const GATEWAY: u16 = 5;
    pub(super) const MULTIPATH: u16 = 9;
    pub(super) const CACHE_INFO: u16 = 12;
    pub(super) const VIA: u16 = 18;
    pub(super) const NEXT_HOP: u16 = 30;
}

/// Routes of the main table that lead out by this link alone, those to its neighbours first, since
/// others go through these. What follows from an address or from a router is not among them.
pub(super) fn all(channel: &Channel, index: u32) -> Result<Vec<Vec<u8>>, Errno> {
    let mut all = Vec::new();
    for family in FAMILIES {
        let mut head = [0; HEAD];
        (head[0], head[4], head[7]) = (family, MAIN, UNICAST);
        let request = Request::new(kind::GET_ROUTE, flag::DUMP, &head).number(of::LINK, index);
        match channel.list(&request) {
            // There is no such table before its first route.
            Err(Errno::ENOENT) => {}
            found => all.extend(found?.into_iter().filter(|body| is_of(body, family, index))),
        }
    }
    all.sort_by_key(|body| has_gateway(body));
    Ok(all)
}

fn is_of(body: &[u8], family: u8, index: u32) -> bool {
    let [found, _, _, _, MAIN, protocol, _, UNICAST, ..] = *body else {
        return false;
    };
    let link = attribute(body, HEAD, of::LINK).and_then(|value| number(value, 0));
    let shared = [of::MULTIPATH, of::NEXT_HOP];
    found == family
        && link == Some(index)
        && !matches!(
            protocol,
            by::KERNEL | by::REDIRECT | by::ROUTER_ANNOUNCEMENT
        )
        && !shared
            .iter()
            .any(|kind| attribute(body, HEAD, *kind).is_some())
}

fn has_gateway(body: &[u8]) -> bool {
    attributes(body, HEAD).any(|(kind, _)| matches!(kind, of::GATEWAY | of::VIA))
}

/// Is it one that a device takes along? As with addresses: what somebody set by hand.
pub(super) fn is_kept(body: &[u8]) -> bool {
    matches!(body.get(5), Some(&(by::BOOT | by::STATIC)))
}

/// Makes it again, by the link `index`.
pub(super) fn make(channel: &Channel, body: &[u8], index: u32) -> Result<(), Errno> {
    channel.change(&again(body, index))
}

fn again(body: &[u8], index: u32) -> Request {
    let mut head = [0; HEAD];
    head[..8].copy_from_slice(body.get(..8).unwrap_or(&[0; 8]));
    let flags = number(body, 8).unwrap_or_default() & ON_LINK;
    head[8..].copy_from_slice(&flags.to_ne_bytes());
    let wish = flag::ACKNOWLEDGE | flag::CREATE | flag::EXCLUSIVE;
    let mut request = Request::new(kind::NEW_ROUTE, wish, &head);
    for (kind, value) in attributes(body, HEAD) {
        request = match kind {
            of::LINK => request.number(of::LINK, index),
            of::CACHE_INFO => request,
            _ => request.attribute(kind, value),
        };
    }
    request
}

/// For people: `198.51.100.0/24`, `default`.
pub(super) fn describe(body: &[u8]) -> String {
    let prefix = body.get(1).copied().unwrap_or_default();
    match attribute(body, HEAD, of::DESTINATION).and_then(ip) {
        Some(address) => format!("{address}/{prefix}"),
        None => "default".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net_devices::message::messages;

    fn body(table: u8, protocol: u8, kind: u8, attributes: &[(u16, &[u8])]) -> Vec<u8> {
        let head = [2, 24, 0, 0, table, protocol, 0, kind, 4 | 16, 0, 0, 0];
        let request = Request::new(kind::NEW_ROUTE, 0, &head).number(of::LINK, 7);
        let add = |request: Request, (kind, value): &(u16, &[u8])| request.attribute(*kind, value);
        attributes.iter().fold(request, add).numbered(0)[16..].to_vec()
    }

    #[test]
    fn routes_of_a_device_are_those_that_do_not_come_back_by_themselves() {
        for (table, protocol, kind, expected) in [
            (MAIN, by::BOOT, UNICAST, true),
            (MAIN, by::STATIC, UNICAST, true),
            (MAIN, 16, UNICAST, true),
            (MAIN, by::KERNEL, UNICAST, false),
            (MAIN, by::ROUTER_ANNOUNCEMENT, UNICAST, false),
            (255, by::BOOT, UNICAST, false),
            (MAIN, by::BOOT, 2, false),
        ] {
            let body = body(table, protocol, kind, &[]);
            assert_eq!(is_of(&body, 2, 7), expected, "{table} {protocol} {kind}");
            assert!(!is_of(&body, 10, 7) && !is_of(&body, 2, 8));
        }
        for shared in [of::MULTIPATH, of::NEXT_HOP] {
            assert!(!is_of(
                &body(MAIN, by::BOOT, UNICAST, &[(shared, &[0; 4])]),
                2,
                7
            ));
        }
        assert!(!is_of(&[2], 2, 7));
    }

    #[test]
    fn only_what_was_set_by_hand_is_taken_along() {
        for (protocol, kept) in [
            (by::BOOT, true),
            (by::STATIC, true),
            (16, false),
            (186, false),
        ] {
            assert_eq!(
                is_kept(&body(MAIN, protocol, UNICAST, &[])),
                kept,
                "{protocol}"
            );
        }
    }

    #[test]
    fn a_route_is_made_again_by_another_link() {
        let gateway = (of::GATEWAY, &[192, 0, 2, 1][..]);
        let old = body(
            MAIN,
            by::BOOT,
            UNICAST,
            &[gateway, (of::CACHE_INFO, &[0; 32])],
        );
        assert!(has_gateway(&old));
        let request = again(&old, 9);
        let bytes = request.numbered(0);
        let sent = messages(&bytes).next().unwrap();
        assert_eq!(sent.body[..8], old[..8]);
        assert_eq!(number(sent.body, 8), Some(ON_LINK));
        let expected = [(of::LINK, &9u32.to_ne_bytes()[..]), gateway];
        assert_eq!(attributes(sent.body, HEAD).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_route_is_shown_by_where_it_leads() {
        let to = |attributes: &[(u16, &[u8])]| describe(&body(MAIN, 3, UNICAST, attributes));
        assert_eq!(
            to(&[(of::DESTINATION, &[198, 51, 100, 0])]),
            "198.51.100.0/24"
        );
        assert_eq!(to(&[]), "default");
    }
}
