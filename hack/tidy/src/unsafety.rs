//! `unsafe` lives in crates/sys; the compiler is told so in every other crate.

use crate::repo::{File, Finding, Repo};
use crate::syntax::{line_of, words};

pub(crate) fn only_sys_is_unsafe(repo: &Repo) -> Vec<Finding> {
    let elsewhere = |file: &&File| !file.path.starts_with("crates/sys/");
    let mut findings = Vec::new();
    for file in repo.matching("crates/", ".rs").filter(elsewhere) {
        for at in words(file.code(), "unsafe") {
            let line = line_of(file.code(), at);
            findings.push(file.finding(line, "call a safe wrapper of crates/sys"));
        }
    }
    findings
}

pub(crate) fn the_others_forbid_it(repo: &Repo) -> Vec<Finding> {
    let root = |file: &&File| {
        let mut parts = file.path.split('/').skip(1);
        let (name, rest) = (parts.next(), parts.collect::<Vec<_>>().join("/"));
        name != Some("sys")
            && (rest == "src/lib.rs" || rest == "src/main.rs" || rest.starts_with("src/bin/"))
    };
    repo.matching("crates/", ".rs")
        .filter(root)
        .filter(|file| !file.code().contains("#![forbid(unsafe_code)]"))
        .map(|file| file.finding(1, "begin the crate with #![forbid(unsafe_code)]"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{only_sys_is_unsafe, the_others_forbid_it};
    use crate::repo::Repo;

    #[test]
    fn sys_may_be_unsafe_and_a_comment_may_say_so() {
        let repo = Repo::of(&[
            ("crates/sys/src/lib.rs", "fn f() { unsafe { g() } }"),
            (
                "crates/init/src/lib.rs",
                "#![forbid(unsafe_code)] // not unsafe\n",
            ),
        ]);
        assert!(only_sys_is_unsafe(&repo).is_empty());
        assert!(the_others_forbid_it(&repo).is_empty());
    }

    #[test]
    fn the_others_may_not() {
        let repo = Repo::of(&[("crates/spec/src/lib.rs", "//! Doc.\nunsafe fn f() {}")]);
        assert_eq!(only_sys_is_unsafe(&repo)[0].line, 2);
        assert_eq!(the_others_forbid_it(&repo)[0].line, 1);
    }
}
