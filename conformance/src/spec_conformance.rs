//! docs/spec-conformance.md: every demand of the runtime-spec (rows.toml, sections 1 to 8), the
//! cases that check it, and how hull stands. A test holds the document to its sources.

use crate::case::{self, Case};
use crate::compatibility::limits;
use crate::coverage::{self, Row};
use crate::figures::Figures;
use crate::gaps::{Gap, Gaps};
use crate::options::Options;
use crate::results;
use crate::skips::Skips;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;

const RUNTIME: &str = "hull";

/// The first part of a row's id, and what the rows are about.
const SECTIONS: [(&str, &str); 8] = [
    ("1", "Rules that hold for every property"),
    ("2", "runtime.md, runtime-linux.md, bundle.md: the life of a container"),
    ("3", "config.md"),
    ("4", "config-linux.md: file systems, namespaces, devices"),
    ("5", "config-linux.md: cgroups"),
    ("6", "config-linux.md: the rest"),
    ("7", "features.md, features-linux.md"),
    ("8", "The order of checking and of applying"),
];

const HEAD: &str = "\
# Conformance with the runtime-spec

Every demand of runtime-spec 1.3.0, the cases of the suite that check it, and how hull stands. Written by
`make compatibility` from `conformance/rows.toml`, the rules of the cases, `conformance/gaps.toml`, and what the
committed runs skipped (`conformance/skips.tsv`); a unit test fails when it is stale. The case `devices::NAME` is in
`conformance/src/cases/devices.rs`; `sudo make conformance ARGS='--filter NAME'` runs it.

- **holds**: every case of the demand passes in every environment of [compatibility.md](compatibility.md) that hull is
  made for so far: there it also says which are not yet.
- **gap**: what hull does not do yet, and why; every other case of that demand passes.
- **never run**: no environment so far has what the demand, or the case named, needs; so nothing is claimed.
- **no case**: a demand that cannot be shown from outside says why.
";

/// All that the document is made from.
struct Sources {
    rows: Vec<Row>,
    gaps: Vec<Gap>,
    skips: Skips,
    /// Where hull was run, but for the worlds that it does not have.
    environments: Vec<String>,
}

/// How hull stands with one demand.
#[derive(Debug, PartialEq, Eq)]
enum Standing {
    Holds,
    /// What lacks, in words.
    Gap(String),
    NeverRun(String),
    NoCase(String),
}

