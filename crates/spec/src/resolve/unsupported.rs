//! What callers can ask for and hull does not carry out yet: one table, one answer.
//!
//! Every property of the specification is carried out; what is left are annotations of Podman's and
//! CRI-O's. One leaves this file when a module takes it over.

use super::error::{At, Problem, ResolveError};

/// Annotations that change what a runtime does.
const ANNOTATIONS_NOT_YET: &[&str] = &[
    "run.oci.delegate-cgroup",
    "run.oci.hooks.stderr",
    "run.oci.hooks.stdout",
    "run.oci.pidfd_receiver",
    "run.oci.seccomp.receiver",
    "run.oci.seccomp_bpf_data",
    "run.oci.seccomp_fail_unknown_syscall",
    "run.oci.systemd.subgroup",
];

/// An annotation that must not be ignored.
pub(super) fn refuse_annotation(key: &str, at: &At<'_>) -> Result<(), ResolveError> {
    match ANNOTATIONS_NOT_YET.contains(&key) {
        true => Err(at.refuse(Problem::NotYet)),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Scene;
    use super::ANNOTATIONS_NOT_YET;

    #[test]
    fn what_is_asked_for_and_not_there_is_refused_by_name() {
        for annotation in ANNOTATIONS_NOT_YET {
            let refusal =
                Scene::v2().refusal(&format!(r#""annotations": {{"{annotation}": "x"}}"#));
            let expected = format!("/annotations/{annotation}: not supported yet");
            assert_eq!(refusal, expected);
        }
    }

    #[test]
    fn values_that_change_nothing_are_accepted() {
        for members in [
            r#""process": {"apparmorProfile": "", "selinuxLabel": "", "execCPUAffinity": {"initial": "0"}}"#,
            r#""linux": {"mountLabel": "", "netDevices": {}, "personality": {"domain": "LINUX"}}"#,
            r#""linux": {"resources": {"blockIO": {"weight": 0, "weightDevice": []}, "rdma": {},
                "hugepageLimits": [], "network": {"priorities": []}, "unified": {}}}"#,
            r#""mounts": [{"destination": "/a", "type": "tmpfs", "uidMappings": []}]"#,
        ] {
            Scene::v2().plan(members);
        }
    }
}
