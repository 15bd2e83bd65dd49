//! Runs the programs one after another, since they share the names of their
//! cgroups, and judges each against gaps.toml.

use crate::checkout::Checkout;
use crate::gaps::{Gaps, World};
use crate::options::Options;
use crate::program::{self, Outcome, Place};
use crate::report::{self, Judged};
use crate::runtime::Runtime;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Runs everything the options ask for; true when all went as expected.
pub(crate) fn drive(options: &Options) -> Result<bool, String> {
    let checkout = Checkout::open(&options.checkout)?;
    let wanted = |name: &&String| {
        options.filters.is_empty() || options.filters.iter().any(|filter| name.contains(filter.as_str()))
    };
    let programs: Vec<&String> = checkout.programs.iter().filter(wanted).collect();
    if programs.is_empty() {
        return Err("no program matches the filter".to_owned());
    }
    if options.list {
        report::list(&programs);
        return Ok(true);
    }
    if !rustix::process::geteuid().is_root() {
        return Err("the programs make containers, which needs root here".to_owned());
    }
    let runtime = Runtime::identify(&options.runtime, options.name.as_deref())?;
    let gaps = Gaps::load(options.gaps.as_deref(), &runtime.family, World::here())?;
    report::warn_of_checkout(&checkout, &gaps.unknown(&checkout.programs));
    rustix::process::set_child_subreaper(Some(rustix::process::getpid())).map_err(|error| error.to_string())?;

    let scratch = Scratch::make(options)?;
    let began = Instant::now();
    let mut results = Vec::new();
    for program in programs {
        let judged = judge(program, &checkout, &runtime, &gaps, (options, &scratch.dir))?;
        report::print_result(&judged, options.verbose);
        results.push(judged);
    }
    report::write_tap(options.tap.as_deref(), &results)?;
    Ok(report::summary(&runtime, &results, began.elapsed()))
}

fn judge(
    name: &str,
    checkout: &Checkout,
    runtime: &Runtime,
    gaps: &Gaps,
    (options, scratch): (&Options, &Path),
) -> Result<Judged, String> {
    let place = Place::lay(scratch.join(name.replace('/', "-")), checkout, name, options.keep)?;
    let mut outcome: Outcome = program::run(&place, name, runtime, options.deadline)?;
    let absent = gaps.judge(name, &mut outcome.account);
    Ok(Judged { program: name.to_owned(), outcome, absent })
}

/// The folder of one run, removed at its end.
struct Scratch {
    dir: PathBuf,
    keep: bool,
}

impl Scratch {
    fn make(options: &Options) -> Result<Self, String> {
        let shown = options.scratch.display();
        // As runtimes record it: a link in it would hide that a bundle lies below.
        let scratch = fs::canonicalize(&options.scratch).map_err(|error| format!("{shown}: {error}"))?;
        let dir = scratch.join(format!("rt{}", std::process::id()));
        fs::create_dir(&dir).map_err(|error| format!("{}: {error}", dir.display()))?;
        if options.keep {
            println!("the programs work in {}", dir.display());
        }
        Ok(Self { dir, keep: options.keep })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if !self.keep {
            fs::remove_dir_all(&self.dir).unwrap_or_default();
        }
    }
}
