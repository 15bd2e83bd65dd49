//! gaps.toml: the failures that are expected of a runtime, each with its
//! reason. A listed gap that passes is an error, so the list cannot outlive
//! what it excuses. What it names and a checkout does not have is a warning
//! only, since checkouts differ.

use crate::account::{Account, Assertion, Mark};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The list of this source tree, so that the binary can travel alone.
const COMMITTED: &str = include_str!("../gaps.toml");

/// Stands for every runtime: the program itself is at fault.
const ANY: &str = "any";

/// The cgroups of the host, which an entry may be limited to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum World {
    /// cgroup v1 or hybrid.
    V1,
    /// Pure cgroup v2.
    V2,
}

impl World {
    pub(crate) fn here() -> Self {
        if Path::new("/sys/fs/cgroup/cgroup.controllers").exists() { Self::V2 } else { Self::V1 }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Gap {
    runtime: String,
    /// As the runner prints it, such as `create/create.t`.
    program: String,
    /// Part of the description of the failing test; without it, whatever fails.
    test: Option<String>,
    reason: String,
    world: Option<World>,
    /// A race: it may also pass.
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
    /// The entries of `file`, or of the committed list, that hold for this runtime, here.
    pub(crate) fn load(file: Option<&Path>, family: &str, world: World) -> Result<Self, String> {
        let (name, text) = match file {
            Some(file) => {
                let name = file.display().to_string();
                let text = fs::read_to_string(file).map_err(|error| format!("{name}: {error}"))?;
                (name, text)
            }
            None => ("gaps.toml".to_owned(), COMMITTED.to_owned()),
        };
        Self::read(&text, family, world).map_err(|error| format!("{name}: {error}"))
    }

    fn read(text: &str, family: &str, world: World) -> Result<Self, String> {
        let mut all: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        if let Some(gap) = all.gaps.iter().find(|gap| gap.reason.trim().is_empty()) {
            return Err(format!("the gap of {} has no reason", gap.program));
        }
        all.gaps
            .retain(|gap| (gap.runtime == family || gap.runtime == ANY) && gap.world.is_none_or(|own| own == world));
        Ok(all)
    }

    /// The programs that are listed and that `programs` does not have.
    pub(crate) fn unknown<'a>(&'a self, programs: &[String]) -> Vec<&'a str> {
        let names: BTreeSet<&str> = self.gaps.iter().map(|gap| gap.program.as_str()).collect();
        names.into_iter().filter(|name| !programs.iter().any(|program| program == name)).collect()
    }

    /// Marks the failures of a program that are expected, adds one for each listed gap that
    /// passes, and returns the tests that are listed but did not come.
    pub(crate) fn judge(&self, program: &str, account: &mut Account) -> Vec<String> {
        let mut absent = Vec::new();
        let mut passing = Vec::new();
        let mut excused = Vec::new();
        for gap in self.gaps.iter().filter(|gap| gap.program == program) {
            match gap.fate(account) {
                Fate::Fails(indices) => excused.extend(indices.into_iter().map(|index| (index, &gap.reason))),
                Fate::Passes if !gap.sometimes => passing.push(gap.unexpected_pass()),
                Fate::Absent if !gap.sometimes => absent.push(gap.test.clone().unwrap_or_default()),
                Fate::Passes | Fate::Absent | Fate::Untold => {}
            }
        }
        for (index, reason) in excused {
            account.assertions[index].mark = Mark::Gap(reason.clone());
        }
        account.assertions.extend(passing);
        absent
    }
}

/// What became of a listed gap.
enum Fate {
    /// These tests failed, as listed.
    Fails(Vec<usize>),
    Passes,
    /// The program has no such test.
    Absent,
    /// It was skipped, or the program ended before it.
    Untold,
}

impl Gap {
    fn fate(&self, account: &Account) -> Fate {
        let covered: Vec<(usize, &Assertion)> =
            account.assertions.iter().enumerate().filter(|(_, assertion)| self.covers(assertion)).collect();
        let failing: Vec<usize> =
            covered.iter().filter(|(_, assertion)| assertion.mark == Mark::Failed).map(|(index, _)| *index).collect();
        if !failing.is_empty() {
            Fate::Fails(failing)
        } else if covered.iter().any(|(_, assertion)| assertion.mark == Mark::Passed) {
            Fate::Passes
        } else if covered.is_empty() && account.complete && !account.is_skipped() {
            Fate::Absent
        } else {
            Fate::Untold
        }
    }

    fn covers(&self, assertion: &Assertion) -> bool {
        self.test.as_deref().is_none_or(|test| assertion.description.contains(test))
    }

