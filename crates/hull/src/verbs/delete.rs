//! `hull delete`: nothing of a container is left.

use crate::invocation::Invocation;
use crate::table::FORCE;
use libcontainer::Force;
use std::error::Error;

pub(super) fn delete(invocation: &Invocation<'_>) -> Result<(), Box<dyn Error>> {
    let id = invocation.container()?;
    let force = if invocation.given.switch(&FORCE) {
        Force::Yes
    } else {
        Force::No
    };
    Ok(libcontainer::delete(&invocation.store()?, &id, force)?)
}
