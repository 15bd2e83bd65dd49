//! What a case is, and its only registration: the `case!` declaration.
//!
//! A case is a sentence (its name), the rule it checks, and a closure that
//! gets a `Bed`. Its section is the file it stands in. `?` ends a case:
//! every error is a failure, and `skip` says what the machine lacks.

use crate::bed::Bed;
pub(crate) use crate::verdict::{Check, Stop, ensure, same, skip};

/// Whose demand a case checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    Must,
    Should,
    May,
    /// A contract with callers (containerd, Podman, ...), not with the spec.
    Caller,
    /// A security test of the threat model.
    Safety,
}

impl Level {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Level::Must => "MUST",
            Level::Should => "SHOULD",
            Level::May => "MAY",
            Level::Caller => "CALLER",
            Level::Safety => "SAFETY",
        }
    }
}

/// The sentence a case checks and the checklist rows (rows.toml) it covers.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) level: Level,
    pub(crate) rows: &'static [&'static str],
    pub(crate) text: &'static str,
}

pub(crate) const fn must(rows: &'static [&'static str], text: &'static str) -> Rule {
    Rule { level: Level::Must, rows, text }
}

pub(crate) const fn should(rows: &'static [&'static str], text: &'static str) -> Rule {
    Rule { level: Level::Should, rows, text }
}

pub(crate) const fn may(rows: &'static [&'static str], text: &'static str) -> Rule {
    Rule { level: Level::May, rows, text }
}

pub(crate) const fn caller(rows: &'static [&'static str], text: &'static str) -> Rule {
    Rule { level: Level::Caller, rows, text }
}

pub(crate) const fn safety(rows: &'static [&'static str], text: &'static str) -> Rule {
    Rule { level: Level::Safety, rows, text }
}

/// One registered case.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) module: &'static str,
    pub(crate) name: &'static str,
    pub(crate) rule: Rule,
    pub(crate) run: fn(&Bed) -> Check,
}

inventory::collect!(Case);

impl Case {
    /// The file of cases this one stands in.
    pub(crate) fn section(&self) -> &'static str {
        self.module.rsplit("::").next().unwrap_or(self.module)
    }

    pub(crate) fn full_name(&self) -> String {
        format!("{}::{}", self.section(), self.name)
    }
}

/// Every case, sorted by section and name.
pub(crate) fn all() -> Vec<&'static Case> {
    let mut cases: Vec<&Case> = inventory::iter::<Case>.into_iter().collect();
    cases.sort_by_key(|case| case.full_name());
    cases
}

/// Declares and registers a case: `case!(name, rule, |bed| { ... });`
macro_rules! case {
    ($name:ident, $rule:expr, $run:expr $(,)?) => {
        inventory::submit! {
            $crate::case::Case { module: module_path!(), name: stringify!($name), rule: $rule, run: $run }
        }
    };
}
pub(crate) use case;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_case_has_its_own_name() {
        let mut names: Vec<String> = all().iter().map(|case| case.full_name()).collect();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn every_rule_says_something() {
        for case in all() {
            assert!(case.rule.text.len() > 10, "{}", case.full_name());
        }
    }
}
