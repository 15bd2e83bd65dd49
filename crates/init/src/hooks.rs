//! The hooks that run in the container's namespaces: createContainer while the old root is still
//! `/`, startContainer once the gate is open.
//!
//! Init runs them itself: it already is where they must run, and its own pid is the one they must
//! be told. startContainer hooks are root's, so the containers that have some give up their
//! privileges only after the gate; see `live`.

use crate::{
    conversation::Conversation,
    failure::{Context, Failure},
    root::c_string,
};
use alloc::{format, string::String};
use hull_spec::{
    hook::{HookFailure, HookKind, describe, heading},
    plan::{Hook, InitPlan, Verbosity},
    protocol::{FromInit, Stage},
};
use hull_sys::{
    exec::Strings,
    fd::{AsFd, OwnedFd},
    path::{self, Open},
    process::{self, Ending, Wait},
    program::{self, Program},
};

/// So that the report fits one message.
const LONGEST_COMPLAINT: usize = 512;
/// Init's own is 0, which no program expects.
const UMASK: u32 = 0o022;

/// Where hooks write to: the host's /dev/null, since the container's may be anything. `None`
/// where no hook will run.
#[derive(Debug)]
pub(crate) struct Sink(Option<OwnedFd>);

impl Sink {
    /// Opened before any namespace is joined.
    pub(crate) fn open(plan: &InitPlan) -> Result<Self, Failure> {
        let hooks = &plan.hooks;
        if hooks.create_container.is_empty() && hooks.start_container.is_empty() {
            return Ok(Self(None));
        }
        let null = path::open(c"/dev/null", Open::WRITE).context("open /dev/null for hooks")?;
        Ok(Self(Some(null)))
    }
}

/// In the container's namespaces, before pivot_root.
pub(crate) fn before_entering(
    plan: &InitPlan,
    sink: &Sink,
    parent: &Conversation,
) -> Result<(), Failure> {
    let hooks = &plan.hooks.create_container;
    run_all(HookKind::CreateContainer, hooks, (plan, sink), parent)
}

/// In the container, before the payload.
pub(crate) fn before_payload(
    plan: &InitPlan,
    sink: &Sink,
    parent: &Conversation,
) -> Result<(), Failure> {
    let hooks = &plan.hooks.start_container;
    run_all(HookKind::StartContainer, hooks, (plan, sink), parent)
}

fn run_all(
    kind: HookKind,
    hooks: &[Hook],
    (plan, sink): (&InitPlan, &Sink),
    parent: &Conversation,
) -> Result<(), Failure> {
    let Some(null) = sink.0.as_ref().filter(|_| !hooks.is_empty()) else {
        return Ok(());
    };
    parent.enter(Stage::Hooks).or_else(|f| parent.keep(f))?;
    let state = plan.hooks.state.json(kind, process::own_pid());
    let own_mask = process::set_umask(UMASK);
    for (index, hook) in (0u32..).zip(hooks) {
        if plan.verbosity == Verbosity::Stages {
            let told = parent.say(&FromInit::Hook(kind, index));
            told.or_else(|f| parent.keep(f))?;
        }
        let path = &hook.path;
        run(hook, &state, null).with_context(|| format!("{}: {path}", heading(kind, index)))?;
    }
    process::set_umask(own_mask);
    reap_orphans();
    Ok(())
}

fn run(hook: &Hook, state: &str, null: &OwnedFd) -> Result<(), Failure> {
    let path = c_string(&hook.path).context("path")?;
    let arguments = Strings::new(hook.args.iter().map(String::as_str)).context("args")?;
    let environment = hook.env.iter().flatten().map(String::as_str);
    let environment = Strings::new(environment).context("env")?;
    let outcome = program::run(&Program {
        path: &path,
        arguments: &arguments,
        environment: &environment,
        input: state.as_bytes(),
        output: null.as_fd(),
        timeout_ms: hook.timeout.map(|seconds| u64::from(seconds) * 1000),
    });
    let outcome = outcome.map_err(|error| Failure::of(error.errno).because(error.call))?;
    let failure = match outcome.ending {
        Some(Ending::Exited(0)) => return Ok(()),
        Some(Ending::Exited(code)) => HookFailure::Exited(code),
        Some(Ending::Signalled(signal)) => HookFailure::Signalled(signal),
        None => HookFailure::TimedOut(hook.timeout.unwrap_or(0)),
    };
    let complaint = &outcome.complaint;
    Err(Failure::new(&describe(
        &failure,
        complaint,
        LONGEST_COMPLAINT,
    )))
}

/// What hooks left to the first process and is dead already: the payload knows none of it.
fn reap_orphans() {
    while let Ok(Some(_)) = process::reap(-1, Wait::Return) {}
}
