//! `hull features`: what was built in, as JSON; no look at this host and nothing on stderr.

use crate::{json, output};
use std::error::Error;

pub(super) fn features() -> Result<(), Box<dyn Error>> {
    Ok(output::show(&json::lines(
        &hull_spec::features::features(env!("HULL_COMMIT")),
        "    ",
    )?)?)
}
