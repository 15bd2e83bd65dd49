//! One file for each verb of the CLI: its flags into one call of libcontainer, the answer onto
//! standard output.

mod create;
mod delete;
mod features;
mod help;
mod kill;
mod list;
mod run;
mod spec;
mod start;
mod state;

use crate::invocation::Invocation;
use crate::table::Verb;
use std::error::Error;
use std::process::ExitCode;

/// Does what was asked.
pub(crate) fn carry_out(
    verb: Verb,
    invocation: &Invocation<'_>,
) -> Result<ExitCode, Box<dyn Error>> {
    let done = match verb {
        Verb::Create => create::create(invocation),
        Verb::Delete => delete::delete(invocation),
        Verb::Features => features::features(),
        Verb::Help => help::help(invocation),
        Verb::Kill => kill::kill(invocation),
        Verb::List => list::list(invocation),
        Verb::Run => return run::run(invocation),
        Verb::Spec => spec::spec(invocation),
        Verb::Start => start::start(invocation),
        Verb::State => state::state(invocation),
    };
    done.map(|()| ExitCode::SUCCESS)
}
