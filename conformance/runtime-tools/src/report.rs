//! What the runner prints and writes: a line per program with its failures,
//! the total, and TAP with a line per test.

use crate::account::{Assertion, Mark};
use crate::checkout::Checkout;
use crate::program::Outcome;
use crate::runtime::Runtime;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::time::Duration;

/// Enough of the notes of a failing test, and of what a failing program said on stderr.
const NOTES: usize = 12;

/// A program with its outcome, after gaps.toml was consulted.
#[derive(Debug)]
pub(crate) struct Judged {
    pub(crate) program: String,
    pub(crate) outcome: Outcome,
    /// Tests that gaps.toml lists and that did not come.
    pub(crate) absent: Vec<String>,
}

/// How many tests have which mark.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Counts {
    passed: usize,
    failed: usize,
    skipped: usize,
    /// Expected failures, by the program or by gaps.toml.
    expected: usize,
}

pub(crate) fn list(programs: &[&String]) {
    for program in programs {
        println!("{program}");
    }
    println!("{} programs", programs.len());
}

pub(crate) fn warn_of_checkout(checkout: &Checkout, unknown: &[&str]) {
    if !checkout.unbuilt.is_empty() {
        eprintln!("runtime-tools: warning: not built, so not run: {}", checkout.unbuilt.join(", "));
    }
    if !unknown.is_empty() {
        eprintln!("runtime-tools: warning: listed in gaps.toml, not in this checkout: {}", unknown.join(", "));
    }
}

pub(crate) fn print_result(judged: &Judged, verbose: bool) {
    print!("{}", text_of(judged, verbose));
}

fn text_of(judged: &Judged, verbose: bool) -> String {
    let Judged { program, outcome, absent } = judged;
    let seconds = outcome.took.as_secs_f64();
    let mut text = format!("{:<6} {program}: {} ({seconds:.1} s)\n", word(judged), Counts::of([judged]));
    let mut line = |indent: usize, words: &str| writeln!(text, "{:indent$}{words}", "").unwrap_or_default();
    for assertion in &outcome.account.assertions {
        if let Some(words) = explained(assertion) {
            line(4, &words);
        }
        if assertion.mark == Mark::Failed {
            assertion.notes.iter().take(NOTES).for_each(|note| line(8, note));
        }
    }
    absent.iter().for_each(|test| line(4, &format!("warning: gaps.toml lists \"{test}\", which did not come")));
    outcome.left.iter().for_each(|thing| line(4, &format!("left behind: {thing}")));
    if verbose {
        outcome.stdout.lines().for_each(|words| line(4, &format!("stdout: {words}")));
    }
    if verbose || outcome.account.has_failed() {
        let lines: Vec<&str> = outcome.stderr.lines().collect();
        let beginning = if verbose { 0 } else { lines.len().saturating_sub(NOTES) };
        lines[beginning..].iter().for_each(|words| line(4, &format!("stderr: {words}")));
    }
    text
}

fn word(judged: &Judged) -> &'static str {
    let account = &judged.outcome.account;
    if account.has_failed() {
        "FAILED"
    } else if account.is_skipped() {
        "skip"
    } else if account.count(|mark| matches!(mark, Mark::Gap(_))) > 0 {
        "gap"
    } else {
        "ok"
    }
}

/// The line of a test that did not simply pass.
fn explained(Assertion { description, mark, .. }: &Assertion) -> Option<String> {
    match mark {
        Mark::Passed => None,
        Mark::Failed => Some(format!("not ok: {description}")),
        Mark::Skipped(reason) => Some(format!("skipped: {description}: {reason}")),
        Mark::Todo(reason) => Some(format!("to do: {description}: {reason}")),
        Mark::Gap(reason) => Some(format!("gap: {description}: {reason}")),
    }
}

/// Prints the total; true when all went as expected.
pub(crate) fn summary(runtime: &Runtime, results: &[Judged], took: Duration) -> bool {
    let programs = |wanted: &str| results.iter().filter(|judged| word(judged) == wanted).count();
    println!(
        "\n{}, {} programs: {} ok, {} failed, {} skipped, {} with gaps; their tests: {}; {:.1} s",
        runtime.family,
        results.len(),
        programs("ok"),
        programs("FAILED"),
        programs("skip"),
        programs("gap"),
        Counts::of(results),
        took.as_secs_f64()
    );
    let failed = results.iter().filter(|judged| judged.outcome.account.has_failed());
    failed.clone().for_each(|judged| println!("FAILED: {}", judged.program));
    failed.count() == 0
}

