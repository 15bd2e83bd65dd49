//! One fd that travels with a message (SCM_RIGHTS): never two, whoever sends.
//!
//! The structs are the kernel's own, since the libcs disagree on the width of two fields. The
//! room for control data is exactly one fd's: of a second one the kernel keeps its hands off.

use crate::{
    Errno,
    fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, own},
};
use core::ptr;

/// `struct user_msghdr`.
#[repr(C)]
struct Header {
    name: *const u8,
    name_length: u32,
    parts: *const Part,
    part_count: usize,
    control: *mut Control,
    control_length: usize,
    flags: u32,
}

/// `struct iovec`.
#[repr(C)]
struct Part {
    base: *mut u8,
    length: usize,
}

/// A `struct cmsghdr` with one fd behind it, padded to CMSG_SPACE.
#[repr(C)]
struct Control {
    length: usize,
    level: i32,
    kind: i32,
    fd: i32,
    padding: i32,
}

/// CMSG_LEN of one fd.
const ONE_FD: usize = size_of::<Control>() - size_of::<i32>();

fn header(part: &Part, control: &mut Control) -> Header {
    Header {
        name: ptr::null(),
        name_length: 0,
        parts: part,
        part_count: 1,
        control,
        control_length: size_of::<Control>(),
        flags: 0,
    }
}

/// Sends a message and one fd; a gone peer is EPIPE, never a signal. An empty message carries no
/// fd over a stream, so it is refused.
pub fn send(socket: impl AsFd, message: &[u8], handed: BorrowedFd<'_>) -> Result<(), Errno> {
    if message.is_empty() {
        return Err(Errno::EINVAL);
    }
    let part = Part {
        base: message.as_ptr().cast_mut(),
        length: message.len(),
    };
    let mut control = Control {
        length: ONE_FD,
        level: libc::SOL_SOCKET,
        kind: libc::SCM_RIGHTS,
        fd: handed.as_raw_fd(),
        padding: 0,
    };
    let header = header(&part, &mut control);
    loop {
        // SAFETY: the header points to one part over `message`, which the kernel only reads, and
        // to one complete control message; all of them and both fds live across the call.
        let sent = unsafe {
            syscall!(
                libc::SYS_sendmsg,
                socket.as_fd().as_raw_fd(),
                &raw const header,
                libc::MSG_NOSIGNAL
            )
        };
        match sent {
            Ok(count) if count == message.len() => return Ok(()),
            Ok(_) => return Err(Errno::EMSGSIZE),
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno),
        }
    }
}

/// Receives one message and the fd that came with it; 0 bytes are the end. A message longer than
/// the buffer is EMSGSIZE.
pub fn receive(socket: impl AsFd, buffer: &mut [u8]) -> Result<(usize, Option<OwnedFd>), Errno> {
    let part = Part {
        base: buffer.as_mut_ptr(),
        length: buffer.len(),
    };
    let mut control = Control {
        length: 0,
        level: 0,
        kind: 0,
        fd: -1,
        padding: 0,
    };
    let mut header = header(&part, &mut control);
    let count = loop {
        // SAFETY: the header points to one part over `buffer`, writable for its length, and to
        // room for one control message; all of them and the fd live across the call.
        let received = unsafe {
            syscall!(
                libc::SYS_recvmsg,
                socket.as_fd().as_raw_fd(),
                &raw mut header,
                libc::MSG_CMSG_CLOEXEC | libc::MSG_TRUNC
            )
        };
        match received {
            Err(Errno::EINTR) => {}
            other => break other?,
        }
    };
    let came = header.control_length >= ONE_FD
        && control.length == ONE_FD
        && (control.level, control.kind) == (libc::SOL_SOCKET, libc::SCM_RIGHTS);
    let handed = match usize::try_from(control.fd) {
        Ok(number) if came => Some(own(number)),
        _ => None,
    };
    if count > buffer.len() {
        return Err(Errno::EMSGSIZE);
    }
    Ok((count, handed))
}

#[cfg(all(test, feature = "std"))]
mod tests {
    use super::*;
    use crate::{path, socket, stat};

    #[test]
    fn an_fd_arrives_with_its_message_and_not_with_the_next() {
        let (ours, theirs) = socket::seqpacket_pair().unwrap();
        let null = path::open(c"/dev/null", path::Open::READ).unwrap();
        send(&ours, b"with", null.as_fd()).unwrap();
        socket::send(&ours, b"without").unwrap();
        let mut buffer = [0; 16];
        let (count, handed) = receive(&theirs, &mut buffer).unwrap();
        assert_eq!(&buffer[..count], b"with");
        let facts = stat::fstat(handed.unwrap()).unwrap();
        assert_eq!(facts.char_device(), Some((1, 3)));
        let (count, handed) = receive(&theirs, &mut buffer).unwrap();
        assert_eq!(&buffer[..count], b"without");
        assert!(handed.is_none());
        drop(ours);
        assert_eq!(receive(&theirs, &mut buffer).unwrap().0, 0);
    }
}