    fn unexpected_pass(&self) -> Assertion {
        let what = self.test.as_ref().map_or("it".to_owned(), |test| format!("\"{test}\""));
        Assertion::failed(format!("UNEXPECTED PASS: gaps.toml expects {what} to fail"))
    }
}

#[cfg(test)]
mod tests {
    use super::{COMMITTED, Gaps, World};
    use crate::account::{Account, Ending, Mark};
    use crate::tap::Document;

    fn gap(fields: &str) -> String {
        format!("[[gap]]\nruntime = \"hull\"\nprogram = \"a/a.t\"\nreason = \"it differs\"\n{fields}\n")
    }

    /// The marks of `output` under a list of one gap, and what was listed but absent.
    fn judged(fields: &str, output: &str, status: i32) -> (Vec<Mark>, Vec<String>) {
        let gaps = Gaps::read(&gap(fields), "hull", World::V1).expect("valid");
        let mut account = Account::of(Document::read(output), Ending::Status(status));
        let absent = gaps.judge("a/a.t", &mut account);
        (account.assertions.into_iter().map(|assertion| assertion.mark).collect(), absent)
    }

    fn excused() -> Mark {
        Mark::Gap("it differs".to_owned())
    }

    #[test]
    fn the_committed_list_is_sound() {
        let gaps: Gaps = toml::from_str(COMMITTED).expect("valid");
        assert!(gaps.gaps.iter().all(|gap| gap.reason.len() > 10 && gap.program.ends_with(".t")));
    }

    #[test]
    fn a_listed_failure_is_no_failure() {
        let output = "1..3\nok 1 - a\nnot ok 2 - b\nnot ok 3 - c\n";
        assert_eq!(judged("", output, 1).0, [Mark::Passed, excused(), excused()]);
        assert_eq!(judged("test = \"b\"", output, 1).0, [Mark::Passed, excused(), Mark::Failed]);
        assert_eq!(judged("test = \"exit status\"", "1..1\nok 1\n", 3).0, [Mark::Passed, excused()]);
        assert_eq!(judged("", "", 1).0, [excused()]);
    }

    #[test]
    fn a_listed_gap_that_passes_is_a_failure() {
        let output = "1..2\nok 1 - a\nok 2 - b\n";
        let passing = [Mark::Passed, Mark::Passed, Mark::Failed];
        assert_eq!(judged("", output, 0).0, passing);
        assert_eq!(judged("test = \"b\"", output, 0).0, passing);
        assert_eq!(judged("sometimes = true", output, 0).0, passing[..2]);
        let other_fails = "1..2\nnot ok 1 - a\nok 2 - b\n";
        assert_eq!(judged("test = \"b\"", other_fails, 1).0, [Mark::Failed, Mark::Passed, Mark::Failed]);
    }

    #[test]
    fn a_listed_test_that_does_not_come_is_named() {
        let output = "1..1\nok 1 - a\n";
        assert_eq!(judged("test = \"z\"", output, 0), (vec![Mark::Passed], vec!["z".to_owned()]));
        assert!(judged("test = \"z\"\nsometimes = true", output, 0).1.is_empty());
        let died = "ok 1 - a\n";
        assert_eq!(judged("test = \"z\"", died, 1), (vec![Mark::Passed, Mark::Failed], vec![]));
        let skipped = "1..1\nok 1 - a # SKIP b\n";
        assert_eq!(judged("test = \"a\"", skipped, 0), (vec![Mark::Skipped("b".to_owned())], vec![]));
        assert_eq!(judged("", "1..0 # SKIP b\n", 0), (vec![Mark::Skipped("b".to_owned())], vec![]));
    }

    #[test]
    fn an_entry_holds_for_its_runtime_and_cgroups() {
        let text = gap("world = \"v2\"") + &gap("").replace("hull", "any");
        let count = |family, world| Gaps::read(&text, family, world).expect("valid").gaps.len();
        assert_eq!(count("hull", World::V2), 2);
        assert_eq!(count("hull", World::V1), 1);
        assert_eq!(count("runc", World::V2), 1);
        assert_eq!(Gaps::read(&text, "runc", World::V1).expect("valid").unknown(&["b.t".to_owned()]), ["a/a.t"]);
    }

    #[test]
    fn a_list_that_says_too_little_or_too_much_is_refused() {
        let silent = gap("").replace("it differs", " ");
        assert!(Gaps::read(&silent, "hull", World::V1).is_err());
        assert!(Gaps::read(&gap("case = \"x\""), "hull", World::V1).is_err());
        assert!(Gaps::read("[[gap]]\nruntime = \"hull\"\n", "hull", World::V1).is_err());
    }
}
