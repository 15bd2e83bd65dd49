//! `linux.sysctl`, written through a procfs that init mounts for itself (CVE-2025-52881).

use crate::{
    failure::{Context, Failure},
    root::c_string,
};
use alloc::format;
use hull_spec::plan::Sysctl;
use hull_sys::{
    fd::OwnedFd,
    mount::{Filesystem, attr},
    path::{self, Open, Resolve},
};

/// Writes them all, in order.
pub(crate) fn write_all(sysctls: &[Sysctl]) -> Result<(), Failure> {
    if sysctls.is_empty() {
        return Ok(());
    }
    let procfs = own_procfs().context("mount a procfs for sysctls")?;
    for Sysctl { path, value } in sysctls {
        write(&procfs, path, value).with_context(|| format!("sysctl {path:?} = {value:?}"))?;
    }
    Ok(())
}

/// Detached: no path leads to it, and it ends with its fd.
fn own_procfs() -> Result<OwnedFd, hull_sys::Errno> {
    Filesystem::open(c"proc")?.mount(attr::NOSUID | attr::NODEV | attr::NOEXEC)
}

fn write(procfs: &OwnedFd, path: &str, value: &str) -> Result<(), Failure> {
    let path = c_string(&format!("sys/{path}")).context("its name")?;
    let file = path::open_confined(procfs, &path, Open::WRITE, Resolve::BENEATH).context("open")?;
    path::write(&file, value.as_bytes())
        .context("write")
        .map(drop)
}
