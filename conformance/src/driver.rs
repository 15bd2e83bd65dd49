//! Starts one worker per case, a few at a time, collects what they say,
//! judges it against gaps.toml and writes the reports.

use crate::case::{self, Case};
use crate::cgroups::Hierarchies;
use crate::gaps::{Gaps, World};
use crate::options::Options;
use crate::outcome::{Judgement, Outcome};
use crate::process::{Handle, own_children};
use crate::report::Judged;
use crate::runtime::Runtime;
use crate::{compatibility, coverage, delegation, report, results, spec_conformance};
use rustix::process::Signal;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// No case may take longer, whatever it waits for.
const CASE_DEADLINE: Duration = Duration::from_secs(180);

/// Runs everything the options ask for; true when all went as expected.
pub(crate) fn drive(options: &Options) -> Result<bool, String> {
    let cases: Vec<&Case> = case::all().into_iter().filter(|case| wanted(case, options)).collect();
    if options.list {
        report::list(&cases);
        return Ok(true);
    }
    if let Some(file) = &options.coverage {
        return coverage::write(file);
    }
    if let Some(document) = &options.compatibility {
        return compatibility::write(document, options);
    }
    if let Some(document) = &options.spec_conformance {
        return spec_conformance::write(document, options);
    }
    if cases.is_empty() {
        return Err("no case matches the filter".to_owned());
    }
    if options.rootless {
        delegation::settle();
    }
    let runtime = Runtime::identify(options)?;
    let world = World::of(options);
    let gaps = Gaps::load(options, &runtime, world)?;
    let scratch = options.scratch.join(format!("cf{}", std::process::id()));
    fs::create_dir_all(&scratch).map_err(|error| format!("{}: {error}", scratch.display()))?;
    let began = Instant::now();
    let prepared = prepare_probe(options, &scratch);
    let results = prepared.and_then(|()| run_all(&cases, options, &scratch, &gaps));
    if !options.keep {
        fs::remove_dir_all(&scratch).unwrap_or_default();
    }
    let results = results?;
    let run = report::Run {
        runtime: &runtime,
        world,
        missing_world: gaps.missing_world(),
        results: &results,
        took: began.elapsed(),
    };
    report::write_reports(options, &run)?;
    if let Some(file) = &options.results {
        report::write(file, &results::of(options, &run)?)?;
    }
    Ok(report::summary(options, &run))
}

fn wanted(case: &Case, options: &Options) -> bool {
    options.filters.is_empty() || options.filters.iter().any(|filter| case.full_name().contains(filter.as_str()))
}

/// One copy of the probe per run, on the file system of the bundles, so that roots can link it.
fn prepare_probe(options: &Options, scratch: &Path) -> Result<(), String> {
    let probe = find_probe(options)?;
    fs::copy(&probe, scratch.join("probe")).map(drop).map_err(|error| format!("copy {}: {error}", probe.display()))
}

/// Where the driver put the probe, seen from a worker.
pub(crate) fn shared_probe(scratch: &Path) -> PathBuf {
    scratch.join("probe")
}

fn find_probe(options: &Options) -> Result<PathBuf, String> {
    if let Some(probe) = &options.probe {
        return Ok(probe.clone());
    }
    let exe = std::env::current_exe().map_err(|error| error.to_string())?;
    let dir = exe.parent().unwrap_or(Path::new("/"));
    let target = dir.parent().unwrap_or(Path::new("/"));
    let mut places = vec![];
    for base in [target, target.parent().unwrap_or(target)] {
        for arch in ["x86_64", "aarch64"] {
            places.extend(
                ["release", "debug"].map(|profile| base.join(format!("{arch}-unknown-linux-musl/{profile}/probe"))),
            );
        }
    }
    places.push(dir.join("probe"));
    let missing = || {
        "no static probe found: build it with `cargo build -p probe --release --target x86_64-unknown-linux-musl`, or give --probe".to_owned()
    };
    places.into_iter().find(|place| place.exists()).ok_or_else(missing)
}

