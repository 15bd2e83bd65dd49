//! docs/compatibility.md: what the committed runs found, per environment and
//! section, and every entry of gaps.toml. A test holds the document to both.

use crate::figures::{Counts, Figures};
use crate::gaps::{Gap, Gaps};
use crate::options::Options;
use crate::results;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::Path;

/// The environments in the order of the document, with what they are.
const ENVIRONMENTS: [(&str, &str); 5] = [
    ("v1", "cgroup v1 beside v2 (hybrid), as root"),
    ("v2-view", "the same machine, whose cgroup v2 hierarchy alone is seen, as root"),
    ("v2", "cgroup v2 and systemd, cgroups made by the runtime itself, as root"),
    ("systemd", "the same machine, cgroups made by systemd (`--systemd-cgroup`), as root"),
    ("rootless", "the same machine, as an ordinary user with a session of systemd"),
];

/// The runtimes in the order of the document.
const RUNTIMES: [&str; 4] = ["hull", "runc", "crun", "youki"];

const HEAD: &str = "\
# Compatibility

Written by `make compatibility` from `conformance/figures.tsv`, the figures of the runs that were committed, and from
`conformance/gaps.toml`. The suite fails when a case fails that is no gap, and when a gap passes; so what is listed here
is what each runtime does otherwise, at the version named. How to run it: [testing.md](testing.md).

- **pass**: the case holds.
- **gap**: it does not, and gaps.toml says why; the reasons are below.
- **skip**: the machine or the environment lacks what the case needs.
- **fail**: neither; such a run is a failure.
";

/// What no environment has.
const NEVER_RUN: &str = "
None of them has SELinux, a mounted resctrl, an RDMA device or hardware of its own on the network. What hull writes there
is held by unit tests alone and was never exercised: `process.selinuxLabel` and `linux.mountLabel`; `linux.intelRdt`, on
directories that stand for resctrl; `linux.resources.rdma`; `linux.netDevices` with anything but veth devices and bridges.
Where the machine lacks them they are refused, and cases show that.
";

