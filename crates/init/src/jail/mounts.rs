//! `mounts` of the config, in listed order, each built detached with its attributes set, then
//! attached to a destination that was resolved inside the root once.

use super::{cgroup_v1, filesystem as fresh, trees::Trees};
use crate::{
    conversation::Conversation,
    copy_up,
    failure::{Context, Failure},
    namespace::join_network,
    root::{Make, Root, place},
};
use alloc::format;
use hull_spec::plan::{InitPlan, Mount, MountAttributes, MountKind, Network};
use hull_sys::{
    fd::OwnedFd,
    mount::{self, Attributes, Depth},
    stat,
};

/// Carries them out in order; the network namespace is joined on the way if it is still to come.
pub(super) fn mount_all(
    root: &Root,
    plan: &InitPlan,
    trees: Trees<'_>,
    parent: &Conversation,
) -> Result<(), Failure> {
    let mounts = &plan.rootfs.mounts;
    let Network::Handed { after_mounts } = plan.namespaces.network else {
        return mount_these(root, mounts, trees);
    };
    let middle = usize::try_from(after_mounts).map_or(mounts.len(), |many| many.min(mounts.len()));
    let (before, after) = mounts.split_at(middle);
    mount_these(root, before, trees)?;
    join_network(parent)?;
    mount_these(root, after, trees)
}

fn mount_these(root: &Root, mounts: &[Mount], trees: Trees<'_>) -> Result<(), Failure> {
    for mount in mounts {
        carry_out(root, mount, trees).with_context(|| place(mount.index, &mount.destination))?;
    }
    Ok(())
}

fn carry_out(root: &Root, plan: &Mount, trees: Trees<'_>) -> Result<(), Failure> {
    let mounted = match &plan.kind {
        MountKind::Bind { handed } => bind(root, plan, trees.take(*handed)?)?,
        MountKind::Filesystem {
            fstype,
            source,
            parameters,
            root_label,
        } => {
            let mounted = fresh::detached(fstype, source, parameters, plan.attributes.set)?;
            if let Some(label) = root_label {
                fresh::label_root(&mounted, label)?;
            }
            filesystem(root, plan, fstype, mounted)?
        }
        MountKind::Remount => remount(root, plan)?,
        MountKind::CgroupV1 {
            parameters,
            hierarchies,
        } => cgroup_v1::mount(root, plan, (parameters, hierarchies), trees)?,
    };
    for change in &plan.propagation {
        let attributes = Attributes {
            propagation: change.kind.mount_flag(),
            ..Attributes::default()
        };
        let depth = if change.recursive {
            Depth::Tree
        } else {
            Depth::One
        };
        mount::set_attributes(&mounted, attributes, depth).context("set its propagation")?;
    }
    Ok(())
}

fn bind(root: &Root, plan: &Mount, source: OwnedFd) -> Result<OwnedFd, Failure> {
    let source_is_directory = stat::fstat(&source).context("stat the source")?.is_dir();
    let make = if source_is_directory {
        Make::Directory
    } else {
        Make::File
    };
    set(&source, plan.attributes, Depth::One)?;
    set(&source, plan.recursive_attributes, Depth::Tree)?;
    let target = target(root, plan, make)?;
    mount::attach(&source, target).context("attach the source")?;
    Ok(source)
}

fn set(mount: &OwnedFd, attributes: MountAttributes, depth: Depth) -> Result<(), Failure> {
    if attributes == MountAttributes::default() {
        return Ok(());
    }
    let MountAttributes { set, clear } = attributes;
    mount::set_attributes(
        mount,
        Attributes {
            set,
            clear,
            ..Attributes::default()
        },
        depth,
    )
    .context("set its attributes")
}

fn filesystem(
    root: &Root,
    plan: &Mount,
    fstype: &str,
    mounted: OwnedFd,
) -> Result<OwnedFd, Failure> {
    set(&mounted, plan.recursive_attributes, Depth::Tree)?;
    // A symlink of the image must not move these elsewhere (CVE-2019-19921).
    let target = match fstype {
        "proc" | "sysfs" | "mqueue" => root.ordinary_directory(&plan.destination)?,
        _ => target(root, plan, Make::Directory)?,
    };
    if plan.copy_up {
        copy_up::copy(root, &plan.destination, &mounted)
            .context("copy what the rootfs has there")?;
    }
    mount::attach(&mounted, target).with_context(|| format!("attach {fstype}"))?;
    Ok(mounted)
}

/// The destination, resolved once. A link of the image into procfs would let a mount pose as a
/// file that the kernel speaks through (CVE-2019-16884); the few destinations below /proc that
/// engines need were let through by name when the plan was made.
fn target(root: &Root, plan: &Mount, make: Make) -> Result<OwnedFd, Failure> {
    let target = root
        .find_or_make(&plan.destination, make)
        .context("resolve it inside the rootfs")?;
    let named = plan.destination == "/proc" || plan.destination.starts_with("/proc/");
    let on_procfs = stat::filesystem(&target).context("look at it")? == stat::magic::PROC;
    if on_procfs && !named {
        return Err(Failure::new("leads into /proc through a symlink"));
    }
    Ok(target)
}

/// Changes what is mounted at the destination already.
fn remount(root: &Root, plan: &Mount) -> Result<OwnedFd, Failure> {
    let mounted = root
        .find(&plan.destination)
        .context("resolve it inside the rootfs")?;
    set(&mounted, plan.attributes, Depth::One)?;
    set(&mounted, plan.recursive_attributes, Depth::Tree)?;
    Ok(mounted)
}