fn run_all(cases: &[&'static Case], options: &Options, scratch: &Path, gaps: &Gaps) -> Result<Vec<Judged>, String> {
    rustix::process::set_child_subreaper(Some(rustix::process::getpid())).map_err(|error| error.to_string())?;
    let next = AtomicUsize::new(0);
    let workers = Mutex::new(BTreeSet::new());
    let results = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..options.jobs {
            scope.spawn(|| {
                while let Some((index, case)) = take(cases, &next) {
                    let result = judge(case, in_worker(case, index, options, scratch, &workers), gaps);
                    report::print_result(&result, options.verbose);
                    results.lock().map(|mut results| results.push(result)).unwrap_or_default();
                }
            });
        }
    });
    let mut results = results.into_inner().map_err(|error| error.to_string())?;
    results.sort_by_key(|result| result.case.full_name());
    for round in 1..=options.again {
        let surprises = results.iter_mut().filter(|result| !result.judgement.is_as_expected());
        for (index, result) in (cases.len() * round..).zip(surprises) {
            let outcome = in_worker(result.case, index, options, scratch, &workers);
            *result = judge(result.case, outcome, gaps);
            print!("again: ");
            report::print_result(result, options.verbose);
        }
    }
    Ok(results)
}

fn judge(case: &'static Case, outcome: Outcome, gaps: &Gaps) -> Judged {
    let expected = gaps.expected(&case.full_name(), &outcome.detail);
    let judgement = Judgement::of(outcome.verdict, &expected);
    Judged { case, outcome, judgement, expected }
}

fn take(cases: &[&'static Case], next: &AtomicUsize) -> Option<(usize, &'static Case)> {
    let index = next.fetch_add(1, Ordering::Relaxed);
    cases.get(index).map(|case| (index, *case))
}

fn in_worker(case: &Case, index: usize, options: &Options, scratch: &Path, workers: &Mutex<BTreeSet<i32>>) -> Outcome {
    let run = scratch.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let token = format!("{run}c{index}e");
    let outcome = match start_worker(case, &token, options, scratch, workers) {
        Ok((mut child, handle)) => {
            let in_time = handle.ends_within(CASE_DEADLINE);
            if !in_time {
                child.kill().unwrap_or_default();
            }
            let status = child.wait();
            let said = |end: &str| fs::read_to_string(scratch.join(format!("{token}.{end}"))).unwrap_or_default();
            read_outcome(&said("out"), in_time, &format!("{status:?}"), &said("err"))
        }
        Err(error) => Outcome::failed(format!("no worker: {error}")),
    };
    end_orphans(workers, &token);
    if !options.keep {
        // Out here no mount of the worker's namespace can be walked into.
        fs::remove_dir_all(scratch.join(&token)).unwrap_or_default();
    }
    outcome
}

fn start_worker(
    case: &Case,
    token: &str,
    options: &Options,
    scratch: &Path,
    workers: &Mutex<BTreeSet<i32>>,
) -> Result<(std::process::Child, Handle), String> {
    // Files: a long transcript would fill a pipe, which nobody reads before the worker's end.
    let file = |end: &str| fs::File::create(scratch.join(format!("{token}.{end}"))).map_err(|error| error.to_string());
    let exe = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut command = Command::new(exe);
    command.args(&options.words).args(["--worker", &case.full_name(), "--token", token, "--scratch"]).arg(scratch);
    command.stdin(Stdio::null()).stdout(file("out")?).stderr(file("err")?);
    let mut workers = workers.lock().map_err(|error| error.to_string())?;
    let child = command.spawn().map_err(|error| error.to_string())?;
    let pid = i32::try_from(child.id()).map_err(|error| error.to_string())?;
    workers.insert(pid);
    let handle = Handle::open(pid).map_err(|stop| format!("{stop:?}"))?;
    Ok((child, handle))
}

fn read_outcome(text: &str, in_time: bool, status: &str, errors: &str) -> Outcome {
    match text.lines().last().and_then(|line| serde_json::from_str(line).ok()) {
        Some(outcome) => outcome,
        None if in_time => Outcome::failed(format!("the worker died ({status}): {}", errors.trim())),
        None => Outcome::failed(format!("the case did not end within {CASE_DEADLINE:?}")),
    }
}

/// A worker that died leaves its descendants to us; they are ended and their cgroups removed.
fn end_orphans(workers: &Mutex<BTreeSet<i32>>, token: &str) {
    let Ok(workers) = workers.lock() else { return };
    let orphans: Vec<i32> = own_children().into_iter().filter(|pid| !workers.contains(pid)).collect();
    if orphans.is_empty() {
        return;
    }
    for handle in orphans.into_iter().filter_map(|pid| Handle::open(pid).ok()) {
        handle.signal(Signal::KILL).unwrap_or_default();
        handle.ends_within(Duration::from_secs(2));
        handle.reap();
    }
    Hierarchies::find().remove_naming(token);
}
