//! The init image: built by the build script, embedded here, executed from a sealed memfd of its
//! own page cache, so that no container ever reaches the host's binary (CVE-2019-5736).

use crate::state::ImageIdentity;
use hull_sys::{
    Errno,
    fd::{AsFd, BorrowedFd, OwnedFd},
    memfd::{self, Content},
    mount::{self, Attributes, Depth, Filesystem, attr},
    path::{self, Open},
    stat,
};
use std::ffi::CStr;

static IMAGE: &[u8] = include_bytes!(env!("HULL_INIT_IMAGE"));

const NAME: &CStr = c"hull-init";

/// The image in memory.
#[derive(Debug)]
pub(crate) struct InitImage {
    file: OwnedFd,
    identity: ImageIdentity,
}

impl InitImage {
    pub(crate) fn load() -> Result<Self, Errno> {
        let file = match memfd::sealed(NAME, IMAGE, Content::Program) {
            // vm.memfd_noexec=2: no memory file may be executed here.
            Err(Errno::EACCES) => on_a_tmpfs()?,
            other => other?,
        };
        let facts = stat::fstat(&file)?;
        let identity = ImageIdentity {
            device: facts.device,
            inode: facts.inode,
        };
        Ok(Self { file, identity })
    }

    /// Who runs this file has not passed the gate.
    pub(crate) fn identity(&self) -> ImageIdentity {
        self.identity
    }
}

impl AsFd for InitImage {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// As good as a sealed memfd: on a filesystem of its own, mounted nowhere and read-only, which goes
/// with the last process that runs it.
fn on_a_tmpfs() -> Result<OwnedFd, Errno> {
    let tmpfs = Filesystem::open(c"tmpfs")?.mount(attr::NOSUID | attr::NODEV)?;
    let file = path::create_at(&tmpfs, NAME, Open::WRITE.and(Open::EXCLUSIVE), 0o500)?;
    path::write_all(&file, IMAGE)?;
    // A file that is open for writing cannot be executed.
    drop(file);
    path::set_mode(&tmpfs, NAME, memfd::PROGRAM_MODE)?;
    let readonly = Attributes {
        set: attr::RDONLY,
        ..Attributes::default()
    };
    mount::set_attributes(&tmpfs, readonly, Depth::One)?;
    path::open_at(&tmpfs, NAME, Open::PATH)
}
