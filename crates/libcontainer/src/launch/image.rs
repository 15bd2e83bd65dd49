//! The init image: built by the build script, embedded here, executed from a sealed memfd of its
//! own page cache, so that no container ever reaches the host's binary (CVE-2019-5736).

use crate::state::ImageIdentity;
use hull_sys::{
    Errno,
    fd::{AsFd, BorrowedFd, OwnedFd},
    memfd::{self, Content},
    stat,
};

static IMAGE: &[u8] = include_bytes!(env!("HULL_INIT_IMAGE"));

/// The image in memory.
#[derive(Debug)]
pub(crate) struct InitImage {
    memfd: OwnedFd,
    identity: ImageIdentity,
}

impl InitImage {
    pub(crate) fn load() -> Result<Self, Errno> {
        let memfd = memfd::sealed(c"hull-init", IMAGE, Content::Program)?;
        let facts = stat::fstat(&memfd)?;
        let identity = ImageIdentity {
            device: facts.device,
            inode: facts.inode,
        };
        Ok(Self { memfd, identity })
    }

    /// Who runs this file has not passed the gate.
    pub(crate) fn identity(&self) -> ImageIdentity {
        self.identity
    }
}

impl AsFd for InitImage {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.memfd.as_fd()
    }
}
