//! The only `unsafe` of hull: thin wrappers over syscalls, owned fds in and out.
//!
//! Each wrapper is one call: what the kernel takes as flags is a typed value or a named constant,
//! what it returns as a number is an fd with an owner or a typed value, and an error is the
//! [`Errno`] alone; the caller knows the object. The crate serves std (the runtime) and no_std
//! (the init image) alike.

#![cfg_attr(not(feature = "std"), no_std)]
#![allow(unsafe_code, reason = "the one crate whose purpose it is")]

extern crate alloc;

#[macro_use]
mod call;
pub mod allocator;
pub mod bpf;
pub mod capability;
pub mod directory;
pub mod errno;
pub mod exec;
pub mod fd;
pub mod identity;
#[cfg(feature = "image")]
pub mod image;
pub mod keyring;
pub mod memfd;
pub mod mount;
pub mod namespace;
pub mod network;
pub mod path;
pub mod peer;
pub mod poll;
pub mod process;
pub mod program;
pub mod rights;
pub mod scheduling;
pub mod seccomp;
pub mod signal;
pub mod socket;
pub mod spawn;
pub mod stat;
pub mod terminal;
pub mod xattr;

pub use errno::Errno;
