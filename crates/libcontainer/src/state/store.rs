//! The state root: one directory per container, reached by fd, its files replaced by rename.

use super::{
    Gate, InitLife, Status,
    file_names::{CONFIG, FILES, GATE, INTENT, NOTIFY, NOTIFY_SOCKET, RECORD},
    observe,
    record::{Intent, Record, Recorded, VERSION},
};
use hull_spec::id::ContainerId;
use hull_sys::{
    Errno,
    path::{self, Open, Remove},
    socket, stat,
};
use serde::de::DeserializeOwned;
use std::{
    ffi::{CStr, CString},
    os::{
        fd::{AsRawFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
    path::PathBuf,
};

/// A record longer than this is not one of ours.
const LIMIT: usize = 64 << 20;

/// The state could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("container does not exist")]
    NotFound,
    #[error("container with given ID already exists")]
    Exists,
    #[error("open state root {}", path.display())]
    Root { path: PathBuf, source: Errno },
    #[error("state directory: {what}")]
    Directory { what: &'static str, source: Errno },
    #[error("state file {file} is damaged (`delete --force` cleans up): {problem}")]
    Damaged { file: &'static str, problem: String },
    #[error("another hull command holds the container")]
    Busy,
}

/// The state root (`--root`). Opening makes nothing; `create` makes it.
#[derive(Debug, Clone)]
pub struct Store {
    pub(super) root: PathBuf,
}

/// One container's directory, and where it stands.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(super) root: OwnedFd,
    pub(super) name: CString,
    pub(super) directory: OwnedFd,
}

impl Store {
    /// The store at this absolute path.
    #[must_use]
    pub fn at(root: PathBuf) -> Self {
        Self { root }
    }

    pub(super) fn open_root(&self) -> Result<Option<OwnedFd>, StoreError> {
        let name = CString::new(self.root.as_os_str().as_bytes())
            .map_err(|_| self.root_error(Errno::EINVAL))?;
        match path::open(&name, Open::PATH.and(Open::DIRECTORY)) {
            Ok(root) => Ok(Some(root)),
            Err(Errno::ENOENT) => Ok(None),
            Err(errno) => Err(self.root_error(errno)),
        }
    }

    pub(super) fn root_error(&self, source: Errno) -> StoreError {
        StoreError::Root {
            path: self.root.clone(),
            source,
        }
    }

    /// The container's directory.
    pub(crate) fn entry(&self, id: &ContainerId) -> Result<Entry, StoreError> {
        let root = self.open_root()?.ok_or(StoreError::NotFound)?;
        let name = CString::new(id.as_str()).map_err(|_| StoreError::NotFound)?;
        let open = Open::READ.and(Open::DIRECTORY).and(Open::NO_FOLLOW);
        match path::open_at(&root, &name, open) {
            Ok(directory) => Ok(Entry {
                root,
                name,
                directory,
            }),
            Err(Errno::ENOENT | Errno::ENOTDIR | Errno::ELOOP) => Err(StoreError::NotFound),
            Err(source) => Err(StoreError::Directory {
                what: "open it",
                source,
            }),
        }
    }

    /// The ids of all containers, sorted.
    pub(crate) fn ids(&self) -> Result<Vec<ContainerId>, StoreError> {
        let Some(root) = self.open_root()? else {
            return Ok(Vec::new());
        };
        let names = path::open_at(root, c".", Open::READ)
            .and_then(hull_sys::directory::names)
            .map_err(|errno| self.root_error(errno))?;
        let ids = names
            .iter()
            .filter_map(|name| ContainerId::new(name.to_str().ok()?).ok());
        let mut ids: Vec<_> = ids.collect();
        ids.sort_by(|one, other| one.as_str().cmp(other.as_str()));
        Ok(ids)
    }
}

impl Entry {
    pub(crate) fn directory(&self) -> &OwnedFd {
        &self.directory
    }

    /// The record; `None` while the container is being created, or was left half made.
    pub(crate) fn record(&self) -> Result<Option<Record>, StoreError> {
        let record: Option<Record> = self.read(RECORD, "state.json")?;
        match record {
            Some(record) if record.version > VERSION => Err(StoreError::Damaged {
                file: "state.json",
                problem: format!("version {} is newer than this hull", record.version),
            }),
            other => Ok(other),
        }
    }

    /// The intent; `None` before anything was made.
    pub(crate) fn intent(&self) -> Result<Option<Intent>, StoreError> {
        let file = "intent.json";
        match self.read(INTENT, file)? {
            None if self.was_declared() => Err(StoreError::Damaged {
                file,
                problem: "it is missing".into(),
            }),
            intent => Ok(intent),
        }
    }

    /// Is there a file that is made only once the intent is written?
    pub(crate) fn was_declared(&self) -> bool {
        let open = Open::PATH.and(Open::NO_FOLLOW);
        [CONFIG, GATE]
            .iter()
            .any(|name| path::open_at(&self.directory, name, open).is_ok())
    }

    fn read<T: DeserializeOwned>(
        &self,
        name: &CStr,
        file: &'static str,
    ) -> Result<Option<T>, StoreError> {
        let failed = |source| StoreError::Directory { what: file, source };
        let open = Open::READ.and(Open::NO_FOLLOW).and(Open::NONBLOCK);
        let irregular = || StoreError::Damaged {
            file,
            problem: "not a regular file".into(),
        };
        let content = match path::open_at(&self.directory, name, open) {
            Err(Errno::ENOENT) => return Ok(None),
            Err(Errno::ELOOP) => return Err(irregular()),
            other => other.map_err(failed)?,
        };
        if !stat::fstat(&content).map_err(failed)?.is_regular() {
            return Err(irregular());
        }
        let text = path::read_all(&content, LIMIT).map_err(failed)?;
        serde_json::from_slice(&text)
            .map(Some)
            .map_err(|error| StoreError::Damaged {
                file,
                problem: error.to_string(),
            })
    }

    /// The socket on which the payload tells that it is ready; nothing where create made no place.
    pub(crate) fn bind_notify_socket(&self) -> Result<Option<OwnedFd>, StoreError> {
        let failed = |source| StoreError::Directory {
            what: "open the socket of NOTIFY_SOCKET",
            source,
        };
        let open = Open::READ.and(Open::DIRECTORY).and(Open::NO_FOLLOW);
        let directory = match path::open_at(&self.directory, NOTIFY, open) {
            Err(Errno::ENOENT) => return Ok(None),
            other => other.map_err(failed)?,
        };
        // A start that was killed may have left one.
        gone(path::unlink(&directory, NOTIFY_SOCKET, Remove::File)).map_err(failed)?;
        let name = NOTIFY_SOCKET.to_string_lossy();
        let path = format!("/proc/self/fd/{}/{name}", directory.as_raw_fd());
        let socket = socket::bind_datagrams(path.as_bytes()).map_err(failed)?;
        // The payload may be any user.
        path::set_mode(&directory, NOTIFY_SOCKET, 0o777).map_err(failed)?;
        Ok(Some(socket))
    }

    /// Removes it, in whatever state it is: its name is free once this returns.
    pub(crate) fn remove(&self) -> Result<(), StoreError> {
        self.clear().map_err(|source| StoreError::Directory {
            what: "remove it",
            source,
        })
    }

    /// Only names that hull makes are removed: the directory of another program stays.
    pub(super) fn clear(&self) -> Result<(), Errno> {
        for (name, what) in FILES {
            gone(path::unlink(&self.directory, name, what))?;
        }
        gone(path::unlink(&self.root, &self.name, Remove::Directory))
    }
}

fn gone(removed: Result<(), Errno>) -> Result<(), Errno> {
    match removed {
        Err(Errno::ENOENT) => Ok(()),
        other => other,
    }
}

/// Where a recorded container stands, with a handle of its init while that lives.
pub(crate) fn status_of(
    record: &Record,
    frozen: impl FnOnce() -> bool,
) -> Result<(Status, Option<OwnedFd>), Errno> {
    let Some(pidfd) = record.init.find()? else {
        return Ok((observe(InitLife::Gone, Gate::Closed, false), None));
    };
    let gate = gate_of(record)?;
    Ok((observe(InitLife::Alive, gate, frozen()), Some(pidfd)))
}

/// The gate is still ahead, or closed, as long as init runs our image.
fn gate_of(record: &Record) -> Result<Gate, Errno> {
    let inside = match record.recorded {
        Recorded::Ready => Gate::Closed,
        Recorded::Ahead => Gate::Ahead,
    };
    let exe = CString::new(format!("/proc/{}/exe", record.init.pid)).map_err(|_| Errno::EINVAL)?;
    match path::open(&exe, Open::PATH).and_then(stat::fstat) {
        Ok(facts) if (facts.device, facts.inode) == (record.image.device, record.image.inode) => {
            Ok(inside)
        }
        // Only an undumpable process hides its exe from its owner: a rootless init that waits.
        Err(Errno::EACCES) => Ok(inside),
        // It may die at any moment.
        Ok(_) | Err(Errno::ENOENT | Errno::ESRCH) => Ok(Gate::Opened),
        Err(errno) => Err(errno),
    }
}
