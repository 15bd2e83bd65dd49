//! The root filesystem by fd: every path in the container is resolved inside it, once.
//!
//! The kernel walks (openat2, RESOLVE_IN_ROOT); only a destination that does not exist yet is
//! walked here, a component at a time, with each directory held open and `..` answered from the
//! stack of held directories, so that no rename and no symlink leads out (CVE-2024-45310).

use crate::failure::{Context, Failure};
use alloc::{
    collections::VecDeque,
    ffi::CString,
    format,
    string::{String, ToString},
    vec::Vec,
};
use hull_sys::{
    Errno,
    fd::{AsFd, BorrowedFd, OwnedFd},
    path::{self, Open, Resolve},
    stat,
};

/// As the kernel's own limit (path_resolution(7)).
const MOST_SYMLINKS: usize = 40;

/// The root directory.
#[derive(Debug)]
pub(crate) struct Root(OwnedFd);

/// What is made where nothing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Make {
    Directory,
    File,
}

impl Root {
    pub(crate) fn new(directory: OwnedFd) -> Self {
        Self(directory)
    }

    /// The object at `path`, symlinks followed inside the root.
    pub(crate) fn find(&self, path: &str) -> Result<OwnedFd, Errno> {
        self.open(path, Open::PATH)
    }

    /// The same, opened in this way.
    pub(crate) fn open(&self, path: &str, open: Open) -> Result<OwnedFd, Errno> {
        let path = c_string(path)?;
        path::open_confined(&self.0, &path, open, Resolve::IN_ROOT)
    }

    /// The object at `path`; directories on the way, and the last component, are made if absent.
    pub(crate) fn find_or_make(&self, path: &str, make: Make) -> Result<OwnedFd, Errno> {
        match self.find(path) {
            Err(Errno::ENOENT) => self.walk(path, make),
            other => other,
        }
    }

    /// As [`Root::find_or_make`], but a symlink as the last component is what is found.
    pub(crate) fn unfollowed(&self, path: &str, make: Make) -> Result<OwnedFd, Errno> {
        let (parent, name) = self.parent(path)?;
        open_or_make(parent.as_fd(), &name, make)
    }

    /// The same for a directory that no symlink stands for.
    pub(crate) fn ordinary_directory(&self, path: &str) -> Result<OwnedFd, Failure> {
        let found = self.unfollowed(path, Make::Directory).context("open it")?;
        if !stat::fstat(&found).context("stat it")?.is_dir() {
            return Err(Failure::new("must be mounted on ordinary directory"));
        }
        Ok(found)
    }

    /// The directory that holds `path`, made if absent, and the last name.
    pub(crate) fn parent(&self, path: &str) -> Result<(OwnedFd, CString), Errno> {
        let path = path.trim_end_matches('/');
        let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
        if name.is_empty() || name == "." || name == ".." {
            return Err(Errno::EINVAL);
        }
        let directory = if directory.is_empty() { "/" } else { directory };
        Ok((
            self.find_or_make(directory, Make::Directory)?,
            c_string(name)?,
        ))
    }

    fn walk(&self, path: &str, make: Make) -> Result<OwnedFd, Errno> {
        Walk::new(self.0.as_fd(), path)?.go(make)
    }
}

impl AsFd for Root {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// A walk that makes what is missing.
struct Walk<'a> {
    root: BorrowedFd<'a>,
    /// Directories from the root down to where the walk stands; empty at the root.
    held: Vec<OwnedFd>,
    left: VecDeque<String>,
    symlinks: usize,
}

impl<'a> Walk<'a> {
    fn new(root: BorrowedFd<'a>, path: &str) -> Result<Self, Errno> {
        let mut walk = Self {
            root,
            held: Vec::new(),
            left: VecDeque::new(),
            symlinks: 0,
        };
        walk.add(path)?;
        Ok(walk)
    }

    /// Puts a path's components before what is left.
    fn add(&mut self, path: &str) -> Result<(), Errno> {
        self.symlinks += 1;
        if self.symlinks > MOST_SYMLINKS {
            return Err(Errno::ELOOP);
        }
        if path.starts_with('/') {
            self.held.clear();
        }
        let components = path
            .split('/')
            .filter(|part| !part.is_empty() && *part != ".");
        for part in components.rev() {
            self.left.push_front(part.to_string());
        }
        Ok(())
    }

    fn here(&self) -> BorrowedFd<'_> {
        self.held.last().map_or(self.root, AsFd::as_fd)
    }

    fn go(mut self, make: Make) -> Result<OwnedFd, Errno> {
        while let Some(name) = self.left.pop_front() {
            if name == ".." {
                self.held.pop();
                continue;
            }
            let kind = if self.left.is_empty() {
                make
            } else {
                Make::Directory
            };
            let next = open_or_make(self.here(), &c_string(&name)?, kind)?;
            let stat = stat::fstat(&next)?;
            if stat.is_symlink() {
                let target = path::read_symlink(&next, c"")?;
                let target = core::str::from_utf8(&target).map_err(|_| Errno::EINVAL)?;
                self.add(target)?;
            } else if !stat.is_dir() && !self.left.is_empty() {
                return Err(Errno::ENOTDIR);
            } else {
                self.held.push(next);
            }
        }
        match self.held.pop() {
            Some(found) => Ok(found),
            None => path::open_at(self.root, c".", Open::PATH),
        }
    }
}

/// Opens one name, making it first where it is missing.
fn open_or_make(directory: BorrowedFd<'_>, name: &CString, make: Make) -> Result<OwnedFd, Errno> {
    let open = Open::PATH.and(Open::NO_FOLLOW);
    match path::open_at(directory, name, open) {
        Err(Errno::ENOENT) => {}
        other => return other,
    }
    let made = match make {
        Make::Directory => path::make_dir(directory, name, 0o755),
        Make::File => {
            path::create_at(directory, name, Open::READ.and(Open::EXCLUSIVE), 0o644).map(drop)
        }
    };
    match made {
        Ok(()) | Err(Errno::EEXIST) => path::open_at(directory, name, open),
        Err(errno) => Err(errno),
    }
}

/// A path for the kernel; the plan has no NUL in it, a symlink's target cannot.
pub(crate) fn c_string(text: &str) -> Result<CString, Errno> {
    CString::new(text).map_err(|_| Errno::EINVAL)
}

/// `mounts[3] "/data"`.
pub(crate) fn place(index: u32, destination: &str) -> String {
    format!("mounts[{index}] {destination:?}")
}
