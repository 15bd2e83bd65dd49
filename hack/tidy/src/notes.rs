//! Notes that the author owes the reader: why an exception, which issue, why a gap.

use crate::repo::{Finding, Repo};
use crate::syntax::{closing, line_of, words};

pub(crate) fn exceptions_have_a_reason(repo: &Repo) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in repo.matching("", ".rs") {
        let code = file.code();
        for level in ["allow", "expect"] {
            for at in words(code, level).filter(|&at| is_attribute(code, at)) {
                let open = at + level.len();
                if !code[open..closing(code, open)].contains("reason") {
                    let advice = format!("say why: #[{level}(..., reason = \"...\")]");
                    findings.push(file.finding(line_of(code, at), advice));
                }
            }
        }
    }
    findings
}

/// `#[allow(`, `#![allow(`, or one inside `cfg_attr(..., allow(`; not a method of that name.
fn is_attribute(code: &str, at: usize) -> bool {
    let before = code[..at].trim_end();
    let in_cfg_attr = || {
        let line = before
            .rfind('\n')
            .map_or(before, |newline| &before[newline..]);
        line.contains("cfg_attr(") && before.ends_with(',')
    };
    before.ends_with("#[") || before.ends_with("#![") || in_cfg_attr()
}

pub(crate) fn todos_name_an_issue(repo: &Repo) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in repo.files().filter(|file| !file.path.ends_with(".md")) {
        let rust = file.path.ends_with(".rs");
        let text = if rust {
            file.comments()
        } else {
            file.text.as_str()
        };
        for (index, line) in text.lines().enumerate() {
            let note = if rust { line } else { shell_comment(line) };
            if MARKS.iter().any(|mark| unnumbered(note, mark)) {
                let advice = "open an issue and name it: TODO(#12)";
                findings.push(file.finding(index + 1, advice));
            }
        }
    }
    findings
}

/// What follows the first `#` that begins a word outside quotes.
fn shell_comment(line: &str) -> &str {
    let mut hashes = line.match_indices('#').map(|(at, _)| at);
    let begins = |at: &usize| {
        let before = &line[..*at];
        let quoted = |quote| before.matches(quote).count() % 2 == 1;
        (before.is_empty() || before.ends_with([' ', '\t'])) && !quoted('"') && !quoted('\'')
    };
    hashes.find(begins).map_or("", |at| &line[at + 1..])
}

const MARKS: &[&str] = &["TODO", "FIXME", "XXX"];

fn unnumbered(note: &str, mark: &str) -> bool {
    words(note, mark).any(|at| {
        let rest = note[at + mark.len()..].trim_start_matches([' ', '(']);
        !rest
            .strip_prefix('#')
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    })
}

/// Each entry of an expected-failures list says why it is expected.
pub(crate) fn gaps_have_a_reason(repo: &Repo) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in repo.matching("conformance/", "gaps.toml") {
        let mut entry: Option<usize> = None;
        let mut reasoned = true;
        let lines = file
            .text
            .lines()
            .map(str::trim)
            .chain(std::iter::once("[["));
        for (index, line) in lines.enumerate() {
            if line.starts_with("[[") {
                if let Some(start) = entry.replace(index + 1).filter(|_| !reasoned) {
                    findings.push(file.finding(start, "add reason = \"...\" to this gap"));
                }
                reasoned = false;
            }
            reasoned |= line.starts_with("reason") && !line.ends_with("\"\"");
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::{exceptions_have_a_reason, gaps_have_a_reason, todos_name_an_issue};
    use crate::repo::Repo;

    #[test]
    fn reasons_are_asked_of_attributes_only() {
        let good =
            "#[allow(dead_code, reason = \"x\")]\nfn f() { a.expect(\"b\"); // #[allow(x)]\n}";
        assert!(exceptions_have_a_reason(&Repo::of(&[("a.rs", good)])).is_empty());
        let bad = "\n#[allow(dead_code)]\n#![expect(x)]\n#[cfg_attr(test, allow(y))]";
        let findings = exceptions_have_a_reason(&Repo::of(&[("a.rs", bad)]));
        let lines: Vec<_> = findings.iter().map(|finding| finding.line).collect();
        assert_eq!(lines, [2, 4, 3]);
    }

    #[test]
    fn a_todo_has_a_number() {
        let good = [
            ("a.rs", "// TODO(#12): x\nlet TODO = 1;"),
            ("b.sh", "# TODO #3 x\necho TODO '# TODO' \" # TODO\""),
        ];
        assert!(todos_name_an_issue(&Repo::of(&good)).is_empty());
        let bad = [("a.rs", "\n// TODO: x"), ("b.sh", "ls # FIXME later")];
        assert_eq!(todos_name_an_issue(&Repo::of(&bad)).len(), 2);
    }

    #[test]
    fn a_gap_has_a_reason() {
        let good = "[[gap]]\ncase = \"a\"\nreason = \"b\"\n";
        assert!(gaps_have_a_reason(&Repo::of(&[("conformance/gaps.toml", good)])).is_empty());
        let bad = format!("{good}[[gap]]\ncase = \"c\"\n{good}[[gap]]\nreason = \"\"\n");
        let findings = gaps_have_a_reason(&Repo::of(&[("conformance/gaps.toml", &bad)]));
        assert_eq!(
            findings
                .iter()
                .map(|finding| finding.line)
                .collect::<Vec<_>>(),
            [4, 9]
        );
    }
}
