//! What the global flags decide for every verb.

use crate::grammar::Matches;
use crate::table;
use hull_spec::plan::CgroupManager;
use libcontainer::Rootless;

/// The global flags, resolved.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) manager: CgroupManager,
    pub(crate) rootless: Rootless,
}

/// Global flags that contradict each other.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("--systemd-cgroup contradicts --cgroup-manager {0}")]
pub(crate) struct Contradiction(&'static str);

impl Settings {
    pub(crate) fn from(globals: &Matches) -> Result<Settings, Contradiction> {
        let manager = manager(globals)?;
        let rootless = match globals.word(&table::ROOTLESS) {
            Some("true") => Rootless::Yes,
            Some("false") => Rootless::No,
            _ => Rootless::Auto,
        };
        Ok(Settings { manager, rootless })
    }
}

fn manager(globals: &Matches) -> Result<CgroupManager, Contradiction> {
    let by_switch = globals.switch(&table::SYSTEMD_CGROUP);
    match globals.word(&table::CGROUP_MANAGER) {
        Some("systemd") => Ok(CgroupManager::Systemd),
        Some(other) if by_switch => Err(Contradiction(other)),
        Some("disabled") => Ok(CgroupManager::Disabled),
        None if by_switch => Ok(CgroupManager::Systemd),
        _ => Ok(CgroupManager::Cgroupfs),
    }
}

#[cfg(test)]
mod tests {
    use super::Settings;
    use crate::grammar::{Order, read};
    use crate::table::GLOBALS;
    use std::ffi::OsString;

    #[test]
    fn managers_are_resolved_and_contradictions_refused() {
        let table = [
            ("", "Cgroupfs Auto"),
            ("--systemd-cgroup", "Systemd Auto"),
            ("--systemd-cgroup=false", "Cgroupfs Auto"),
            ("--cgroup-manager systemd", "Systemd Auto"),
            ("--cgroup-manager=systemd --systemd-cgroup", "Systemd Auto"),
            ("--cgroup-manager disabled --rootless true", "Disabled Yes"),
            ("--cgroup-manager cgroupfs --rootless=false", "Cgroupfs No"),
            (
                "--cgroup-manager cgroupfs --systemd-cgroup",
                "--systemd-cgroup contradicts --cgroup-manager cgroupfs",
            ),
            (
                "--systemd-cgroup --cgroup-manager disabled",
                "--systemd-cgroup contradicts --cgroup-manager disabled",
            ),
        ];
        for (line, expected) in table {
            let args = line.split_whitespace().map(OsString::from);
            let (matches, outcome) = read(GLOBALS, Order::FlagsFirst, args);
            assert_eq!(outcome, Ok(()));
            let found = match Settings::from(&matches) {
                Ok(settings) => format!("{:?} {:?}", settings.manager, settings.rootless),
                Err(why) => why.to_string(),
            };
            assert_eq!(found, expected, "{line}");
        }
    }
}
