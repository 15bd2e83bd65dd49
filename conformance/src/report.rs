//! What the driver prints and writes: a line per case, the summary per
//! section, TAP and JUnit XML.

use crate::case::Case;
use crate::gaps::World;
use crate::options::Options;
use crate::outcome::{Expectation, Judgement, Outcome};
use crate::runtime::Runtime;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::time::Duration;

/// A case with its outcome and what the gaps list makes of it.
#[derive(Debug)]
pub(crate) struct Judged {
    pub(crate) case: &'static Case,
    pub(crate) outcome: Outcome,
    pub(crate) judgement: Judgement,
    pub(crate) expected: Expectation,
}

/// What one run of the driver found.
#[derive(Debug)]
pub(crate) struct Run<'r> {
    pub(crate) runtime: &'r Runtime,
    pub(crate) world: World,
    /// Why the runtime does not have this world, if gaps.toml says so.
    pub(crate) missing_world: Option<&'r str>,
    pub(crate) results: &'r [Judged],
    pub(crate) took: Duration,
}

impl Judged {
    /// Why it is more than passed: what was seen, or what gaps.toml says.
    pub(crate) fn why(&self) -> &str {
        match self.judgement {
            Judgement::Passed => "",
            Judgement::Failed | Judgement::Skipped => &self.outcome.detail,
            Judgement::KnownGap => self.expected.reason(),
            Judgement::UnexpectedPass => "gaps.toml expects it to fail",
        }
    }
}

pub(crate) fn list(cases: &[&Case]) {
    for case in cases {
        println!("{} [{}] {}", case.full_name(), case.rule.level.word(), case.rule.text);
    }
    println!("{} cases", cases.len());
}

fn word(judgement: Judgement) -> &'static str {
    match judgement {
        Judgement::Passed => "ok",
        Judgement::Failed => "FAILED",
        Judgement::Skipped => "skip",
        Judgement::KnownGap => "gap",
        Judgement::UnexpectedPass => "UNEXPECTED PASS",
    }
}

pub(crate) fn print_result(result: &Judged, verbose: bool) {
    let mut text = format!("{:<6} {} ({} ms)", word(result.judgement), result.case.full_name(), result.outcome.millis);
    match result.judgement {
        Judgement::Passed => {}
        Judgement::Skipped | Judgement::KnownGap | Judgement::UnexpectedPass => {
            write!(text, ": {}", result.why()).unwrap_or_default();
        }
        Judgement::Failed => {
            write!(text, "\n    rule: {} {}", result.case.rule.level.word(), result.case.rule.text).unwrap_or_default();
            write!(text, "\n    {}", result.why()).unwrap_or_default();
        }
    }
    if verbose || result.judgement == Judgement::Failed {
        for line in result.outcome.transcript.iter().flat_map(|entry| entry.lines()) {
            write!(text, "\n      {line}").unwrap_or_default();
        }
    }
    println!("{text}");
}

/// Prints the table per section; true when all went as expected.
pub(crate) fn summary(options: &Options, run: &Run) -> bool {
    let mut sections: BTreeMap<&str, [usize; 5]> = BTreeMap::new();
    let mut total = [0; 5];
    for result in run.results {
        let column = result.judgement as usize;
        sections.entry(result.case.section()).or_default()[column] += 1;
        total[column] += 1;
    }
    println!("\n{:<22} {:>6} {:>6} {:>6} {:>6} {:>6}", "section", "pass", "fail", "skip", "gap", "u-pass");
    let row = |name: &str, counts: &[usize; 5]| {
        println!("{name:<22} {:>6} {:>6} {:>6} {:>6} {:>6}", counts[0], counts[1], counts[2], counts[3], counts[4]);
    };
    for (section, counts) in &sections {
        row(section, counts);
    }
    row("total", &total);
    println!(
        "{} {} ({}): {} cases in {:.1} s",
        run.runtime.family,
        run.runtime.version_text(),
        run.world.word(),
        run.results.len(),
        run.took.as_secs_f64()
    );
    for result in run.results.iter().filter(|result| !result.judgement.is_as_expected()) {
        println!("{}: {}", word(result.judgement), result.case.full_name());
    }
    run.results.iter().all(|result| result.judgement.is_as_expected()) && the_world_is_as_listed(options, run)
}

