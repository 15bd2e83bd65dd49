//! `hull kill`: a signal for a container's process, or for all of them.

use crate::invocation::Invocation;
use crate::table::ALL;
use libcontainer::{Signal, Whom};
use std::error::Error;

pub(super) fn kill(invocation: &Invocation<'_>) -> Result<(), Box<dyn Error>> {
    let id = invocation.container()?;
    let signal = match invocation.given.positional(1) {
        Some(name) => Signal::parse(&name.to_string_lossy())?,
        None => Signal::TERM,
    };
    let whom = if invocation.given.switch(&ALL) {
        Whom::All
    } else {
        Whom::Init
    };
    Ok(libcontainer::kill(&invocation.store()?, &id, signal, whom)?)
}