/// Takes the results given into the skips and writes the document.
pub(crate) fn write(document: &Path, options: &Options) -> Result<bool, String> {
    let needs = "--spec-conformance needs --figures FILE and --skips FILE";
    let (Some(figures), Some(file)) = (&options.figures, &options.skips) else { return Err(needs.to_owned()) };
    let mut skips = Skips::parse(&fs::read_to_string(file).unwrap_or_default())?;
    for input in &options.inputs {
        if let Err(why) = skips.take(&results::read(input)?) {
            println!("left out {}: {why}", input.display());
        }
    }
    skips.keep(&known_cases());
    let figures = Figures::parse(&fs::read_to_string(figures).unwrap_or_default())?;
    let skipped = skips.text();
    let text = render(&Sources::committed(&figures, skips)?);
    for (path, text) in [(file.as_path(), &skipped), (document, &text)] {
        fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(true)
}

fn known_cases() -> Vec<String> {
    case::all().iter().map(|case| case.full_name()).collect()
}

impl Sources {
    fn committed(figures: &Figures, skips: Skips) -> Result<Self, String> {
        let mut gaps = Gaps::committed()?;
        gaps.retain(|gap| gap.runtime == RUNTIME);
        let missing = |environment: &str| {
            gaps.iter().any(|gap| gap.is_whole_world() && gap.world.iter().any(|world| world.word() == environment))
        };
        let judged = figures.0.keys().filter(|(environment, runtime)| runtime == RUNTIME && !missing(environment));
        let environments = judged.map(|(environment, _)| environment.clone()).collect();
        Ok(Self { rows: coverage::rows()?, gaps, skips, environments })
    }

    /// Why no environment ran the case.
    fn never_run(&self, case: &str) -> Option<&str> {
        let environments: Vec<&str> = self.environments.iter().map(String::as_str).collect();
        self.skips.everywhere(case, &environments)
    }

    fn standing(&self, row: &Row, cases: &[&Case]) -> Standing {
        if cases.is_empty() {
            return Standing::NoCase(row.untestable.clone().unwrap_or_else(|| "to be written".to_owned()));
        }
        let mut lacks = Reasons::default();
        let mut unrun = Reasons::default();
        for case in cases {
            let name = case.full_name();
            if let Some(gap) = self.gaps.iter().find(|gap| gap.case == name) {
                lacks.add(&(gap.reason.clone() + &limits(gap)), name);
            } else if let Some(why) = self.never_run(&name) {
                unrun.add(why, name);
            }
        }
        match (lacks.0.is_empty(), unrun.0.is_empty()) {
            (true, true) => row.unproved.clone().map_or(Standing::Holds, Standing::NeverRun),
            (true, false) => Standing::NeverRun(unrun.words(cases.len())),
            (false, _) => Standing::Gap(lacks.words(cases.len())),
        }
    }
}

/// Reasons, each with the cases it is of.
#[derive(Default)]
struct Reasons(BTreeMap<String, Vec<String>>);

impl Reasons {
    fn add(&mut self, why: &str, case: String) {
        self.0.entry(why.to_owned()).or_default().push(case);
    }

    /// The reasons in words; the cases are named where they are not all of the row's.
    fn words(&self, all: usize) -> String {
        let named = |(why, cases): (&String, &Vec<String>)| match cases.len() == all {
            true => why.clone(),
            false => format!("{why} ({})", names(cases)),
        };
        self.0.iter().map(named).collect::<Vec<_>>().join("; ")
    }
}

fn names(cases: &[String]) -> String {
    cases.iter().map(|case| format!("`{case}`")).collect::<Vec<_>>().join(", ")
}

/// One demand, its cases, and how hull stands with it.
struct Judged<'s> {
    row: &'s Row,
    cases: Vec<&'static Case>,
    standing: Standing,
}

fn render(sources: &Sources) -> String {
    let all = case::all();
    let judge = |row| {
        let cases: Vec<&Case> = all.iter().filter(|case| names_row(case, row)).copied().collect();
        let standing = sources.standing(row, &cases);
        Judged { row, cases, standing }
    };
    let judged: Vec<Judged> = sources.rows.iter().map(judge).collect();
    let mut text = HEAD.to_owned();
    summary(&mut text, &judged);
    for (number, title) in SECTIONS {
        writeln!(text, "\n## {title}\n\n| property | demand | cases | hull |\n|---|---|---|---|").unwrap_or_default();
        for one in judged.iter().filter(|one| section(one.row) == number) {
            line(&mut text, one);
        }
    }
    text
}

fn names_row(case: &Case, row: &Row) -> bool {
    case.rule.rows.contains(&row.id.as_str())
}

fn section(row: &Row) -> &str {
    row.id.split('.').next().unwrap_or_default()
}

/// How many demands of each section stand how.
fn summary(text: &mut String, judged: &[Judged]) {
    text.push_str("\n| section | demands | hold | gap | never run | no case |\n|---|---:|---:|---:|---:|---:|\n");
    for (number, title) in SECTIONS {
        let own = judged.iter().filter(|one| section(one.row) == number);
        let own: Vec<&Standing> = own.map(|one| &one.standing).collect();
        let count = |wanted: fn(&Standing) -> bool| own.iter().filter(|standing| wanted(standing)).count();
        writeln!(
            text,
            "| {title} | {} | {} | {} | {} | {} |",
            own.len(),
            count(|standing| matches!(standing, Standing::Holds)),
            count(|standing| matches!(standing, Standing::Gap(_))),
            count(|standing| matches!(standing, Standing::NeverRun(_))),
            count(|standing| matches!(standing, Standing::NoCase(_))),
        )
        .unwrap_or_default();
    }
}

