//! run: create and start in one process; in the foreground also wait, reap and delete.

use super::attend::{self, AttendError};
use super::create::{Attached, CreateError, CreateRequest, Draft, Made};
use super::delete::{DeleteError, bury};
use crate::{
    hooks::{self, HookError},
    launch::{InitError, Launched},
    state::Store,
};
use hull_spec::{hook::HookKind, protocol::Gate};
use hull_sys::{
    Errno,
    process::{self, Ending},
    signal,
};

/// A run that failed.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error(transparent)]
    Create(#[from] CreateError),
    #[error(transparent)]
    Start(#[from] InitError),
    #[error(transparent)]
    Hook(#[from] HookError),
    #[error(transparent)]
    Delete(#[from] DeleteError),
    #[error(transparent)]
    Attend(#[from] AttendError),
    #[error("{0}")]
    Prepare(&'static str, #[source] Errno),
}

/// Who waits for the payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunMode {
    /// Nobody: run returns once it runs.
    Detached,
    /// This process, which forwards signals and returns its status.
    Foreground { keep: Keep, subreaper: Subreaper },
}

/// What is left of a container that ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    State,
    Nothing,
}

/// Are orphans of the container reaped here?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subreaper {
    Set,
    Leave,
}

/// The payload's status as a shell has it: its own, or 128 and the signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExitCode(pub u8);

/// Creates and starts a container.
pub fn run(store: &Store, request: &CreateRequest, mode: RunMode) -> Result<ExitCode, RunError> {
    match mode {
        RunMode::Detached => run_detached(store, request),
        RunMode::Foreground { keep, subreaper } => run_attached(store, request, keep, subreaper),
    }
}

fn run_detached(store: &Store, request: &CreateRequest) -> Result<ExitCode, RunError> {
    let draft = Draft::new(request, Attached::No)?;
    let made = draft.bring_up(store, Gate::Here)?;
    let mut made = start_or_undo(&draft, made)?;
    if let Some(readiness) = made.readiness.take() {
        readiness.wait(made.init.pid, &made.init.pidfd);
    }
    Ok(ExitCode(0))
}

fn run_attached(
    store: &Store,
    request: &CreateRequest,
    keep: Keep,
    subreaper: Subreaper,
) -> Result<ExitCode, RunError> {
    let draft = Draft::new(request, Attached::Yes)?;
    if subreaper == Subreaper::Set {
        process::set_subreaper().map_err(|e| RunError::Prepare("become a subreaper", e))?;
    }
    // Before the child exists: none of its ends can be missed.
    let signals = signal::block_all().map_err(|e| RunError::Prepare("block signals", e))?;
    let mut made = draft.bring_up(store, Gate::Here)?;
    let proxy = attend::proxy(&mut made.init, draft.plan().init.process.terminal)?;
    let mut made = start_or_undo(&draft, made)?;
    let readiness = made.readiness.take();
    let ending = attend::until_the_end(&made.init, &signals, (proxy, readiness))?;
    if keep == Keep::Nothing {
        bury(&made.record, made.place)?;
    }
    attend::reap_orphans();
    Ok(exit_code(ending))
}

/// A payload that cannot be executed leaves no container behind, nor does a failed hook.
fn start_or_undo(draft: &Draft<'_>, mut made: Made) -> Result<Made, RunError> {
    let Err(error) = start(draft, &mut made.init) else {
        made.init.release();
        return Ok(made);
    };
    made.init.end();
    bury(&made.record, made.place)?;
    if let Some(file) = &draft.request().pid_file {
        drop(std::fs::remove_file(file));
    }
    Err(error)
}

fn start(draft: &Draft<'_>, init: &mut Launched) -> Result<(), RunError> {
    init.talk.start()?;
    let plan = draft.plan();
    let hooks = &plan.host.hooks.poststart;
    hooks::run_all(HookKind::Poststart, hooks, &plan.init.hooks.state, init.pid)?;
    Ok(())
}

fn exit_code(ending: Ending) -> ExitCode {
    match ending {
        Ending::Exited(code) => ExitCode(code),
        Ending::Signalled(signal) => ExitCode(u8::try_from(128 + signal).unwrap_or(u8::MAX)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_counts_from_128() {
        assert_eq!(exit_code(Ending::Exited(7)), ExitCode(7));
        assert_eq!(exit_code(Ending::Signalled(9)), ExitCode(137));
    }
}
