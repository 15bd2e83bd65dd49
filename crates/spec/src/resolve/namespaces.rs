//! Which namespaces are new, which are joined, and what is set inside them.
//!
//! A property of a namespace that the container does not have for itself is an error, since it
//! would change the host's. Whether a path leads to a namespace of its kind is checked by fd.

use crate::config::{Config, Linux};
use crate::plan::{
    Birth, CgroupLayout, CgroupNamespace, InitNamespaces, NamespaceKind, Namespaces, TimeOffset,
    UserNamespace,
};

use super::error::{At, Problem, ResolveError};

/// The kernel's __NEW_UTS_LEN.
const LONGEST_NAME: usize = 64;

const CLOCKS: [&str; 2] = ["monotonic", "boottime"];

/// The namespaces of `linux`, in joining order.
pub(super) fn resolve(linux: &Linux) -> Result<Namespaces, ResolveError> {
    let mut listed: [Option<Option<String>>; NamespaceKind::ALL.len()] = Default::default();
    let all = At::new("/linux/namespaces");
    for (index, namespace) in linux.namespaces.iter().flatten().enumerate() {
        let at = all.index(index);
        let unknown = || at.refuse(Problem::UnknownNamespace(namespace.kind.clone()));
        let is_it = |kind: &NamespaceKind| kind.name() == namespace.kind;
        let slot = NamespaceKind::ALL
            .iter()
            .position(is_it)
            .ok_or_else(unknown)?;
        if listed[slot].is_some() {
            return Err(at.refuse(Problem::DuplicateNamespace(namespace.kind.clone())));
        }
        listed[slot] = Some(path(namespace.path.as_deref(), &at.member("/path"))?);
    }
    let mut namespaces = sort(listed);
    namespaces.time_offsets = time_offsets(linux, &namespaces)?;
    Ok(namespaces)
}

/// An empty path is none, as for every other runtime.
fn path(path: Option<&str>, at: &At<'_>) -> Result<Option<String>, ResolveError> {
    match path {
        None | Some("") => Ok(None),
        Some(path) if path.starts_with('/') => Ok(Some(path.to_owned())),
        Some(_) => Err(at.breaks("must be absolute")),
    }
}

fn sort(listed: [Option<Option<String>>; NamespaceKind::ALL.len()]) -> Namespaces {
    let mut namespaces = Namespaces::default();
    for (kind, entry) in NamespaceKind::ALL.into_iter().zip(listed) {
        match entry {
            None => {}
            Some(None) => namespaces.new.push(kind),
            Some(Some(path)) => namespaces.joined.push((kind, path)),
        }
    }
    namespaces
}

fn time_offsets(linux: &Linux, own: &Namespaces) -> Result<Vec<TimeOffset>, ResolveError> {
    let all = At::new("/linux/timeOffsets");
    let mut offsets = Vec::new();
    for (clock, offset) in linux.time_offsets.iter().flat_map(|offsets| offsets.iter()) {
        let at = all.key(clock);
        if !CLOCKS.contains(&clock) {
            return Err(at.wrong(clock, "must be one of monotonic, boottime"));
        }
        if !own.is_new(NamespaceKind::Time) {
            return Err(at.breaks("needs a new time namespace: a joined one has its offsets"));
        }
        let nanosecs = offset.nanosecs().unwrap_or(0);
        if nanosecs >= 1_000_000_000 {
            return Err(at
                .member("/nanosecs")
                .wrong(nanosecs, "must be less than 1000000000"));
        }
        let secs = offset.secs().unwrap_or(0);
        offsets.push(TimeOffset {
            clock: clock.to_owned(),
            secs,
            nanosecs,
        });
    }
    Ok(offsets)
}

/// The same as init sees it, with the names that are set inside.
pub(super) fn inside(
    config: &Config,
    own: &Namespaces,
    layout: CgroupLayout,
) -> Result<InitNamespaces, ResolveError> {
    let cgroup = cgroup(own, layout);
    let uts = own.is_own(NamespaceKind::Uts);
    let hostname = config.hostname.as_deref();
    let domainname = config.domainname.as_deref();
    Ok(InitNamespaces {
        joined: own.joined.iter().map(|(kind, _)| *kind).collect(),
        birth: birth(own, cgroup),
        loopback: own.is_new(NamespaceKind::Network),
        hostname: name(hostname, uts, "hostname", &At::new("/hostname"))?,
        domainname: name(domainname, uts, "domainname", &At::new("/domainname"))?,
        user: match own.is_own(NamespaceKind::User) {
            true => UserNamespace::Own,
            false => UserNamespace::Inherited,
        },
        cgroup,
    })
}

/// On v2 the clone is born into its cgroup; on v1 it is moved there later, and only then may its
/// cgroup namespace be made, since that takes its root from where its maker stands.
fn cgroup(own: &Namespaces, layout: CgroupLayout) -> CgroupNamespace {
    match (own.is_new(NamespaceKind::Cgroup), layout) {
        (true, CgroupLayout::V1) => CgroupNamespace::AfterAttach,
        _ => CgroupNamespace::Settled,
    }
}

/// The flags of a staged clone leave out what is made another way: a time namespace with offsets
/// is unshared before, a cgroup namespace on v1 afterwards.
fn birth(own: &Namespaces, cgroup: CgroupNamespace) -> Birth {
    if !own.needs_stage() {
        return Birth::Direct;
    }
    let time_offsets = own.time_offsets.clone();
    let mut clone_flags = own.clone_flags();
    if !time_offsets.is_empty() {
        clone_flags &= !NamespaceKind::Time.clone_flag();
    }
    if cgroup == CgroupNamespace::AfterAttach {
        clone_flags &= !NamespaceKind::Cgroup.clone_flag();
    }
    Birth::Staged {
        clone_flags,
        time_offsets,
    }
}

fn name(
    value: Option<&str>,
    uts_is_own: bool,
    what: &'static str,
    at: &At<'_>,
) -> Result<Option<String>, ResolveError> {
    match value {
        None | Some("") => Ok(None),
        Some(_) if !uts_is_own => Err(at.refuse(Problem::NoUtsNamespace(what))),
        Some(name) if name.len() > LONGEST_NAME => Err(at.breaks("must be at most 64 bytes")),
        Some(name) => Ok(Some(name.to_owned())),
    }
}
