//! `hull run`: create and start; in the foreground also the exit code of the container's process.

use crate::invocation::Invocation;
use crate::request;
use crate::table::{DETACH, KEEP, NO_SUBREAPER};
use libcontainer::{Keep, RunMode, Subreaper};
use std::error::Error;
use std::process::ExitCode;

pub(super) fn run(invocation: &Invocation<'_>) -> Result<ExitCode, Box<dyn Error>> {
    let request = request::of(invocation)?;
    let root = invocation.root()?;
    root.keep_from_sweeping();
    let code = libcontainer::run(&root.store(), &request, mode(invocation))?;
    Ok(ExitCode::from(code.0))
}

fn mode(invocation: &Invocation<'_>) -> RunMode {
    let given = invocation.given;
    if given.switch(&DETACH) {
        return RunMode::Detached;
    }
    let keep = if given.switch(&KEEP) {
        Keep::State
    } else {
        Keep::Nothing
    };
    let subreaper = if given.switch(&NO_SUBREAPER) {
        Subreaper::Leave
    } else {
        Subreaper::Set
    };
    RunMode::Foreground { keep, subreaper }
}
