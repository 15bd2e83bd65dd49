//! What runtimes send over unix sockets: bytes, and descriptors beside them.

use crate::process::{DEADLINE, readable_within};
use crate::verdict::{Check, ensure};
use rustix::fd::OwnedFd;
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
use std::io::IoSliceMut;
use std::mem::MaybeUninit;
use std::os::unix::net::UnixStream;

#[derive(Debug)]
pub(crate) struct Message {
    /// Empty at the end of the stream.
    pub(crate) bytes: Vec<u8>,
    pub(crate) fds: Vec<OwnedFd>,
}

impl Message {
    /// Takes what one call of the other side sent.
    pub(crate) fn receive(stream: &UnixStream) -> Check<Self> {
        ensure!(readable_within(stream, DEADLINE), "nothing came over the socket within {DEADLINE:?}");
        let mut bytes = [0; 4096];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(8))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let message = recvmsg(stream, &mut [IoSliceMut::new(&mut bytes)], &mut ancillary, RecvFlags::CMSG_CLOEXEC)?;
        let mut fds = Vec::new();
        for control in ancillary.drain() {
            if let RecvAncillaryMessage::ScmRights(rights) = control {
                fds.extend(rights);
            }
        }
        Ok(Self { bytes: bytes[..message.bytes].to_vec(), fds })
    }
}
