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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum World {
    /// cgroup v1 or hybrid, as root.
    V1,
    /// Pure cgroup v2, as root.
    V2,
    Rootless,
}

impl World {
    pub(crate) fn of(options: &Options) -> Self {
        let unified = options.unified_view || crate::cgroups::Hierarchies::find().is_unified();
        match (options.rootless, unified) {
            (true, _) => Self::Rootless,
            (false, true) => Self::V2,
            (false, false) => Self::V1,
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Gap {
    runtime: String,
    case: String,
    reason: String,
    /// Only for versions below this one.
    below: Option<String>,
    /// Only in these surroundings.
    world: Option<World>,
    /// A race of the runtime: it may also pass.
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
        self.runtime == runtime.family && old_enough && self.world.is_none_or(|own| own == world)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_list_is_sound() {
        let gaps: Gaps = toml::from_str(COMMITTED).expect("valid");
        gaps.check().expect("every entry names a case");
        assert!(gaps.gaps.iter().all(|gap| gap.reason.len() > 10));
    }

    #[test]
    fn an_entry_holds_only_below_its_version() {
        let gap = Gap {
            runtime: "runc".into(),
            case: String::new(),
            reason: String::new(),
            below: Some("1.2".into()),
            world: None,
            sometimes: false,
        };
        let runtime = |version: &[u32]| Runtime {
            path: "/".into(),
            family: "runc".into(),
            version: version.to_vec(),
            global: vec![],
        };
        assert!(gap.holds(&runtime(&[1, 1, 5]), World::V1));
        assert!(!gap.holds(&runtime(&[1, 2, 0]), World::V1));
    }
}
