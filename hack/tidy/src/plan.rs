//! What the plan, the state record and the protocol may and must contain.

use crate::repo::{File, Finding, Repo};
use crate::syntax::{closing, identifier, line_of, words};

pub(crate) fn the_plan_has_no_optional_bool(repo: &Repo) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in repo.matching("crates/spec/src/plan", ".rs") {
        let dense: String = file.product_code().chars().filter(|&c| c != ' ').collect();
        for (at, _) in dense.match_indices("Option<bool>") {
            findings.push(file.finding(
                line_of(&dense, at),
                "decide in resolve: a default is a value",
            ));
        }
    }
    findings
}

/// A record keeps facts; the status is derived from the kernel each time it is asked for.
pub(crate) fn status_is_not_stored(repo: &Repo) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in repo.matching("crates/libcontainer/src/", ".rs") {
        let code = file.product_code();
        for at in words(code, "struct").filter(|&at| is_record(identifier(code, at + 6))) {
            let Some(open) = code[at..].find('{').map(|offset| at + offset) else {
                continue;
            };
            let body = &code[open..closing(code, open)];
            for offset in words(body, "status").chain(words(body, "Status")).take(1) {
                let line = line_of(code, open + offset);
                findings.push(file.finding(line, "store facts and derive the status from them"));
            }
        }
    }
    findings
}

fn is_record(name: &str) -> bool {
    name.ends_with("Record") || name.ends_with("Intent")
}

/// All that calls clone3 stands in one file, which shows every way in which a process is made.
pub(crate) fn one_clone3_call_site(repo: &Repo) -> Vec<Finding> {
    let mut sites: Vec<(&File, usize)> = Vec::new();
    for file in repo.matching("crates/", ".rs") {
        let code = file.product_code();
        sites.extend(words(code, "SYS_clone3").map(|at| (file, line_of(code, at))));
    }
    let Some((first, _)) = sites.first() else {
        return Vec::new();
    };
    let advice = format!("make processes through {}, which calls clone3", first.path);
    let elsewhere = sites.iter().filter(|(file, _)| file.path != first.path);
    elsewhere
        .map(|(file, line)| file.finding(*line, &*advice))
        .collect()
}

/// The file that defines `FromInit` and `ToInit` shows each message in the table of its doc.
pub(crate) fn every_message_is_in_its_table(repo: &Repo) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in repo.matching("crates/", ".rs") {
        let code = file.product_code();
        let rows: Vec<&str> = file
            .comments()
            .lines()
            .filter(|line| line.contains('|'))
            .collect();
        let told = |name: &str| rows.iter().any(|row| words(row, name).next().is_some());
        let is_message = |at: &usize| matches!(identifier(code, at + 4), "FromInit" | "ToInit");
        for at in words(code, "enum").filter(is_message) {
            let Some(open) = code[at..].find('{').map(|offset| at + offset) else {
                continue;
            };
            for (offset, variant) in variants(&code[open..closing(code, open)]) {
                if !told(variant) {
                    let line = line_of(code, open + offset);
                    findings.push(file.finding(line, format!("put {variant} in the table above")));
                }
            }
        }
    }
    findings
}

/// Names of the variants in the body of an enum, with their offsets in it.
fn variants(body: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut at = 1;
    while let Some(byte) = body.as_bytes().get(at) {
        match byte {
            b'#' => at = closing(body, at + body[at..].find('[').unwrap_or(0)),
            b'{' | b'(' => at = closing(body, at),
            b'A'..=b'Z' => {
                let name = identifier(body, at);
                found.push((at, name));
                at += name.len();
            }
            b'=' => at += body[at..].find(',').unwrap_or(body.len() - at),
            _ => at += 1,
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{
        every_message_is_in_its_table, one_clone3_call_site, status_is_not_stored,
        the_plan_has_no_optional_bool,
    };
    use crate::repo::Repo;

    #[test]
    fn a_default_is_a_value() {
        let good = Repo::of(&[(
            "crates/spec/src/plan/process.rs",
            "struct P { no_new: bool }",
        )]);
        assert!(the_plan_has_no_optional_bool(&good).is_empty());
        let bad = Repo::of(&[(
            "crates/spec/src/plan.rs",
            "\nstruct P { a: Option< bool > }",
        )]);
        assert_eq!(the_plan_has_no_optional_bool(&bad)[0].line, 2);
    }

    #[test]
    fn a_record_has_no_status() {
        let path = "crates/libcontainer/src/record.rs";
        let good = Repo::of(&[(
            path,
            "struct Record { pid: i32 } struct View { status: Status }",
        )]);
        assert!(status_is_not_stored(&good).is_empty());
        let bad = Repo::of(&[(path, "struct StateRecord {\n pid: i32,\n status: Status }")]);
        assert_eq!(status_is_not_stored(&bad)[0].line, 3);
    }

    #[test]
    fn clone3_is_called_once() {
        let good = ("crates/sys/src/clone.rs", "f(SYS_clone3); g(SYS_clone3)");
        assert!(one_clone3_call_site(&Repo::of(&[good])).is_empty());
        let bad = Repo::of(&[good, ("crates/sys/src/other.rs", "f(libc::SYS_clone3);")]);
        assert_eq!(one_clone3_call_site(&bad).len(), 1);
    }

    #[test]
    fn a_message_without_a_row_is_found() {
        let table = "//! | MapIds | Mapped |\n//! Ready is in no row.\n";
        let code =
            "pub enum FromInit { #[x] MapIds, Ready { a: Other } = 3 }\nenum ToInit { Mapped(T) }";
        let text = format!("{table}{code}");
        let findings = every_message_is_in_its_table(&Repo::of(&[("crates/spec/src/w.rs", &text)]));
        assert_eq!(findings.len(), 1);
        assert!(findings[0].advice.contains("Ready"));
    }
}
