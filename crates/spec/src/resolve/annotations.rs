//! `annotations`: kept as they are, but for the few that ask a runtime to do something.
//!
//! Unknown ones are no error and have no effect. One that another runtime obeys, and that hull
//! refuses on principle or does not carry out yet, is an error: it must not be ignored silently.

use std::collections::BTreeMap;

use crate::config::Config;

use super::error::{At, ResolveError};
use super::unsupported;

/// Refused on principle: key, reason.
const REFUSED: &[(&str, &str)] = &[
    (
        "run.oci.seccomp.plugins",
        "is refused: it loads code into the runtime",
    ),
    (
        "run.oci.systemd.force_cgroup_v1",
        "is refused: it changes the host's cgroup tree",
    ),
];

/// All annotations, after a look at their keys.
pub(super) fn resolve(config: &Config) -> Result<BTreeMap<String, String>, ResolveError> {
    let all = At::new("/annotations");
    let mut annotations = BTreeMap::new();
    for (key, value) in config.annotations.iter().flat_map(|entries| entries.iter()) {
        let at = all.key(key);
        if key.is_empty() {
            return Err(at.breaks("a key must not be empty"));
        }
        if key == "run.oci.handler" {
            return Err(at.wrong(value, "handler is not supported"));
        }
        if let Some((_, reason)) = REFUSED.iter().find(|(refused, _)| *refused == key) {
            return Err(at.breaks(reason));
        }
        unsupported::refuse_annotation(key, &at)?;
        annotations.insert(key.to_owned(), value.clone());
    }
    Ok(annotations)
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Scene;

    #[test]
    fn unknown_annotations_are_kept() {
        let plan = Scene::v2()
            .plan(r#""annotations": {"b": "2", "a": "", "org.systemd.property.KillSignal": "15"}"#);
        let keys: Vec<_> = plan.host.annotations.keys().collect();
        assert_eq!(keys, ["a", "b", "org.systemd.property.KillSignal"]);
    }

    #[test]
    fn what_another_runtime_would_obey_is_not_ignored() {
        Scene::v2().refuses(&[
            (
                r#""annotations": {"": "x"}"#,
                "/annotations/: a key must not be empty",
            ),
            (
                r#""annotations": {"run.oci.handler": "krun"}"#,
                "/annotations/run.oci.handler: \"krun\" handler is not supported",
            ),
            (
                r#""annotations": {"run.oci.seccomp.plugins": "x"}"#,
                "/annotations/run.oci.seccomp.plugins: is refused",
            ),
            (
                r#""annotations": {"run.oci.systemd.subgroup": "x"}"#,
                "/annotations/run.oci.systemd.subgroup: not supported yet",
            ),
        ]);
    }
}
