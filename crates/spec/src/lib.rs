//! From a bundle's config.json to a [`plan::Plan`]: what is asked, checked against what this host is.
//!
//! `plan` and `protocol` are data that both ends of the process border compile, so they need no
//! std. Everything that decides (`config`, `resolve`, `features`, ...) stands behind the feature
//! `resolve`, which the init image leaves out. Nothing here makes a syscall but reading the bundle.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(feature = "resolve")]
extern crate std;

pub mod plan;
pub mod protocol;
