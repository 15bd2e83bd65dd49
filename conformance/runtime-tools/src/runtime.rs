//! The runtime that is judged: its family, which gaps.toml goes by, and the
//! containers in its records whose bundle lies in a given place.

use crate::process::Handle;
use serde::Deserialize;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// Longer than a list or a delete takes on a loaded machine.
const DEADLINE: Duration = Duration::from_secs(20);

#[derive(Debug)]
pub(crate) struct Runtime {
    /// Absolute, since the programs run elsewhere.
    pub(crate) path: PathBuf,
    pub(crate) family: String,
}

#[derive(Debug, Deserialize)]
struct Record {
    id: String,
    bundle: PathBuf,
}

impl Runtime {
    /// The family is `name`, or else the first word of `--version`.
    pub(crate) fn identify(given: &Path, name: Option<&str>) -> Result<Self, String> {
        let shown = given.display();
        let path = fs::canonicalize(given).map_err(|error| format!("{shown}: {error}"))?;
        let family = match name {
            Some(name) => name.to_owned(),
            None => {
                let output = Command::new(&path).arg("--version").stdin(Stdio::null()).output();
                let output = output.map_err(|error| format!("{shown} --version: {error}"))?;
                String::from_utf8_lossy(&output.stdout).split_whitespace().next().unwrap_or("unknown").to_owned()
            }
        };
        Ok(Self { path, family })
    }

    /// The containers in this runtime's records that were made from a bundle below `place`.
    /// A runtime that cannot list as JSON has none that we could tell from another's.
    pub(crate) fn containers_of(&self, place: &Path) -> Vec<String> {
        let listing = place.join("containers.json");
        let listed = File::create(&listing).is_ok_and(|file| self.call(&["list", "--format", "json"], file.into()));
        let text = if listed { fs::read_to_string(&listing).unwrap_or_default() } else { String::new() };
        // Some say null where there is none.
        let records: Option<Vec<Record>> = serde_json::from_str(&text).unwrap_or_default();
        let records = records.unwrap_or_default().into_iter();
        records.filter(|record| record.bundle.starts_with(place)).map(|record| record.id).collect()
    }

    pub(crate) fn delete(&self, id: &str) {
        self.call(&["delete", "--force", id], Stdio::null());
    }

    fn call(&self, words: &[&str], output: Stdio) -> bool {
        let mut command = Command::new(&self.path);
        command.args(words).stdin(Stdio::null()).stdout(output).stderr(Stdio::null());
        let Ok(mut child) = command.spawn() else { return false };
        let in_time = Handle::of(&child).is_ok_and(|handle| handle.ends_within(DEADLINE));
        if !in_time {
            child.kill().unwrap_or_default();
        }
        child.wait().is_ok_and(|status| in_time && status.success())
    }
}
