//! `mounts` of the config, in listed order, each built detached with its attributes set, then
//! attached to a destination that was resolved inside the root once.

use super::{attributes, cgroup_v1, filesystem as fresh, trees::Trees};
use crate::{
    conversation::Conversation,
    copy_up,
    failure::{Context, Failure},
    namespace::join_network,
    root::{Make, Root, place},
};
use alloc::{ffi::CString, format};
use hull_spec::plan::{InitPlan, Links, Mount, MountAttributes, MountKind, Network};
use hull_sys::{
    Errno,
    fd::OwnedFd,
    mount::{self, Attributes, Depth},
    path, stat,
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
        MountKind::Bind { handed, links } => {
            let source = trees.take(*handed)?;
            if *links == Links::Copied && is_symlink(&source)? {
                return copy_symlink(root, plan, &source);
            }
            handed_tree(root, plan, source, *links)?
        }
        MountKind::Made { handed } => {
            handed_tree(root, plan, trees.take(*handed)?, Links::Followed)?
        }
        MountKind::Filesystem {
            fstype,
            source,
            parameters,
            root_label,
        } => {
            let mounted = fresh::detached(fstype, source, parameters, at_first(plan))?;
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

fn is_symlink(source: &OwnedFd) -> Result<bool, Failure> {
    let facts = stat::fstat(source).context("stat the source")?;
    Ok(facts.is_symlink())
}

/// `copy-symlink`: the link is made again. One that is there already must be the same.
fn copy_symlink(root: &Root, plan: &Mount, source: &OwnedFd) -> Result<(), Failure> {
    let target = path::read_symlink(source, c"").context("read the link")?;
    let target = CString::new(target).map_err(|_| Failure::new("a NUL in a link"))?;
    let (parent, name) = root
        .parent(&plan.destination)
        .context("resolve its directory inside the rootfs")?;
    match path::make_symlink(&target, &parent, &name) {
        Err(Errno::EEXIST)
            if path::read_symlink(&parent, &name).is_ok_and(|other| other == target.as_bytes()) =>
        {
            Ok(())
        }
        other => other.context("make the link"),
    }
}

/// A bind source, or a filesystem that the host made.
fn handed_tree(root: &Root, plan: &Mount, tree: OwnedFd, links: Links) -> Result<OwnedFd, Failure> {
    let is_directory = stat::fstat(&tree).context("stat the source")?.is_dir();
    let make = if is_directory {
        Make::Directory
    } else {
        Make::File
    };
    let target = target(root, plan, make, links)?;
    copy_up(root, plan, &tree)?;
    set(&tree, plan.attributes, Depth::One)?;
    set(&tree, plan.recursive_attributes, Depth::Tree)?;
    mount::attach(&tree, &target).with_context(|| mismatch(is_directory, &target).into())?;
    Ok(tree)
}

/// The kernel says EINVAL to this as to anything else.
fn mismatch(is_directory: bool, target: &OwnedFd) -> &'static str {
    match (
        is_directory,
        stat::fstat(target).map(|facts| facts.is_dir()),
    ) {
        (true, Ok(false)) => "attach a directory to what is none",
        (false, Ok(true)) => "attach what is no directory to one",
        _ => "attach the source",
    }
}

fn copy_up(root: &Root, plan: &Mount, into: &OwnedFd) -> Result<(), Failure> {
    match plan.copy_up {
        None => Ok(()),
        Some(what) => copy_up::copy(root, &plan.destination, into, what)
            .context("copy what the rootfs has there"),
    }
}

fn set(mount: &OwnedFd, plan: MountAttributes, depth: Depth) -> Result<(), Failure> {
    attributes::set(mount, plan, depth).context("set its attributes")
}

/// What is copied has to be written before the mount may be read-only.
fn at_first(plan: &Mount) -> u64 {
    match plan.copy_up {
        None => plan.attributes.set,
        Some(_) => 0,
    }
}

fn filesystem(
    root: &Root,
    plan: &Mount,
    fstype: &str,
    mounted: OwnedFd,
) -> Result<OwnedFd, Failure> {
    // A symlink of the image must not move these elsewhere (CVE-2019-19921).
    let target = match fstype {
        "proc" | "sysfs" | "mqueue" => root.ordinary_directory(&plan.destination)?,
        _ => target(root, plan, Make::Directory, Links::Followed)?,
    };
    copy_up(root, plan, &mounted)?;
    if plan.copy_up.is_some() {
        set(&mounted, plan.attributes, Depth::One)?;
    }
    set(&mounted, plan.recursive_attributes, Depth::Tree)?;
    mount::attach(&mounted, target).with_context(|| format!("attach {fstype}"))?;
    Ok(mounted)
}

/// The destination, resolved once. A link of the image into procfs would let a mount pose as a
/// file that the kernel speaks through (CVE-2019-16884); the few destinations below /proc that
/// engines need were let through by name when the plan was made.
fn target(root: &Root, plan: &Mount, make: Make, links: Links) -> Result<OwnedFd, Failure> {
    let found = match links {
        Links::Covered => root.unfollowed(&plan.destination, make),
        Links::Followed | Links::Copied => root.find_or_make(&plan.destination, make),
    };
    let target = found.context("resolve it inside the rootfs")?;
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
