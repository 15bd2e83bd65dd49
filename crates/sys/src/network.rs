//! The loopback: two ioctls in the network namespace that the caller is in.

use crate::{
    Errno,
    call::check,
    fd::{AsRawFd, own},
};

const IFF_UP: i16 = 1;

/// The part of `struct ifreq` that SIOCGIFFLAGS and SIOCSIFFLAGS use, at its full size.
#[repr(C)]
struct InterfaceRequest {
    name: [u8; 16],
    flags: i16,
    rest: [u8; 22],
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
