//! Runs the validation programs of opencontainers/runtime-tools against one
//! OCI runtime, and judges what they say.
//!
//! The programs are another project's: a checkout of it is built elsewhere
//! and only read. Each program runs once, as root, in a mount namespace and a
//! folder of its own. Nothing here links hull's crates.

mod account;
mod cgroups;
mod checkout;
mod driver;
mod gaps;
mod leftovers;
mod line;
mod namespace;
mod options;
mod process;
mod program;
mod report;
mod runtime;
mod tap;

use std::process::ExitCode;

fn main() -> ExitCode {
    let verdict = options::Options::from_command_line().and_then(|options| {
        if options.help {
            print!("{}", options::HELP);
            return Ok(true);
        }
        driver::drive(&options)
    });
    match verdict {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("runtime-tools: {error}");
            ExitCode::from(2)
        }
    }
}
