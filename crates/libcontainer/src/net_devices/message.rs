//! The form of rtnetlink's messages (netlink(7), rtnetlink(7)): a header of 16 bytes, then a body,
//! which begins with a head of its kind's own, then attributes. Numbers are in the machine's order,
//! and everything begins at a multiple of four.

const HEADER: usize = 16;
const ATTRIBUTE_HEADER: usize = 4;

/// What a message is about.
pub(super) mod kind {
    pub(in super::super) const ERROR: u16 = 2;
    pub(in super::super) const DONE: u16 = 3;
    pub(in super::super) const NEW_LINK: u16 = 16;
    pub(in super::super) const GET_LINK: u16 = 18;
    pub(in super::super) const NEW_ADDRESS: u16 = 20;
    pub(in super::super) const GET_ADDRESS: u16 = 22;
    pub(in super::super) const NEW_ROUTE: u16 = 24;
    pub(in super::super) const GET_ROUTE: u16 = 26;
}

/// How it is to be understood.
pub(super) mod flag {
    pub(in super::super) const REQUEST: u16 = 0x1;
    pub(in super::super) const ACKNOWLEDGE: u16 = 0x4;
    pub(in super::super) const DUMP_INTERRUPTED: u16 = 0x10;
    pub(in super::super) const EXCLUSIVE: u16 = 0x200;
    pub(in super::super) const DUMP: u16 = 0x300;
    pub(in super::super) const CREATE: u16 = 0x400;
}

/// A message to the kernel, complete at any time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Request(Vec<u8>);

impl Request {
    pub(super) fn new(kind: u16, flags: u16, head: &[u8]) -> Self {
        let mut bytes = vec![0; HEADER];
        bytes[4..6].copy_from_slice(&kind.to_ne_bytes());
        bytes[6..8].copy_from_slice(&(flags | flag::REQUEST).to_ne_bytes());
        bytes.extend_from_slice(head);
        Self(bytes).measured()
    }

    /// With one attribute more; a value longer than an attribute can be is cut off.
    pub(super) fn attribute(mut self, kind: u16, value: &[u8]) -> Self {
        let length = u16::try_from(ATTRIBUTE_HEADER + value.len()).unwrap_or(u16::MAX);
        let value = &value[..usize::from(length) - ATTRIBUTE_HEADER];
        self.0.extend_from_slice(&length.to_ne_bytes());
        self.0.extend_from_slice(&kind.to_ne_bytes());
        self.0.extend_from_slice(value);
        self.0.resize(aligned(self.0.len()), 0);
        self.measured()
    }

    pub(super) fn number(self, kind: u16, value: u32) -> Self {
        self.attribute(kind, &value.to_ne_bytes())
    }

    /// A text ends with NUL.
    pub(super) fn text(self, kind: u16, value: &str) -> Self {
        self.attribute(kind, &[value.as_bytes(), b"\0"].concat())
    }

    /// As it is sent: the answers bear the same number.
    pub(super) fn numbered(&self, sequence: u32) -> Vec<u8> {
        let mut bytes = self.0.clone();
        bytes[8..12].copy_from_slice(&sequence.to_ne_bytes());
        bytes
    }

    fn measured(mut self) -> Self {
        let length = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        self.0[..4].copy_from_slice(&length.to_ne_bytes());
        self
    }
}

/// A message of the kernel's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Message<'a> {
    pub(super) kind: u16,
    pub(super) flags: u16,
    pub(super) sequence: u32,
    pub(super) body: &'a [u8],
}

/// The messages of one packet.
pub(super) fn messages(mut packet: &[u8]) -> impl Iterator<Item = Message<'_>> {
    std::iter::from_fn(move || {
        let length = usize::try_from(number(packet, 0)?).ok()?;
        let message = packet.get(..length).filter(|_| length >= HEADER)?;
        packet = packet.get(aligned(length)..).unwrap_or_default();
        Some(Message {
            kind: half(message, 4)?,
            flags: half(message, 6)?,
            sequence: number(message, 8)?,
            body: &message[HEADER..],
        })
    })
}

/// The attributes of a body whose head is so long: their kinds, and their values.
pub(super) fn attributes(body: &[u8], head: usize) -> impl Iterator<Item = (u16, &[u8])> {
    let mut rest = body.get(aligned(head)..).unwrap_or_default();
    std::iter::from_fn(move || {
        let length = usize::from(half(rest, 0)?);
        let attribute = rest.get(..length).filter(|_| length >= ATTRIBUTE_HEADER)?;
        rest = rest.get(aligned(length)..).unwrap_or_default();
        Some((half(attribute, 2)?, &attribute[ATTRIBUTE_HEADER..]))
    })
}

/// The value of the first attribute of this kind.
pub(super) fn attribute(body: &[u8], head: usize, kind: u16) -> Option<&[u8]> {
    attributes(body, head).find_map(|(found, value)| (found == kind).then_some(value))
}

/// The 32 bits at this place.
pub(super) fn number(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at + 4)?.try_into().ok()?;
    Some(u32::from_ne_bytes(bytes))
}

/// A text without its NUL.
pub(super) fn text(value: &[u8]) -> String {
    let end = value.iter().position(|byte| *byte == 0);
    String::from_utf8_lossy(&value[..end.unwrap_or(value.len())]).into_owned()
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    let bytes = bytes.get(at..at + 2)?.try_into().ok()?;
    Some(u16::from_ne_bytes(bytes))
}

const fn aligned(length: usize) -> usize {
    length.next_multiple_of(4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_can_be_read() {
        let request = Request::new(kind::NEW_LINK, flag::ACKNOWLEDGE, &[7; 16])
            .text(3, "eth0")
            .number(28, 9);
        let bytes = request.numbered(3);
        assert_eq!(bytes.len(), 16 + 16 + 12 + 8);
        let found: Vec<_> = messages(&bytes).collect();
        let [message] = found[..] else {
            panic!("{found:?}")
        };
        assert_eq!((message.kind, message.flags, message.sequence), (16, 5, 3));
        let inside: Vec<_> = attributes(message.body, 16).collect();
        assert_eq!(inside, [(3, &b"eth0\0"[..]), (28, &9u32.to_ne_bytes()[..])]);
        let name = attribute(message.body, 16, 3).map(text);
        assert_eq!(name.as_deref(), Some("eth0"));
        assert_eq!(
            attribute(message.body, 16, 28).and_then(|v| number(v, 0)),
            Some(9)
        );
    }

    #[test]
    fn a_packet_may_hold_several_messages() {
        let one = Request::new(kind::DONE, 0, &[1]).numbered(0);
        let mut packet = one.clone();
        packet.resize(20, 0);
        packet.extend_from_slice(&one);
        let bodies: Vec<_> = messages(&packet).map(|message| message.body).collect();
        assert_eq!(bodies, [[1], [1]]);
    }

    #[test]
    fn what_is_cut_off_ends_the_reading() {
        let bytes = Request::new(kind::NEW_LINK, 0, &[0; 16])
            .text(3, "eth0")
            .numbered(0);
        for length in 0..bytes.len() {
            assert_eq!(messages(&bytes[..length]).count(), 0, "{length}");
        }
        let body = &bytes[HEADER..];
        for length in 0..body.len() - 3 {
            assert_eq!(attributes(&body[..length], 16).count(), 0, "{length}");
        }
        assert_eq!(messages(&[0; 64]).count(), 0);
        assert_eq!(attributes(&[0; 64], 16).count(), 0);
    }
}
