//! gaps.toml: the failures that are expected of a runtime, each with its
//! reason. A listed case that passes is an error, as is an entry that names
//! no case, so the list cannot outlive what it excuses.
//!
//! The case `*` stands for all cases of one world that a runtime does not have yet: failures are
//! gaps, passes are counted. When a whole run had nothing to excuse, the entry is an error.
//! With `seen` it stands for a fault that any case may meet, and excuses failures that show it.

use crate::case;
use crate::options::Options;
use crate::outcome::Expectation;
use crate::runtime::{Runtime, version_in};
use serde::Deserialize;
use std::fs;

/// The list of this source tree, so that the binary can travel alone.
const COMMITTED: &str = include_str!("../gaps.toml");

/// The surroundings an entry may be limited to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum World {
    /// cgroup v1 or hybrid, as root.
    V1,
    /// Of such a machine only the cgroup v2 hierarchy, which lacks most controllers; as root.
    V2View,
    /// Pure cgroup v2, as root.
    V2,
    /// With --systemd-cgroup, as root.
    Systemd,
    /// An ordinary user.
    Rootless,
}

impl World {
    pub(crate) fn of(options: &Options) -> Self {
        let unified = options.unified_view || crate::cgroups::Hierarchies::find().is_unified();
        match (options.rootless, options.systemd_cgroup, unified) {
            (true, _, _) => Self::Rootless,
            (false, true, _) => Self::Systemd,
            (false, false, true) if in_a_v1_hierarchy() => Self::V2View,
            (false, false, true) => Self::V2,
            (false, false, false) => Self::V1,
        }
    }

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V2View => "v2-view",
            Self::V2 => "v2",
            Self::Systemd => "systemd",
            Self::Rootless => "rootless",
        }
    }
}

/// Whatever is mounted, a process is in every hierarchy there is.
fn in_a_v1_hierarchy() -> bool {
    let membership = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    membership.lines().any(|line| !line.starts_with("0::"))
}