/// False when gaps.toml says that the runtime lacks this world, and no case shows it any more.
fn the_world_is_as_listed(options: &Options, run: &Run) -> bool {
    let Some(reason) = run.missing_world else { return true };
    let count = |judgement| run.results.iter().filter(|result| result.judgement == judgement).count();
    let (gaps, passes) = (count(Judgement::KnownGap), count(Judgement::Passed));
    println!("no world {} for {} yet: {reason}", run.world.word(), run.runtime.family);
    println!("{gaps} cases cannot hold without it, {passes} hold all the same");
    if gaps == 0 && options.filters.is_empty() {
        println!("FAILED: gaps.toml lists the whole world, and nothing in it fails: remove its entry");
        return false;
    }
    true
}

pub(crate) fn write_reports(options: &Options, run: &Run) -> Result<(), String> {
    if let Some(file) = &options.tap {
        write(file, &tap(run.results))?;
    }
    if let Some(file) = &options.junit {
        write(file, &junit(run.runtime, run.results))?;
    }
    Ok(())
}

pub(crate) fn write(file: &Path, text: &str) -> Result<(), String> {
    if file == Path::new("-") {
        print!("{text}");
        return Ok(());
    }
    fs::write(file, text).map_err(|error| format!("{}: {error}", file.display()))
}

fn tap(results: &[Judged]) -> String {
    let mut text = format!("TAP version 13\n1..{}\n", results.len());
    for (index, result) in results.iter().enumerate() {
        let ok =
            if result.judgement.is_as_expected() && result.judgement != Judgement::KnownGap { "ok" } else { "not ok" };
        let directive = match result.judgement {
            Judgement::Skipped => format!(" # SKIP {}", one_line(result.why())),
            Judgement::KnownGap => format!(" # TODO {}", one_line(result.why())),
            _ => String::new(),
        };
        writeln!(text, "{ok} {} {}{directive}", index + 1, result.case.full_name()).unwrap_or_default();
        if !result.judgement.is_as_expected() {
            writeln!(text, "# {}", one_line(&result.outcome.detail)).unwrap_or_default();
        }
    }
    text
}

fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ").replace('#', "\\#")
}

fn junit(runtime: &Runtime, results: &[Judged]) -> String {
    let failures = results.iter().filter(|result| !result.judgement.is_as_expected()).count();
    let skipped =
        results.iter().filter(|result| matches!(result.judgement, Judgement::Skipped | Judgement::KnownGap)).count();
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let name = escaped(&runtime.family);
    writeln!(
        text,
        "<testsuite name=\"conformance.{name}\" tests=\"{}\" failures=\"{failures}\" skipped=\"{skipped}\">",
        results.len()
    )
    .unwrap_or_default();
    for result in results {
        let seconds = format!("{}.{:03}", result.outcome.millis / 1000, result.outcome.millis % 1000);
        write!(
            text,
            "  <testcase classname=\"{}\" name=\"{}\" time=\"{seconds}\">",
            result.case.section(),
            result.case.name
        )
        .unwrap_or_default();
        let detail = escaped(&result.outcome.detail);
        match result.judgement {
            Judgement::Passed => {}
            Judgement::Skipped => write!(text, "<skipped message=\"{detail}\"/>").unwrap_or_default(),
            Judgement::KnownGap => {
                write!(text, "<skipped message=\"gap: {}\"/>", escaped(result.expected.reason())).unwrap_or_default()
            }
            Judgement::UnexpectedPass => {
                write!(text, "<failure message=\"passes, though gaps.toml expects a failure\"/>").unwrap_or_default()
            }
            Judgement::Failed => {
                write!(
                    text,
                    "<failure message=\"{detail}\">{}</failure>",
                    escaped(&result.outcome.transcript.join("\n"))
                )
                .unwrap_or_default();
            }
        }
        text.push_str("</testcase>\n");
    }
    text.push_str("</testsuite>\n");
    text
}

fn escaped(text: &str) -> String {
    let mut safe = String::new();
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\n' | '\t' => safe.push(c),
            c if c.is_control() => safe.push('?'),
            c => safe.push(c),
        }
    }
    safe
}
