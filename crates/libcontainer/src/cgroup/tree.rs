//! A cgroup with all below it. A payload may have nested them as deep and spread them as wide as it
//! liked, so a walk holds one directory at a time.

use crate::kernel_file::read;
use hull_sys::{
    Errno, directory,
    path::{self, Open, Remove, Resolve},
};
use std::{
    ffi::{CStr, CString},
    os::fd::OwnedFd,
};

/// A place in the walk: the directory that is open, and for each level down to it the names that
/// are still ahead.
struct Walk {
    here: OwnedFd,
    ahead: Vec<Level>,
}

struct Level {
    name: CString,
    ahead: Vec<CString>,
}

impl Walk {
    fn from(top: OwnedFd) -> Result<Self, Errno> {
        let ahead = names(&top)?;
        let name = CString::default();
        Ok(Self {
            here: top,
            ahead: vec![Level { name, ahead }],
        })
    }

    /// The next name of this level.
    fn next(&mut self) -> Option<CString> {
        self.ahead.last_mut()?.ahead.pop()
    }

    /// Into a cgroup of this level; false where the name is none's.
    fn enter(&mut self, name: CString) -> Result<bool, Errno> {
        let child = match open(&self.here, &name) {
            Err(Errno::ENOENT | Errno::ENOTDIR) => return Ok(false),
            other => other?,
        };
        let ahead = names(&child)?;
        self.ahead.push(Level { name, ahead });
        self.here = child;
        Ok(true)
    }

    /// Back to the level above: the name that was left, or the end. A cgroup is never moved to
    /// another parent, so `..` is where we came from.
    fn leave(&mut self) -> Result<Option<CString>, Errno> {
        let left = self.ahead.pop();
        if self.ahead.is_empty() {
            return Ok(None);
        }
        self.here = path::open_at(&self.here, c"..", Open::READ.and(Open::DIRECTORY))?;
        Ok(left.map(|level| level.name))
    }
}

fn open(above: &OwnedFd, name: &CStr) -> Result<OwnedFd, Errno> {
    path::open_confined(
        above,
        name,
        Open::READ.and(Open::DIRECTORY),
        Resolve::BENEATH,
    )
}

fn names(here: &OwnedFd) -> Result<Vec<CString>, Errno> {
    let again = path::open_at(here, c".", Open::READ.and(Open::DIRECTORY))?;
    directory::names(again)
}

/// The cgroups right below one, each open while it is looked at.
pub(super) fn children(here: &OwnedFd) -> Result<impl Iterator<Item = (CString, OwnedFd)>, Errno> {
    let child = |name: CString| open(here, &name).ok().map(|child| (name, child));
    Ok(names(here)?.into_iter().filter_map(child))
}

/// Every pid in it and below; a cgroup that goes meanwhile has none.
pub(super) fn pids(top: OwnedFd) -> Vec<i32> {
    let mut all = members(&top);
    let Ok(mut walk) = Walk::from(top) else {
        return all;
    };
    loop {
        match walk.next() {
            Some(name) => {
                if walk.enter(name).unwrap_or(false) {
                    all.extend(members(&walk.here));
                }
            }
            None if matches!(walk.leave(), Ok(Some(_))) => {}
            None => return all,
        }
    }
}

fn members(cgroup: &OwnedFd) -> Vec<i32> {
    let procs = read(cgroup, "cgroup.procs").unwrap_or_default();
    procs.lines().filter_map(|line| line.parse().ok()).collect()
}

/// rmdir, and only where that is refused, what is below it first.
pub(super) fn remove(above: &OwnedFd, name: &CStr) -> Result<(), Errno> {
    match rmdir(above, name) {
        Err(Errno::EBUSY | Errno::ENOTEMPTY) => {}
        other => return other,
    }
    let mut walk = Walk::from(open(above, name)?)?;
    loop {
        match walk.next() {
            Some(name) => match rmdir(&walk.here, &name) {
                Ok(()) | Err(Errno::ENOENT | Errno::ENOTDIR) => {}
                Err(Errno::EBUSY | Errno::ENOTEMPTY) => drop(walk.enter(name)?),
                Err(errno) => return Err(errno),
            },
            None => match walk.leave()? {
                Some(name) => match rmdir(&walk.here, &name) {
                    Ok(()) | Err(Errno::ENOENT) => {}
                    Err(errno) => return Err(errno),
                },
                None => return rmdir(above, name),
            },
        }
    }
}

fn rmdir(above: &OwnedFd, name: &CStr) -> Result<(), Errno> {
    path::unlink(above, name, Remove::Directory)
}
