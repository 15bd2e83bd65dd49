//! The loopback, by two ioctls, and sockets that talk with rtnetlink: each belongs to the network
//! namespace that the caller is in.

use crate::{
    Errno,
    call::check,
    fd::{AsRawFd, OwnedFd, own},
};

const IFF_UP: i16 = 1;

/// The part of `struct ifreq` that SIOCGIFFLAGS and SIOCSIFFLAGS use, at its full size.
#[repr(C)]
struct InterfaceRequest {
    name: [u8; 16],
    flags: i16,
    rest: [u8; 22],
}

/// A socket of rtnetlink(7) that takes filters of dumps seriously. Requests and answers are packets.
pub fn route_socket() -> Result<OwnedFd, Errno> {
    let kind = libc::SOCK_RAW | libc::SOCK_CLOEXEC;
    // SAFETY: takes integers.
    let socket = check(unsafe { libc::socket(libc::AF_NETLINK, kind, libc::NETLINK_ROUTE) }.into())
        .map(own)?;
    let on = 1i32;
    let length = u32::try_from(size_of_val(&on)).map_err(|_| Errno::EINVAL)?;
    // SAFETY: the fd is ours; the option's value is one complete int of this length.
    let strict = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_NETLINK,
            libc::NETLINK_GET_STRICT_CHK,
            (&raw const on).cast(),
            length,
        )
    };
    check(strict.into())?;
    Ok(socket)
}

/// Sets `lo` up.
pub fn loopback_up() -> Result<(), Errno> {
    // SAFETY: takes integers.
    let socket = check(
        unsafe { libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0) }.into(),
    )
    .map(own)?;
    let mut request = InterfaceRequest {
        name: [0; 16],
        flags: 0,
        rest: [0; 22],
    };
    request.name[..2].copy_from_slice(b"lo");
    // SAFETY: the socket is open and the request is as large as the kernel's ifreq.
    unsafe {
        syscall!(
            libc::SYS_ioctl,
            socket.as_raw_fd(),
            libc::SIOCGIFFLAGS,
            &raw mut request
        )
    }?;
    request.flags |= IFF_UP;
    // SAFETY: the socket is open and the request is as large as the kernel's ifreq.
    unsafe {
        syscall!(
            libc::SYS_ioctl,
            socket.as_raw_fd(),
            libc::SIOCSIFFLAGS,
            &raw const request
        )
    }
    .map(drop)
}
