//! One typed end of a conversation: it can say only `Out` and hear only `In`.
//!
//! A message is one packet of at most [`LIMIT`] bytes in postcard's form; the limit is what keeps
//! a hostile length from costing memory (CVE-2021-43784's class).

use crate::{
    Errno,
    fd::{AsFd, BorrowedFd, OwnedFd},
    socket,
};
use core::marker::PhantomData;
use serde::{Serialize, de::DeserializeOwned};

/// The longest message.
pub const LIMIT: usize = 8192;

/// One end.
#[derive(Debug)]
pub struct Peer<Out, In> {
    socket: OwnedFd,
    says: PhantomData<fn(Out) -> In>,
}

impl<Out: Serialize, In: DeserializeOwned> Peer<Out, In> {
    /// One seqpacket pair; each end can say only its own half of the protocol.
    pub fn pair() -> Result<(Self, Peer<In, Out>), Errno>
    where
        Out: DeserializeOwned,
        In: Serialize,
    {
        let (ours, theirs) = socket::seqpacket_pair()?;
        Ok((Self::over(ours), Peer::over(theirs)))
    }

    /// An end over a connected seqpacket socket.
    #[must_use]
    pub fn over(socket: OwnedFd) -> Self {
        Self {
            socket,
            says: PhantomData,
        }
    }

    /// Says one thing.
    pub fn say(&self, message: &Out) -> Result<(), Errno> {
        let mut buffer = [0u8; LIMIT];
        let bytes = postcard::to_slice(message, &mut buffer).map_err(|_| Errno::EMSGSIZE)?;
        socket::send(&self.socket, bytes)
    }

    /// Hears the next thing; `None` when the other end is closed.
    pub fn hear(&self) -> Result<Option<In>, Errno> {
        let mut buffer = [0u8; LIMIT];
        let count = match socket::receive(&self.socket, &mut buffer) {
            Ok(count) => count,
            // The other end died with something of ours unread.
            Err(Errno::ECONNRESET) => return Ok(None),
            Err(errno) => return Err(errno),
        };
        if count == 0 {
            return Ok(None);
        }
        postcard::from_bytes(buffer.get(..count).unwrap_or_default())
            .map(Some)
            .map_err(|_| Errno::EPROTO)
    }
}

impl<Out, In> Peer<Out, In> {
    /// The socket itself.
    #[must_use]
    pub fn into_fd(self) -> OwnedFd {
        self.socket
    }
}

impl<Out, In> AsFd for Peer<Out, In> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
