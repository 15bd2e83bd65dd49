//! The end of cgroups: their processes killed, waited for, the directories removed.

use super::{
    CgroupError,
    placement::{mount_point, path_of},
    tree,
};
use crate::kernel_file::{c_string, read_path, write};
use crate::state::CgroupRecord;
use hull_sys::{
    Errno,
    path::{self, Open, Remove, Resolve},
    process,
};
use std::{
    os::fd::OwnedFd,
    time::{Duration, Instant},
};

/// How long a busy cgroup is waited for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience(Duration);

impl Patience {
    /// For `delete` (contracts 4.1).
    pub(crate) const DELETE: Self = Self(Duration::from_secs(10));
    /// For a create that failed.
    pub(crate) const UNDO: Self = Self(Duration::from_secs(5));
}

/// One of the container's directories; `None` where it is gone.
fn open(name: &str, place: &str) -> Result<Option<OwnedFd>, Errno> {
    let root = path::open(
        &c_string(&mount_point(name))?,
        Open::PATH.and(Open::DIRECTORY),
    );
    let below = c_string(place.trim_start_matches('/'))?;
    let opened = root.and_then(|root| {
        path::open_confined(
            root,
            &below,
            Open::READ.and(Open::DIRECTORY),
            Resolve::BENEATH,
        )
    });
    match opened {
        Ok(directory) => Ok(Some(directory)),
        Err(Errno::ENOENT | Errno::ENOTDIR) => Ok(None),
        Err(errno) => Err(errno),
    }
}

/// Every pid in the container's cgroup and below, sorted.
pub(crate) fn pids(record: &CgroupRecord) -> Vec<i32> {
    let mut all = Vec::new();
    // Any hierarchy knows them all; a process may have left one of them, so all are asked.
    for (name, place) in &record.places {
        if let Ok(Some(directory)) = open(name, place) {
            all.extend(tree::pids(directory));
        }
    }
    all.sort_unstable();
    all.dedup();
    all
}

/// Are there processes left?
pub(crate) fn is_populated(record: &CgroupRecord) -> bool {
    record
        .places
        .iter()
        .any(|(name, place)| match name.as_str() {
            // Told of all below at once.
            "" | "unified" => file_says(name, place, "cgroup.events", |text| {
                text.contains("populated 1")
            }),
            _ => open(name, place)
                .is_ok_and(|found| found.is_some_and(|top| !tree::pids(top).is_empty())),
        })
}

/// Sends a signal to every process: SIGKILL by cgroup.kill where there is one.
pub(crate) fn kill_all(record: &CgroupRecord, signal: i32) -> Result<(), CgroupError> {
    const SIGKILL: i32 = 9;
    for (name, place) in &record.places {
        let Ok(Some(directory)) = open(name, place) else {
            continue;
        };
        if signal == SIGKILL && write(&directory, "cgroup.kill", "1").is_ok() {
            return Ok(());
        }
    }
    for pid in pids(record) {
        // The handle is taken first: what then still is in the cgroup is what was listed.
        let Ok(pidfd) = process::open_pidfd(pid) else {
            continue;
        };
        if !pids(record).contains(&pid) {
            continue;
        }
        match process::signal(&pidfd, signal) {
            Ok(()) | Err(Errno::ESRCH) => {}
            Err(source) => {
                let path = place_of(record);
                return Err(CgroupError::Step {
                    step: "signal its processes",
                    path,
                    source,
                });
            }
        }
    }
    Ok(())
}

fn place_of(record: &CgroupRecord) -> String {
    record
        .places
        .first()
        .map_or(String::new(), |(name, place)| path_of(name, place))
}

/// Is the container paused by its freezer?
pub(crate) fn is_frozen(record: &CgroupRecord) -> bool {
    record
        .places
        .iter()
        .any(|(name, place)| match name.as_str() {
            "" | "unified" => file_says(name, place, "cgroup.events", |text| {
                text.contains("frozen 1")
            }),
            name if name.split(',').any(|part| part == "freezer") => {
                file_says(name, place, "freezer.state", |text| text.starts_with("FR"))
            }
            _ => false,
        })
}

fn file_says(name: &str, place: &str, file: &str, says: impl Fn(&str) -> bool) -> bool {
    let path = format!("{}/{file}", path_of(name, place));
    read_path(&path).is_ok_and(|text| says(&text))
}

/// Removes what create made, deepest first; what stood before stays, and what others still use
/// of the parents.
pub(crate) fn remove(record: &CgroupRecord, patience: Patience) -> Result<(), CgroupError> {
    let deadline = Instant::now() + patience.0;
    let own: Vec<String> = record
        .places
        .iter()
        .map(|(name, place)| path_of(name, place))
        .collect();
    for path in record.made.iter().rev() {
        if own.contains(path) {
            remove_container_directory(path, deadline, patience)?;
        } else {
            remove_parent(path);
        }
    }
    Ok(())
}

/// Somebody else's cgroups may stand in a parent by now: it then stays, without a word.
fn remove_parent(path: &str) {
    let removed = split(path)
        .and_then(|(above, name)| path::unlink(above, &c_string(&name)?, Remove::Directory));
    if let Err(errno) = removed {
        log::debug!("cgroup {path} stays: {errno}");
    }
}

fn split(path: &str) -> Result<(OwnedFd, String), Errno> {
    let (above, name) = path.rsplit_once('/').ok_or(Errno::EINVAL)?;
    let open = Open::PATH.and(Open::DIRECTORY);
    Ok((path::open(&c_string(above)?, open)?, name.to_owned()))
}

fn remove_container_directory(
    path: &str,
    deadline: Instant,
    patience: Patience,
) -> Result<(), CgroupError> {
    let failed = |source| CgroupError::Step {
        step: "rmdir",
        path: path.to_owned(),
        source,
    };
    loop {
        let removed = split(path).and_then(|(above, name)| tree::remove(&above, &c_string(&name)?));
        match removed {
            Ok(()) | Err(Errno::ENOENT) => return Ok(()),
            Err(Errno::EBUSY | Errno::ENOTEMPTY) if Instant::now() < deadline => wait(path),
            Err(Errno::EBUSY | Errno::ENOTEMPTY) => {
                let seconds = patience.0.as_secs();
                return Err(CgroupError::Busy {
                    path: path.to_owned(),
                    seconds,
                });
            }
            Err(errno) => return Err(failed(errno)),
        }
    }
}

/// Until cgroup.events tells of a change; where there is none, a moment.
fn wait(path: &str) {
    const LONGEST_MS: i32 = 100;
    const MOMENT: Duration = Duration::from_millis(1);
    let events = c_string(&format!("{path}/cgroup.events"))
        .and_then(|events| path::open(&events, Open::READ));
    let Ok(events) = events else {
        return std::thread::sleep(MOMENT);
    };
    let populated = path::read_all(&events, 4096)
        .is_ok_and(|text| String::from_utf8_lossy(&text).contains("populated 1"));
    if !populated || process::wait_changed(&events, LONGEST_MS).is_err() {
        std::thread::sleep(MOMENT);
    }
}
