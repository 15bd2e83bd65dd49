//! What a program left on the host: processes, containers, cgroups. It is
//! told, and removed, so that the next program finds a clean host.
//!
//! It is no failure: the programs leave things of themselves, and the suite
//! next door has an oracle for what a runtime leaks.

use crate::cgroups::{self, Cgroups};
use crate::process::{self, command_line, living_children};
use crate::runtime::Runtime;
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

/// The last process of a container may take a moment to be gone.
const GRACE: Duration = Duration::from_millis(500);

/// A killed process is gone at once, unless the kernel is at work for it.
const KILL: Duration = Duration::from_secs(5);

/// Removes what the program that worked in `place` left, and says what it was. `cgroups` was
/// taken before it. All children of this process are the program's.
pub(crate) fn clear(place: &Path, runtime: &Runtime, cgroups: &Cgroups) -> Vec<String> {
    let processes = living_children(GRACE);
    let memberships: BTreeSet<String> =
        processes.iter().flat_map(|process| cgroups::memberships(process.pid)).collect();
    let mut told: Vec<String> =
        processes.iter().map(|process| format!("process {} {}", process.pid, command_line(process.pid))).collect();
    let containers = runtime.containers_of(place);
    // Now, since a runtime that deletes a container may forget the parents of its cgroup.
    let own = cgroups.left(&containers, &memberships);
    Cgroups::thaw(&own);
    process::kill_descendants(KILL);
    for id in &containers {
        runtime.delete(id);
    }
    // The hooks of a delete are programs as well.
    process::kill_descendants(KILL);
    told.extend(containers.iter().map(|id| format!("container {id}")));
    told.extend(cgroups.remove(&own).iter().map(|dir| format!("cgroup {}", dir.display())));
    told
}
