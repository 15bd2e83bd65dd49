//! `tmpcopyup`: what the rootfs holds at a destination goes into the fresh tmpfs, by fd, with
//! modes and owners; symlinks stay symlinks, sockets are left out.

use crate::{
    failure::{Context, Failure},
    root::Root,
};
use alloc::{ffi::CString, format};
use core::ffi::CStr;
use hull_sys::{
    Errno, directory,
    fd::{AsFd, OwnedFd},
    path::{self, Open},
    stat::{self, Stat},
};

/// Directories below each other.
const DEEPEST: u32 = 64;

/// Copies the content of `destination` into the detached mount.
pub(crate) fn copy(root: &Root, destination: &str, into: &OwnedFd) -> Result<(), Failure> {
    let from = match root.open(destination, Open::READ.and(Open::DIRECTORY)) {
        Err(Errno::ENOENT) => return Ok(()),
        other => other.context("open it")?,
    };
    let facts = stat::fstat(&from).context("stat it")?;
    let target =
        path::open_at(into, c".", Open::READ.and(Open::DIRECTORY)).context("open tmpfs")?;
    // As cp does: the mount takes the directory's own mode and owner too.
    path::set_owner(&target, facts.uid, facts.gid).context("chown")?;
    path::set_mode(into, c".", facts.mode & 0o7777).context("chmod")?;
    copy_directory(&from, &target, DEEPEST)
}

fn copy_directory(from: &OwnedFd, into: &OwnedFd, depth: u32) -> Result<(), Failure> {
    if depth == 0 {
        return Err(Failure::new("directories are nested too deep"));
    }
    for name in directory::names(from).context("list it")? {
        copy_entry(from, into, &name, depth)
            .with_context(|| format!("{}", name.to_string_lossy()))?;
    }
    Ok(())
}

fn copy_entry(from: &OwnedFd, into: &OwnedFd, name: &CString, depth: u32) -> Result<(), Failure> {
    let source = path::open_at(from, name, Open::PATH.and(Open::NO_FOLLOW)).context("open")?;
    let facts = stat::fstat(&source).context("stat")?;
    if facts.is_symlink() {
        let target = path::read_symlink(&source, c"").context("read the link")?;
        let target = CString::new(target).map_err(|_| Failure::new("a NUL in a link"))?;
        path::make_symlink(&target, into, name).context("make the link")?;
        return own(into, name, &facts);
    }
    if facts.is_dir() {
        path::make_dir(into, name, 0o700).context("make the directory")?;
        let open = Open::READ.and(Open::DIRECTORY).and(Open::NO_FOLLOW);
        let below = path::open_at(from, name, open).context("open")?;
        let target = path::open_at(into, name, open).context("open")?;
        copy_directory(&below, &target, depth - 1)?;
    } else if facts.is_regular() {
        copy_file(from, into, name)?;
    } else if facts.is_fifo() {
        path::make_node(into, name, facts.mode, (0, 0)).context("make the fifo")?;
    } else {
        return Ok(());
    }
    own(into, name, &facts)?;
    path::set_mode(into, name, facts.mode & 0o7777).context("chmod")
}

fn copy_file(from: &OwnedFd, into: &OwnedFd, name: &CString) -> Result<(), Failure> {
    let open = Open::READ.and(Open::NO_FOLLOW).and(Open::NONBLOCK);
    let source = path::open_at(from, name, open).context("open")?;
    let target = path::create_at(into, name, Open::WRITE.and(Open::EXCLUSIVE), 0o600)
        .context("make the file")?;
    let mut chunk = alloc::vec![0u8; 64 * 1024];
    loop {
        let count = path::read(&source, &mut chunk).context("read")?;
        match chunk.get(..count) {
            None | Some([]) => return Ok(()),
            Some(bytes) => path::write_all(&target, bytes).context("write")?,
        }
    }
}

fn own(into: impl AsFd, name: &CStr, facts: &Stat) -> Result<(), Failure> {
    let node = path::open_at(into, name, Open::PATH.and(Open::NO_FOLLOW)).context("open")?;
    match path::set_owner(node, facts.uid, facts.gid) {
        // An id that this user namespace does not map stays ours.
        Ok(()) | Err(Errno::EINVAL) => Ok(()),
        Err(errno) => Err(errno).context("chown"),
    }
}
