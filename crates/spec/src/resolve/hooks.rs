//! `hooks`: all six kinds are checked before anything is made, the last ones too.

use std::path::Path;

use oci_spec::runtime::{Hook as Raw, Hooks as RawHooks};

use crate::plan::{Hook, Hooks};

use super::error::{At, ResolveError};
use super::path;

/// All hooks. Those that run in the container have the payload's environment when they say
/// nothing about theirs.
pub(super) fn resolve(
    raw: Option<&RawHooks>,
    payload_env: &[String],
) -> Result<Hooks, ResolveError> {
    let Some(raw) = raw else {
        return Ok(Hooks::default());
    };
    let mut start_container = list(raw.start_container(), "/hooks/startContainer")?;
    for hook in &mut start_container {
        hook.env.get_or_insert_with(|| payload_env.to_vec());
    }
    // Deprecated, and in every engine's config all the same.
    #[allow(
        deprecated,
        reason = "prestart hooks must run: runtime.md#lifecycle, step 3"
    )]
    let prestart = raw.prestart();
    Ok(Hooks {
        prestart: list(prestart, "/hooks/prestart")?,
        create_runtime: list(raw.create_runtime(), "/hooks/createRuntime")?,
        create_container: list(raw.create_container(), "/hooks/createContainer")?,
        start_container,
        poststart: list(raw.poststart(), "/hooks/poststart")?,
        poststop: list(raw.poststop(), "/hooks/poststop")?,
    })
}

fn list(raw: &Option<Vec<Raw>>, pointer: &str) -> Result<Vec<Hook>, ResolveError> {
    let all = At::new(pointer);
    let hooks = raw.iter().flatten().enumerate();
    hooks
        .map(|(index, raw)| hook(raw, &all.index(index)))
        .collect()
}

fn hook(raw: &Raw, at: &At<'_>) -> Result<Hook, ResolveError> {
    let path = path::absolute(&path::below(Path::new(""), raw.path()), &at.member("/path"))?;
    let args = raw.args().clone().unwrap_or_default();
    Ok(Hook {
        args: if args.is_empty() {
            vec![path.clone()]
        } else {
            args
        },
        path,
        env: raw.env().clone(),
        timeout: timeout(raw.timeout(), &at.member("/timeout"))?,
    })
}

fn timeout(seconds: Option<i64>, at: &At<'_>) -> Result<Option<u32>, ResolveError> {
    match seconds {
        None => Ok(None),
        Some(seconds) => match u32::try_from(seconds) {
            Ok(seconds) if seconds > 0 => Ok(Some(seconds)),
            _ => Err(at.wrong(seconds, "must be a number of seconds greater than 0")),
        },
    }
}