pub(crate) fn write_tap(file: Option<&Path>, results: &[Judged]) -> Result<(), String> {
    match file {
        None => Ok(()),
        Some(file) if file == Path::new("-") => {
            print!("{}", tap(results));
            Ok(())
        }
        Some(file) => fs::write(file, tap(results)).map_err(|error| format!("{}: {error}", file.display())),
    }
}

fn tap(results: &[Judged]) -> String {
    let tests =
        results.iter().flat_map(|judged| judged.outcome.account.assertions.iter().map(move |test| (judged, test)));
    let mut text = format!("TAP version 13\n1..{}\n", tests.clone().count());
    for (index, (judged, Assertion { description, mark, .. })) in tests.enumerate() {
        let (verdict, directive) = match mark {
            Mark::Passed => ("ok", String::new()),
            Mark::Failed => ("not ok", String::new()),
            Mark::Skipped(reason) => ("ok", format!(" # SKIP {}", one_line(reason))),
            Mark::Todo(reason) | Mark::Gap(reason) => ("not ok", format!(" # TODO {}", one_line(reason))),
        };
        let description = one_line(description);
        writeln!(text, "{verdict} {} {}: {description}{directive}", index + 1, judged.program).unwrap_or_default();
    }
    text
}

fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ").replace('#', "\\#")
}

impl Counts {
    fn of<'a>(results: impl IntoIterator<Item = &'a Judged>) -> Self {
        let mut counts = Self::default();
        for assertion in results.into_iter().flat_map(|judged| &judged.outcome.account.assertions) {
            match assertion.mark {
                Mark::Passed => counts.passed += 1,
                Mark::Failed => counts.failed += 1,
                Mark::Skipped(_) => counts.skipped += 1,
                Mark::Todo(_) | Mark::Gap(_) => counts.expected += 1,
            }
        }
        counts
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)?;
        if self.expected > 0 {
            write!(f, ", {} expected to fail", self.expected)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Judged, tap, text_of};
    use crate::account::{Account, Ending};
    use crate::program::Outcome;
    use crate::tap::Document;
    use std::time::Duration;

    fn judged(output: &str, status: i32) -> Judged {
        let outcome = Outcome {
            account: Account::of(Document::read(output), Ending::Status(status)),
            stdout: output.to_owned(),
            stderr: "it said\nthis\n".to_owned(),
            left: vec!["container c1".to_owned()],
            took: Duration::from_millis(1260),
        };
        Judged { program: "a/a.t".to_owned(), outcome, absent: vec![] }
    }

    #[test]
    fn a_line_tells_the_counts_and_the_next_ones_what_failed() {
        let text = text_of(&judged("1..3\nok 1 - a\nnot ok 2 - b\n  ---\n  why: c\n  ...\nok 3 # SKIP d\n", 1), false);
        let expected = "FAILED a/a.t: 1 passed, 1 failed, 1 skipped (1.3 s)\n    not ok: b\n        why: c\n    \
                        skipped: test 3: d\n    left behind: container c1\n    stderr: it said\n    stderr: this\n";
        assert_eq!(text, expected);
        let good = text_of(&judged("1..1\nok 1 - a\n", 0), false);
        assert_eq!(good, "ok     a/a.t: 1 passed, 0 failed, 0 skipped (1.3 s)\n    left behind: container c1\n");
        assert!(text_of(&judged("1..1\nok 1 - a\n", 0), true).contains("    stdout: ok 1 - a\n"));
    }

    #[test]
    fn the_tap_of_all_has_a_line_for_each_test_and_each_broken_program() {
        let results = [judged("1..3\nok 1 - a #1\nnot ok 2 # TODO b\nok 3 # SKIP c\n", 0), judged("ok 1 - d\n", 2)];
        let expected = "TAP version 13\n1..5\nok 1 a/a.t: a \\#1\nnot ok 2 a/a.t: test 2 # TODO b\nok 3 a/a.t: test 3 # SKIP c\n\
                        ok 4 a/a.t: d\nnot ok 5 a/a.t: no plan: 1 tests came; exit status 2\n";
        assert_eq!(tap(&results), expected);
        assert!(Document::read(&tap(&results)).problems.is_empty());
    }
}