/// Takes the results given into the figures and writes the document.
pub(crate) fn write(document: &Path, options: &Options) -> Result<bool, String> {
    let file = options.figures.as_deref().ok_or("--compatibility needs --figures FILE")?;
    let known = fs::read_to_string(file).unwrap_or_default();
    let mut figures = Figures::parse(&known)?;
    for input in &options.inputs {
        if let Err(why) = figures.take(&results::read(input)?) {
            println!("left out {}: {why}", input.display());
        }
    }
    let text = render(&figures, &Gaps::committed()?);
    for (path, text) in [(file, &figures.text()), (document, &text)] {
        fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(true)
}

fn render(figures: &Figures, gaps: &[Gap]) -> String {
    let mut text = HEAD.to_owned();
    text.push_str("\n## Environments\n\n| environment | what it is |\n|---|---|\n");
    for (name, what) in ENVIRONMENTS {
        writeln!(text, "| {name} | {what} |").unwrap_or_default();
    }
    text.push_str(NEVER_RUN);
    totals(&mut text, figures, gaps);
    for (name, _) in ENVIRONMENTS {
        sections(&mut text, figures, name);
    }
    for runtime in RUNTIMES {
        list(&mut text, runtime, gaps);
    }
    text
}

fn totals(text: &mut String, figures: &Figures, gaps: &[Gap]) {
    text.push_str("\n## Totals\n\n| environment | runtime | version | kernel | pass | gap | skip | fail | |\n");
    text.push_str("|---|---|---|---|---:|---:|---:|---:|---|\n");
    for (environment, _) in ENVIRONMENTS {
        for runtime in RUNTIMES {
            let Some(figure) = figures.0.get(&(environment.to_owned(), runtime.to_owned())) else { continue };
            let Counts { pass, gap, skip, fail } = figure.total();
            let whole = |gap: &&Gap| {
                let here = gap.world.iter().any(|world| world.word() == environment);
                gap.runtime == runtime && gap.is_whole_world() && here
            };
            let note = gaps.iter().find(whole).map_or("", |gap| gap.reason.as_str());
            writeln!(
                text,
                "| {environment} | {runtime} | {} | {} | {pass} | {gap} | {skip} | {fail} | {note} |",
                figure.version, figure.kernel
            )
            .unwrap_or_default();
        }
    }
}

/// The table of one environment: a row per section, a column per runtime.
fn sections(text: &mut String, figures: &Figures, environment: &str) {
    let judged: Vec<_> = RUNTIMES
        .iter()
        .filter_map(|runtime| Some((runtime, figures.0.get(&(environment.to_owned(), (*runtime).to_owned()))?)))
        .collect();
    if judged.is_empty() {
        return;
    }
    let names: Vec<String> = judged.iter().map(|(runtime, figure)| format!("{runtime} {}", figure.version)).collect();
    writeln!(text, "\n## Sections, {environment}\n\nEach cell: pass / gap / skip / fail.\n").unwrap_or_default();
    writeln!(text, "| section | {} |\n|---|{}", names.join(" | "), "---|".repeat(names.len())).unwrap_or_default();
    let all: BTreeSet<&String> = judged.iter().flat_map(|(_, figure)| figure.sections.keys()).collect();
    for section in all {
        let cells: Vec<String> = judged.iter().map(|(_, figure)| cell(figure.sections.get(section))).collect();
        writeln!(text, "| {section} | {} |", cells.join(" | ")).unwrap_or_default();
    }
}

fn cell(counts: Option<&Counts>) -> String {
    counts
        .map_or_else(|| "–".to_owned(), |Counts { pass, gap, skip, fail }| format!("{pass} / {gap} / {skip} / {fail}"))
}

fn list(text: &mut String, runtime: &str, gaps: &[Gap]) {
    let mut own: Vec<&Gap> = gaps.iter().filter(|gap| gap.runtime == runtime).collect();
    if own.is_empty() {
        return;
    }
    own.sort_by(|one, other| (&one.case, &one.world).cmp(&(&other.case, &other.world)));
    writeln!(text, "\n## Gaps of {runtime}\n").unwrap_or_default();
    for gap in own {
        let name = match &gap.seen {
            Some(words) => format!("**any case** that shows `{words}`"),
            None if gap.is_whole_world() => "**every case**".to_owned(),
            None => format!("`{}`", gap.case),
        };
        writeln!(text, "- {name}{}: {}", limits(gap), gap.reason).unwrap_or_default();
    }
}

/// Where and when the entry holds, in parentheses.
pub(crate) fn limits(gap: &Gap) -> String {
    let worlds: Vec<&str> = gap.world.iter().map(|world| world.word()).collect();
    let mut words = Vec::new();
    if !worlds.is_empty() {
        words.push(worlds.join(", "));
    }
    words.extend(gap.from.as_ref().map(|version| format!("from {version}")));
    words.extend(gap.below.as_ref().map(|version| format!("below {version}")));
    words.extend(gap.sometimes.then(|| "sometimes".to_owned()));
    if words.is_empty() { String::new() } else { format!(" ({})", words.join("; ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn committed(path: &str) -> String {
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect("a file of this repository")
    }

    #[test]
    fn the_committed_document_agrees_with_the_figures_and_the_gaps() {
        let figures = Figures::parse(&committed("figures.tsv")).expect("figures");
        let fresh = render(&figures, &Gaps::committed().expect("gaps"));
        let stale = committed("../docs/compatibility.md") != fresh;
        assert!(!stale, "docs/compatibility.md is stale: run `make compatibility`");
    }

    #[test]
    fn the_committed_figures_are_of_runs_without_a_failure() {
        let figures = Figures::parse(&committed("figures.tsv")).expect("figures");
        for (key, figure) in &figures.0 {
            assert_eq!(figure.total().fail, 0, "{key:?}");
            assert!(ENVIRONMENTS.iter().any(|(name, _)| *name == key.0) && RUNTIMES.contains(&key.1.as_str()));
        }
    }

    #[test]
    fn an_entry_says_where_it_holds() {
        let gap = |world, below: Option<&str>, sometimes| Gap {
            runtime: "runc".to_owned(),
            case: "a::b".to_owned(),
            reason: "why".to_owned(),
            below: below.map(str::to_owned),
            from: None,
            seen: None,
            world,
            sometimes,
        };
        let mut text = String::new();
        let worlds = vec![crate::gaps::World::V2, crate::gaps::World::Systemd];
        list(&mut text, "runc", &[gap(worlds, Some("1.2"), false), gap(vec![], None, true)]);
        assert!(text.contains("- `a::b` (v2, systemd; below 1.2): why\n"), "{text}");
        assert!(text.contains("- `a::b` (sometimes): why\n"), "{text}");
    }
}
