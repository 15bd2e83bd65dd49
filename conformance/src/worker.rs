//! A worker runs one case and prints one line: the outcome as JSON.
//!
//! It is a subreaper, has a mount namespace of its own whose mounts are all
//! shared (as systemd makes them, so that propagation leaks would show), and
//! ends with the leak oracle whatever the case said.

use crate::bed::Bed;
use crate::case;
use crate::driver;
use crate::options::{Assignment, Options};
use crate::outcome::{Outcome, Verdict};
use crate::process::{Handle, own_children};
use crate::verdict::{Check, Stop};
use nix::sched::{CloneFlags, unshare};
use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_change};
use rustix::process::Signal;
use std::time::{Duration, Instant};

pub(crate) fn work(options: &Options, assignment: &Assignment) -> Result<(), String> {
    let began = Instant::now();
    let mut outcome = match judge(options, assignment) {
        Ok(outcome) => outcome,
        Err(Stop::Fail(detail)) => Outcome::failed(format!("the harness could not prepare: {detail}")),
        Err(Stop::Skip(detail)) => Outcome { verdict: Verdict::Skip, ..Outcome::failed(detail) },
    };
    outcome.millis = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    println!("{}", serde_json::to_string(&outcome).map_err(|error| error.to_string())?);
    Ok(())
}

fn judge(options: &Options, assignment: &Assignment) -> Check<Outcome> {
    let chosen = case::all().into_iter().find(|case| case.full_name() == assignment.case);
    let chosen = chosen.ok_or_else(|| Stop::Fail(format!("no case {}", assignment.case)))?;
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
    if !options.rootless {
        own_mount_namespace(options)?;
    }
    let probe = driver::shared_probe(&options.scratch);
    let bed = Bed::make(options, assignment, probe)?;
    let result = (chosen.run)(&bed);
    let leaks = bed.leaks();
    let outcome = conclude(result, &leaks, bed.transcript());
    sweep(&bed);
    Ok(outcome)
}

fn conclude(result: Check, leaks: &[String], transcript: Vec<String>) -> Outcome {
    let (mut verdict, mut detail) = match result {
        Ok(()) => (Verdict::Pass, String::new()),
        Err(Stop::Skip(reason)) => (Verdict::Skip, reason),
        Err(Stop::Fail(reason)) => (Verdict::Fail, reason),
    };
    if !leaks.is_empty() {
        verdict = Verdict::Fail;
        let separator = if detail.is_empty() { "" } else { "; " };
        detail = format!("{detail}{separator}LEAK: {}", leaks.join("; "));
    }
    Outcome { verdict, detail, transcript, millis: 0 }
}

fn own_mount_namespace(options: &Options) -> Check {
    unshare(CloneFlags::CLONE_NEWNS).map_err(|error| Stop::Fail(format!("a mount namespace of its own: {error}")))?;
    mount_change("/", MountPropagationFlags::DOWNSTREAM | MountPropagationFlags::REC)?;
    mount_change("/", MountPropagationFlags::SHARED | MountPropagationFlags::REC)?;
    if options.unified_view {
        mount("none", "/sys/fs/cgroup", "cgroup2", MountFlags::empty(), None)?;
    }
    Ok(())
}

/// Ends what the case left, so that the next one finds a clean machine.
fn sweep(bed: &Bed) {
    let until = Instant::now() + Duration::from_secs(5);
    loop {
        let children = own_children();
        if children.is_empty() || Instant::now() > until {
            break;
        }
        for handle in children.into_iter().filter_map(|pid| Handle::open(pid).ok()) {
            if handle.is_alive() {
                handle.signal(Signal::KILL).unwrap_or_default();
                handle.ends_within(Duration::from_secs(1));
            }
            handle.reap();
        }
    }
    bed.host.cgroups.remove_naming(&bed.token);
}