/// The case that stands for all of a world.
const EVERY_CASE: &str = "*";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Gap {
    pub(crate) runtime: String,
    pub(crate) case: String,
    pub(crate) reason: String,
    /// Only for versions below this one.
    pub(crate) below: Option<String>,
    /// Only for this version and later ones.
    pub(crate) from: Option<String>,
    /// Only in these surroundings; in all when none is named.
    #[serde(default, deserialize_with = "one_or_more")]
    pub(crate) world: Vec<World>,
    /// Only failures in whose words this is.
    pub(crate) seen: Option<String>,
    /// A race of the runtime, or a matter of the machine: it may also pass.
    #[serde(default)]
    pub(crate) sometimes: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Gaps {
    #[serde(default, rename = "gap")]
    gaps: Vec<Gap>,
}

impl Gaps {
    /// The entries that hold for this runtime, here.
    pub(crate) fn load(options: &Options, runtime: &Runtime, world: World) -> Result<Self, String> {
        let (name, text) = match &options.gaps {
            Some(file) => {
                let text = fs::read_to_string(file);
                (file.display().to_string(), text.map_err(|error| format!("{}: {error}", file.display()))?)
            }
            None => ("gaps.toml".to_owned(), COMMITTED.to_owned()),
        };
        let mut all: Self = toml::from_str(&text).map_err(|error| format!("{name}: {error}"))?;
        all.check()?;
        all.gaps.retain(|gap| gap.holds(runtime, world));
        Ok(all)
    }

    /// Every entry of this source tree, of all runtimes.
    pub(crate) fn committed() -> Result<Vec<Gap>, String> {
        let all: Self = toml::from_str(COMMITTED).map_err(|error| format!("gaps.toml: {error}"))?;
        Ok(all.gaps)
    }

    fn check(&self) -> Result<(), String> {
        let names: Vec<String> = case::all().iter().map(|case| case.full_name()).collect();
        for gap in &self.gaps {
            if gap.case == EVERY_CASE {
                if gap.world.is_empty() && gap.seen.is_none() {
                    return Err(format!("gaps.toml: `*` of {} needs the world it stands for", gap.runtime));
                }
            } else if gap.seen.is_some() {
                return Err(format!("gaps.toml: {} has `seen`, which is for `*`", gap.case));
            } else if !names.contains(&gap.case) {
                return Err(format!("gaps.toml names {}, which is no case", gap.case));
            }
        }
        Ok(())
    }

    /// What is expected of a case, given the words of its failure if it did fail.
    pub(crate) fn expected(&self, case: &str, failure: &str) -> Expectation {
        if let Some(reason) = self.missing_world() {
            return Expectation::Either(reason.to_owned());
        }
        let fault = |gap: &&Gap| gap.seen.as_deref().is_some_and(|words| failure.contains(words));
        match self.gaps.iter().find(|gap| gap.case == case).or_else(|| self.gaps.iter().find(fault)) {
            None => Expectation::Success,
            Some(gap) if gap.case == EVERY_CASE => Expectation::Either(gap.reason.clone()),
            Some(gap) if gap.sometimes => Expectation::Either(gap.reason.clone()),
            Some(gap) => Expectation::Failure(gap.reason.clone()),
        }
    }

    /// Why the runtime does not have this world at all, if gaps.toml says so.
    pub(crate) fn missing_world(&self) -> Option<&str> {
        self.gaps.iter().find(|gap| gap.is_whole_world()).map(|gap| gap.reason.as_str())
    }
}

impl Gap {
    pub(crate) fn is_whole_world(&self) -> bool {
        self.case == EVERY_CASE && self.seen.is_none()
    }

    fn holds(&self, runtime: &Runtime, world: World) -> bool {
        let old_enough = self.below.as_deref().is_none_or(|below| runtime.version < version_in(below));
        let new_enough = self.from.as_deref().is_none_or(|from| runtime.version >= version_in(from));
        self.runtime == runtime.family
            && old_enough
            && new_enough
            && (self.world.is_empty() || self.world.contains(&world))
    }
}

/// `world = "v2"` and `world = ["v2", "systemd"]`.
fn one_or_more<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<World>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Worlds {
        One(World),
        More(Vec<World>),
    }
    Ok(match Worlds::deserialize(deserializer)? {
        Worlds::One(world) => vec![world],
        Worlds::More(worlds) => worlds,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runtime(version: &[u32]) -> Runtime {
        Runtime { path: "/".into(), family: "runc".into(), version: version.to_vec(), global: vec![] }
    }

    fn gaps(text: &str) -> Gaps {
        toml::from_str(text).expect("valid")
    }

    #[test]
    fn the_committed_list_is_sound() {
        let gaps = gaps(COMMITTED);
        gaps.check().expect("every entry names a case");
        assert!(gaps.gaps.iter().all(|gap| gap.reason.len() > 10));
    }

    #[test]
    fn an_entry_holds_only_for_its_versions() {
        let list = gaps("[[gap]]\nruntime = 'runc'\ncase = ''\nreason = ''\nfrom = '1.1.5'\nbelow = '1.2'");
        assert!(!list.gaps[0].holds(&runtime(&[1, 1, 4]), World::V1));
        assert!(list.gaps[0].holds(&runtime(&[1, 1, 5]), World::V1));
        assert!(!list.gaps[0].holds(&runtime(&[1, 2, 0]), World::V1));
    }

    #[test]
    fn an_entry_holds_only_in_its_worlds() {
        let list = gaps("[[gap]]\nruntime = 'runc'\ncase = ''\nreason = ''\nworld = ['v2', 'systemd']");
        assert!(list.gaps[0].holds(&runtime(&[1]), World::V2));
        assert!(!list.gaps[0].holds(&runtime(&[1]), World::V1));
    }

    #[test]
    fn a_missing_world_excuses_failures_and_counts_passes() {
        let whole = "[[gap]]\nruntime = 'runc'\ncase = '*'\nreason = 'none yet'\nworld = 'systemd'";
        let listed = "\n[[gap]]\nruntime = 'runc'\ncase = 'a::b'\nreason = 'no b'";
        let list = gaps(&format!("{whole}{listed}"));
        assert!(matches!(list.expected("a::b", ""), Expectation::Either(reason) if reason == "none yet"));
        assert!(matches!(list.expected("a::c", ""), Expectation::Either(reason) if reason == "none yet"));
    }

    #[test]
    fn a_fault_that_any_case_may_meet_excuses_only_what_shows_it() {
        let list = gaps("[[gap]]\nruntime = 'runc'\ncase = '*'\nreason = 'a race'\nseen = 'no count'");
        list.check().expect("sound");
        assert_eq!(list.missing_world(), None);
        assert!(matches!(list.expected("a::b", "2 lines: no count"), Expectation::Either(_)));
        assert!(matches!(list.expected("a::b", "another"), Expectation::Success));
    }

    #[test]
    fn a_missing_world_must_be_named() {
        assert!(gaps("[[gap]]\nruntime = 'runc'\ncase = '*'\nreason = 'none yet'").check().is_err());
    }
}
