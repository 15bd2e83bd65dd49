//! The facts about this host that resolving asks for, each found at the least cost.

use crate::cgroup::membership;
use hull_spec::{HostFacts, SecurityModules, plan::CgroupLayout};
use hull_sys::{
    Errno, capability, identity,
    path::{self, Open},
    stat,
};

/// Inode of the initial user namespace (PROC_USER_INIT_INO).
const INITIAL_USER_NAMESPACE: u64 = 0xefff_fffd;

/// A fact could not be found.
#[derive(Debug, thiserror::Error)]
#[error("look at {what}")]
pub struct HostError {
    what: &'static str,
    source: Errno,
}

/// Looks at the host, and at its security modules as far as they are asked for.
pub(crate) fn facts(asked: SecurityModules) -> Result<HostFacts, HostError> {
    let cgroup_layout = cgroup_layout().map_err(failed("/sys/fs/cgroup"))?;
    let (cgroup_v1, cgroup_unified) = match cgroup_layout {
        CgroupLayout::V2 => (Vec::new(), false),
        CgroupLayout::V1 => membership::v1_hierarchies().map_err(failed("/proc/self/cgroup"))?,
    };
    let privileged = identity::uid() == 0 && in_initial_user_namespace()?;
    Ok(HostFacts {
        cgroup_layout,
        cgroup_v1,
        cgroup_unified,
        uid: identity::uid(),
        gid: identity::gid(),
        privileged,
        setgroups_denied: !privileged && setgroups_denied(),
        last_capability: last_capability(),
        security_modules: SecurityModules {
            apparmor: asked.apparmor && apparmor_is_enabled(),
            selinux: asked.selinux && selinux_is_enabled(),
        },
    })
}

fn failed(what: &'static str) -> impl Fn(Errno) -> HostError {
    move |source| HostError { what, source }
}

pub(crate) fn cgroup_layout() -> Result<CgroupLayout, Errno> {
    let root = path::open(c"/sys/fs/cgroup", Open::PATH)?;
    Ok(match stat::filesystem(root)? {
        stat::magic::CGROUP2 => CgroupLayout::V2,
        _ => CgroupLayout::V1,
    })
}

fn in_initial_user_namespace() -> Result<bool, HostError> {
    let what = "/proc/self/ns/user";
    let namespace = path::open(c"/proc/self/ns/user", Open::PATH).map_err(failed(what))?;
    Ok(stat::fstat(namespace).map_err(failed(what))?.inode == INITIAL_USER_NAMESPACE)
}

fn setgroups_denied() -> bool {
    path::open(c"/proc/self/setgroups", Open::READ)
        .and_then(|file| path::read_all(file, 16))
        .is_ok_and(|text| text.starts_with(b"deny"))
}

/// The highest number that prctl knows; 40 (CHECKPOINT_RESTORE) on every kernel since 5.9.
fn last_capability() -> u32 {
    let known = |number: &u32| capability::in_bounding(*number).is_ok();
    match known(&40) {
        true => (41..64).take_while(known).last().unwrap_or(40),
        false => (0..40).rev().find(known).unwrap_or(0),
    }
}

/// As runc and crun find out: securityfs shows it, and it says so itself.
fn apparmor_is_enabled() -> bool {
    path::open(c"/sys/kernel/security/apparmor", Open::PATH).is_ok()
        && path::open(c"/sys/module/apparmor/parameters/enabled", Open::READ)
            .and_then(|file| path::read_all(file, 16))
            .is_ok_and(|text| text.starts_with(b"Y"))
}

fn selinux_is_enabled() -> bool {
    path::open(c"/sys/fs/selinux", Open::PATH)
        .and_then(stat::filesystem)
        .is_ok_and(|found| found == stat::magic::SELINUX)
}
