//! What the container must not see or change: masked paths, read-only paths, the root itself.

use super::{covers::Covers, enter::Entered};
use crate::{
    failure::{Context, Failure},
    root::Root,
};
use alloc::{format, vec::Vec};
use hull_spec::plan::Rootfs;
use hull_sys::{
    Errno,
    fd::OwnedFd,
    mount::{self, Attributes, Depth, attr},
    stat,
};

/// Masks, protects, and makes the root read-only last.
pub(super) fn seal(entered: &Entered, rootfs: &Rootfs) -> Result<(), Failure> {
    let root = entered.root();
    mask_all(root, rootfs)?;
    for path in &rootfs.readonly_paths {
        protect(root, path).with_context(|| format!("linux.readonlyPaths {path:?}"))?;
    }
    if let Some(change) = rootfs.propagation {
        let depth = if change.recursive {
            Depth::Tree
        } else {
            Depth::One
        };
        let propagation = change.kind.mount_flag();
        let attributes = Attributes {
            propagation,
            ..Attributes::default()
        };
        mount::set_root_attributes(attributes, depth).context("linux.rootfsPropagation")?;
    }
    if rootfs.readonly {
        let readonly = Attributes {
            set: attr::RDONLY,
            ..Attributes::default()
        };
        mount::set_root_attributes(readonly, Depth::One).context("root.readonly")?;
    }
    Ok(())
}

fn mask_all(root: &Root, rootfs: &Rootfs) -> Result<(), Failure> {
    let mut covers = Covers::labelled(rootfs.mask_label.as_ref());
    let mut masked = Vec::new();
    for path in &rootfs.masked_paths {
        mask(root, path, &mut covers, &mut masked)
            .with_context(|| format!("linux.maskedPaths {path:?}"))?;
    }
    Ok(())
}

/// Covers one path; what is not there needs no mask, and a thing is covered once.
fn mask(
    root: &Root,
    path: &str,
    covers: &mut Covers<'_>,
    masked: &mut Vec<(u64, u64)>,
) -> Result<(), Failure> {
    let Some(target) = existing(root, path)? else {
        return Ok(());
    };
    let facts = stat::fstat(&target).context("stat it")?;
    if masked.contains(&(facts.device, facts.inode)) {
        return Ok(());
    }
    let cover = if facts.is_dir() {
        covers.cover_directory(&target)?
    } else {
        covers.cover_file(root, &target)?
    };
    let now = stat::fstat(&cover).context("stat the cover")?;
    masked.push((now.device, now.inode));
    Ok(())
}

/// Binds the path onto itself, read-only, with the flags it has.
fn protect(root: &Root, path: &str) -> Result<(), Failure> {
    let Some(target) = existing(root, path)? else {
        return Ok(());
    };
    let copy = mount::clone_tree_of(&target, Depth::Tree).context("clone it")?;
    let readonly = Attributes {
        set: attr::RDONLY,
        ..Attributes::default()
    };
    mount::set_attributes(&copy, readonly, Depth::Tree).context("make it read-only")?;
    mount::attach(&copy, &target).context("cover it")
}

fn existing(root: &Root, path: &str) -> Result<Option<OwnedFd>, Failure> {
    match root.find(path) {
        Ok(found) => Ok(Some(found)),
        Err(Errno::ENOENT | Errno::ENOTDIR) => Ok(None),
        Err(errno) => Err(errno).context("resolve it"),
    }
}
