//! cgroup2: a directory's children have only the controllers that it passes on.

use crate::kernel_file::{read, write};
use std::os::fd::OwnedFd;

/// Passes on every controller that is there. What is refused (processes in the directory, no
/// permission) shows later, where a limit needs the controller.
pub(super) fn all_controllers(directory: &OwnedFd) {
    let (Ok(available), Ok(enabled)) = (
        read(directory, "cgroup.controllers"),
        read(directory, "cgroup.subtree_control"),
    ) else {
        return;
    };
    let missing = missing(&available, &enabled);
    if missing.is_empty() || holds_processes(directory) {
        return;
    }
    if write(directory, "cgroup.subtree_control", &missing.join(" ")).is_ok() {
        return;
    }
    for controller in missing {
        if let Err(errno) = write(directory, "cgroup.subtree_control", &controller) {
            log::debug!("cgroup.subtree_control {controller}: {errno}");
        }
    }
}

/// A cgroup with processes that passes on a threaded controller such as cpu makes its children
/// `domain invalid`, in which no process can be born; the root alone may hold both (cgroups(7)).
fn holds_processes(directory: &OwnedFd) -> bool {
    let is_root = read(directory, "cgroup.type").is_err();
    !is_root && read(directory, "cgroup.procs").is_ok_and(|pids| !pids.trim().is_empty())
}

fn missing(available: &str, enabled: &str) -> Vec<String> {
    let enabled: Vec<&str> = enabled.split_whitespace().collect();
    available
        .split_whitespace()
        .filter(|controller| !enabled.contains(controller))
        .map(|controller| format!("+{controller}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::missing;

    #[test]
    fn only_what_is_not_enabled_is_asked_for() {
        assert_eq!(missing("cpu io memory\n", "memory\n"), ["+cpu", "+io"]);
        assert!(missing("cpu\n", "cpu\n").is_empty());
    }
}
