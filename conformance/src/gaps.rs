//! gaps.toml: the failures that are expected of a runtime, each with its
//! reason. A listed case that passes is an error, as is an entry that names
//! no case, so the list cannot outlive what it excuses.

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

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Gap {
    runtime: String,
    case: String,
    reason: String,
    /// Only for versions below this one.
    below: Option<String>,
    /// Only for this version and later ones.
    from: Option<String>,
    /// Only in these surroundings; in all when none is named.
    #[serde(default, deserialize_with = "one_or_more")]
    world: Vec<World>,
    /// A race of the runtime, or a matter of the machine: it may also pass.
    #[serde(default)]
    sometimes: bool,
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

    fn check(&self) -> Result<(), String> {
        let names: Vec<String> = case::all().iter().map(|case| case.full_name()).collect();
        match self.gaps.iter().find(|gap| !names.contains(&gap.case)) {
            Some(gap) => Err(format!("gaps.toml names {}, which is no case", gap.case)),
            None => Ok(()),
        }
    }

    /// What is expected of a case that is listed.
    pub(crate) fn expected(&self, case: &str) -> Expectation {
        match self.gaps.iter().find(|gap| gap.case == case) {
            None => Expectation::Success,
            Some(gap) if gap.sometimes => Expectation::Either(gap.reason.clone()),
            Some(gap) => Expectation::Failure(gap.reason.clone()),
        }
    }
}

impl Gap {
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
}
