//! The payload of the conformance cases: a static program that tells what
//! surrounds it and does what it is told, so that no image needs a shell.
//!
//! `probe STEP ARGS + STEP ARGS + ...` carries out the steps in order and
//! prints one line of JSON per step. `probe` alone means `probe report`.
//! `probe launch ... -- CMD` runs outside: it prepares an unusual caller.

mod errno;
mod filter;
mod kernel;
mod launch;
mod pry;
mod report;
mod signals;
mod steps;

use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    if words.first().is_some_and(|word| word == "launch") {
        return launch::launch(&words[1..]);
    }
    let words = if words.is_empty() { vec!["report".to_owned()] } else { words };
    for step in words.split(|word| word == "+") {
        let Some((name, args)) = step.split_first() else {
            continue;
        };
        if let Some(code) = steps::carry_out(name, args) {
            return ExitCode::from(code);
        }
    }
    ExitCode::SUCCESS
}
