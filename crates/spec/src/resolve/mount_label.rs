//! `linux.mountLabel`: the SELinux context of what the container mounts.
//!
//! Each fresh filesystem gets it, those aside that the policy labels; a bind keeps the labels of its
//! files, which are the host's.

use crate::config::{Config, Linux};
use crate::plan::FsParameter;

use super::error::{At, ResolveError};
use super::labels::{NO_SELINUX, given};
use super::subject::Subject;

/// How `mountLabel` is applied, for Podman: which files of a mount have the context (mount(8)).
const CONTEXT_TYPE: &str = "run.oci.mount_context_type";
pub(super) const CONTEXT_TYPES: [&str; 4] = ["context", "fscontext", "defcontext", "rootcontext"];

/// The kernel's own, with labels of the policy: a context is refused, or shared with the host.
const LABELLED_BY_POLICY: [&str; 4] = ["cgroup", "cgroup2", "proc", "sysfs"];

/// `mountLabel`, as a filesystem takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MountLabel {
    context_type: &'static str,
    context: String,
}

/// What a fresh filesystem is given of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum OnMount {
    Nothing,
    Parameter(FsParameter),
    /// Its superblock was made with the namespace: only its root can be labelled.
    Root(String),
}

/// The label of what the container mounts; bind mounts keep that of their files.
pub(super) fn resolve(subject: &Subject<'_>) -> Result<Option<MountLabel>, ResolveError> {
    let context_type = context_type(subject.config)?;
    let Linux { mount_label, .. } = subject.linux;
    match given(mount_label.as_ref()) {
        None => Ok(None),
        Some(_) if !subject.host.security_modules.selinux => {
            Err(At::new("/linux/mountLabel").breaks(NO_SELINUX))
        }
        Some(context) => Ok(Some(MountLabel {
            context_type,
            context: context.to_owned(),
        })),
    }
}

fn context_type(config: &Config) -> Result<&'static str, ResolveError> {
    let annotations = config.annotations.as_ref();
    let Some(asked) = annotations.and_then(|all| all.find(CONTEXT_TYPE)) else {
        return Ok("context");
    };
    let known = CONTEXT_TYPES.into_iter().find(|known| known == asked);
    known.ok_or_else(|| {
        let all = At::new("/annotations");
        let rule = "must be one of context, fscontext, defcontext, rootcontext";
        all.key(CONTEXT_TYPE).wrong(asked, rule)
    })
}

impl MountLabel {
    /// Without the quotes that mount(2) needs around commas: fsconfig(2) takes them for a part.
    pub(super) fn parameter(&self) -> FsParameter {
        FsParameter::Text(self.context_type.to_owned(), self.context.clone())
    }

    /// For a filesystem of this type, with these parameters of the config's own.
    pub(super) fn on(&self, fstype: &str, parameters: &[FsParameter]) -> OnMount {
        let same = |parameter: &FsParameter| matches!(parameter, FsParameter::Text(key, _) if key == self.context_type);
        if LABELLED_BY_POLICY.contains(&fstype) || parameters.iter().any(same) {
            OnMount::Nothing
        } else if fstype == "mqueue" {
            OnMount::Root(self.context.clone())
        } else {
            OnMount::Parameter(self.parameter())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Scene;
    use super::*;
    use crate::host::SecurityModules;
    use crate::plan::{MountKind, Plan};

    const CONTEXT: &str = "system_u:object_r:container_file_t:s0:c1,c2";

    fn with_selinux() -> Scene {
        let mut scene = Scene::v2();
        scene.host.security_modules = SecurityModules {
            apparmor: false,
            selinux: true,
        };
        scene
    }

    fn mounted(more: &str) -> Plan {
        let mount = |fstype: &str, options: &str| {
            let place = if fstype == "proc" { "/proc" } else { "/a" };
            format!(r#"{{"destination": "{place}", "type": "{fstype}", "options": [{options}]}}"#)
        };
        let mounts = [
            mount("tmpfs", r#""size=1""#),
            mount("devpts", ""),
            mount("mqueue", ""),
            mount("proc", ""),
            mount("sysfs", ""),
            mount("cgroup", ""),
            mount("tmpfs", r#""context=\"u:object_r:own_t:s0:c3,c4\"""#),
            r#"{"destination": "/b", "source": "/b", "options": ["bind"]}"#.to_owned(),
        ];
        let mounts = mounts.join(", ");
        with_selinux().plan(&format!(
            r#""linux": {{"mountLabel": "{CONTEXT}"}}, "mounts": [{mounts}]{more}"#
        ))
    }

    fn text(key: &str, value: &str) -> FsParameter {
        FsParameter::Text(key.to_owned(), value.to_owned())
    }

    #[test]
    fn fresh_filesystems_have_the_mount_label_and_binds_keep_theirs() {
        let plan = mounted("");
        let context = text("context", CONTEXT);
        let mounts = plan.init.rootfs.mounts.iter();
        let given: Vec<_> = mounts
            .map(|mount| match &mount.kind {
                MountKind::Filesystem {
                    parameters,
                    root_label,
                    ..
                } => (parameters.clone(), root_label.as_deref()),
                MountKind::Bind { .. } => (vec![], None),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(
            given,
            [
                (vec![text("size", "1"), context.clone()], None),
                (vec![context.clone()], None),
                (vec![], Some(CONTEXT)),
                (vec![], None),
                (vec![], None),
                (vec![], None),
                (vec![text("context", "u:object_r:own_t:s0:c3,c4")], None),
                (vec![], None),
            ]
        );
        assert_eq!(plan.init.rootfs.mask_label, Some(context));
        assert_eq!(Scene::v2().plan("").init.rootfs.mask_label, None);
    }

    #[test]
    fn the_tmpfs_of_v1_hierarchies_has_it_too() {
        let mut scene = Scene::v1();
        scene.host.security_modules.selinux = true;
        let plan = scene.plan(&format!(
            r#""linux": {{"mountLabel": "{CONTEXT}"}},
            "mounts": [{{"destination": "/sys/fs/cgroup", "type": "cgroup"}}]"#
        ));
        let MountKind::CgroupV1 { parameters, .. } = &plan.init.rootfs.mounts[0].kind else {
            panic!("{:?}", plan.init.rootfs.mounts);
        };
        assert_eq!(parameters, &[text("mode", "755"), text("context", CONTEXT)]);
    }

    #[test]
    fn podman_chooses_the_type_of_the_context() {
        let annotation = |value: &str| format!(r#""annotations": {{"{CONTEXT_TYPE}": "{value}"}}"#);
        for context_type in CONTEXT_TYPES {
            let plan = mounted(&format!(", {}", annotation(context_type)));
            assert_eq!(
                plan.init.rootfs.mask_label,
                Some(text(context_type, CONTEXT))
            );
            Scene::v2().plan(&annotation(context_type));
        }
        Scene::v2().refuses(&[(
            &annotation("size=1,context"),
            "/annotations/run.oci.mount_context_type: \"size=1,context\" must be one of context, ",
        )]);
    }
}
