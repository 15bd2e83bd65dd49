//! What the specification knows and hull does not carry out yet: one table, one answer.
//!
//! A property is refused only when it is really asked for; a value that changes nothing is
//! accepted, because engines write those. A property leaves this file when a module takes it over.

use oci_spec::runtime::Mount;

use super::error::{At, Problem, ResolveError};

/// Annotations that change what a runtime does, and that hull does not carry out yet.
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

/// Options of a mount that only make sense with an id-mapped one.
const ID_MAPPED: &[&str] = &["idmap", "ridmap"];

/// An annotation that must not be ignored.
pub(super) fn refuse_annotation(key: &str, at: &At<'_>) -> Result<(), ResolveError> {
    match ANNOTATIONS_NOT_YET.contains(&key) {
        true => Err(at.refuse(Problem::NotYet)),
        false => Ok(()),
    }
}

/// An id-mapped mount.
pub(super) fn refuse_mount(mount: &Mount, at: &At<'_>) -> Result<(), ResolveError> {
    let options = at.member("/options");
    for (index, word) in mount.options().iter().flatten().enumerate() {
        if ID_MAPPED.contains(&word.as_str()) || word.starts_with("idmap=") {
            return Err(options.index(index).refuse(Problem::NotYet));
        }
    }
    for (mappings, member) in [
        (mount.uid_mappings(), "/uidMappings"),
        (mount.gid_mappings(), "/gidMappings"),
    ] {
        if mappings
            .as_ref()
            .is_some_and(|mappings| !mappings.is_empty())
        {
            return Err(at.member(member).refuse(Problem::NotYet));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Scene;

    const ASKED: &[(&str, &str)] = &[
        (
            r#""mounts": [{"destination": "/a", "source": "/b", "options": ["bind", "idmap"]}]"#,
            "/mounts/0/options/1",
        ),
        (
            r#""mounts": [{"destination": "/a", "source": "/b", "options": ["bind"],
                "uidMappings": [{"containerID": 0, "hostID": 1, "size": 1}]}]"#,
            "/mounts/0/uidMappings",
        ),
    ];

    #[test]
    fn what_is_asked_for_and_not_there_is_refused_by_name() {
        for (members, pointer) in ASKED {
            let refusal = Scene::v2().refusal(members);
            assert_eq!(
                refusal,
                format!("{pointer}: not supported yet"),
                "{members}"
            );
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
