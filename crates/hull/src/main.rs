//! hull, an OCI runtime: the command line.
//!
//! Arguments are understood by one table of commands, each verb is one call of libcontainer, and
//! whatever fails is told once, by one report. Nothing here knows how a container is made.

#![forbid(unsafe_code)]

mod diagnostics;
mod grammar;
mod help;
mod invocation;
mod json;
mod listen_fds;
#[cfg(test)]
mod man;
mod output;
mod reason;
mod report;
mod request;
mod settings;
mod single_line;
mod state_root;
mod table;
mod verbs;
mod version;

use grammar::{Command, Matches, Order, UsageError};
use invocation::Invocation;
use report::Failure;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;
use table::Verb;

/// A process of milliseconds gives nothing back before its end.
#[global_allocator]
static ALLOCATOR: libcontainer::Bump = libcontainer::Bump::new();

fn main() -> ExitCode {
    let arguments = std::env::args_os().skip(1);
    let (globals, understood) = grammar::read(table::GLOBALS, Order::FlagsFirst, arguments);
    // The log comes first: it is told about arguments that were not understood, too.
    let outcome = diagnostics::open(&globals)
        .map_err(|why| Failure::new(None, why))
        .and_then(|()| understood.map_err(|why| Failure::new(None, why)))
        .and_then(|()| obey(&globals));
    outcome.unwrap_or_else(|failure| {
        report::tell(&failure);
        ExitCode::FAILURE
    })
}

/// The global flags are understood; what follows them is a command, or nothing.
fn obey(globals: &Matches) -> Result<ExitCode, Failure> {
    if globals.switch(&table::VERSION) {
        return show(version::TEXT);
    }
    match globals.positionals().split_first() {
        Some((name, arguments)) if !globals.switch(&table::HELP) => {
            let (verb, command) = command_named(name)?;
            obey_command(globals, verb, command, arguments)
        }
        _ => show(&help::of_hull()),
    }
}

fn command_named(name: &OsStr) -> Result<(Verb, &'static Command), Failure> {
    let found = name.to_str().and_then(table::find);
    let unknown = || UsageError::Command(single_line::of_bytes(name.as_bytes()));
    found.ok_or_else(|| Failure::new(None, unknown()))
}

fn obey_command(
    globals: &Matches,
    verb: Verb,
    command: &'static Command,
    arguments: &[OsString],
) -> Result<ExitCode, Failure> {
    let arguments = arguments.iter().cloned();
    let (given, understood) = grammar::read(command.flags, command.order, arguments);
    understood.map_err(|why| Failure::new(Some(about(command, &given)), why))?;
    if given.switch(&table::HELP) {
        return show(&help::of(command));
    }
    grammar::check_count(command.name, &command.arguments, &given)
        .map_err(|why| Failure::new(None, why))?;
    let given = &given;
    verbs::carry_out(verb, &Invocation { globals, given })
        .map_err(|why| Failure::new(Some(about(command, given)), why))
}

/// `create web`: what a failure was about.
fn about(command: &Command, given: &Matches) -> String {
    let container = given
        .positional(0)
        .map(|name| single_line::of_bytes(name.as_bytes()));
    let words = [command.name.to_owned(), container.unwrap_or_default()];
    words.join(" ").trim_end().to_owned()
}

fn show(text: &str) -> Result<ExitCode, Failure> {
    output::show(text).map_err(|why| Failure::new(None, why))?;
    Ok(ExitCode::SUCCESS)
}
