//! What the process stands on before it gives up its rights: keyring, memory nodes, execution
//! domain and directory.

use crate::{
    failure::{Context, Failure},
    keyring,
    labels::Labels,
    root::c_string,
};
use alloc::format;
use hull_spec::plan::InitPlan;
use hull_sys::{
    Errno,
    path::{self, Open, Resolve},
    scheduling,
};

/// Joins the session keyring and stands in the working directory.
pub(crate) fn assume(plan: &InitPlan, labels: &Labels<'_>) -> Result<(), Failure> {
    keyring::join(&plan.keyring, labels)?;
    if let Some(policy) = &plan.process.memory_policy {
        scheduling::set_memory_policy(policy.mode, &policy.nodes)
            .context("/linux/memoryPolicy: set_mempolicy")?;
    }
    if let Some(domain) = plan.process.personality {
        scheduling::set_personality(domain).context("/linux/personality: personality")?;
    }
    let cwd = &plan.process.cwd;
    match stand_in(cwd) {
        Err(Errno::ENOENT) => make(cwd).with_context(|| format!("make cwd {cwd:?}"))?,
        // Perhaps only the payload's user may: tried again after the change of ids.
        Err(Errno::EACCES) | Ok(()) => {}
        Err(errno) => return Err(errno).with_context(|| format!("chdir to cwd {cwd:?}")),
    }
    Ok(())
}

/// After the change of ids: still in a directory of the container (CVE-2024-21626).
pub(crate) fn confirm_cwd(cwd: &str) -> Result<(), Failure> {
    let here = path::current_dir().context("read the working directory")?;
    if here == b"/" && !cwd.trim_end_matches('/').is_empty() {
        stand_in(cwd).with_context(|| format!("chdir to cwd {cwd:?}"))?;
    }
    let here = path::current_dir().context("read the working directory")?;
    if here.first() == Some(&b'/') {
        return Ok(());
    }
    Err(Failure::new(&format!(
        "cwd {cwd:?} is outside of the container's root filesystem"
    )))
}

fn stand_in(cwd: &str) -> Result<(), Errno> {
    let path = c_string(cwd)?;
    let open = Open::PATH.and(Open::DIRECTORY);
    path::change_dir(path::open_from_cwd(&path, open, Resolve::NO_MAGIC)?)
}

/// As crun does: an absent cwd is made, inside the root since the root is ours by now.
fn make(cwd: &str) -> Result<(), Errno> {
    let root = path::open(c"/", Open::PATH.and(Open::DIRECTORY))?;
    let directory = crate::root::Root::new(root).find_or_make(cwd, crate::root::Make::Directory)?;
    path::change_dir(directory)
}
