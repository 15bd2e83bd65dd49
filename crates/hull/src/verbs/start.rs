//! `hull start`: the program of a created container is executed.

use crate::invocation::Invocation;
use crate::request;
use std::error::Error;

pub(super) fn start(invocation: &Invocation<'_>) -> Result<(), Box<dyn Error>> {
    let id = invocation.container()?;
    let notify = request::notify_socket();
    Ok(libcontainer::start(
        &invocation.store()?,
        &id,
        notify.as_deref(),
    )?)
}
