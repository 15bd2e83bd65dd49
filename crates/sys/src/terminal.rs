//! Terminals: a new pty by its master, sizes, the controlling terminal, raw mode.

use crate::{
    Errno,
    call::check,
    fd::{AsFd, AsRawFd, OwnedFd, own},
};
use core::mem::MaybeUninit;

/// Rows and columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    pub height: u16,
    pub width: u16,
}

/// Lets the other end of this master be opened.
pub fn unlock(master: impl AsFd) -> Result<(), Errno> {
    let locked: libc::c_int = 0;
    // SAFETY: the fd is borrowed; the kernel reads one int, which lives across the call.
    let status = unsafe {
        libc::ioctl(
            master.as_fd().as_raw_fd(),
            libc::TIOCSPTLCK,
            &raw const locked,
        )
    };
    check(status.into()).map(drop)
}

/// Opens the other end of this master: by fd, whatever its name leads to.
pub fn open_peer(master: impl AsFd) -> Result<OwnedFd, Errno> {
    let flags = libc::O_RDWR | libc::O_NOCTTY | libc::O_CLOEXEC;
    // SAFETY: the fd is borrowed; takes an integer.
    let peer = unsafe { libc::ioctl(master.as_fd().as_raw_fd(), libc::TIOCGPTPEER, flags) };
    check(peer.into()).map(own)
}

/// The number that names the other end in its devpts.
pub fn number(master: impl AsFd) -> Result<u32, Errno> {
    let mut number: libc::c_uint = 0;
    // SAFETY: the fd is borrowed; the kernel writes one unsigned int, which is ours.
    let status =
        unsafe { libc::ioctl(master.as_fd().as_raw_fd(), libc::TIOCGPTN, &raw mut number) };
    check(status.into())?;
    Ok(number)
}

/// Sets the size of the terminal.
pub fn set_size(terminal: impl AsFd, size: Size) -> Result<(), Errno> {
    let size = libc::winsize {
        ws_row: size.height,
        ws_col: size.width,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    // SAFETY: the fd is borrowed; the kernel reads one winsize, which lives across the call.
    let status = unsafe {
        libc::ioctl(
            terminal.as_fd().as_raw_fd(),
            libc::TIOCSWINSZ,
            &raw const size,
        )
    };
    check(status.into()).map(drop)
}

/// The size of the terminal; ENOTTY where the fd is none.
pub fn size(terminal: impl AsFd) -> Result<Size, Errno> {
    let mut size = libc::winsize {
        ws_row: 0,
        ws_col: 0,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    // SAFETY: the fd is borrowed; the kernel writes one winsize, which is ours.
    let status = unsafe {
        libc::ioctl(
            terminal.as_fd().as_raw_fd(),
            libc::TIOCGWINSZ,
            &raw mut size,
        )
    };
    check(status.into())?;
    Ok(Size {
        height: size.ws_row,
        width: size.ws_col,
    })
}

/// Makes it the controlling terminal of the session that the caller leads. One that another
/// session has is not taken from it.
pub fn control(terminal: impl AsFd) -> Result<(), Errno> {
    // SAFETY: the fd is borrowed; takes an integer.
    let status = unsafe { libc::ioctl(terminal.as_fd().as_raw_fd(), libc::TIOCSCTTY, 0) };
    check(status.into()).map(drop)
}

/// The settings of a terminal, to be given back.
#[derive(Clone, Copy)]
pub struct Settings(libc::termios);

impl core::fmt::Debug for Settings {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Settings")
    }
}

impl Settings {
    /// Those of this terminal; ENOTTY where the fd is none.
    pub fn of(terminal: impl AsFd) -> Result<Self, Errno> {
        let mut settings = MaybeUninit::<libc::termios>::uninit();
        let raw = terminal.as_fd().as_raw_fd();
        // SAFETY: the fd is borrowed; libc writes one termios, for which there is room.
        check(unsafe { libc::tcgetattr(raw, settings.as_mut_ptr()) }.into())?;
        // SAFETY: tcgetattr succeeded, so the struct was filled.
        Ok(Self(unsafe { settings.assume_init() }))
    }

    /// The same, but every byte passes as it is.
    #[must_use]
    pub fn raw(mut self) -> Self {
        // SAFETY: changes a complete termios that we own, and nothing else.
        unsafe { libc::cfmakeraw(&raw mut self.0) };
        self
    }

    /// Gives a terminal these settings, at once.
    pub fn apply(&self, terminal: impl AsFd) -> Result<(), Errno> {
        let raw = terminal.as_fd().as_raw_fd();
        // SAFETY: the fd is borrowed; the termios is complete and only read.
        check(unsafe { libc::tcsetattr(raw, libc::TCSANOW, &raw const self.0) }.into()).map(drop)
    }
}
