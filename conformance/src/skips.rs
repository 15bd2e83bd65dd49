//! What hull's cases skipped in the runs that were committed, and why: a line per environment
//! and case. A case that was skipped everywhere was never run for real, whatever it would say.

use crate::outcome::Judgement;
use crate::results::Results;
use std::collections::BTreeMap;
use std::fmt::Write;

const HEAD: &str = "# Written by `make compatibility`.\n# environment\tcase\twhy\n";

/// The runtime whose skips are kept.
const RUNTIME: &str = "hull";

/// Why a case was skipped, by environment and case.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Skips(BTreeMap<(String, String), String>);

impl Skips {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut skips = Self::default();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let fields: Vec<&str> = line.split('\t').collect();
            let &[environment, case, why] = fields.as_slice() else {
                return Err(format!("no line of skips: {line}"));
            };
            skips.0.insert((environment.to_owned(), case.to_owned()), why.to_owned());
        }
        Ok(skips)
    }

    /// What a whole run of hull skipped takes the place of what is known of its environment.
    pub(crate) fn take(&mut self, results: &Results) -> Result<(), String> {
        results.must_last()?;
        if results.runtime != RUNTIME {
            return Ok(());
        }
        self.0.retain(|(environment, _), _| *environment != results.environment);
        for case in results.cases.iter().filter(|case| case.judgement == Judgement::Skipped) {
            let why = case.why.split_whitespace().collect::<Vec<_>>().join(" ");
            self.0.insert((results.environment.clone(), case.name.clone()), why);
        }
        Ok(())
    }

    /// Why the case was skipped, when it was skipped in every one of `environments`.
    pub(crate) fn everywhere(&self, case: &str, environments: &[&str]) -> Option<&str> {
        let why = |environment: &&str| self.0.get(&((*environment).to_owned(), case.to_owned())).map(String::as_str);
        let all: Option<Vec<&str>> = environments.iter().map(why).collect();
        all?.first().copied()
    }

    /// Forgets cases that are no more.
    pub(crate) fn keep(&mut self, known: &[String]) {
        self.0.retain(|(_, case), _| known.contains(case));
    }

    /// The cases that stand here.
    #[cfg(test)]
    pub(crate) fn cases(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(|(_, case)| case.as_str())
    }

    pub(crate) fn text(&self) -> String {
        let mut text = HEAD.to_owned();
        for ((environment, case), why) in &self.0 {
            writeln!(text, "{environment}\t{case}\t{why}").unwrap_or_default();
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::Entry;

    fn run(runtime: &str, environment: &str, skipped: &[&str]) -> Results {
        let case = |name: &&str| Entry {
            name: (*name).to_owned(),
            judgement: Judgement::Skipped,
            why: "no such\thardware".to_owned(),
            seen: String::new(),
            transcript: Vec::new(),
        };
        Results {
            runtime: runtime.to_owned(),
            version: "1".to_owned(),
            kernel: "6.12".to_owned(),
            environment: environment.to_owned(),
            whole: true,
            cases: skipped.iter().map(case).collect(),
        }
    }

    #[test]
    fn only_what_is_skipped_everywhere_was_never_run() {
        let mut skips = Skips::default();
        skips.take(&run("hull", "v1", &["a::b", "a::c"])).expect("a whole run");
        skips.take(&run("hull", "v2", &["a::b"])).expect("a whole run");
        assert_eq!(skips.everywhere("a::b", &["v1", "v2"]), Some("no such hardware"));
        assert_eq!(skips.everywhere("a::c", &["v1", "v2"]), None);
        assert_eq!(skips.everywhere("a::c", &["v1"]), Some("no such hardware"));
        assert_eq!(skips.everywhere("a::b", &[]), None);
    }

    #[test]
    fn a_later_run_takes_the_place_of_an_earlier_one_and_peers_do_not_count() {
        let mut skips = Skips::default();
        skips.take(&run("hull", "v1", &["a::b"])).expect("a whole run");
        skips.take(&run("hull", "v1", &["a::c"])).expect("a whole run");
        skips.take(&run("runc", "v1", &["a::d"])).expect("a whole run");
        assert!(skips.cases().eq(["a::c"]));
        assert_eq!(Skips::parse(&skips.text()), Ok(skips));
    }

    #[test]
    fn a_case_that_is_no_more_is_forgotten() {
        let mut skips = Skips::default();
        skips.take(&run("hull", "v1", &["a::b", "a::c"])).expect("a whole run");
        skips.keep(&["a::c".to_owned()]);
        assert!(skips.cases().eq(["a::c"]));
    }

    #[test]
    fn a_filtered_run_tells_nothing() {
        assert!(Skips::default().take(&Results { whole: false, ..run("hull", "v1", &[]) }).is_err());
    }
}
