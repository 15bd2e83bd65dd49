//! First acts: out of sight, out of the caller's session, dead when the runtime dies.

use crate::{
    failure::{Context, Failure},
    inherited::Inherited,
};
use hull_sys::{Errno, process};

const SIGKILL: i32 = 9;

/// Hardens this process before any namespace is joined (security.md 17, 18).
pub(crate) fn lead(inherited: &Inherited) -> Result<(), Failure> {
    process::set_dumpable(false).context("make init undumpable")?;
    process::set_parent_death_signal(SIGKILL).context("die with the runtime")?;
    process::each_fd_from(inherited.base(), process::Range::CloseOnExec)
        .context("mark fds close-on-exec")?;
    process::set_umask(0);
    match process::new_session() {
        // A second image of the stage leads its session already.
        Ok(()) | Err(Errno::EPERM) => Ok(()),
        Err(errno) => Err(errno).context("start a session"),
    }
}
