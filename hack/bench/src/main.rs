//! What a container costs: hull, its peers and the least that the kernel needs, side by side.
//!
//! Runs of all contestants alternate, so that what disturbs one disturbs all. Figures of one run
//! on one machine compare as ratios; figures of different machines do not compare.
#![forbid(unsafe_code)]

mod bed;
mod bundle;
mod contest;
mod contestant;
mod options;
mod report;
mod runtime;
mod sample;
mod script;
mod targets;
mod workload;

use options::Options;
use std::io::Write as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    match bench() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("bench: {why}");
            ExitCode::from(2)
        }
    }
}

/// Whether the figures reach the targets, where that was asked.
fn bench() -> Result<bool, String> {
    let Some(options) = Options::from_command_line()? else {
        return Ok(true);
    };
    let bed = bed::Bed::make()?;
    let contestants = contestant::present(&options);
    show(&report::heading(&contestants))?;
    let mut results = Vec::new();
    for workload in workload::chosen(&options) {
        let result = contest::hold(&bed, &workload, &contestants, &options);
        show(&report::table(&result))?;
        results.push(result);
    }
    let checks = targets::check(&results);
    report::write_json(&options, &contestants, &results, &checks)?;
    if options.check {
        show(&report::checks(&checks))?;
        return Ok(checks.iter().all(targets::Check::holds));
    }
    Ok(true)
}

/// Who stops reading ends the bench, which then still tidies up.
fn show(text: &str) -> Result<(), String> {
    std::io::stdout()
        .write_all(text.as_bytes())
        .map_err(|error| error.to_string())
}
