//! The root filesystem: where it is, how it is entered, how it is tied to the host's mounts.
//!
//! Three cases. The container has a new mount namespace: the root is handed tree 0 and everything
//! of the config is done to it. It joins one by path: that tree is its owner's, so nothing is
//! mounted or masked there, which is told as a warning. It has none: the host's mount table would
//! change, so whatever mounts is an error. In the last two no root is handed, and handed trees
//! start with what is left.

use std::collections::BTreeSet;

use crate::bundle::Bundle;
use crate::config::{Config, Linux};
use crate::plan::{
    Entering, NamespaceKind, Namespaces, OldRoot, Propagation, PropagationChange, Rootfs,
    TreeSource,
};
use crate::request::RootChange;

use super::error::{At, ResolveError, Warnings};
use super::handed::Handed;
use super::{mount_words, path};

/// What is decided about the root before anything is put on it.
#[derive(Debug)]
pub(super) struct Root {
    /// Absolute.
    pub(super) path: String,
    pub(super) entering: Entering,
    pub(super) ties: Ties,
    pub(super) readonly: bool,
}

impl Root {
    /// A new mount namespace, whose root this is.
    pub(super) fn is_ours(&self) -> bool {
        !matches!(self.entering, Entering::Chroot(_))
    }

    /// The root as it is entered, with nothing done to it.
    pub(super) fn empty(&self) -> Rootfs {
        Rootfs {
            entering: self.entering.clone(),
            old_root: OldRoot::LeftFirst,
            mounts: Vec::new(),
            devices: Vec::new(),
            dev_links: false,
            masked_paths: Vec::new(),
            readonly_paths: Vec::new(),
            mask_label: None,
            readonly: false,
            propagation: None,
        }
    }
}

/// `linux.rootfsPropagation`, as it acts on each kind of tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ties {
    /// The root's clone. Never shared: pivot_root(2) refuses a shared new root.
    pub(super) root: Propagation,
    /// Clones of bind sources: shared ones stay peers of the host's mounts.
    pub(super) binds: Propagation,
    /// Done to the root once it is entered.
    pub(super) afterwards: Option<PropagationChange>,
}

/// The root, which becomes handed tree 0 where it is ours to fill.
pub(super) fn resolve(
    bundle: &Bundle,
    own: &Namespaces,
    change: RootChange,
    handed: &mut Handed,
) -> Result<Root, ResolveError> {
    let at = At::new("/root");
    let config = &bundle.config;
    let root = config
        .root
        .as_ref()
        .ok_or_else(|| at.breaks("root must be specified"))?;
    if root.path().as_os_str().is_empty() {
        return Err(at.member("/path").breaks("must not be empty"));
    }
    let path = path::below(&bundle.directory, root.path(), &at.member("/path"))?;
    let linux = config.linux.as_ref();
    let ties = ties(
        linux.and_then(|linux| linux.rootfs_propagation.as_deref()),
        change,
    )?;
    let entering = match (own.is_new(NamespaceKind::Mount), change) {
        (true, RootChange::PivotRoot) => Entering::PivotRoot,
        (true, RootChange::Chroot) => Entering::MoveAndChroot,
        (false, _) => Entering::Chroot(path.clone()),
    };
    if own.is_new(NamespaceKind::Mount) {
        let source = TreeSource::Path(path.clone());
        handed.add(&at.member("/path"), source, true, ties.root);
    }
    Ok(Root {
        path,
        entering,
        ties,
        readonly: root.readonly().unwrap_or(false),
    })
}

fn ties(word: Option<&str>, change: RootChange) -> Result<Ties, ResolveError> {
    let at = At::new("/linux/rootfsPropagation");
    let default = Ties {
        root: Propagation::Slave,
        binds: Propagation::Slave,
        afterwards: None,
    };
    let Some(word) = word.filter(|word| !word.is_empty()) else {
        return Ok(default);
    };
    let Some(asked) = mount_words::propagation(word) else {
        return Err(at.wrong(
            word,
            "must be one of [r]shared, [r]slave, [r]private, [r]unbindable",
        ));
    };
    let private = Ties {
        root: Propagation::Private,
        binds: Propagation::Private,
        ..default
    };
    Ok(match asked.kind {
        Propagation::Slave => default,
        Propagation::Private if change == RootChange::Chroot => {
            return Err(at.breaks("rootfsPropagation of [r]private is not safe without pivot_root"));
        }
        Propagation::Private => private,
        Propagation::Unbindable => Ties {
            afterwards: Some(asked),
            ..private
        },
        Propagation::Shared => Ties {
            binds: Propagation::Shared,
            afterwards: Some(asked),
            ..default
        },
    })
}

