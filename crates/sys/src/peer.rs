//! One typed end of a conversation: it can say only `Out` and hear only `In`.
//!
//! A message is one packet of at most [`LIMIT`] bytes in postcard's form; the limit is what keeps
//! a hostile length from costing memory (CVE-2021-43784's class).

use crate::{
    Errno,
    fd::{AsFd, BorrowedFd, OwnedFd},
    rights, socket,
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

    /// Says one thing and hands an fd over with it.
    pub fn hand(&self, message: &Out, fd: BorrowedFd<'_>) -> Result<(), Errno> {
        let mut buffer = [0u8; LIMIT];
        let bytes = postcard::to_slice(message, &mut buffer).map_err(|_| Errno::EMSGSIZE)?;
        rights::send(&self.socket, bytes, fd)
    }

    /// Hears the next thing; `None` when the other end is closed.
    pub fn hear(&self) -> Result<Option<In>, Errno> {
        let mut buffer = [0u8; LIMIT];
        let count = socket::receive(&self.socket, &mut buffer);
        Ok(decode(count.map(|count| (count, None)), &buffer)?.map(|(message, _)| message))
    }

    /// The same, with the fd that came along.
    pub fn take(&self) -> Result<Option<(In, Option<OwnedFd>)>, Errno> {
        let mut buffer = [0u8; LIMIT];
        decode(rights::receive(&self.socket, &mut buffer), &buffer)
    }
}

fn decode<In: DeserializeOwned>(
    received: Result<(usize, Option<OwnedFd>), Errno>,
    buffer: &[u8],
) -> Result<Option<(In, Option<OwnedFd>)>, Errno> {
    match received {
        // The other end is closed, or died with something of ours unread.
        Ok((0, _)) | Err(Errno::ECONNRESET) => Ok(None),
        Ok((count, handed)) => postcard::from_bytes(buffer.get(..count).unwrap_or_default())
            .map(|message| Some((message, handed)))
            .map_err(|_| Errno::EPROTO),
        Err(errno) => Err(errno),
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
