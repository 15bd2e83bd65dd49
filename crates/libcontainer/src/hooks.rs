//! Hooks in the runtime's namespaces: prestart, createRuntime, poststart, poststop.
//!
//! Decides what a hook is told and what its failure means; *when* hooks run is told by the verbs,
//! none of which holds the container's lock meanwhile, since a hook may call hull on its own
//! container. createContainer and startContainer hooks are run by init.

use hull_spec::{
    hook::{HookFailure, HookKind, HookState, describe, heading},
    plan::Hook,
};
use hull_sys::{
    Errno,
    exec::Strings,
    fd::{AsFd, OwnedFd},
    path::{self, Open},
    process::Ending,
    program::{self, Outcome, Program},
};
use std::ffi::CString;

/// A hook failed: its kind and number, its path, and why.
#[derive(Debug, thiserror::Error)]
pub enum HookError {
    #[error("{heading}: {path}: {reason}")]
    Failed {
        heading: String,
        path: String,
        reason: String,
    },
    #[error("{heading}: {path}: {call}")]
    Run {
        heading: String,
        path: String,
        call: &'static str,
        source: Errno,
    },
}

/// Runs these in order; the first failure ends it.
pub(crate) fn run_all(
    kind: HookKind,
    hooks: &[Hook],
    state: &HookState,
    pid: i32,
) -> Result<(), HookError> {
    (0u32..)
        .zip(hooks)
        .try_for_each(|(index, hook)| run((kind, index), hook, &state.json(kind, pid)))
}

/// Runs these in order; a failure is a warning (runtime.md#lifecycle 13).
pub(crate) fn run_poststop(hooks: &[Hook], state: &HookState) {
    let kind = HookKind::Poststop;
    for (index, hook) in (0u32..).zip(hooks) {
        if let Err(error) = run((kind, index), hook, &state.json(kind, 0)) {
            log::warn!("{}", chain(&error));
        }
    }
}

/// The runtime's own environment, for hooks whose config has none.
pub(crate) fn own_environment() -> Vec<String> {
    std::env::vars_os()
        .filter_map(|(key, value)| {
            Some(format!(
                "{}={}",
                key.into_string().ok()?,
                value.into_string().ok()?
            ))
        })
        .collect()
}

fn run((kind, index): (HookKind, u32), hook: &Hook, state: &str) -> Result<(), HookError> {
    log::debug!("hook {} #{index}: {}", kind.name(), hook.path);
    let heading = heading(kind, index);
    let path = hook.path.clone();
    match execute(hook, state) {
        Ok(outcome) => match verdict(hook, &outcome) {
            None => Ok(()),
            Some(reason) => Err(HookError::Failed {
                heading,
                path,
                reason,
            }),
        },
        Err((call, source)) => Err(HookError::Run {
            heading,
            path,
            call,
            source,
        }),
    }
}

fn execute(hook: &Hook, state: &str) -> Result<Outcome, (&'static str, Errno)> {
    let failed = |call| move |errno| (call, errno);
    let path =
        CString::new(hook.path.as_str()).map_err(|_| ("path with a NUL byte", Errno::EINVAL))?;
    let environment = match &hook.env {
        Some(given) => given.clone(),
        None => own_environment(),
    };
    let arguments = hook.args.iter().map(String::as_str);
    let arguments = Strings::new(arguments).map_err(failed("args with a NUL byte"))?;
    let environment = environment.iter().map(String::as_str);
    let environment = Strings::new(environment).map_err(failed("env with a NUL byte"))?;
    let null: OwnedFd = path::open(c"/dev/null", Open::WRITE).map_err(failed("open /dev/null"))?;
    program::run(&Program {
        path: &path,
        arguments: &arguments,
        environment: &environment,
        input: state.as_bytes(),
        output: null.as_fd(),
        timeout_ms: hook.timeout.map(|seconds| u64::from(seconds) * 1000),
    })
    .map_err(|error| (error.call, error.errno))
}

/// `None` when the hook did well.
fn verdict(hook: &Hook, outcome: &Outcome) -> Option<String> {
    let failure = match outcome.ending {
        Some(Ending::Exited(0)) => return None,
        Some(Ending::Exited(code)) => HookFailure::Exited(code),
        Some(Ending::Signalled(signal)) => HookFailure::Signalled(signal),
        None => HookFailure::TimedOut(hook.timeout.unwrap_or(0)),
    };
    Some(describe(&failure, &outcome.complaint, usize::MAX))
}

fn chain(error: &HookError) -> String {
    match error {
        HookError::Failed { .. } => error.to_string(),
        HookError::Run { source, .. } => format!("{error}: {source}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, timeout: Option<u32>) -> Hook {
        Hook {
            path: "/bin/sh".to_owned(),
            args: ["sh", "-c", script].map(str::to_owned).to_vec(),
            env: Some(vec!["PATH=/usr/bin:/bin".to_owned()]),
            timeout,
        }
    }

    fn failure(hooks: &[Hook]) -> String {
        let state = HookState::new("1.3.0", "web", "/b", &[].into());
        let result = run_all(HookKind::CreateRuntime, hooks, &state, 7);
        result.map_err(|error| chain(&error)).unwrap_err()
    }

    #[test]
    fn a_failure_names_hook_path_and_reason() {
        let well = shell("grep -q '\"status\":\"creating\",\"pid\":7}'", None);
        let absent = Hook {
            path: "/nonexistent".to_owned(),
            ..shell("", None)
        };
        for (second, reason) in [
            (
                shell("echo be >&2; echo cause >&2; exit 3", None),
                "/bin/sh: exit status 3: be cause",
            ),
            (shell("kill -9 $$", None), "/bin/sh: signal 9"),
            (
                shell("sleep 20", Some(1)),
                "/bin/sh: hook ran past specified timeout of 1.0s",
            ),
            (absent, "/nonexistent: execve: no such file or directory"),
        ] {
            let text = failure(&[well.clone(), second]);
            assert_eq!(
                text,
                format!("error running createRuntime hook #1: {reason}")
            );
        }
    }

    #[test]
    fn the_first_failure_ends_the_list() {
        let text = failure(&[shell("exit 1", None), shell("exit 2", None)]);
        assert!(text.contains("#0"), "{text}");
    }
}
