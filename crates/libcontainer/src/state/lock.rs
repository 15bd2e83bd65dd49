//! A container's lock: flock on its directory, which the kernel drops with its last holder.
//!
//! Mutating verbs wait for it. `delete --force` waits only so long; then whoever holds the lock is
//! stuck, and is killed, since a container in whatever state must go by one call (security.md 5.2).

use super::store::{Entry, StoreError};
use hull_sys::{
    Errno,
    path::{self, Open},
    process, stat,
};
use std::{
    fs::{File, TryLockError},
    time::{Duration, Instant},
};

const SIGKILL: i32 = 9;
/// How long another command may hold a container that is to be deleted by force.
const PATIENCE: Duration = Duration::from_secs(10);
const MOMENT: Duration = Duration::from_millis(5);

/// Held until dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    file: File,
}

impl Drop for Lock {
    /// By word, not by close: the entry's own fd shares the lock and lives on.
    fn drop(&mut self) {
        if let Err(error) = self.file.unlock() {
            log::warn!("unlock the container: {error}");
        }
    }
}

impl Entry {
    /// Waits for the lock; `NotFound` where the container was deleted meanwhile.
    pub(crate) fn lock(&self) -> Result<Lock, StoreError> {
        let file = self.lockable()?;
        file.lock().map_err(|error| failed(error.into()))?;
        self.held(file)
    }

    /// The same, but whoever holds it for too long is killed.
    pub(crate) fn lock_by_force(&self) -> Result<Lock, StoreError> {
        let file = self.lockable()?;
        if !lock_within(&file, PATIENCE)? {
            self.kill_holder().map_err(failed)?;
            if !lock_within(&file, PATIENCE)? {
                return Err(StoreError::Busy);
            }
        }
        self.held(file)
    }

    fn lockable(&self) -> Result<File, StoreError> {
        let copy = self.directory.try_clone();
        copy.map(File::from).map_err(|error| failed(error.into()))
    }

    /// Deleted while we waited: this directory is no container any more.
    fn held(&self, file: File) -> Result<Lock, StoreError> {
        let lock = Lock { file };
        if stat::fstat(&self.directory).map_err(failed)?.links == 0 {
            return Err(StoreError::NotFound);
        }
        Ok(lock)
    }

    /// A pid alone proves nothing: the handle is taken first, and is the holder's if the lock is
    /// still held by this pid then.
    fn kill_holder(&self) -> Result<(), Errno> {
        let Some(pid) = self.holder()? else {
            return Ok(());
        };
        let holder = match process::open_pidfd(pid) {
            Err(Errno::ESRCH) => return Ok(()),
            other => other?,
        };
        if self.holder()? == Some(pid) {
            log::warn!("kill process {pid}, which holds the container for too long");
            process::signal(holder, SIGKILL)?;
        }
        Ok(())
    }

    fn holder(&self) -> Result<Option<i32>, Errno> {
        let facts = stat::fstat(&self.directory)?;
        let locks = path::read_all(path::open(c"/proc/locks", Open::READ)?, 16 << 20)?;
        Ok(find_holder(
            &String::from_utf8_lossy(&locks),
            stat::split_device(facts.device),
            facts.inode,
        ))
    }
}

fn failed(source: Errno) -> StoreError {
    StoreError::Directory {
        what: "lock it",
        source,
    }
}

fn lock_within(file: &File, patience: Duration) -> Result<bool, StoreError> {
    let deadline = Instant::now() + patience;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(true),
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                std::thread::sleep(MOMENT)
            }
            Err(TryLockError::WouldBlock) => return Ok(false),
            Err(TryLockError::Error(error)) => return Err(failed(error.into())),
        }
    }
}

/// The pid in the line of /proc/locks about this file; a line with `->` is of one who waits.
fn find_holder(locks: &str, (major, minor): (u32, u32), inode: u64) -> Option<i32> {
    let file = format!("{major:02x}:{minor:02x}:{inode}");
    locks.lines().find_map(|line| {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        match fields[..] {
            [_, "FLOCK", _, _, pid, of, ..] if of == file => pid.parse().ok(),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::find_holder;

    #[test]
    fn the_holder_is_told_from_those_who_wait_and_from_other_files() {
        let locks = "1: POSIX  ADVISORY  WRITE 7 00:1a:42 0 EOF\n\
                     2: FLOCK  ADVISORY  WRITE 12 00:1a:421 0 EOF\n\
                     3: FLOCK  ADVISORY  WRITE 34 00:1a:42 0 EOF\n\
                     3: -> FLOCK  ADVISORY  WRITE 56 00:1a:43 0 EOF\n";
        assert_eq!(find_holder(locks, (0, 0x1a), 42), Some(34));
        assert_eq!(find_holder(locks, (0, 0x1a), 43), None);
        assert_eq!(find_holder(locks, (8, 1), 42), None);
        assert_eq!(find_holder("1: FLOCK", (0, 0), 0), None);
    }
}
