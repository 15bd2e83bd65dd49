//! What a crate may not name, though its dependencies would let it.

use crate::repo::{Finding, Repo};
use crate::syntax::{line_of, words};

pub(crate) fn hull_names_no_system_crate(repo: &Repo) -> Vec<Finding> {
    let advice = "ask libcontainer for it: the CLI makes no system call of its own";
    forbid(
        repo,
        &["crates/hull/src/"],
        &["hull_sys", "libc", "nix"],
        advice,
    )
}

pub(crate) fn libcontainer_neither_prints_nor_reads_argv(repo: &Repo) -> Vec<Finding> {
    let names = [
        "println",
        "print",
        "eprintln",
        "eprint",
        "std::env::args",
        "env::args_os",
    ];
    let advice = "return it: only crates/hull knows argv and prints";
    forbid(repo, &["crates/libcontainer/src/"], &names, advice)
}

pub(crate) fn raw_spec_types_stay_in_spec(repo: &Repo) -> Vec<Finding> {
    let advice = "use a type of the Plan: raw config types end in crates/spec";
    forbid(
        repo,
        &["crates/libcontainer/src/", "crates/init/src/"],
        &["oci_spec"],
        advice,
    )
}

fn forbid(repo: &Repo, folders: &[&str], names: &[&str], advice: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in folders
        .iter()
        .flat_map(|folder| repo.matching(folder, ".rs"))
    {
        let code = file.product_code();
        for at in names.iter().flat_map(|name| words(code, name)) {
            findings.push(file.finding(line_of(code, at), advice));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::{
        hull_names_no_system_crate, libcontainer_neither_prints_nor_reads_argv,
        raw_spec_types_stay_in_spec,
    };
    use crate::repo::Repo;

    #[test]
    fn each_crate_keeps_to_its_words() {
        let repo = Repo::of(&[
            (
                "crates/hull/src/main.rs",
                "use libcontainer::Container; fn f() { println!() }",
            ),
            (
                "crates/libcontainer/src/lib.rs",
                "use nix::errno; // println\nfn sprintln() {}",
            ),
            ("crates/spec/src/lib.rs", "use oci_spec::runtime::Spec;"),
        ]);
        assert!(hull_names_no_system_crate(&repo).is_empty());
        assert!(libcontainer_neither_prints_nor_reads_argv(&repo).is_empty());
        assert!(raw_spec_types_stay_in_spec(&repo).is_empty());
    }

    #[test]
    fn what_crosses_a_boundary_is_found() {
        let repo = Repo::of(&[
            (
                "crates/hull/src/main.rs",
                "\nfn f() { libc::getpid(); hull_sys::x(); }",
            ),
            (
                "crates/libcontainer/src/lib.rs",
                "fn f() { println!(); std::env::args(); }",
            ),
            ("crates/init/src/mounts.rs", "use oci_spec::runtime::Mount;"),
        ]);
        assert_eq!(hull_names_no_system_crate(&repo).len(), 2);
        assert_eq!(hull_names_no_system_crate(&repo)[0].line, 2);
        assert_eq!(libcontainer_neither_prints_nor_reads_argv(&repo).len(), 2);
        assert_eq!(raw_spec_types_stay_in_spec(&repo).len(), 1);
    }
}