/// Without a mount namespace of its own, may a container ask for this? Says what is dropped.
pub(super) fn refuse_foreign(
    config: &Config,
    own: &Namespaces,
    warnings: &mut Warnings,
) -> Result<(), ResolveError> {
    for (pointer, asked) in changes_of_mounts(config) {
        let at = At::new(pointer);
        if !asked {
            continue;
        }
        if !own.is_joined(NamespaceKind::Mount) {
            return Err(at.breaks("needs a mount namespace of the container's own"));
        }
        warnings.add(&at, "has no effect: the mount namespace is joined by path");
    }
    Ok(())
}

fn changes_of_mounts(config: &Config) -> [(&'static str, bool); 6] {
    let linux = config.linux.as_ref();
    let has = |list: fn(&Linux) -> bool| linux.is_some_and(list);
    let readonly = config
        .root
        .as_ref()
        .and_then(|root| root.readonly())
        .unwrap_or(false);
    [
        (
            "/mounts",
            config
                .mounts
                .as_ref()
                .is_some_and(|mounts| !mounts.is_empty()),
        ),
        ("/root/readonly", readonly),
        (
            "/linux/maskedPaths",
            has(|linux| linux.masked_paths.iter().flatten().next().is_some()),
        ),
        (
            "/linux/readonlyPaths",
            has(|linux| linux.readonly_paths.iter().flatten().next().is_some()),
        ),
        (
            "/linux/devices",
            has(|linux| linux.devices.iter().flatten().next().is_some()),
        ),
        (
            "/linux/rootfsPropagation",
            has(|linux| {
                linux
                    .rootfs_propagation
                    .as_ref()
                    .is_some_and(|word| !word.is_empty())
            }),
        ),
    ]
}

/// `maskedPaths` or `readonlyPaths`, each absolute; one that stands twice is done once.
pub(super) fn covered(paths: Option<&[String]>, all: &At<'_>) -> Result<Vec<String>, ResolveError> {
    let mut covered = Vec::new();
    let mut seen = BTreeSet::new();
    for (index, path) in paths.unwrap_or_default().iter().enumerate() {
        let absolute = path::absolute(path, &all.index(index))?;
        if seen.insert(path) {
            covered.push(absolute);
        }
    }
    Ok(covered)
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Scene;
    use super::*;

    const NO_MOUNT: &str = r#""linux": {"namespaces": [{"type": "pid"}]}"#;
    const JOINED_MOUNT: &str = r#""linux": {"namespaces": [{"type": "mount", "path": "/m"}]}"#;

    fn chroot() -> Scene {
        Scene {
            root_change: RootChange::Chroot,
            ..Scene::v2()
        }
    }

    #[test]
    fn the_root_is_handed_where_it_is_ours() {
        let plan = Scene::v2().plan(r#""root": {"path": "rootfs", "readonly": true}"#);
        assert_eq!(plan.host.rootfs, "/bundle/rootfs");
        let [root] = &plan.host.handed[..] else {
            panic!("the root alone")
        };
        assert_eq!(root.source, TreeSource::Path("/bundle/rootfs".into()));
        assert_eq!(
            (root.pointer.as_str(), root.recursive),
            ("/root/path", true)
        );
        assert_eq!(plan.init.rootfs.entering, Entering::PivotRoot);
        assert!(plan.init.rootfs.readonly && plan.init.rootfs.dev_links);
        assert_eq!(
            Scene::v2().plan(r#""root": {"path": "/r"}"#).host.rootfs,
            "/r"
        );
        assert_eq!(
            chroot().plan("").init.rootfs.entering,
            Entering::MoveAndChroot
        );
    }

    #[test]
    fn a_foreign_mount_namespace_is_only_entered() {
        for (linux, scene) in [(NO_MOUNT, Scene::v2()), (JOINED_MOUNT, chroot())] {
            let plan = scene.plan(linux);
            assert_eq!(
                plan.init.rootfs.entering,
                Entering::Chroot("/bundle/rootfs".into())
            );
            assert!(plan.host.handed.is_empty() && plan.init.rootfs.devices.is_empty());
            assert!(!plan.init.rootfs.dev_links && plan.warnings.is_empty());
        }
        let ask =
            r#""mounts": [{"destination": "/a", "type": "tmpfs"}], "root": {"readonly": true}"#;
        let plan = Scene::v2().plan(&format!("{JOINED_MOUNT}, {ask}"));
        assert!(plan.init.rootfs.mounts.is_empty() && !plan.init.rootfs.readonly);
        assert_eq!(plan.warnings.len(), 2);
    }

    #[test]
    fn the_hosts_mounts_are_not_changed() {
        let linux =
            |more: &str| format!(r#""linux": {{"namespaces": [{{"type": "pid"}}], {more}}}"#);
        let needs = "needs a mount namespace of the container's own";
        for (members, pointer) in [
            (
                format!(r#"{NO_MOUNT}, "mounts": [{{"destination": "/a", "type": "tmpfs"}}]"#),
                "/mounts",
            ),
            (
                format!(r#"{NO_MOUNT}, "root": {{"readonly": true}}"#),
                "/root/readonly",
            ),
            (linux(r#""maskedPaths": ["/a"]"#), "/linux/maskedPaths"),
            (linux(r#""readonlyPaths": ["/a"]"#), "/linux/readonlyPaths"),
            (
                linux(r#""rootfsPropagation": "slave""#),
                "/linux/rootfsPropagation",
            ),
            (
                linux(r#""devices": [{"type": "p", "path": "/p"}]"#),
                "/linux/devices",
            ),
        ] {
            assert_eq!(Scene::v2().refusal(&members), format!("{pointer}: {needs}"));
        }
        Scene::v2().plan(&linux(r#""maskedPaths": [], "readonlyPaths": null"#));
    }

    #[test]
    fn a_config_without_a_root_is_refused() {
        Scene::v2().refuses(&[
            (r#""root": null"#, "/root: root must be specified"),
            (r#""root": {"path": ""}"#, "/root/path: must not be empty"),
            (r#""root": {"path": null}"#, "/root/path: must not be empty"),
        ]);
    }

    #[test]
    fn propagation_ties_the_root_and_the_binds() {
        use Propagation::{Private, Shared, Slave, Unbindable};
        let afterwards = |kind, recursive| Some(PropagationChange { kind, recursive });
        for (word, root, binds, expected) in [
            ("", Slave, Slave, None),
            ("slave", Slave, Slave, None),
            ("rslave", Slave, Slave, None),
            ("private", Private, Private, None),
            ("rprivate", Private, Private, None),
            ("shared", Slave, Shared, afterwards(Shared, false)),
            ("rshared", Slave, Shared, afterwards(Shared, true)),
            (
                "unbindable",
                Private,
                Private,
                afterwards(Unbindable, false),
            ),
            (
                "runbindable",
                Private,
                Private,
                afterwards(Unbindable, true),
            ),
        ] {
            let plan = Scene::v2().plan(&format!(
                r#""linux": {{"rootfsPropagation": "{word}"}},
                "mounts": [{{"destination": "/a", "source": "/b", "options": ["bind"]}}]"#
            ));
            let ties: Vec<_> = plan
                .host
                .handed
                .iter()
                .map(|tree| tree.propagation)
                .collect();
            assert_eq!(ties, [root, binds], "{word}");
            assert_eq!(plan.init.rootfs.propagation, expected, "{word}");
        }
        let unknown = Scene::v2().refusal(r#""linux": {"rootfsPropagation": "ro"}"#);
        assert!(unknown.starts_with("/linux/rootfsPropagation: \"ro\" must be one of"));
        for word in ["private", "rprivate"] {
            let refusal =
                chroot().refusal(&format!(r#""linux": {{"rootfsPropagation": "{word}"}}"#));
            assert!(
                refusal.ends_with("[r]private is not safe without pivot_root"),
                "{refusal}"
            );
        }
    }

    #[test]
    fn covered_paths_are_absolute_and_covered_once() {
        let plan = Scene::v2()
            .plan(r#""linux": {"maskedPaths": ["/a", "/b", "/a"], "readonlyPaths": ["/c"]}"#);
        assert_eq!(plan.init.rootfs.masked_paths, ["/a", "/b"]);
        assert_eq!(plan.init.rootfs.readonly_paths, ["/c"]);
        Scene::v2().refuses(&[
            (
                r#""linux": {"maskedPaths": ["/a", "b"]}"#,
                "/linux/maskedPaths/1: \"b\" must be abs",
            ),
            (
                r#""linux": {"readonlyPaths": ["b"]}"#,
                "/linux/readonlyPaths/0: \"b\" must be abs",
            ),
        ]);
    }
}
