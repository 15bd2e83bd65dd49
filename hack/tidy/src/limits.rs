//! A file and a function are short enough to be read at one go.

use crate::repo::{File, Finding, Repo};
use crate::syntax::{functions, line_of};

const FILE_LINES: usize = 400;
const FUNCTION_LINES: usize = 60;

/// Tables of system call numbers, made by a program.
const GENERATED: &str = "crates/bpf/src/syscalls";

pub(crate) fn files_are_short(repo: &Repo) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in rust_files(repo) {
        let lines = file.text.lines().count();
        if lines > FILE_LINES {
            let advice = format!("{lines} lines: split by decision, {FILE_LINES} at most");
            findings.push(file.finding(FILE_LINES + 1, advice));
        }
    }
    findings
}

pub(crate) fn functions_fit_a_screen(repo: &Repo) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in rust_files(repo) {
        let code = file.code();
        for function in functions(code) {
            let first = line_of(code, function.start);
            let lines = line_of(code, function.end) - first + 1;
            if lines > FUNCTION_LINES {
                let name = function.name;
                let advice =
                    format!("{name} has {lines} lines: split it, {FUNCTION_LINES} at most");
                findings.push(file.finding(first, advice));
            }
        }
    }
    findings
}

fn rust_files(repo: &Repo) -> impl Iterator<Item = &File> {
    repo.matching("", ".rs")
        .filter(|file| !file.path.starts_with(GENERATED))
}

#[cfg(test)]
mod tests {
    use super::{files_are_short, functions_fit_a_screen};
    use crate::repo::Repo;

    #[test]
    fn short_ones_and_generated_tables_pass() {
        let (file, table) = ("//\n".repeat(400), "//\n".repeat(900));
        let function = format!("fn f() {{\n{}}}", "g();\n".repeat(58));
        let repo = Repo::of(&[
            ("a.rs", &file),
            ("crates/bpf/src/syscalls/table.rs", &table),
            ("b.rs", &function),
        ]);
        assert!(files_are_short(&repo).is_empty());
        assert!(functions_fit_a_screen(&repo).is_empty());
    }

    #[test]
    fn long_ones_do_not() {
        let (file, function) = (
            "//\n".repeat(401),
            format!("\nfn f() {{\n{}}}", "g();\n".repeat(59)),
        );
        let repo = Repo::of(&[("a.rs", &file), ("b.rs", &function)]);
        assert_eq!(files_are_short(&repo).len(), 1);
        assert_eq!(functions_fit_a_screen(&repo)[0].line, 2);
    }
}
