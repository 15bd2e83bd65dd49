//! Names that say nothing, and names of decisions.

use crate::repo::{Finding, Repo};
use crate::syntax::{identifier, line_of, words};

const EMPTY: &[&str] = &["utils", "util", "common", "helpers", "helper", "misc"];

pub(crate) fn modules_are_named_by_noun(repo: &Repo) -> Vec<Finding> {
    let advice = "name it by what it is about: path, idmap, host";
    let mut findings = Vec::new();
    for file in repo.files() {
        let parts = || file.path.split('/');
        let stem = |part: &str| EMPTY.contains(&part.split('.').next().unwrap_or(part));
        if parts().any(stem) {
            findings.push(file.finding(1, advice));
        }
        let code = file.code();
        for at in words(code, "mod").filter(|at| EMPTY.contains(&identifier(code, at + 3))) {
            findings.push(file.finding(line_of(code, at), advice));
        }
    }
    findings
}

/// docs/adr/NNNN-title.md, each number once.
pub(crate) fn decisions_are_numbered(repo: &Repo) -> Vec<Finding> {
    let mut numbers: Vec<&str> = Vec::new();
    let mut findings = Vec::new();
    for file in repo
        .matching("docs/adr/", "")
        .filter(|file| file.stem() != "README")
    {
        let name = file.path.trim_start_matches("docs/adr/");
        if !is_decision(name) {
            findings.push(file.finding(1, "name a decision NNNN-title-in-lower-case.md"));
        } else if numbers.contains(&&name[..4]) {
            findings.push(file.finding(1, "take the next free number"));
        } else {
            numbers.push(&name[..4]);
        }
    }
    findings
}

fn is_decision(name: &str) -> bool {
    let title = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    name.len() > 8
        && name.is_ascii()
        && name[..4].chars().all(|c| c.is_ascii_digit())
        && name[4..].starts_with('-')
        && name
            .strip_suffix(".md")
            .is_some_and(|stem| stem.chars().all(title))
}

#[cfg(test)]
mod tests {
    use super::{decisions_are_numbered, modules_are_named_by_noun};
    use crate::repo::Repo;

    #[test]
    fn nouns_pass() {
        let repo = Repo::of(&[("crates/spec/src/idmap.rs", "mod path; mod commons {}")]);
        assert!(modules_are_named_by_noun(&repo).is_empty());
    }

    #[test]
    fn empty_words_do_not() {
        let repo = Repo::of(&[
            ("crates/spec/src/utils.rs", ""),
            ("a/lib.rs", "\nmod helpers;"),
        ]);
        assert_eq!(modules_are_named_by_noun(&repo).len(), 2);
    }

    #[test]
    fn decisions_have_one_number_each() {
        let good = Repo::of(&[
            ("docs/adr/0001-one-clone3.md", ""),
            ("docs/adr/README.md", ""),
        ]);
        assert!(decisions_are_numbered(&good).is_empty());
        let bad = [
            "docs/adr/1-x.md",
            "docs/adr/0001-A.md",
            "docs/adr/0002-a.md",
            "docs/adr/0002-b.md",
        ];
        let bad = Repo::of(&bad.map(|path| (path, "")));
        assert_eq!(decisions_are_numbered(&bad).len(), 3);
    }
}
