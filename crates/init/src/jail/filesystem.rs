//! A fresh filesystem, configured by fsopen and fsconfig, mounted nowhere until it is attached.

use crate::failure::{Context, Failure};
use hull_spec::plan::FsParameter;
use hull_sys::{
    fd::OwnedFd,
    mount,
    path::{self, Open},
    xattr,
};

/// A filesystem that is mounted nowhere yet.
pub(super) fn detached(
    fstype: &str,
    source: &str,
    parameters: &[FsParameter],
    attributes: u64,
) -> Result<OwnedFd, Failure> {
    let source = [("source", Some(source))]
        .into_iter()
        .filter(|_| !source.is_empty());
    let all = source.chain(parameters.iter().map(FsParameter::pair));
    mount::make(fstype, all, attributes)
        .map_err(|unmade| Failure::of(unmade.errno).because(&unmade.step))
}

/// Gives its root directory a SELinux label.
pub(super) fn label_root(mounted: &OwnedFd, label: &str) -> Result<(), Failure> {
    let root = path::open_at(mounted, c".", Open::READ.and(Open::DIRECTORY));
    root.and_then(|root| xattr::set(root, c"security.selinux", label.as_bytes()))
        .context("set the label of its root")
}
