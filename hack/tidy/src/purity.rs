//! crates/bpf and crates/spec compute: what they say depends on their arguments alone.

use crate::repo::{File, Finding, Repo};
use crate::syntax::{line_of, words};

/// What reaches out of the process, and what to do instead.
const OUTSIDE: &[(&str, &str)] = &[
    ("std::env", "take what you need as an argument"),
    ("std::time::Instant", "take the time as an argument"),
    ("SystemTime", "take the time as an argument"),
    ("std::process", "return an error or a value"),
    ("std::net", "leave sockets to libcontainer"),
    ("std::thread", "the runtime has one thread"),
    ("libc", "leave system calls to crates/sys"),
    ("nix", "leave system calls to crates/sys"),
    ("stdin", "take the input as an argument"),
    ("stdout", "return the output"),
    ("stderr", "return the message"),
];

pub(crate) fn bpf_and_spec_only_compute(repo: &Repo) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in pure_files(repo) {
        for (name, instead) in OUTSIDE {
            findings.extend(uses(file, name, instead));
        }
    }
    findings
}

/// The bundle is read in files called `bundle`; nothing else in the two crates opens a file.
pub(crate) fn spec_reads_only_the_bundle(repo: &Repo) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in pure_files(repo).filter(|file| !file.path.starts_with("crates/spec/src/bundle")) {
        for name in ["std::fs", "File"] {
            findings.extend(uses(file, name, "read files in crates/spec/src/bundle.rs"));
        }
    }
    findings
}

fn pure_files(repo: &Repo) -> impl Iterator<Item = &File> {
    let crates = ["crates/bpf/src/", "crates/spec/src/"];
    crates
        .into_iter()
        .flat_map(|folder| repo.matching(folder, ".rs"))
}

fn uses(file: &File, name: &str, instead: &str) -> Vec<Finding> {
    let code = file.product_code();
    words(code, name)
        .map(|at| file.finding(line_of(code, at), format!("no {name}: {instead}")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{bpf_and_spec_only_compute, spec_reads_only_the_bundle};
    use crate::repo::Repo;

    #[test]
    fn computing_and_reading_the_bundle_is_fine() {
        let repo = Repo::of(&[
            (
                "crates/bpf/src/lib.rs",
                "use std::collections::BTreeMap;\n#[cfg(test)] use std::fs;",
            ),
            ("crates/spec/src/bundle.rs", "use std::fs;"),
            (
                "crates/libcontainer/src/clock.rs",
                "use std::time::Instant;",
            ),
        ]);
        assert!(bpf_and_spec_only_compute(&repo).is_empty());
        assert!(spec_reads_only_the_bundle(&repo).is_empty());
    }

    #[test]
    fn environment_clock_and_files_are_not() {
        let repo = Repo::of(&[
            (
                "crates/spec/src/a.rs",
                "\nfn f() { std::env::var(x); SystemTime::now(); }",
            ),
            ("crates/bpf/src/b.rs", "use std::fs;"),
        ]);
        assert_eq!(bpf_and_spec_only_compute(&repo).len(), 2);
        assert_eq!(bpf_and_spec_only_compute(&repo)[0].line, 2);
        assert_eq!(spec_reads_only_the_bundle(&repo).len(), 1);
    }
}
