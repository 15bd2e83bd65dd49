//! `tmpcopyup`: what the rootfs holds at a destination goes into the fresh tmpfs, by fd, with
//! modes, owners and extended attributes; symlinks stay symlinks, sockets are left out.

use crate::{
    failure::{Context, Failure},
    root::Root,
};
use alloc::{ffi::CString, format};
use hull_spec::plan::CopyUp;
use hull_sys::{
    Errno, directory,
    fd::OwnedFd,
    path::{self, Open},
    stat::{self, Stat},
    xattr,
};

/// Directories below each other.
const DEEPEST: u32 = 64;

/// Copies the content of `destination` into the detached mount.
pub(crate) fn copy(
    root: &Root,
    destination: &str,
    into: &OwnedFd,
    what: CopyUp,
) -> Result<(), Failure> {
    let from = match root.open(destination, Open::READ.and(Open::DIRECTORY)) {
        Err(Errno::ENOENT) => return Ok(()),
        other => other.context("open it")?,
    };
    let facts = stat::fstat(&from).context("stat it")?;
    let target =
        path::open_at(into, c".", Open::READ.and(Open::DIRECTORY)).context("open tmpfs")?;
    // As cp does: the mount takes the directory's own mode and owner too.
    if what.owner {
        own(&target, &facts)?;
    }
    if what.mode {
        path::set_mode(into, c".", facts.mode & 0o7777).context("chmod")?;
    }
    copy_attributes(&from, &target)?;
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
    let copied = if facts.is_symlink() {
        let target = path::read_symlink(&source, c"").context("read the link")?;
        let target = CString::new(target).map_err(|_| Failure::new("a NUL in a link"))?;
        path::make_symlink(&target, into, name).context("make the link")?;
        None
    } else if facts.is_dir() {
        path::make_dir(into, name, 0o700).context("make the directory")?;
        let open = Open::READ.and(Open::DIRECTORY).and(Open::NO_FOLLOW);
        let below = path::open_at(from, name, open).context("open")?;
        let target = path::open_at(into, name, open).context("open")?;
        copy_directory(&below, &target, depth - 1)?;
        Some((below, target))
    } else if facts.is_regular() {
        Some(copy_file(from, into, name)?)
    } else if facts.is_fifo() {
        path::make_node(into, name, facts.mode, (0, 0)).context("make the fifo")?;
        None
    } else {
        return Ok(());
    };
    let node = path::open_at(into, name, Open::PATH.and(Open::NO_FOLLOW)).context("open")?;
    own(&node, &facts)?;
    if !facts.is_symlink() {
        path::set_mode(into, name, facts.mode & 0o7777).context("chmod")?;
    }
    match copied {
        // Last: a change of owner takes file capabilities away.
        Some((source, target)) => copy_attributes(&source, &target),
        None => Ok(()),
    }
}

fn copy_file(
    from: &OwnedFd,
    into: &OwnedFd,
    name: &CString,
) -> Result<(OwnedFd, OwnedFd), Failure> {
    let open = Open::READ.and(Open::NO_FOLLOW).and(Open::NONBLOCK);
    let source = path::open_at(from, name, open).context("open")?;
    let target = path::create_at(into, name, Open::WRITE.and(Open::EXCLUSIVE), 0o600)
        .context("make the file")?;
    let mut chunk = alloc::vec![0u8; 64 * 1024];
    loop {
        let count = path::read(&source, &mut chunk).context("read")?;
        match chunk.get(..count) {
            None | Some([]) => return Ok((source, target)),
            Some(bytes) => path::write_all(&target, bytes).context("write")?,
        }
    }
}

fn own(node: &OwnedFd, facts: &Stat) -> Result<(), Failure> {
    match path::set_owner(node, facts.uid, facts.gid) {
        // An id that this user namespace, or the mount's id map, does not know stays ours.
        Ok(()) | Err(Errno::EINVAL | Errno::EOVERFLOW) => Ok(()),
        Err(errno) => Err(errno).context("chown"),
    }
}

/// Those that a tmpfs has, and that this user namespace may set.
fn copy_attributes(from: &OwnedFd, into: &OwnedFd) -> Result<(), Failure> {
    let names = match xattr::names(from) {
        Err(Errno::EOPNOTSUPP) => return Ok(()),
        other => other.context("list attributes")?,
    };
    for name in names {
        let value = xattr::value(from, &name);
        match value.and_then(|value| xattr::set(into, &name, &value)) {
            Ok(()) | Err(Errno::EOPNOTSUPP | Errno::EPERM) => {}
            Err(errno) => {
                return Err(errno).with_context(|| format!("attribute {}", name.to_string_lossy()));
            }
        }
    }
    Ok(())
}
