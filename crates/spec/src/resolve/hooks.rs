//! `hooks`: all six kinds are checked before anything is made, the last ones too.

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
    let path = path::absolute(&raw.path().to_string_lossy(), &at.member("/path"))?;
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

#[cfg(test)]
mod tests {
    use super::super::fixture::Scene;
    use super::*;

    const KINDS: [&str; 6] = [
        "prestart",
        "createRuntime",
        "createContainer",
        "startContainer",
        "poststart",
        "poststop",
    ];

    fn hooks(kind: &str, hook: &str) -> String {
        format!(r#""hooks": {{"{kind}": [{hook}]}}, "process": {{"env": ["A=1"]}}"#)
    }

    #[test]
    fn a_hook_has_an_argv_and_its_own_environment_or_none() {
        let hook = |args: &[&str], env: Option<&[&str]>, timeout| Hook {
            path: "/bin/h".to_owned(),
            args: args.iter().map(ToString::to_string).collect(),
            env: env.map(|env| env.iter().map(ToString::to_string).collect()),
            timeout,
        };
        let plan = |kind, text| Scene::v2().plan(&hooks(kind, text)).host.hooks;
        let bare = r#"{"path": "/bin/h"}"#;
        let full = r#"{"path": "/bin/h", "args": ["h", "x"], "env": [], "timeout": 3}"#;
        assert_eq!(
            plan("prestart", bare).prestart,
            [hook(&["/bin/h"], None, None)]
        );
        assert_eq!(
            plan("poststop", full).poststop,
            [hook(&["h", "x"], Some(&[]), Some(3))]
        );
        let inside = plan("startContainer", bare).start_container;
        assert_eq!(inside, [hook(&["/bin/h"], Some(&["A=1"]), None)]);
        let inside = plan("startContainer", full).start_container;
        assert_eq!(inside, [hook(&["h", "x"], Some(&[]), Some(3))]);
    }

    #[test]
    fn init_waits_for_the_hooks_of_the_runtime() {
        for kind in KINDS {
            let pauses = Scene::v2()
                .plan(&hooks(kind, r#"{"path": "/h"}"#))
                .init
                .pauses;
            assert_eq!(
                pauses.after_mounts,
                matches!(kind, "prestart" | "createRuntime")
            );
        }
    }

    #[test]
    fn all_six_kinds_are_checked_at_create() {
        for kind in KINDS {
            for (hook, expected) in [
                (r#"{"path": "h"}"#, "/path: \"h\" must be absolute"),
                (r#"{"path": ""}"#, "/path: must not be empty"),
                (
                    r#"{"path": "/h", "timeout": 0}"#,
                    "/timeout: \"0\" must be a number of",
                ),
                (
                    r#"{"path": "/h", "timeout": -1}"#,
                    "/timeout: \"-1\" must be a number of",
                ),
                (r#"{}"#, ": missing field `path`"),
            ] {
                let refusal = Scene::v2().refusal(&hooks(kind, hook));
                let expected = format!("/hooks/{kind}/0{expected}");
                assert!(refusal.starts_with(&expected), "{refusal}");
            }
        }
    }
}
