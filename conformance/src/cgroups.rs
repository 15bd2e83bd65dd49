//! The cgroup hierarchies of this host as mounted: where a controller's
//! files are, what directories a case left, and how to remove them.

use crate::delegation;
use crate::verdict::{Check, same};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// One mounted hierarchy.
#[derive(Debug, Clone)]
struct Hierarchy {
    point: PathBuf,
    unified: bool,
    /// Controllers of v1, or those the v2 root lets children use.
    controllers: Vec<String>,
}

#[derive(Debug)]
pub(crate) struct Hierarchies(Vec<Hierarchy>);

/// Where this user may make cgroups, in the hierarchy that is mounted at `point`.
fn home_below(point: &Path) -> PathBuf {
    let delegated = delegation::cgroup().unwrap_or_default();
    point.join(delegated.strip_prefix("/").unwrap_or(&delegated))
}

impl Hierarchies {
    pub(crate) fn find() -> Self {
        let mountinfo = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        // The v2 view of `--unified-view` covers the v1 mounts; covered ones cannot be reached.
        let all: Vec<Hierarchy> = mountinfo.lines().filter_map(hierarchy).collect();
        let covered = |one: &Hierarchy| {
            all.iter().any(|other| other.unified && one.point != other.point && one.point.starts_with(&other.point))
        };
        Self(all.iter().filter(|one| !covered(one)).cloned().collect())
    }

    /// True where cgroup v2 is mounted at /sys/fs/cgroup itself.
    pub(crate) fn is_unified(&self) -> bool {
        self.0.iter().any(|one| one.unified && one.point == Path::new("/sys/fs/cgroup"))
    }

    /// False for an ordinary user who has no cgroup of its own.
    pub(crate) fn may_be_made(&self) -> bool {
        rustix::process::getuid().is_root() || delegation::cgroup().is_some()
    }

    pub(crate) fn has_controller(&self, name: &str) -> bool {
        let has = |one: &Hierarchy| one.controllers.iter().any(|known| known == name);
        self.may_be_made() && self.0.iter().any(|one| has(one) && (!one.unified || self.is_unified()))
    }

    fn points(&self) -> impl Iterator<Item = &Path> {
        self.0.iter().map(|one| one.point.as_path())
    }

    /// Where cgroups can be made, in each hierarchy.
    pub(crate) fn homes(&self) -> Vec<PathBuf> {
        self.points().map(home_below).collect()
    }

    /// The `cgroupsPath` of a cgroup `name` there.
    pub(crate) fn path_of(&self, name: &str) -> String {
        home_below(Path::new("/")).join(name).to_string_lossy().into_owned()
    }

    /// The directory of process `pid` in the hierarchy that has `controller`.
    pub(crate) fn directory_of(&self, pid: i32, controller: &str) -> Option<PathBuf> {
        let membership = fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
        let usable = |one: &&Hierarchy| {
            one.controllers.iter().any(|known| known == controller) && (!one.unified || self.is_unified())
        };
        let hierarchy = self.0.iter().find(usable).or_else(|| self.0.iter().find(|one| one.unified))?;
        let path = membership.lines().find_map(|line| {
            let mut fields = line.splitn(3, ':');
            let (_, controllers, path) = (fields.next()?, fields.next()?, fields.next()?);
            let matches = if hierarchy.unified {
                controllers.is_empty()
            } else {
                controllers.split(',').any(|known| known == controller)
            };
            matches.then(|| path.to_owned())
        })?;
        Some(hierarchy.point.join(path.trim_start_matches('/')))
    }

    /// Every directory, in any hierarchy, whose path names `token`.
    pub(crate) fn directories_naming(&self, token: &str) -> BTreeSet<PathBuf> {
        let mut found = BTreeSet::new();
        for point in self.points() {
            collect(point, token, 0, &mut found);
        }
        found
    }

    /// Removes what `directories_naming` finds, deepest first.
    pub(crate) fn remove_naming(&self, token: &str) {
        for dir in self.directories_naming(token).iter().rev() {
            // A directory that cannot go is reported by the oracle, which looked before.
            fs::remove_dir(dir).unwrap_or_default();
        }
    }
}

/// The options of the host's cgroup2, which all its mounts share: `rw,nsdelegate,...`.
fn shared_options() -> String {
    let table = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let line = table.lines().find(|line| line.contains(" - cgroup2 "));
    line.and_then(|line| line.rsplit(' ').next()).unwrap_or_default().to_owned()
}

/// Puts these options back when dropped, for a case whose tools take them away.
#[derive(Debug)]
pub(crate) struct KeptOptions(String);

impl KeptOptions {
    pub(crate) fn keep() -> Self {
        Self(shared_options())
    }

    pub(crate) fn unchanged(&self) -> Check {
        same("options of the host's cgroup2", shared_options(), self.0.clone())
    }

    fn put_back(&self) -> rustix::io::Result<()> {
        use rustix::mount::{FsPickFlags, fsconfig_reconfigure, fsconfig_set_flag, fspick};
        let cgroups = fspick(rustix::fs::CWD, "/sys/fs/cgroup", FsPickFlags::FSPICK_CLOEXEC)?;
        for word in self.0.split(',').filter(|word| *word != "rw") {
            fsconfig_set_flag(&cgroups, word)?;
        }
        fsconfig_reconfigure(&cgroups)
    }
}

impl Drop for KeptOptions {
    fn drop(&mut self) {
        if shared_options() != self.0 {
            // Nothing can be reported from here; the case on these options would tell.
            self.put_back().unwrap_or_default();
        }
    }
}

fn hierarchy(line: &str) -> Option<Hierarchy> {
    let (left, right) = line.split_once(" - ")?;
    let point = PathBuf::from(left.split(' ').nth(4)?);
    let mut right = right.split(' ');
    let (fstype, _, options) = (right.next()?, right.next()?, right.next()?);
    let words = |text: &str, separator: char| {
        text.split(separator).filter(|word| !word.is_empty()).map(str::to_owned).collect()
    };
    match fstype {
        "cgroup" => Some(Hierarchy { point, unified: false, controllers: words(options, ',') }),
        "cgroup2" => {
            let controllers = fs::read_to_string(home_below(&point).join("cgroup.controllers")).unwrap_or_default();
            Some(Hierarchy { controllers: words(controllers.trim(), ' '), point, unified: true })
        }
        _ => None,
    }
}

fn collect(dir: &Path, token: &str, depth: usize, found: &mut BTreeSet<PathBuf>) {
    let Ok(entries) = fs::read_dir(dir) else {
        return;
    };
    for entry in entries.flatten() {
        if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            continue;
        }
        let path = entry.path();
        if depth < 8 {
            collect(&path, token, depth + 1, found);
        }
        if path.to_string_lossy().contains(token) {
            found.insert(path);
        }
    }
}
