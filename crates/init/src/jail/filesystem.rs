//! A fresh filesystem, configured by fsopen and fsconfig, mounted nowhere until it is attached.

use crate::{
    failure::{Context, Failure},
    root::c_string,
};
use alloc::format;
use hull_spec::plan::FsParameter;
use hull_sys::{
    Errno,
    fd::OwnedFd,
    mount::Filesystem,
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
    let name = c_string(fstype).context("filesystem type")?;
    let filesystem =
        Filesystem::open(&name).with_context(|| format!("filesystem type {fstype:?}"))?;
    if !source.is_empty() {
        let source = c_string(source).context("source")?;
        configure(
            &filesystem,
            filesystem.set_text(c"source", &source),
            "source",
        )?;
    }
    for parameter in parameters {
        match parameter {
            FsParameter::Flag(key) => {
                let c_key = c_string(key).context("option")?;
                configure(&filesystem, filesystem.set_flag(&c_key), key)?;
            }
            FsParameter::Text(key, value) => {
                let (c_key, value) = (
                    c_string(key).context("option")?,
                    c_string(value).context("option")?,
                );
                configure(&filesystem, filesystem.set_text(&c_key, &value), key)?;
            }
        }
    }
    filesystem
        .mount(attributes)
        .with_context(|| format!("mount {fstype}"))
}

/// Gives its root directory a SELinux label.
pub(super) fn label_root(mounted: &OwnedFd, label: &str) -> Result<(), Failure> {
    let root = path::open_at(mounted, c".", Open::READ.and(Open::DIRECTORY));
    root.and_then(|root| xattr::set(root, c"security.selinux", label.as_bytes()))
        .context("set the label of its root")
}

/// Adds the kernel's own words to a refused option.
fn configure(
    filesystem: &Filesystem,
    result: Result<(), Errno>,
    option: &str,
) -> Result<(), Failure> {
    result.with_context(|| match filesystem.explanation() {
        Some(words) => format!("option {option:?} ({words})"),
        None => format!("option {option:?}"),
    })
}
