//! One typed end of a conversation: it can say only `Out` and hear only `In`.
//!
//! A message is one packet of at most [`LIMIT`] bytes in postcard's form; the limit is what keeps
//! a hostile length from costing memory (CVE-2021-43784's class).

use crate::{
    Errno,
    fd::{AsFd, BorrowedFd, OwnedFd},
    path, rights, socket,
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
        socket::send(&self.socket, encode(message, &mut buffer)?)
    }

    /// Says one thing by write(2), under a filter that may know no send(2); a gone end is SIGPIPE.
    pub fn write(&self, message: &Out) -> Result<(), Errno> {
        let mut buffer = [0u8; LIMIT];
        path::write(&self.socket, encode(message, &mut buffer)?).map(drop)
    }

    /// Says one thing and hands an fd over with it.
    pub fn hand(&self, message: &Out, fd: BorrowedFd<'_>) -> Result<(), Errno> {
        let mut buffer = [0u8; LIMIT];
        rights::send(&self.socket, encode(message, &mut buffer)?, fd)
    }

    /// Hears the next thing; `None` when the other end is closed.
    pub fn hear(&self) -> Result<Option<In>, Errno> {
        let mut buffer = [0u8; LIMIT];
        let count = after_reset(|| socket::receive(&self.socket, &mut buffer))?;
        decode(&buffer, count)
    }

    /// The same, with the fd that came along.
    pub fn take(&self) -> Result<Option<(In, Option<OwnedFd>)>, Errno> {
        let mut buffer = [0u8; LIMIT];
        let (count, handed) = after_reset(|| rights::receive(&self.socket, &mut buffer))?;
        Ok(decode(&buffer, count)?.map(|message| (message, handed)))
    }
}

/// An end that closes with something of ours unread is told first, as ECONNRESET, and once; what
/// it had said before lies behind that.
fn after_reset<T>(mut receive: impl FnMut() -> Result<T, Errno>) -> Result<T, Errno> {
    match receive() {
        Err(Errno::ECONNRESET) => receive(),
        other => other,
    }
}

fn encode<'b>(message: &impl Serialize, buffer: &'b mut [u8; LIMIT]) -> Result<&'b [u8], Errno> {
    match postcard::to_slice(message, buffer) {
        Ok(bytes) => Ok(bytes),
        Err(_) => Err(Errno::EMSGSIZE),
    }
}

/// 0 bytes are the end.
fn decode<In: DeserializeOwned>(buffer: &[u8], count: usize) -> Result<Option<In>, Errno> {
    if count == 0 {
        return Ok(None);
    }
    postcard::from_bytes(buffer.get(..count).unwrap_or_default())
        .map(Some)
        .map_err(|_| Errno::EPROTO)
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

#[cfg(feature = "std")]
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_of_an_end_that_closed_unheard_is_heard() {
        let (ours, theirs) = Peer::<u8, u8>::pair().unwrap();
        ours.say(&1).unwrap();
        theirs.say(&7).unwrap();
        drop(theirs);
        assert_eq!(ours.hear().unwrap(), Some(7));
        assert_eq!(ours.hear().unwrap(), None);
        let (ours, theirs) = Peer::<u8, u8>::pair().unwrap();
        ours.say(&1).unwrap();
        drop(theirs);
        assert!(ours.take().unwrap().is_none());
    }
}
