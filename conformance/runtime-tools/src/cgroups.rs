//! The cgroups of the host before and after a program, and which of the new
//! ones are its own. Others may make cgroups meanwhile: those stay.

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Deep enough for what a runtime makes below the cgroup it runs in.
const DEPTH: usize = 12;

/// The names that the programs give to their own cgroups.
const GIVEN: &[&str] = &["cgrouptest", "testdir"];

/// The files that freeze a cgroup, of v1 and of v2, and what lets it run.
const FREEZERS: [(&str, &str); 2] = [("freezer.state", "THAWED"), ("cgroup.freeze", "0")];

#[derive(Debug)]
pub(crate) struct Cgroups {
    points: Vec<PathBuf>,
    before: BTreeSet<PathBuf>,
}

impl Cgroups {
    pub(crate) fn snapshot() -> Self {
        let mountinfo = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        let points: Vec<PathBuf> = mountinfo.lines().filter_map(mount_point).collect();
        let before = directories(&points);
        Self { points, before }
    }

    /// New cgroups that have the programs' own name, are named after one of the containers
    /// `ids`, or held a process of the program, which was in the cgroups `memberships`.
    pub(crate) fn left(&self, ids: &[String], memberships: &BTreeSet<String>) -> Vec<PathBuf> {
        let held: BTreeSet<PathBuf> = memberships
            .iter()
            .flat_map(|path| self.points.iter().map(move |point| point.join(path.trim_start_matches('/'))))
            .collect();
        let names_it = |dir: &Path| {
            let name = dir.file_name().unwrap_or_default().to_string_lossy();
            GIVEN.contains(&&*name) || ids.iter().any(|id| name.contains(id.as_str()))
        };
        let now = directories(&self.points);
        let new: Vec<&PathBuf> = now.difference(&self.before).collect();
        // What is below one of its cgroups is its own as well.
        let own = |dir: &&&PathBuf| {
            dir.ancestors().any(|above| self.is_new(above) && (names_it(above) || held.contains(above)))
        };
        new.iter().filter(own).map(|dir| (*dir).clone()).collect()
    }

    /// Lets frozen processes in `left` run, since a signal waits until they do.
    pub(crate) fn thaw(left: &[PathBuf]) {
        for (dir, (file, word)) in left.iter().flat_map(|dir| FREEZERS.map(|freezer| (dir, freezer))) {
            // One that cannot freeze has no such file.
            let freezer = OpenOptions::new().write(true).open(dir.join(file));
            freezer.and_then(|mut freezer| freezer.write_all(word.as_bytes())).unwrap_or_default();
        }
    }

    /// Removes `left`, the deepest first, and new parents that are empty then; says which of
    /// them nobody else had removed yet.
    pub(crate) fn remove(&self, left: &[PathBuf]) -> Vec<PathBuf> {
        let mut removed = Vec::new();
        for dir in left.iter().rev().flat_map(|dir| dir.ancestors().take_while(|dir| self.is_new(dir))) {
            // One that holds a process or another cgroup stays.
            if fs::remove_dir(dir).is_ok() {
                removed.push(dir.to_owned());
            }
        }
        removed
    }

    fn is_new(&self, dir: &Path) -> bool {
        !self.before.contains(dir) && self.points.iter().any(|point| dir.starts_with(point) && dir != point)
    }
}

/// The paths of the cgroups of a process, as seen from the roots of the hierarchies.
pub(crate) fn memberships(pid: i32) -> BTreeSet<String> {
    let text = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
    let paths = text.lines().filter_map(|line| line.splitn(3, ':').nth(2));
    paths.filter(|path| *path != "/").map(str::to_owned).collect()
}

fn mount_point(line: &str) -> Option<PathBuf> {
    let (left, right) = line.split_once(" - ")?;
    let is_cgroup = matches!(right.split(' ').next(), Some("cgroup" | "cgroup2"));
    is_cgroup.then(|| left.split(' ').nth(4).map(PathBuf::from)).flatten()
}

fn directories(points: &[PathBuf]) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    for point in points {
        collect(point, 0, &mut found);
    }
    found
}

fn collect(dir: &Path, depth: usize, found: &mut BTreeSet<PathBuf>) {
    let Ok(entries) = fs::read_dir(dir) else { return };
    let folders = entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    for path in folders.map(|entry| entry.path()) {
        if depth < DEPTH {
            collect(&path, depth + 1, found);
        }
        found.insert(path);
    }
}

#[cfg(test)]
mod tests {
    use super::Cgroups;
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;
    use tempfile::TempDir;

    fn make(dir: &Path, names: &[&str]) {
        for name in names {
            fs::create_dir_all(dir.join(name)).expect("folder");
        }
    }

    /// Folders stand for cgroups: both are made, listed and removed in the same way.
    #[test]
    fn only_what_is_told_apart_goes() {
        let host = TempDir::new().expect("directory");
        make(host.path(), &["pids/there", "cpu"]);
        let points = vec![host.path().join("pids"), host.path().join("cpu")];
        let before = super::directories(&points);
        let cgroups = Cgroups { points, before };
        let made = [
            "pids/cgrouptest/below",
            "pids/testdir/cgrouptest/container",
            "cpu/box-id7",
            "cpu/held",
            "pids/there/held",
        ];
        make(host.path(), &made);
        make(host.path(), &["cpu/of-another", "pids/there/of-another"]);
        let left = cgroups.left(&["id7".to_owned()], &BTreeSet::from(["/held".to_owned()]));
        let names: Vec<&str> = left.iter().filter_map(|dir| dir.strip_prefix(host.path()).ok()?.to_str()).collect();
        let expected = [
            "cpu/box-id7",
            "cpu/held",
            "pids/cgrouptest",
            "pids/cgrouptest/below",
            "pids/testdir",
            "pids/testdir/cgrouptest",
            "pids/testdir/cgrouptest/container",
        ];
        assert_eq!(names, expected);
        fs::remove_dir(host.path().join("pids/testdir/cgrouptest/container")).expect("removed by its runtime");
        let removed = cgroups.remove(&left);
        assert!(removed.contains(&host.path().join("pids/testdir")));
        assert_eq!(removed.len(), left.len() - 1);
        let here = |name: &str| host.path().join(name).exists();
        assert!(!here("pids/cgrouptest") && !here("pids/testdir") && !here("cpu/held") && !here("cpu/box-id7"));
        assert!(here("cpu/of-another") && here("pids/there/of-another") && here("pids/there/held"));
    }
}
