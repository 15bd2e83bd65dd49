//! `hull start`: the program of a created container is executed.

use crate::invocation::Invocation;
use std::error::Error;

pub(super) fn start(invocation: &Invocation<'_>) -> Result<(), Box<dyn Error>> {
    let id = invocation.container()?;
    Ok(libcontainer::start(&invocation.store()?, &id)?)
}
