//! `linux.sysctl`, written through a procfs that init mounts for itself (CVE-2025-52881).

use crate::{
    failure::{Context, Failure},
    procfs::Procfs,
};
use alloc::format;
use hull_spec::plan::Sysctl;
use hull_sys::path::{self, Open};

/// Writes them all, in order.
pub(crate) fn write_all(sysctls: &[Sysctl]) -> Result<(), Failure> {
    if sysctls.is_empty() {
        return Ok(());
    }
    let procfs = Procfs::own().context("procfs for sysctls")?;
    for Sysctl { path, value } in sysctls {
        write(&procfs, path, value).with_context(|| format!("sysctl {path:?} = {value:?}"))?;
    }
    Ok(())
}

fn write(procfs: &Procfs, path: &str, value: &str) -> Result<(), Failure> {
    let file = procfs
        .open(&format!("sys/{path}"), Open::WRITE)
        .context("open")?;
    path::write(&file, value.as_bytes())
        .context("write")
        .map(drop)
}
