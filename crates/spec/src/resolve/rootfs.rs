//! The root filesystem: where it is, how it is entered, how it is tied to the host's mounts.
//!
//! Three cases. The container has a new mount namespace: the root is handed tree 0 and everything
//! of the config is done to it. It joins one by path: that tree is its owner's, so nothing is
//! mounted or masked there, which is told as a warning. It has none: the host's mount table would
//! change, so whatever mounts is an error. In the last two no root is handed, and handed trees
//! start with what is left.

use crate::bundle::Bundle;
use crate::config::{Config, Linux};
use crate::plan::{
    Entering, NamespaceKind, Namespaces, Propagation, PropagationChange, Rootfs, TreeSource,
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
            mounts: Vec::new(),
            devices: Vec::new(),
            dev_links: false,
            masked_paths: Vec::new(),
            readonly_paths: Vec::new(),
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
    let path = path::below(&bundle.directory, root.path());
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
    let mut covered: Vec<String> = Vec::new();
    for (index, path) in paths.unwrap_or_default().iter().enumerate() {
        let path = path::absolute(path, &all.index(index))?;
        if !covered.contains(&path) {
            covered.push(path);
        }
    }
    Ok(covered)
}
