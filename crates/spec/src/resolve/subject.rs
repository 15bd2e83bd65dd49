//! All that one create is decided from.

use crate::bundle::Bundle;
use crate::config::{Config, Linux};
use crate::host::HostFacts;
use crate::request::Request;

/// What is given.
#[derive(Debug, Clone, Copy)]
pub(super) struct Subject<'a> {
    pub(super) bundle: &'a Bundle,
    pub(super) config: &'a Config,
    pub(super) linux: &'a Linux,
    pub(super) host: &'a HostFacts,
    pub(super) request: &'a Request<'a>,
}
