//! The documents agree with the repository: verbs, links and files that they name.

use crate::repo::{File, Finding, Repo};

/// Each verb is a file of this folder, named as the verb.
const VERBS: &str = "crates/hull/src/verbs/";

/// Folders whose files a document may name between backticks.
const FOLDERS: &[&str] = &[
    "crates/",
    "conformance/",
    "hack/",
    "docs/",
    ".ci/",
    ".github/",
];

pub(crate) fn readme_lists_every_verb(repo: &Repo) -> Vec<Finding> {
    let Some(readme) = repo.file("README.md") else {
        return Vec::new();
    };
    let listed = |verb: &str| {
        let forms = [
            format!("`{verb}`"),
            format!("`{verb} "),
            format!("`hull {verb}"),
        ];
        let is_row = |line: &&str| line.trim_start().starts_with('|');
        readme
            .text
            .lines()
            .filter(is_row)
            .any(|row| forms.iter().any(|form| row.contains(form)))
    };
    repo.matching(VERBS, ".rs")
        .filter(|file| file.stem() != "mod" && !listed(&file.stem().replace('_', "-")))
        .map(|file| {
            readme.finding(
                1,
                format!("give {} a row in the table of verbs", file.stem()),
            )
        })
        .collect()
}

pub(crate) fn links_lead_somewhere(repo: &Repo) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in documents(repo) {
        for (index, line) in prose(&file.text) {
            for target in line
                .split("](")
                .skip(1)
                .filter_map(|rest| rest.split(')').next())
            {
                let path = target.split(['#', ' ']).next().unwrap_or("");
                let external = target.contains("://") || target.starts_with("mailto:");
                if !external && !repo.has(&resolve(&file.path, path)) {
                    findings.push(file.finding(index, format!("{target} leads nowhere")));
                }
            }
        }
    }
    findings
}

pub(crate) fn named_files_exist(repo: &Repo) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in documents(repo) {
        for (index, line) in prose(&file.text) {
            for name in line.split('`').skip(1).step_by(2) {
                let path = name.split([':', ' ', '#']).next().unwrap_or("");
                let is_pattern = path.contains(['*', '<', '{', '$', '…']) || path.contains("NNNN");
                let ours = FOLDERS.iter().any(|folder| path.starts_with(folder));
                if ours && !is_pattern && !repo.has(path) {
                    findings.push(file.finding(index, format!("there is no {path}")));
                }
            }
        }
    }
    findings
}

fn documents(repo: &Repo) -> impl Iterator<Item = &File> {
    repo.matching("", ".md")
        .filter(|file| file.path.starts_with("docs/") || !file.path.contains('/'))
}

/// Lines with their numbers, without what stands in fenced blocks.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    text.lines().enumerate().filter_map(move |(index, line)| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        (!fenced && !fence).then_some((index + 1, line))
    })
}

/// `target` as seen from the document at `from`, relative to the top of the repository.
fn resolve(from: &str, target: &str) -> String {
    if target.is_empty() {
        return from.to_owned();
    }
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            name => parts.push(name),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::{links_lead_somewhere, named_files_exist, readme_lists_every_verb};
    use crate::repo::Repo;

    #[test]
    fn a_verb_has_a_row() {
        let verbs = [
            ("crates/hull/src/verbs/kill.rs", ""),
            ("crates/hull/src/verbs/mod.rs", ""),
        ];
        let with = |readme| Repo::of(&[verbs[0], verbs[1], ("README.md", readme)]);
        assert!(readme_lists_every_verb(&with("| `kill ID` | sends |")).is_empty());
        assert_eq!(readme_lists_every_verb(&with("use `kill`")).len(), 1);
        assert!(
            readme_lists_every_verb(&Repo::of(&verbs)).is_empty(),
            "no README yet"
        );
    }

    #[test]
    fn a_link_leads_to_a_file_or_a_folder() {
        let good = "[a](adr/0001-x.md#why) [b](../README.md) [c](https://example.org) [d](#here)\n\
                    ```\n[e](nowhere)\n```\n[f](adr/)";
        let files = [
            ("docs/a.md", good),
            ("docs/adr/0001-x.md", ""),
            ("README.md", ""),
        ];
        assert!(links_lead_somewhere(&Repo::of(&files)).is_empty());
        let bad = Repo::of(&[("docs/a.md", "\n[a](gone.md)")]);
        assert_eq!(links_lead_somewhere(&bad)[0].line, 2);
    }

    #[test]
    fn a_named_file_is_there() {
        let good = "`hack/vm/run --ro`, `crates/sys`, `docs/adr/NNNN-title.md`, `crates/*/x.rs`, `bin/hull`";
        let files = [
            ("README.md", good),
            ("hack/vm/run", ""),
            ("crates/sys/src/lib.rs", ""),
        ];
        assert!(named_files_exist(&Repo::of(&files)).is_empty());
        let bad = Repo::of(&[("docs/a.md", "see `crates/sys/src/gone.rs:12`")]);
        assert!(named_files_exist(&bad)[0].advice.contains("gone.rs"));
    }
}
