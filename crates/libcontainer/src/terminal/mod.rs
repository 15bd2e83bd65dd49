//! The runtime's end of a terminal: sent to whoever asked for it over a console socket, or
//! proxied between the caller's stdio and the payload.
//!
//! Init makes the pty inside the container and hands its master over; what happens to the master
//! is decided here by one question: was a console socket given?

mod buffer;
mod caller;
mod console_socket;
mod proxy;
mod pty;

pub(crate) use console_socket::{ConsoleError, ConsoleSocket};
pub(crate) use proxy::{Proxy, ProxyError, Woken};
pub(crate) use pty::Pty;
