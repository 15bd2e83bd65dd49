//! Who is measured: the floor, and the runtimes that are here.

use crate::bundle::DeviceRules;
use crate::options::Options;
use std::path::{Path, PathBuf};
use std::process::Command;

#[derive(Debug)]
pub(crate) enum Kind {
    /// The least work that does the same.
    Floor,
    Runtime(PathBuf),
    /// A runtime that is not here, with the reason.
    Absent(String),
}

#[derive(Debug)]
pub(crate) struct Contestant {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) version: String,
    pub(crate) rules: DeviceRules,
}

pub(crate) fn present(options: &Options) -> Vec<Contestant> {
    let floor = Contestant {
        name: "floor".into(),
        kind: Kind::Floor,
        version: String::new(),
        rules: DeviceRules::Kept,
    };
    let runtimes = options
        .runtimes
        .iter()
        .map(|(name, path)| runtime(name, path));
    std::iter::once(floor).chain(runtimes).collect()
}

fn runtime(name: &str, path: &Path) -> Contestant {
    let (kind, version) = match find(path).and_then(|path| Ok((version(&path)?, path))) {
        Ok((version, path)) => (Kind::Runtime(path), version),
        Err(why) => (Kind::Absent(why), String::new()),
    };
    // crun raises a limit before it loads device rules, and gives up where it may not.
    let cannot_load = version.starts_with("crun") && !may_raise_limits();
    let rules = if cannot_load {
        DeviceRules::Dropped
    } else {
        DeviceRules::Kept
    };
    Contestant {
        name: name.to_owned(),
        kind,
        version,
        rules,
    }
}

/// Whether we have CAP_SYS_RESOURCE.
fn may_raise_limits() -> bool {
    const SYS_RESOURCE: u64 = 1 << 24;
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let effective = effective.and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok());
    effective.is_some_and(|caps| caps & SYS_RESOURCE != 0)
}

/// A path as given, or a command from PATH; what is called from another directory is absolute.
fn find(path: &Path) -> Result<PathBuf, String> {
    let gone = || format!("there is no {}", path.display());
    if path.components().count() > 1 {
        return std::path::absolute(path)
            .ok()
            .filter(|path| path.exists())
            .ok_or_else(gone);
    }
    let dirs = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&dirs)
        .map(|dir| dir.join(path))
        .find(|path| path.exists())
        .ok_or_else(gone)
}

fn version(path: &Path) -> Result<String, String> {
    let output = Command::new(path).arg("--version").output();
    let output = output.map_err(|error| format!("{}: {error}", path.display()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    match text.lines().next() {
        Some(line) if output.status.success() => Ok(line.to_owned()),
        _ => Err(format!("{} --version says nothing", path.display())),
    }
}
