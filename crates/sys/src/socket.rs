//! Unix sockets: the pair between runtime and init, the start gate, a place for datagrams.

use crate::{
    Errno,
    call::check,
    fd::{AsFd, AsRawFd, OwnedFd, own},
};

const KIND: i32 = libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC;
const DATAGRAMS: i32 = libc::SOCK_DGRAM | libc::SOCK_CLOEXEC;

/// Two connected ends; message borders are kept.
pub fn seqpacket_pair() -> Result<(OwnedFd, OwnedFd), Errno> {
    let mut ends = [-1i32; 2];
    // SAFETY: room for the two fds that the kernel writes.
    check(unsafe { libc::socketpair(libc::AF_UNIX, KIND, 0, ends.as_mut_ptr()) }.into())?;
    let [first, second] = ends.map(|end| own(usize::try_from(end).unwrap_or_default()));
    Ok((first, second))
}

/// A Unix address; fails where the path does not fit sun_path's 108 bytes.
struct Address {
    raw: libc::sockaddr_un,
    length: u32,
}

impl Address {
    /// A path, or the name of an abstract socket behind a NUL.
    fn new(path: &[u8]) -> Result<Self, Errno> {
        // SAFETY: sockaddr_un is plain data, for which all zeroes is a value.
        let mut raw: libc::sockaddr_un = unsafe { core::mem::zeroed() };
        raw.sun_family = 1;
        if path.len() >= raw.sun_path.len() {
            return Err(Errno::ENAMETOOLONG);
        }
        for (slot, byte) in raw.sun_path.iter_mut().zip(path) {
            *slot = libc::c_char::from_ne_bytes([*byte]);
        }
        let end = usize::from(path.first() != Some(&0));
        let length = size_of_val(&raw.sun_family) + path.len() + end;
        Ok(Self {
            raw,
            length: u32::try_from(length).map_err(|_| Errno::ENAMETOOLONG)?,
        })
    }
}

/// A socket bound to `path` that listens.
pub fn listen(path: &[u8]) -> Result<OwnedFd, Errno> {
    let address = Address::new(path)?;
    let socket = new(KIND)?;
    bind(&socket, &address)?;
    // SAFETY: the fd is ours.
    check(unsafe { libc::listen(socket.as_raw_fd(), 1) }.into())?;
    Ok(socket)
}

/// A socket for datagrams, bound to `path`.
pub fn bind_datagrams(path: &[u8]) -> Result<OwnedFd, Errno> {
    let address = Address::new(path)?;
    let socket = new(DATAGRAMS)?;
    bind(&socket, &address)?;
    Ok(socket)
}

fn new(kind: i32) -> Result<OwnedFd, Errno> {
    // SAFETY: takes integers.
    check(unsafe { libc::socket(libc::AF_UNIX, kind, 0) }.into()).map(own)
}

fn bind(socket: &OwnedFd, address: &Address) -> Result<(), Errno> {
    // SAFETY: the address is complete for its length; the fd is borrowed.
    let bound = unsafe {
        libc::bind(
            socket.as_raw_fd(),
            (&raw const address.raw).cast(),
            address.length,
        )
    };
    check(bound.into()).map(drop)
}

/// Connects to the seqpacket listener at `path`.
pub fn connect(path: &[u8]) -> Result<OwnedFd, Errno> {
    connect_by(new(KIND)?, path)
}

/// Connects to the stream listener at `path`; neither this nor a send on it waits longer than so
/// many seconds: EAGAIN then.
pub fn connect_stream(path: &[u8], seconds: u8) -> Result<OwnedFd, Errno> {
    connect_in_time(libc::SOCK_STREAM | libc::SOCK_CLOEXEC, path, seconds)
}

/// The same for datagrams to whoever is bound to `path`.
pub fn connect_datagrams(path: &[u8], seconds: u8) -> Result<OwnedFd, Errno> {
    connect_in_time(DATAGRAMS, path, seconds)
}

fn connect_in_time(kind: i32, path: &[u8], seconds: u8) -> Result<OwnedFd, Errno> {
    let socket = new(kind)?;
    let limit = libc::timeval {
        tv_sec: seconds.into(),
        tv_usec: 0,
    };
    let length = u32::try_from(size_of::<libc::timeval>()).map_err(|_| Errno::EINVAL)?;
    // SAFETY: the fd is ours; the option's value is one complete timeval of this length.
    let limited = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_SNDTIMEO,
            (&raw const limit).cast(),
            length,
        )
    };
    check(limited.into())?;
    connect_by(socket, path)
}

fn connect_by(socket: OwnedFd, path: &[u8]) -> Result<OwnedFd, Errno> {
    let address = Address::new(path)?;
    // SAFETY: the address is complete for its length; the fd is ours.
    let connected = unsafe {
        libc::connect(
            socket.as_raw_fd(),
            (&raw const address.raw).cast(),
            address.length,
        )
    };
    check(connected.into())?;
    Ok(socket)
}

/// The next connection; an interrupt is retried.
pub fn accept(listener: impl AsFd) -> Result<OwnedFd, Errno> {
    loop {
        // SAFETY: the fd is borrowed; the peer's address is not asked for.
        let accepted = unsafe {
            libc::accept4(
                listener.as_fd().as_raw_fd(),
                core::ptr::null_mut(),
                core::ptr::null_mut(),
                libc::SOCK_CLOEXEC,
            )
        };
        match check(accepted.into()) {
            Err(Errno::EINTR) => {}
            other => return other.map(own),
        }
    }
}

/// Sends one message; a gone peer is EPIPE, never a signal.
pub fn send(socket: impl AsFd, message: &[u8]) -> Result<(), Errno> {
    loop {
        // SAFETY: the message is readable for its length and the fd borrowed for the call.
        let sent = unsafe {
            libc::send(
                socket.as_fd().as_raw_fd(),
                message.as_ptr().cast(),
                message.len(),
                libc::MSG_NOSIGNAL,
            )
        };
        match usize::try_from(sent) {
            Ok(_) => return Ok(()),
            Err(_) if Errno::last().is_interrupt() => {}
            Err(_) => return Err(Errno::last()),
        }
    }
}

/// Receives one message; 0 is the end. A message longer than the buffer is EMSGSIZE.
pub fn receive(socket: impl AsFd, buffer: &mut [u8]) -> Result<usize, Errno> {
    loop {
        // SAFETY: the buffer is writable for its length and the fd borrowed for the call.
        let count = unsafe {
            libc::recv(
                socket.as_fd().as_raw_fd(),
                buffer.as_mut_ptr().cast(),
                buffer.len(),
                libc::MSG_TRUNC,
            )
        };
        match usize::try_from(count) {
            Ok(count) if count > buffer.len() => return Err(Errno::EMSGSIZE),
            Ok(count) => return Ok(count),
            Err(_) if Errno::last().is_interrupt() => {}
            Err(_) => return Err(Errno::last()),
        }
    }
}
