//! Device nodes and the links of /dev, made by directory fd after the mounts.

use super::trees::Trees;
use crate::{
    failure::{Context, Failure},
    root::{Make, Root, c_string},
};
use alloc::{ffi::CString, format};
use hull_spec::plan::{Device, DeviceNode, Rootfs};
use hull_sys::{
    Errno,
    fd::OwnedFd,
    mount,
    path::{self, Open},
    stat,
};

const CHAR: u32 = 0o020_000;
const BLOCK: u32 = 0o060_000;
const FIFO: u32 = 0o010_000;

/// runtime-linux.md#dev-symbolic-links, and /dev/ptmx of config-linux.md#default-devices.
const LINKS: [(&str, &str); 5] = [
    ("/dev/fd", "/proc/self/fd"),
    ("/dev/stdin", "/proc/self/fd/0"),
    ("/dev/stdout", "/proc/self/fd/1"),
    ("/dev/stderr", "/proc/self/fd/2"),
    ("/dev/ptmx", "pts/ptmx"),
];

/// Makes the plan's devices, then the links.
pub(super) fn make_all(root: &Root, rootfs: &Rootfs, trees: Trees<'_>) -> Result<(), Failure> {
    let mut directories = Directories { root, last: None };
    for device in &rootfs.devices {
        make(&mut directories, device, trees)
            .with_context(|| format!("{} {:?}", device.origin, device.path))?;
    }
    if rootfs.dev_links {
        for (link, target) in LINKS {
            make_link(&mut directories, link, target).with_context(|| format!("link {link:?}"))?;
        }
    }
    Ok(())
}

/// The directory last used: nearly every node stands in /dev.
struct Directories<'a> {
    root: &'a Root,
    last: Option<(&'a str, OwnedFd)>,
}

impl<'a> Directories<'a> {
    /// The directory that holds `path`, made if absent, and the last name.
    fn holding(&mut self, path: &'a str) -> Result<(&OwnedFd, CString), Failure> {
        let (above, name) = path.rsplit_once('/').unwrap_or(("", path));
        if self.last.as_ref().is_none_or(|(last, _)| *last != above) {
            let (directory, _) = self.root.parent(path).context("open its directory")?;
            self.last = Some((above, directory));
        }
        let Some((_, directory)) = &self.last else {
            return Err(Failure::new("open its directory"));
        };
        Ok((directory, c_string(name).context("its name")?))
    }
}

fn make<'a>(
    directories: &mut Directories<'a>,
    device: &'a Device,
    trees: Trees<'_>,
) -> Result<(), Failure> {
    let (kind, numbers) = match device.node {
        DeviceNode::Char { major, minor } => (CHAR, (major, minor)),
        DeviceNode::Block { major, minor } => (BLOCK, (major, minor)),
        DeviceNode::Fifo => (FIFO, (0, 0)),
        DeviceNode::Bound { handed } => {
            return bind(directories.root, device, trees.take(handed)?);
        }
    };
    let (parent, name) = directories.holding(&device.path)?;
    match path::make_node(parent, &name, kind | device.mode, numbers) {
        Ok(()) => own(parent, &name, device),
        Err(Errno::EEXIST) => same(parent, &name, device),
        Err(errno) => Err(errno).context("mknod"),
    }
}

/// Mode and owner, exactly as the plan has them: the umask is 0, but an ACL may stand above.
fn own(parent: &OwnedFd, name: &CString, device: &Device) -> Result<(), Failure> {
    if (device.uid, device.gid) == (0, 0) {
        return Ok(());
    }
    let open = Open::PATH.and(Open::NO_FOLLOW);
    let node = path::open_at(parent, name, open).context("open it")?;
    path::set_owner(node, device.uid, device.gid).context("chown")
}

/// A node that is there already must be the one that is wanted (config-linux.md#devices).
fn same(parent: &OwnedFd, name: &CString, device: &Device) -> Result<(), Failure> {
    let open = Open::PATH.and(Open::NO_FOLLOW);
    let node = path::open_at(parent, name, open).context("open it")?;
    let facts = stat::fstat(&node).context("stat it")?;
    let matches = match device.node {
        DeviceNode::Char { major, minor } => facts.char_device() == Some((major, minor)),
        DeviceNode::Block { major, minor } => facts.block_device() == Some((major, minor)),
        DeviceNode::Fifo => facts.is_fifo(),
        DeviceNode::Bound { .. } => true,
    };
    if matches {
        return Ok(());
    }
    Err(Failure::new(
        "a file that is not this device is there already",
    ))
}

fn bind(root: &Root, device: &Device, source: OwnedFd) -> Result<(), Failure> {
    let target = root
        .find_or_make(&device.path, Make::File)
        .context("resolve it inside the rootfs")?;
    mount::attach(source, target).context("bind the host's node")
}

/// What is there already stays.
fn make_link<'a>(
    directories: &mut Directories<'a>,
    link: &'a str,
    target: &str,
) -> Result<(), Failure> {
    let (parent, name) = directories.holding(link)?;
    match path::make_symlink(&c_string(target).context("target")?, parent, &name) {
        Ok(()) | Err(Errno::EEXIST) => Ok(()),
        Err(errno) => Err(errno).context("symlink"),
    }
}
