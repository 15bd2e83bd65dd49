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

#[cfg(test)]
mod tests {
    use super::super::fixture::{check, refuses};
    use crate::resolve::fixture::Scene;

    #[test]
    fn a_limit_is_a_number_and_minus_one_is_none() {
        check(&[
            (r#""pids": {}"#, &[], &[]),
            (r#""pids": {"limit": null}"#, &[], &[]),
            (r#""pids": {"limit": 0}"#, &["pids.max=0"], &["pids.max=0"]),
            (r#""pids": {"limit": 7}"#, &["pids.max=7"], &["pids.max=7"]),
            (
                r#""pids": {"limit": -1}"#,
                &["pids.max?=max"],
                &["pids.max?=max"],
            ),
        ]);
        refuses(
            &Scene::v2(),
            &[(r#""pids": {"limit": -2}"#, "pids/limit: \"-2\" must be -1")],
        );
    }
}
