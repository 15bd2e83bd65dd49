//! `pids.limit`: -1 is no limit, 0 is a limit like any other.

use crate::config::Pids;

use super::super::error::{At, ResolveError};
use super::writes::{Files, Writes};

const MAX: Files = ("pids", "pids.max", "pids.max");
const LIMIT: &str = "/linux/resources/pids/limit";

pub(super) fn resolve(pids: Option<&Pids>, writes: &mut Writes) -> Result<(), ResolveError> {
    match pids.and_then(|pids| pids.limit) {
        None => {}
        // What a new cgroup has anyway, if there is such a controller at all.
        Some(-1) => writes.put_if_there(MAX, "max", LIMIT),
        Some(limit) if limit < 0 => {
            return Err(At::new(LIMIT).wrong(limit, "must be -1 or at least 0"));
        }
        Some(limit) => writes.put(MAX, limit, LIMIT),
    }
    Ok(())
}
