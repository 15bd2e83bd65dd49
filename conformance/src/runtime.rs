//! Which runtime is judged: its family and version, from `--version`.
//!
//! Cases may not look at the family to be lenient; gaps.toml is for that.
//! It decides only words that are the runtime's own, such as its state root.

use crate::options::Options;
use std::path::PathBuf;
use std::process::Command;

#[derive(Debug, Clone)]
pub(crate) struct Runtime {
    pub(crate) path: PathBuf,
    pub(crate) family: String,
    pub(crate) version: Vec<u32>,
    /// Global options given on every call.
    pub(crate) global: Vec<String>,
}

impl Runtime {
    pub(crate) fn identify(options: &Options) -> Result<Self, String> {
        let output = Command::new(&options.runtime).arg("--version").output();
        let output = output.map_err(|error| format!("{} --version: {error}", options.runtime.display()))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let first = text.lines().next().unwrap_or_default();
        let family =
            options.name.clone().unwrap_or_else(|| first.split_whitespace().next().unwrap_or("unknown").to_owned());
        let mut global = options.root_args.clone();
        if options.systemd_cgroup {
            global.push("--systemd-cgroup".to_owned());
        }
        Ok(Self { path: options.runtime.clone(), family, version: version_in(first), global })
    }

    pub(crate) fn version_text(&self) -> String {
        self.version.iter().map(u32::to_string).collect::<Vec<_>>().join(".")
    }
}

/// The first dotted number of a line: `runc version 1.1.5+ds1` is 1.1.5.
pub(crate) fn version_in(line: &str) -> Vec<u32> {
    let word = line.split_whitespace().find(|word| word.starts_with(|first: char| first.is_ascii_digit()));
    let numbers = word.unwrap_or_default().split(|c: char| !c.is_ascii_digit());
    numbers.map_while(|number| number.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::version_in;

    #[test]
    fn a_version_is_the_first_dotted_number() {
        assert_eq!(version_in("runc version 1.1.5+ds1"), [1, 1, 5]);
        assert_eq!(version_in("crun version 1.8.1"), [1, 8, 1]);
        assert_eq!(version_in("hull"), [0_u32; 0]);
    }
}
