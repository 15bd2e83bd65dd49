//! `pry FILE`: an attacker beside a runtime. Until FILE exists it tries, for
//! every other process it can see, what would give it the runtime's secrets,
//! and reports each success with the program that it succeeded against.
//!
//! The probe itself is no secret: whatever already executes it is a payload.

use crate::kernel;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, Instant};

/// Longer than any test; an attacker whose FILE never comes gives up.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn into_others(until: &Path) -> Value {
    let began = Instant::now();
    let mut successes = BTreeSet::new();
    let mut seen = BTreeSet::new();
    loop {
        let last = until.exists() || began.elapsed() > PATIENCE;
        for pid in others() {
            seen.insert(pid);
            try_all(pid, &mut successes);
        }
        // One round after the end was announced, so that there is always one.
        if last {
            return json!({"successes": successes, "processes": seen.len()});
        }
    }
}

fn others() -> Vec<i32> {
    let own = std::process::id() as i32;
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid| *pid != own).collect()
}

fn try_all(pid: i32, successes: &mut BTreeSet<String>) {
    let place = |name: &str| format!("/proc/{pid}/{name}");
    let mut note = |what: &str, works: bool| {
        // Only a process that may be traced shows its program; reading it is a success by itself.
        let program = fs::read_link(place("exe"));
        let payload = program.as_ref().is_ok_and(|program| program.ends_with("probe"));
        let gone = program.as_ref().is_err_and(|error| error.kind() != std::io::ErrorKind::PermissionDenied);
        if works && !payload && !gone {
            successes.insert(format!("{what} of {:?} {program:?}", fs::read_to_string(place("comm"))));
        }
    };
    note("mem", File::open(place("mem")).is_ok());
    // The file can be opened by everybody; what counts is the content.
    note("environ", fs::read(place("environ")).is_ok_and(|content| !content.is_empty()));
    // The numbers may be listed; what they are may not be seen.
    let shown = |entries: fs::ReadDir| entries.flatten().any(|entry| fs::read_link(entry.path()).is_ok());
    note("fd", fs::read_dir(place("fd")).is_ok_and(shown));
    note("cwd", fs::metadata(place("cwd")).is_ok());
    note("root", fs::metadata(place("root")).is_ok());
    note("exe", fs::metadata(place("exe")).is_ok());
    note("descriptor", kernel::steal_descriptor(pid).is_ok());
    if let Ok(Some(program)) = kernel::while_traced(pid, || fs::read_link(place("exe")).ok())
        && !program.ends_with("probe")
    {
        successes.insert(format!("trace of {program:?}"));
    }
}
