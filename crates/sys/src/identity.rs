//! Ids and groups of the calling thread, set in one direction and checked afterwards.

use crate::{Errno, call::check};

/// Sets the supplementary groups, the empty list included.
pub fn set_groups(groups: &[u32]) -> Result<(), Errno> {
    // SAFETY: the list is readable for its length; the raw call acts on this thread alone, and
    // hull's processes have one.
    unsafe { syscall!(libc::SYS_setgroups, groups.len(), groups.as_ptr()) }.map(drop)
}

/// All three gids, verified by reading them back.
pub fn become_gid(gid: u32) -> Result<(), Errno> {
    // SAFETY: takes no pointer.
    unsafe { syscall!(libc::SYS_setresgid, gid, gid, gid) }?;
    let mut ids = [!gid; 3];
    let [real, effective, saved] = &mut ids;
    // SAFETY: three distinct writable words.
    check(unsafe { libc::getresgid(real, effective, saved) }.into())?;
    if ids == [gid; 3] {
        Ok(())
    } else {
        Err(Errno::EPERM)
    }
}

/// All three uids, verified by reading them back.
pub fn become_uid(uid: u32) -> Result<(), Errno> {
    // SAFETY: takes no pointer.
    unsafe { syscall!(libc::SYS_setresuid, uid, uid, uid) }?;
    let mut ids = [!uid; 3];
    let [real, effective, saved] = &mut ids;
    // SAFETY: three distinct writable words.
    check(unsafe { libc::getresuid(real, effective, saved) }.into())?;
    if ids == [uid; 3] {
        Ok(())
    } else {
        Err(Errno::EPERM)
    }
}

/// Effective uid.
#[must_use]
pub fn uid() -> u32 {
    // SAFETY: takes nothing, cannot fail.
    unsafe { libc::geteuid() }
}

/// Effective gid.
#[must_use]
pub fn gid() -> u32 {
    // SAFETY: takes nothing, cannot fail.
    unsafe { libc::getegid() }
}
