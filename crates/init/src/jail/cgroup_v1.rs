//! The v1 hierarchies as the container sees them: a tmpfs with a directory for each.

use super::{attributes, filesystem, trees::Trees};
use crate::{
    failure::{Context, Failure},
    root::{Make, Root, c_string},
};
use alloc::format;
use hull_spec::plan::{CgroupV1Mount, CgroupV1Source, FsParameter, Mount};
use hull_sys::{
    Errno,
    fd::OwnedFd,
    mount::{self, Attributes, Depth, attr},
    path::{self, Open},
};

/// Mounts them all; the tmpfs becomes read-only at the end if the config says so, each hierarchy
/// is from the start.
pub(super) fn mount(
    root: &Root,
    plan: &Mount,
    (parameters, hierarchies): (&[FsParameter], &[CgroupV1Mount]),
    trees: Trees<'_>,
) -> Result<OwnedFd, Failure> {
    let target = root
        .find_or_make(&plan.destination, Make::Directory)
        .context("resolve it inside the rootfs")?;
    let writable = plan.attributes.set & !attr::RDONLY;
    let tmpfs = filesystem::detached("tmpfs", "tmpfs", parameters, writable)?;
    mount::attach(&tmpfs, target).context("attach tmpfs")?;
    let inside = path::open_at(&tmpfs, c".", Open::PATH).context("open it")?;
    let inside = Root::new(inside);
    for hierarchy in hierarchies {
        mount_one(&inside, hierarchy, plan.attributes.set, trees)
            .with_context(|| format!("cgroup hierarchy {:?}", hierarchy.name))?;
    }
    if plan.attributes.set & attr::RDONLY != 0 {
        let readonly = Attributes {
            set: attr::RDONLY,
            ..Attributes::default()
        };
        mount::set_attributes(&tmpfs, readonly, Depth::One).context("make it read-only")?;
    }
    attributes::set(&tmpfs, plan.recursive_attributes, Depth::Tree)
        .context("set their attributes")?;
    Ok(tmpfs)
}

fn mount_one(
    inside: &Root,
    hierarchy: &CgroupV1Mount,
    attributes: u64,
    trees: Trees<'_>,
) -> Result<(), Failure> {
    let target = inside
        .find_or_make(&hierarchy.name, Make::Directory)
        .context("make it")?;
    let mounted = match &hierarchy.source {
        CgroupV1Source::Mounted { fstype, parameters } => {
            filesystem::detached(fstype, "cgroup", parameters, attributes)?
        }
        CgroupV1Source::Handed(index) => {
            let handed = trees.take(*index)?;
            let set = Attributes {
                set: attributes,
                ..Attributes::default()
            };
            mount::set_attributes(&handed, set, Depth::One).context("set its attributes")?;
            handed
        }
    };
    mount::attach(&mounted, target).context("attach it")?;
    let name = c_string(&hierarchy.name).context("its name")?;
    for link in &hierarchy.links {
        match path::make_symlink(&name, inside, &c_string(link).context("link")?) {
            Ok(()) | Err(Errno::EEXIST) => {}
            other => other.with_context(|| format!("link {link:?}"))?,
        }
    }
    Ok(())
}
