//! `hull state`: what the kernel says about a container, as JSON.

use crate::invocation::Invocation;
use crate::{json, output};
use std::error::Error;

pub(super) fn state(invocation: &Invocation<'_>) -> Result<(), Box<dyn Error>> {
    let id = invocation.container()?;
    let state = libcontainer::state(&invocation.store()?, &id)?;
    Ok(output::show(&json::lines(&state, "  ")?)?)
}
