//! A tmpfs of our own, made before the root is entered, from which clean things are cloned: an
//! empty directory and a null device that no image could have prepared (CVE-2025-31133).

use super::filesystem;
use crate::failure::{Context, Failure};
use hull_spec::plan::FsParameter;
use hull_sys::{
    Errno,
    fd::OwnedFd,
    mount::{self, Attributes, Depth, attr},
    path::{self, Open},
    stat,
};

const CHAR_DEVICE: u32 = 0o020_000;

/// The tmpfs, attached in this mount namespace (kernels before 6.15 clone nothing else).
pub(super) struct Scratch {
    tmpfs: OwnedFd,
    null: Option<OwnedFd>,
}

impl Scratch {
    /// Attached over `/` before the new root is, and gone with the old one.
    pub(super) fn make(over: &OwnedFd) -> Result<Self, Failure> {
        let parameters = [
            FsParameter::Text("mode".into(), "555".into()),
            FsParameter::Text("nr_inodes".into(), "16".into()),
            FsParameter::Text("size".into(), "4096".into()),
        ];
        let quiet = attr::NOSUID | attr::NOEXEC;
        let tmpfs = filesystem::detached("tmpfs", "tmpfs", &parameters, quiet)?;
        path::make_dir(&tmpfs, c"empty", 0o555).context("make an empty directory")?;
        match path::make_node(&tmpfs, c"null", CHAR_DEVICE | 0o666, (1, 3)) {
            // A user namespace makes no nodes: the container's own is verified instead.
            Ok(()) | Err(Errno::EPERM) => {}
            other => other.context("make a null device")?,
        }
        mount::attach(&tmpfs, over).context("attach the scratch tmpfs")?;
        let readonly = Attributes {
            set: attr::RDONLY,
            ..Attributes::default()
        };
        mount::set_attributes(&tmpfs, readonly, Depth::One).context("make it read-only")?;
        let null = path::open_at(&tmpfs, c"null", Open::PATH).ok();
        Ok(Self { tmpfs, null })
    }

    /// An empty read-only directory to mount.
    pub(super) fn empty(&self) -> Result<OwnedFd, Failure> {
        let empty = path::open_at(&self.tmpfs, c"empty", Open::PATH).context("open it")?;
        mount::clone_tree_of(empty, Depth::One).context("clone an empty directory")
    }

    /// A null device to mount, verified by its numbers.
    pub(super) fn null(&self) -> Result<OwnedFd, Failure> {
        let found;
        let null = if let Some(null) = &self.null {
            null
        } else {
            let open = Open::PATH.and(Open::NO_FOLLOW);
            found = path::open(c"/dev/null", open).context("open /dev/null")?;
            &found
        };
        if stat::fstat(null)
            .context("stat the null device")?
            .char_device()
            != Some((1, 3))
        {
            return Err(Failure::new(
                "/dev/null of the container is not the null device",
            ));
        }
        mount::clone_tree_of(null, Depth::One).context("clone the null device")
    }
}
