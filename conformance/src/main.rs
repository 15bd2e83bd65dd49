//! The judge: runs every case against one OCI runtime binary and says which
//! sentences of the runtime-spec and of the callers' contracts it keeps.
//!
//! The driver starts one worker process per case (itself, with `--worker`).
//! A worker is a subreaper in a mount namespace of its own, so whatever a
//! runtime leaves behind is found there. Nothing here links hull's crates.

mod bed;
mod bundle;
mod case;
mod cases;
mod cgroups;
mod command;
mod compatibility;
mod container;
mod coverage;
mod delegation;
mod driver;
mod facts;
mod figures;
mod gaps;
mod host;
mod leak;
mod message;
mod network;
mod options;
mod outcome;
mod process;
mod report;
mod results;
mod runtime;
mod skips;
mod spec_conformance;
mod verdict;
mod watch;
mod worker;

use std::process::ExitCode;

fn main() -> ExitCode {
    let options = match options::Options::from_command_line() {
        Ok(options) => options,
        Err(error) => {
            eprintln!("conformance: {error}");
            return ExitCode::from(2);
        }
    };
    let verdict = match &options.worker {
        Some(assignment) => worker::work(&options, assignment).map(|()| true),
        None => driver::drive(&options),
    };
    match verdict {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("conformance: {error}");
            ExitCode::from(2)
        }
    }
}
