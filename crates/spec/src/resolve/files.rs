//! The part of the plan about files: the root, what is mounted and made in it, when it is entered.

use crate::plan::{Hooks, NamespaceKind, Namespaces, OldRoot, Rootfs};

use super::error::{At, ResolveError, Warnings};
use super::handed::Handed;
use super::idmaps::KnownMaps;
use super::mount_id_map::Container;
use super::rootfs::{self, Root};
use super::subject::Subject;
use super::{cgroup_mount, devices, mount_label, mounts, notify};

/// Trees for the host to open, and what init does with them.
pub(super) struct Files {
    pub(super) root: Root,
    pub(super) rootfs: Rootfs,
    pub(super) handed: Handed,
}

pub(super) fn resolve(
    subject: &Subject<'_>,
    own: &Namespaces,
    maps: &KnownMaps,
    warnings: &mut Warnings,
) -> Result<Files, ResolveError> {
    let mut handed = Handed::default();
    let change = subject.request.root_change;
    let root = rootfs::resolve(subject.bundle, own, change, &mut handed)?;
    let rootfs = if root.is_ours() {
        filled(subject, &root, (own, maps), (&mut handed, warnings))?
    } else {
        mount_label::resolve(subject)?;
        rootfs::refuse_foreign(subject.config, own, warnings)?;
        root.empty()
    };
    Ok(Files {
        root,
        rootfs,
        handed,
    })
}

fn filled(
    subject: &Subject<'_>,
    root: &Root,
    (own, maps): (&Namespaces, &KnownMaps),
    (handed, warnings): (&mut Handed, &mut Warnings),
) -> Result<Rootfs, ResolveError> {
    let &Subject { linux, host, .. } = subject;
    let label = mount_label::resolve(subject)?;
    let around = mounts::Surroundings {
        bundle: subject.bundle,
        layout: host.cgroup_layout,
        ties: root.ties.binds,
        label: label.as_ref(),
        container: Container { own, maps },
    };
    let mut mounts = mounts::resolve(around, handed, warnings)?;
    let nodes = devices::resolve(linux, maps)?;
    let dev_is_ours = devices::dev_is_ours(&mounts);
    let devices = if dev_is_ours {
        devices::place(nodes, own, host, handed)
    } else {
        Vec::new()
    };
    cgroup_mount::fill(&mut mounts, own, host, handed);
    if notify::is_wanted(subject.request, own) {
        mounts.push(notify::mount(mounts.len(), handed));
    }
    let (masked, readonly) = (
        At::new("/linux/maskedPaths"),
        At::new("/linux/readonlyPaths"),
    );
    Ok(Rootfs {
        mounts,
        devices,
        dev_links: dev_is_ours,
        masked_paths: rootfs::covered(linux.masked_paths.as_deref(), &masked)?,
        readonly_paths: rootfs::covered(linux.readonly_paths.as_deref(), &readonly)?,
        mask_label: label.map(|label| label.parameter()),
        readonly: root.readonly,
        propagation: root.ties.afterwards,
        ..root.empty()
    })
}

/// Where nobody can tell that pivot_root came first, a hostile root filesystem is only ever filled
/// with the host out of its reach. The hooks of create can tell (runtime.md#lifecycle), and look
/// for the tree at the root's own path. From a user namespace proc and sysfs can be mounted only
/// while others of their kind are in sight (user_namespaces(7)).
pub(super) fn old_root(
    subject: &Subject<'_>,
    own: &Namespaces,
    hooks: &Hooks,
    root: &Root,
) -> OldRoot {
    let sees_enough = subject.host.privileged && !own.is_own(NamespaceKind::User);
    match (hooks.any_at_create(), sees_enough) {
        (true, _) => OldRoot::LeftLast {
            stands_on: root.path.clone(),
        },
        (false, true) => OldRoot::LeftFirst,
        (false, false) => OldRoot::LeftLast {
            stands_on: "/".to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Scene, USER};
    use super::OldRoot;

    #[test]
    fn the_old_root_is_left_first_unless_it_is_still_needed() {
        let old_root = |scene: &Scene, members: &str| scene.plan(members).init.rootfs.old_root;
        let last = |path: &str| OldRoot::LeftLast {
            stands_on: path.to_owned(),
        };
        for members in [
            "",
            r#""hooks": {"startContainer": [{"path": "/h"}], "poststop": [{"path": "/h"}]}"#,
        ] {
            assert_eq!(old_root(&Scene::v2(), members), OldRoot::LeftFirst);
        }
        for kind in ["prestart", "createRuntime", "createContainer"] {
            let hook = format!(r#""hooks": {{"{kind}": [{{"path": "/h"}}]}}"#);
            assert_eq!(
                old_root(&Scene::v2(), &hook),
                last("/bundle/rootfs"),
                "{kind}"
            );
        }
        let user = format!(r#""linux": {{{USER}}}"#);
        assert_eq!(old_root(&Scene::v2(), &user), last("/"));
        assert_eq!(old_root(&Scene::rootless(), &user), last("/"));
    }
}
