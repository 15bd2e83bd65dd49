//! An id reserved for a create: its directory, lock and intent, undone on drop unless committed.

use super::{
    file_names::{CONFIG, INTENT, NOTIFY, RECORD, TEMPORARY},
    lock::Lock,
    record::{Intent, Record},
    store::{Entry, Store, StoreError},
};
use hull_spec::id::ContainerId;
use hull_sys::{
    Errno,
    path::{self, Open, Remove},
    socket,
};
use serde::Serialize;
use std::{
    ffi::{CStr, CString},
    os::{
        fd::{AsRawFd, OwnedFd},
        unix::fs::DirBuilderExt,
    },
};

/// The id is ours.
#[derive(Debug)]
pub(crate) struct Reservation {
    entry: Entry,
    /// Not held while hooks run, which may call hull on their own container.
    lock: Option<Lock>,
    kept: bool,
}

impl Store {
    /// Makes the container's directory; only one caller can.
    pub(crate) fn reserve(&self, id: &ContainerId) -> Result<Reservation, StoreError> {
        let failed = |what| move |source| StoreError::Directory { what, source };
        let root = match self.open_root()? {
            Some(root) => root,
            None => self.make_root()?,
        };
        let name = CString::new(id.as_str()).map_err(|_| StoreError::NotFound)?;
        match path::make_dir(&root, &name, 0o700) {
            Err(Errno::EEXIST) => return Err(StoreError::Exists),
            other => other.map_err(failed("make it"))?,
        }
        let open = Open::READ.and(Open::DIRECTORY).and(Open::NO_FOLLOW);
        let directory = path::open_at(&root, &name, open)
            .inspect_err(|_| give_back(&root, &name))
            .map_err(failed("open it"))?;
        let mut reservation = Reservation {
            entry: Entry {
                root,
                name,
                directory,
            },
            lock: None,
            kept: false,
        };
        reservation.relock()?;
        Ok(reservation)
    }

    /// The root itself may be missing with its parents, e.g. after a boot.
    fn make_root(&self) -> Result<OwnedFd, StoreError> {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.root)
            .map_err(|error| self.root_error(error.into()))?;
        self.open_root()?
            .ok_or_else(|| self.root_error(Errno::ENOENT))
    }
}

/// The directory that was just made, empty; its id is free again.
fn give_back(root: &OwnedFd, name: &CStr) {
    if let Err(errno) = path::unlink(root, name, Remove::Directory) {
        log::warn!("state directory is left behind: {errno}");
    }
}

impl Reservation {
    /// Says what is about to be made, before it is (security.md 5.2).
    pub(crate) fn declare(&self, intent: &Intent) -> Result<(), StoreError> {
        self.write(INTENT, intent)
    }

    /// The start gate, listening in the container's directory.
    pub(crate) fn open_gate(&self) -> Result<OwnedFd, StoreError> {
        socket::listen(&gate_path(&self.entry)).map_err(|source| StoreError::Directory {
            what: "open the start gate",
            source,
        })
    }

    /// The directory that the payload's NOTIFY_SOCKET will be in.
    pub(crate) fn make_notify_directory(&self) -> Result<OwnedFd, StoreError> {
        let open = Open::PATH.and(Open::DIRECTORY).and(Open::NO_FOLLOW);
        path::make_dir(self.entry.directory(), NOTIFY, 0o755)
            .and_then(|()| path::open_at(self.entry.directory(), NOTIFY, open))
            .map_err(|source| StoreError::Directory {
                what: "make the directory of NOTIFY_SOCKET",
                source,
            })
    }

    pub(crate) fn entry(&self) -> &Entry {
        &self.entry
    }

    /// Lets other hull commands at the container.
    pub(crate) fn unlock(&mut self) {
        self.lock = None;
    }

    /// The end of [`Self::unlock`]; `NotFound` where a `delete --force` was quicker, and nothing
    /// is ours any more.
    pub(crate) fn relock(&mut self) -> Result<(), StoreError> {
        let lock = self.entry.lock();
        self.kept |= matches!(lock, Err(StoreError::NotFound));
        self.lock = Some(lock?);
        Ok(())
    }

    /// Writes the config, and the record where nobody reads it yet, while there is time for it.
    pub(crate) fn prepare(&self, record: &Record, config: &[u8]) -> Result<(), StoreError> {
        self.put(CONFIG, config, "write config.json")?;
        self.write(TEMPORARY, record)
    }

    /// Puts the prepared record in its place: there whole, or not at all.
    pub(crate) fn publish(&self) -> Result<(), StoreError> {
        path::rename(self.entry.directory(), TEMPORARY, RECORD).map_err(|source| {
            StoreError::Directory {
                what: "rename state.json",
                source,
            }
        })
    }

    /// Keeps everything, and lets other hull commands at the container.
    pub(crate) fn commit(&mut self) {
        self.kept = true;
        self.unlock();
    }

    /// Removes it after all, under its lock: for whoever made the container and stayed with it.
    pub(crate) fn remove(&self) -> Result<(), StoreError> {
        self.entry.remove()
    }

    fn write(&self, name: &CStr, content: &impl Serialize) -> Result<(), StoreError> {
        let text = serde_json::to_vec(content).map_err(|error| StoreError::Damaged {
            file: "state.json",
            problem: error.to_string(),
        })?;
        self.put(name, &text, "write state")
    }

    fn put(&self, name: &CStr, text: &[u8], what: &'static str) -> Result<(), StoreError> {
        path::create_at(self.entry.directory(), name, Open::WRITE, 0o600)
            .and_then(|file| path::write_all(file, text))
            .map_err(|source| StoreError::Directory { what, source })
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if !self.kept
            && let Err(errno) = self.entry.clear()
        {
            log::warn!("state directory is left behind: {errno}");
        }
    }
}

/// Short however long the root is: an address holds 107 bytes.
pub(crate) fn gate_path(entry: &Entry) -> Vec<u8> {
    format!("/proc/self/fd/{}/gate", entry.directory().as_raw_fd()).into_bytes()
}