fn line(text: &mut String, judged: &Judged) {
    // A title is the property, a colon, and the demand; `–` stands for a demand of hull's own.
    let title = judged.row.title.replace('<', "&lt;");
    let (property, demand) = title.split_once(": ").unwrap_or((&title, ""));
    let cases: Vec<String> = judged.cases.iter().map(|case| format!("`{}`", case.full_name())).collect();
    let stands = match &judged.standing {
        Standing::Holds => "holds".to_owned(),
        Standing::Gap(why) => format!("**gap**: {why}"),
        Standing::NeverRun(why) => format!("**never run**: {why}"),
        Standing::NoCase(why) => format!("**no case**: {why}"),
    };
    let cells = [property, demand, &cases.join("<br>"), &stands].map(cell);
    writeln!(text, "| {} |", cells.join(" | ")).unwrap_or_default();
}

/// What would end a cell, or the table, does not.
fn cell(words: &str) -> String {
    words.replace('|', "\\|").replace('*', "\\*").replace("\\*\\*", "**").replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn committed(path: &str) -> String {
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect("a file of this repository")
    }

    #[test]
    fn the_committed_document_agrees_with_its_sources() {
        let figures = Figures::parse(&committed("figures.tsv")).expect("figures");
        let skips = Skips::parse(&committed("skips.tsv")).expect("skips");
        let fresh = render(&Sources::committed(&figures, skips).expect("sources"));
        let stale = committed("../docs/spec-conformance.md") != fresh;
        assert!(!stale, "docs/spec-conformance.md is stale: run `make compatibility`");
    }

    #[test]
    fn every_row_of_the_spec_stands_in_a_section() {
        for row in coverage::rows().expect("rows") {
            let known = SECTIONS.iter().any(|(number, _)| *number == section(&row));
            // Rows of the contracts with callers begin with a c, those of the threat model with a T.
            assert_ne!(known, row.id.starts_with(['c', 'T']), "{}", row.id);
        }
    }

    fn sources(gaps: Vec<Gap>, skips: &str) -> Sources {
        let skips = Skips::parse(skips).expect("skips");
        Sources { rows: Vec::new(), gaps, skips, environments: vec!["v1".to_owned()] }
    }

    fn gap(case: &str) -> Gap {
        Gap {
            runtime: RUNTIME.to_owned(),
            case: case.to_owned(),
            reason: "not yet".to_owned(),
            below: None,
            from: None,
            seen: None,
            world: Vec::new(),
            sometimes: false,
        }
    }

    #[test]
    fn a_demand_stands_as_its_worst_case_does() {
        let row = |untestable: Option<&str>| Row {
            id: "1.a".to_owned(),
            title: "a: b".to_owned(),
            untestable: untestable.map(str::to_owned),
            unproved: None,
        };
        let cases: Vec<&Case> = case::all().into_iter().take(2).collect();
        let names: Vec<String> = cases.iter().map(|case| case.full_name()).collect();
        let skipped = format!("v1\t{}\tno hardware", names[1]);
        let stand = |gaps, skips| sources(gaps, skips).standing(&row(None), &cases);
        assert_eq!(stand(vec![], ""), Standing::Holds);
        let unproved = Row { unproved: Some("unseen".to_owned()), ..row(None) };
        assert_eq!(sources(vec![], "").standing(&unproved, &cases), Standing::NeverRun("unseen".to_owned()));
        assert_eq!(stand(vec![], &skipped), Standing::NeverRun(format!("no hardware (`{}`)", names[1])));
        assert_eq!(stand(vec![gap(&names[0])], &skipped), Standing::Gap(format!("not yet (`{}`)", names[0])));
        assert_eq!(stand(vec![gap(&names[0]), gap(&names[1])], ""), Standing::Gap("not yet".to_owned()));
        let without = |why| sources(vec![], "").standing(&row(why), &[]);
        assert_eq!(without(Some("unseen")), Standing::NoCase("unseen".to_owned()));
        assert_eq!(without(None), Standing::NoCase("to be written".to_owned()));
    }

    #[test]
    fn every_skip_names_a_case() {
        let skips = Skips::parse(&committed("skips.tsv")).expect("skips");
        let known = known_cases();
        let unknown: Vec<&str> = skips.cases().filter(|case| !known.iter().any(|name| name == case)).collect();
        assert!(unknown.is_empty(), "run `make compatibility`, which forgets {unknown:?}");
    }
}
