//! procfs by a handle of our own, never by a path in a container, where an image or a hook may have
//! put anything (CVE-2019-16884, CVE-2025-52881).

use crate::{
    failure::{Context, Failure},
    root::c_string,
};
use alloc::string::String;
use hull_sys::{
    Errno,
    fd::OwnedFd,
    mount::{self, Depth, Filesystem, Link, attr},
    path::{self, Open, Resolve},
    stat::{self, magic},
};

/// The kernel's PROC_ROOT_INO.
const ROOT_INODE: u64 = 1;

/// Detached: no path leads to it, and it ends with its fd.
#[derive(Debug)]
pub(crate) struct Procfs(OwnedFd);

impl Procfs {
    /// A new one. A user namespace may mount none of a pid namespace that is not its own: there it
    /// is a copy of what is on /proc, which is as good once it is known to be the root of a procfs,
    /// since nothing mounted below is ever entered.
    pub(crate) fn own() -> Result<Self, Failure> {
        let tree = match mounted() {
            Err(Errno::EPERM) => mount::clone_tree(c"/proc", Link::Followed, Depth::Tree)
                .context("copy the one on /proc")?,
            other => other.context("mount it")?,
        };
        let root = stat::fstat(&tree).context("stat its root")?;
        if stat::filesystem(&tree).context("look at it")? != magic::PROC || root.inode != ROOT_INODE
        {
            return Err(Failure::new("/proc is no procfs"));
        }
        Ok(Self(tree))
    }

    /// A file in it, over no symlink and no other mount.
    pub(crate) fn open(&self, path: &str, open: Open) -> Result<OwnedFd, Errno> {
        path::open_confined(&self.0, &c_string(path)?, open, Resolve::BENEATH)
    }

    /// The name of this process's own directory.
    pub(crate) fn own_directory(&self) -> Result<String, Failure> {
        path::read_symlink(&self.0, c"self")
            .and_then(|name| String::from_utf8(name).map_err(|_| Errno::EINVAL))
            .context("read /proc/self")
    }
}

fn mounted() -> Result<OwnedFd, Errno> {
    Filesystem::open(c"proc")?.mount(attr::NOSUID | attr::NODEV | attr::NOEXEC)
}
