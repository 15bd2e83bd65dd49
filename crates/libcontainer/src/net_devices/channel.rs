//! A conversation with rtnetlink about one network namespace: one question, its answer, the next.

use super::message::{Message, Request, flag, kind, messages, number};
use hull_sys::{
    Errno,
    fd::OwnedFd,
    namespace, network,
    path::{self, Open},
    socket,
};
use std::cell::Cell;

/// Every thread has its own: a library's caller may have several.
const OWN: &std::ffi::CStr = c"/proc/thread-self/ns/net";

const NETWORK: u32 = hull_spec::plan::NamespaceKind::Network.clone_flag();

/// The kernel's packets have 32 KiB at most.
const LONGEST: usize = 64 << 10;

/// How often a list that changed while it was read is read again.
const PATIENCE: u32 = 8;

#[derive(Debug)]
pub(super) struct Channel {
    socket: OwnedFd,
    /// Of the last question.
    sequence: Cell<u32>,
}

/// The network namespace that the calling thread is in.
pub(super) fn own_namespace() -> Result<OwnedFd, Errno> {
    path::open(OWN, Open::READ)
}

impl Channel {
    /// With the namespace that the calling thread is in.
    pub(super) fn here() -> Result<Self, Errno> {
        network::route_socket().map(|socket| Self {
            socket,
            sequence: Cell::new(0),
        })
    }

    /// With another: the thread is there for the moment in which the socket is made, and nothing
    /// but that socket is left of it (docs/adr/0016-netlink-by-hand.md).
    pub(super) fn inside(namespace: &OwnedFd) -> Result<Self, Errno> {
        let own = own_namespace()?;
        namespace::join(namespace, NETWORK)?;
        let made = Self::here();
        namespace::join(own, NETWORK)?;
        made
    }

    /// Asks for a change.
    pub(super) fn change(&self, request: &Request) -> Result<(), Errno> {
        self.say(request)?;
        self.hear(|_| {}).map(drop)
    }

    /// Asks for one thing: the body of the answer.
    pub(super) fn ask(&self, request: &Request) -> Result<Vec<u8>, Errno> {
        let mut answer = None;
        self.say(request)?;
        self.hear(|message| answer = Some(message.body.to_vec()))?;
        answer.ok_or(Errno::EPROTO)
    }

    /// Asks for a list: the bodies of the answers.
    pub(super) fn list(&self, request: &Request) -> Result<Vec<Vec<u8>>, Errno> {
        let mut bodies = Vec::new();
        for _ in 0..PATIENCE {
            bodies.clear();
            self.say(request)?;
            let whole = self.hear(|message| bodies.push(message.body.to_vec()))?;
            if whole == Whole::Yes {
                break;
            }
        }
        Ok(bodies)
    }

    fn say(&self, request: &Request) -> Result<(), Errno> {
        self.sequence.set(self.sequence.get().wrapping_add(1));
        socket::send(&self.socket, &request.numbered(self.sequence.get()))
    }

    /// Until the end of the answer: of a list `DONE`, of everything else an error number, 0 if all
    /// went well. What is asked for comes before that.
    fn hear(&self, mut take: impl FnMut(Message<'_>)) -> Result<Whole, Errno> {
        let mut whole = Whole::Yes;
        let mut packet = vec![0; LONGEST];
        loop {
            let length = socket::receive(&self.socket, &mut packet)?;
            let ours = |message: &Message<'_>| message.sequence == self.sequence.get();
            for message in messages(&packet[..length]).filter(ours) {
                if message.flags & flag::DUMP_INTERRUPTED != 0 {
                    whole = Whole::No;
                }
                match message.kind {
                    kind::ERROR | kind::DONE => return outcome(message).map(|()| whole),
                    _ => take(message),
                }
            }
        }
    }
}

/// Did the list stay the same while it was read?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whole {
    Yes,
    No,
}

/// Both carry an errno, negative; an end without one is none.
fn outcome(message: Message<'_>) -> Result<(), Errno> {
    match number(message.body, 0).map_or(0, u32::cast_signed) {
        0 => Ok(()),
        code => Err(Errno::from_raw(code.wrapping_neg())),
    }
}
