//! Down to what the payload may be: bounding set, groups, ids, capability sets, no_new_privs.

use crate::{
    conversation::Conversation,
    failure::{Context, Failure},
    identity::confirm_cwd,
};
use alloc::format;
use hull_spec::plan::{Capabilities, GroupChange, Process};
use hull_sys::{Errno, capability, fd::standing, identity, path, process, stat};

/// Gives up everything else. The order is the kernel's: bounding needs CAP_SETPCAP, ids need
/// CAP_SETUID, capset comes when neither is needed any more, ambient needs the final sets.
pub(crate) fn drop_to(plan: &Process, parent: &Conversation) -> Result<(), Failure> {
    for (index, limit) in plan.rlimits.iter().enumerate() {
        process::set_rlimit(0, limit.resource, limit.soft, limit.hard)
            .with_context(|| format!("/process/rlimits/{index}"))?;
    }
    hand_over_stdio(plan.uid)?;
    capability::clear_ambient().context("clear the ambient capabilities")?;
    bound(plan.capabilities.bounding)?;
    capability::keep_over_setuid().context("keep capabilities over the change of ids")?;
    if let GroupChange::Set(groups) = &plan.additional_gids {
        identity::set_groups(groups).with_context(|| format!("set groups {groups:?}"))?;
    }
    identity::become_gid(plan.gid).with_context(|| format!("setgid to {}", plan.gid))?;
    identity::become_uid(plan.uid).with_context(|| format!("setuid to {}", plan.uid))?;
    confirm_cwd(&plan.cwd)?;
    let kept = plan.seccomp.as_ref().map_or(0, |filter| filter.keeps);
    grant(plan.capabilities, kept, parent)?;
    if plan.no_new_privileges {
        process::set_no_new_privileges().context("set no_new_privs")?;
    }
    process::set_umask(plan.umask);
    Ok(())
}

/// The payload may reopen its stdio through /dev/stdout: as the peers do, pipes, sockets and
/// files become the user's. Devices never do: the caller's terminal and /dev/null stay as they are.
fn hand_over_stdio(uid: u32) -> Result<(), Failure> {
    for number in 0..3 {
        let Some(fd) = standing(number) else { continue };
        let facts = stat::fstat(fd).context("stat stdio")?;
        if facts.uid == uid || facts.char_device().is_some() || facts.block_device().is_some() {
            continue;
        }
        match path::set_owner(fd, uid, u32::MAX) {
            // Not ours to give: a read-only filesystem, an id that is not mapped, another owner.
            Ok(()) | Err(Errno::EPERM | Errno::EINVAL | Errno::EROFS | Errno::EACCES) => {}
            other => other.with_context(|| format!("chown fd {number} to the payload's user"))?,
        }
    }
    Ok(())
}

/// Drops all but these from the bounding set; EINVAL says that the kernel has no more.
fn bound(kept: u64) -> Result<(), Failure> {
    for number in 0..64 {
        if kept >> number & 1 == 1 {
            continue;
        }
        match capability::drop_bounding(number) {
            Ok(()) => {}
            Err(Errno::EINVAL) => return Ok(()),
            other => {
                other.with_context(|| format!("drop capability {number} from the bounding set"))?
            }
        }
    }
    Ok(())
}

/// Sets the other four, with what is kept to load the filter. What the runtime itself lacks cannot
/// be granted (config.md: a warning).
fn grant(wanted: Capabilities, kept: u64, parent: &Conversation) -> Result<(), Failure> {
    let (_, ours) = capability::current().context("read own capabilities")?;
    capability::set(
        (wanted.effective | kept) & ours,
        (wanted.permitted | kept) & ours,
        wanted.inheritable & ours,
    )
    .context("set capabilities")?;
    for number in (0..64).filter(|number| wanted.ambient >> number & 1 == 1) {
        match capability::raise_ambient(number) {
            Ok(()) => {}
            Err(Errno::EPERM | Errno::EINVAL) => {
                parent.warn(format!("can't raise ambient capability number {number}"))?;
            }
            other => other.with_context(|| format!("raise ambient capability {number}"))?,
        }
    }
    Ok(())
}
