//! From a bundle's config.json to a [`plan::Plan`]: what is asked, checked against what this host is.
//!
//! `plan` and `protocol` are data that both ends of the process border compile, so they need no
//! std. Everything that decides (`config`, `resolve`, `features`, ...) stands behind the feature
//! `resolve`, which the init image leaves out. Nothing here makes a syscall but reading the bundle.

#![cfg_attr(not(feature = "resolve"), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

#[cfg(feature = "resolve")]
pub mod bundle;
#[cfg(feature = "resolve")]
pub mod config;
#[cfg(feature = "resolve")]
pub mod features;
pub mod hook;
#[cfg(feature = "resolve")]
pub mod host;
#[cfg(feature = "resolve")]
pub mod id;
pub mod plan;
pub mod protocol;
#[cfg(feature = "resolve")]
pub mod request;
#[cfg(feature = "resolve")]
pub mod resolve;
#[cfg(feature = "resolve")]
pub mod template;

#[cfg(feature = "resolve")]
pub use self::{
    bundle::Bundle,
    config::{Config, ConfigError},
    host::{HostFacts, SecurityModules, V1Hierarchy},
    id::{ContainerId, IdError},
    request::{Activation, Request, RootChange, Rootless, SessionKeyring},
    resolve::{Problem, ResolveError, modules_asked, resolve},
};
