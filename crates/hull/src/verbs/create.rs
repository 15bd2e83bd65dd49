//! `hull create`: a container whose process waits for `start`.

use crate::invocation::Invocation;
use crate::request;
use std::error::Error;

pub(super) fn create(invocation: &Invocation<'_>) -> Result<(), Box<dyn Error>> {
    let request = request::of(invocation)?;
    let root = invocation.root()?;
    root.keep_from_sweeping();
    Ok(libcontainer::create(&root.store(), &request)?)
}
