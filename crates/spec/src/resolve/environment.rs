//! `process.env`, and what a caller's socket activation adds to it.

use crate::request::Activation;
use std::collections::BTreeSet;

use super::error::{At, Warnings};
use super::notify;

/// The last of several values of one name counts, in its place. An empty HOME is none.
pub(super) fn resolve(
    given: &[String],
    activation: Activation<'_>,
    at: &At<'_>,
    warnings: &mut Warnings,
) -> Vec<String> {
    let mut env = Vec::with_capacity(given.len());
    let mut known = BTreeSet::new();
    let added = activated(activation);
    for entry in added.iter().rev() {
        known.extend(entry.split_once('=').map(|(name, _)| name));
        env.push(entry.clone());
    }
    for (index, entry) in given.iter().enumerate().rev() {
        let Some((name, value)) = entry.split_once('=').filter(|(name, _)| !name.is_empty()) else {
            warnings.add(&at.index(index), "dropped: not of the form NAME=VALUE");
            continue;
        };
        if known.insert(name) && !(name == "HOME" && value.is_empty()) {
            env.push(entry.clone());
        }
    }
    env.reverse();
    env
}

/// Is there a variable of this name?
pub(super) fn names(env: &[String], name: &str) -> bool {
    let is_it = |entry: &String| {
        entry
            .strip_prefix(name)
            .is_some_and(|rest| rest.starts_with('='))
    };
    env.iter().any(is_it)
}

/// As sd_listen_fds(3) and sd_notify(3) look for them. The payload is the first process of its
/// container.
fn activated(activation: Activation<'_>) -> Vec<String> {
    let mut entries = Vec::new();
    if activation.sockets > 0 {
        entries.push(format!("LISTEN_FDS={}", activation.sockets));
        entries.push("LISTEN_PID=1".to_owned());
        let names = activation.names.iter();
        entries.extend(names.map(|names| format!("LISTEN_FDNAMES={names}")));
    }
    if activation.notify {
        entries.push(format!("NOTIFY_SOCKET={}", notify::SOCKET));
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Scene;
    use super::*;

    #[test]
    fn the_last_value_of_a_variable_counts() {
        for (env, expected, from_passwd) in [
            (r#"[]"#, &[][..], true),
            (r#"["A=1", "B=2", "A=3"]"#, &["B=2", "A=3"], true),
            (
                r#"["HOME=/root", "A=b=c"]"#,
                &["HOME=/root", "A=b=c"],
                false,
            ),
            (r#"["HOME=/root", "HOME="]"#, &[], true),
            (r#"["A=", "HOMES=x"]"#, &["A=", "HOMES=x"], true),
        ] {
            let plan = Scene::v2().plan(&format!(r#""process": {{"env": {env}}}"#));
            assert_eq!(plan.init.process.env, expected, "{env}");
            assert_eq!(plan.init.process.home_from_passwd, from_passwd, "{env}");
        }
        let plan = Scene::v2().plan(r#""process": {"env": ["A", "B=1", "=2"]}"#);
        assert_eq!(plan.init.process.env, ["B=1"]);
        assert_eq!(plan.warnings.len(), 2);
        assert!(plan.warnings[1].contains("/process/env/0: dropped"));
    }

    #[test]
    fn sockets_of_the_caller_are_named_to_the_payload_alone() {
        let activation = |sockets, names| Activation {
            sockets,
            names,
            notify: false,
        };
        for (activation, given, expected) in [
            (activation(0, Some("a")), &["A=1"][..], &["A=1"][..]),
            (
                activation(2, None),
                &["A=1"],
                &["A=1", "LISTEN_FDS=2", "LISTEN_PID=1"],
            ),
            (
                activation(1, Some("http:s")),
                &["LISTEN_FDS=9", "LISTEN_PID=7", "B=2"],
                &[
                    "B=2",
                    "LISTEN_FDS=1",
                    "LISTEN_PID=1",
                    "LISTEN_FDNAMES=http:s",
                ],
            ),
        ] {
            let given: Vec<String> = given.iter().map(|entry| (*entry).to_owned()).collect();
            let at = At::new("/process/env");
            let env = resolve(&given, activation, &at, &mut Warnings::default());
            assert_eq!(env, expected);
        }
    }
}
