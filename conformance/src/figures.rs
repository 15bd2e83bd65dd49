//! The figures of the runs that were committed: a line per environment,
//! runtime and section. Plain text, so that a change of them reads as one.

use crate::outcome::Judgement;
use crate::results::Results;
use std::collections::BTreeMap;
use std::fmt::Write;

const HEAD: &str = "# Written by `make compatibility`.\n\
    # environment\truntime\tversion\tkernel\tsection\tpass\tgap\tskip\tfail\n";

/// How many cases went which way.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) pass: usize,
    pub(crate) gap: usize,
    pub(crate) skip: usize,
    pub(crate) fail: usize,
}

/// One runtime in one environment.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Figure {
    pub(crate) version: String,
    pub(crate) kernel: String,
    pub(crate) sections: BTreeMap<String, Counts>,
}

/// By environment and runtime.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Figures(pub(crate) BTreeMap<(String, String), Figure>);

impl Counts {
    fn count(&mut self, judgement: Judgement) {
        *match judgement {
            Judgement::Passed => &mut self.pass,
            Judgement::KnownGap => &mut self.gap,
            Judgement::Skipped => &mut self.skip,
            Judgement::Failed | Judgement::UnexpectedPass => &mut self.fail,
        } += 1;
    }
}

impl Figure {
    pub(crate) fn total(&self) -> Counts {
        self.sections.values().fold(Counts::default(), |sum, one| Counts {
            pass: sum.pass + one.pass,
            gap: sum.gap + one.gap,
            skip: sum.skip + one.skip,
            fail: sum.fail + one.fail,
        })
    }
}

impl Figures {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut figures = Self::default();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let fields: Vec<&str> = line.split('\t').collect();
            let [environment, runtime, version, kernel, section, counts @ ..] = fields.as_slice() else {
                return Err(format!("no line of figures: {line}"));
            };
            let numbers: Result<Vec<usize>, _> = counts.iter().map(|count| count.parse()).collect();
            let Ok(&[pass, gap, skip, fail]) = numbers.as_deref() else {
                return Err(format!("four numbers are wanted: {line}"));
            };
            let figure = figures.0.entry(((*environment).to_owned(), (*runtime).to_owned())).or_default();
            figure.version = (*version).to_owned();
            figure.kernel = (*kernel).to_owned();
            figure.sections.insert((*section).to_owned(), Counts { pass, gap, skip, fail });
        }
        Ok(figures)
    }

    /// What a whole run without a failure found takes the place of what is known of its runtime
    /// in its environment.
    pub(crate) fn take(&mut self, results: &Results) -> Result<(), String> {
        results.must_last()?;
        let mut figure =
            Figure { version: results.version.clone(), kernel: results.kernel.clone(), sections: BTreeMap::new() };
        for case in &results.cases {
            figure.sections.entry(case.section().to_owned()).or_default().count(case.judgement);
        }
        self.0.insert((results.environment.clone(), results.runtime.clone()), figure);
        Ok(())
    }

    pub(crate) fn text(&self) -> String {
        let mut text = HEAD.to_owned();
        for ((environment, runtime), figure) in &self.0 {
            let Figure { version, kernel, sections } = figure;
            for (section, Counts { pass, gap, skip, fail }) in sections {
                writeln!(
                    text,
                    "{environment}\t{runtime}\t{version}\t{kernel}\t{section}\t{pass}\t{gap}\t{skip}\t{fail}"
                )
                .unwrap_or_default();
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::Entry;

    fn results(whole: bool, last: Judgement) -> Results {
        let case = |name: &str, judgement| Entry {
            name: name.to_owned(),
            judgement,
            why: String::new(),
            seen: String::new(),
            transcript: Vec::new(),
        };
        Results {
            runtime: "runc".to_owned(),
            version: "1.2.3".to_owned(),
            kernel: "6.12".to_owned(),
            environment: "v2".to_owned(),
            whole,
            cases: vec![case("a::b", Judgement::Passed), case("a::c", last)],
        }
    }

    #[test]
    fn what_is_written_can_be_read() {
        let mut figures = Figures::default();
        figures.take(&results(true, Judgement::KnownGap)).expect("a whole run");
        let text = figures.text();
        assert!(text.ends_with("v2\trunc\t1.2.3\t6.12\ta\t1\t1\t0\t0\n"), "{text}");
        assert_eq!(Figures::parse(&text), Ok(figures));
    }

    #[test]
    fn a_later_run_takes_the_place_of_an_earlier_one() {
        let mut figures = Figures::parse("v2\trunc\t1.0\t6.1\tgone\t7\t0\t0\t0").expect("figures");
        figures.take(&results(true, Judgement::KnownGap)).expect("a whole run");
        assert_eq!(figures.0.len(), 1);
        assert!(!figures.text().contains("gone"));
    }

    #[test]
    fn a_filtered_or_failed_run_gives_no_figures() {
        assert!(Figures::default().take(&results(false, Judgement::Passed)).is_err());
        assert!(Figures::default().take(&results(true, Judgement::Failed)).is_err());
    }
}
