//! Which namespaces are new, which are joined, and what is set inside them.
//!
//! A property of a namespace that the container does not have for itself is an error, since it
//! would change the host's. Whether a path leads to a namespace of its kind is checked by fd.

use crate::config::{Config, Linux};
use crate::host::HostFacts;
use crate::plan::{
    Birth, CgroupLayout, CgroupNamespace, Hooks, InitNamespaces, Mount, MountKind, NamespaceKind,
    Namespaces, Network, TimeOffset, UserNamespace,
};

use super::error::{At, Problem, ResolveError};
use super::path;

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
        Some(given) if given.starts_with('/') => path::absolute(given, at).map(Some),
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

/// What init does in a namespace, or before it has one, decides how it gets it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Surroundings<'a> {
    pub(super) config: &'a Config,
    pub(super) host: &'a HostFacts,
    pub(super) mounts: &'a [Mount],
    pub(super) hooks: &'a Hooks,
}

/// The same as init sees it, with the names that are set inside.
pub(super) fn inside(
    own: &Namespaces,
    around: Surroundings<'_>,
) -> Result<InitNamespaces, ResolveError> {
    let config = around.config;
    let cgroup = cgroup(own, around.host.cgroup_layout);
    let uts = own.is_own(NamespaceKind::Uts);
    let hostname = config.hostname.as_deref();
    let domainname = config.domainname.as_deref();
    Ok(InitNamespaces {
        joined: own.joined.iter().map(|(kind, _)| *kind).collect(),
        birth: birth(own, cgroup),
        network: network(own, around),
        hostname: name(hostname, uts, "hostname", &At::new("/hostname"))?,
        domainname: name(domainname, uts, "domainname", &At::new("/domainname"))?,
        user: match own.is_own(NamespaceKind::User) {
            true => UserNamespace::Own,
            false => UserNamespace::Inherited,
        },
        cgroup,
    })
}

/// The runtime can make a network namespace for another process only where it may come back to its
/// own, and where no user namespace of the container's has to own it. createContainer hooks find
/// the loopback up, so they do not run beside that.
fn network(own: &Namespaces, around: Surroundings<'_>) -> Network {
    if !own.is_new(NamespaceKind::Network) {
        return Network::Settled;
    }
    let beside = around.host.privileged
        && !own.is_new(NamespaceKind::User)
        && !own.needs_stage()
        && around.hooks.create_container.is_empty();
    if !beside {
        return Network::Born;
    }
    let free = around
        .mounts
        .iter()
        .take_while(|mount| !shows_network(&mount.kind));
    Network::Handed {
        after_mounts: u32::try_from(free.count()).unwrap_or(u32::MAX),
    }
}

/// sysfs belongs to a network namespace, as a filesystem over the network does; these do not.
fn shows_network(kind: &MountKind) -> bool {
    const WITHOUT: [&str; 5] = ["proc", "tmpfs", "devpts", "mqueue", "cgroup2"];
    match kind {
        MountKind::Filesystem { fstype, .. } => !WITHOUT.contains(&fstype.as_str()),
        MountKind::Bind { .. }
        | MountKind::Made { .. }
        | MountKind::Remount
        | MountKind::CgroupV1 { .. } => false,
    }
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

#[cfg(test)]
mod tests {
    use super::super::fixture::{Scene, USER};
    use super::*;

    #[test]
    fn namespaces_are_new_or_joined_in_joining_order() {
        let plan = Scene::v2().plan(
            r#""linux": {"namespaces": [{"type": "mount"}, {"type": "network", "path": "/run/net"},
                {"type": "ipc", "path": ""}, {"type": "pid"}, {"type": "uts", "path": "/u"}]}"#,
        );
        let own = &plan.host.namespaces;
        assert_eq!(
            own.new,
            [NamespaceKind::Pid, NamespaceKind::Ipc, NamespaceKind::Mount]
        );
        let joined = [
            (NamespaceKind::Network, "/run/net".into()),
            (NamespaceKind::Uts, "/u".into()),
        ];
        assert_eq!(own.joined, joined);
        let inside = &plan.init.namespaces;
        assert_eq!(inside.joined, [NamespaceKind::Network, NamespaceKind::Uts]);
        assert_eq!(
            (&inside.birth, inside.network),
            (&Birth::Direct, Network::Settled)
        );
        assert_eq!(inside.user, UserNamespace::Inherited);
        let without_linux = Scene::v2().plan(r#""linux": null"#);
        assert_eq!(without_linux.host.namespaces, Namespaces::default());
    }

    #[test]
    fn what_is_no_namespace_is_refused() {
        Scene::v2().refuses(&[
            (
                r#""linux": {"namespaces": [{"type": "net"}]}"#,
                "/linux/namespaces/0: namespace \"net\" does not exist",
            ),
            (
                r#""linux": {"namespaces": [{"type": "pid"}, {"type": "pid", "path": "/a"}]}"#,
                "/linux/namespaces/1: malformed spec file: duplicated ns \"pid\"",
            ),
            (
                r#""linux": {"namespaces": [{"type": "pid", "path": "a"}]}"#,
                "/linux/namespaces/0/path: must be absolute",
            ),
            (
                r#""linux": {"namespaces": [{}]}"#,
                "/linux/namespaces/0: missing field `type`",
            ),
        ]);
    }

    #[test]
    fn names_need_a_uts_namespace() {
        let plan = Scene::v2().plan(r#""hostname": "web", "domainname": "example.org""#);
        assert_eq!(plan.init.namespaces.hostname.as_deref(), Some("web"));
        assert_eq!(
            plan.init.namespaces.domainname.as_deref(),
            Some("example.org")
        );
        let no_uts = r#""linux": {"namespaces": [{"type": "mount"}]}"#;
        let empty = Scene::v2().plan(&format!(r#"{no_uts}, "hostname": "", "domainname": """#));
        assert_eq!(empty.init.namespaces.hostname, None);
        let long = format!(r#""hostname": "{}""#, "a".repeat(65));
        Scene::v2().refuses(&[
            (
                &format!(r#"{no_uts}, "hostname": "a""#),
                "/hostname: unable to set hostname without a private UTS namespace",
            ),
            (
                &format!(r#"{no_uts}, "domainname": "a""#),
                "/domainname: unable to set domainname without a private UTS namespace",
            ),
            (&long, "/hostname: must be at most 64 bytes"),
        ]);
    }

    #[test]
    fn time_offsets_need_a_new_time_namespace() {
        let offsets = r#""timeOffsets": {"monotonic": {"secs": -5}, "boottime": {"nanosecs": 7}}"#;
        let plan = Scene::v2().plan(&format!(
            r#""linux": {{"namespaces": [{{"type": "time"}}, {{"type": "mount"}}], {offsets}}}"#
        ));
        let offset = |clock: &str, secs, nanosecs| TimeOffset {
            clock: clock.into(),
            secs,
            nanosecs,
        };
        let time_offsets = vec![offset("boottime", 0, 7), offset("monotonic", -5, 0)];
        assert_eq!(plan.host.namespaces.time_offsets, time_offsets);
        let clone_flags = NamespaceKind::Mount.clone_flag();
        assert_eq!(
            plan.init.namespaces.birth,
            Birth::Staged {
                clone_flags,
                time_offsets
            }
        );
        let time = r#""namespaces": [{"type": "time"}]"#;
        Scene::v2().refuses(&[
            (&format!(r#""linux": {{{offsets}}}"#), "/linux/timeOffsets/boottime: needs a new"),
            (
                &format!(r#""linux": {{"namespaces": [{{"type": "time", "path": "/t"}}], {offsets}}}"#),
                "/linux/timeOffsets/boottime: needs a new time namespace",
            ),
            (
                &format!(r#""linux": {{{time}, "timeOffsets": {{"real": {{}}}}}}"#),
                "/linux/timeOffsets/real: \"real\" must be one of",
            ),
            (
                &format!(r#""linux": {{{time}, "timeOffsets": {{"boottime": {{"nanosecs": 1000000000}}}}}}"#),
                "/linux/timeOffsets/boottime/nanosecs: \"1000000000\" must be less",
            ),
        ]);
    }

    #[test]
    fn a_joined_pid_namespace_needs_a_stage() {
        let pid = r#""linux": {"namespaces": [{"type": "pid", "path": "/p"}, {"type": "mount"},
            {"type": "cgroup"}]}"#;
        let mount = NamespaceKind::Mount.clone_flag();
        let staged = |clone_flags| Birth::Staged {
            clone_flags,
            time_offsets: Vec::new(),
        };
        let v2 = Scene::v2().plan(pid).init.namespaces;
        assert_eq!(v2.birth, staged(mount | NamespaceKind::Cgroup.clone_flag()));
        assert_eq!(v2.cgroup, CgroupNamespace::Settled);
        let v1 = Scene::v1().plan(pid).init.namespaces;
        assert_eq!(
            (v1.birth, v1.cgroup),
            (staged(mount), CgroupNamespace::AfterAttach)
        );
    }

    fn network(scene: &Scene, members: &str) -> Network {
        scene.plan(members).init.namespaces.network
    }

    #[test]
    fn the_network_is_made_beside_until_a_mount_shows_it() {
        let mounts = |list: &str| network(&Scene::v2(), &format!(r#""mounts": [{list}]"#));
        let proc = r#"{"destination": "/proc", "type": "proc"}"#;
        let tmpfs = r#"{"destination": "/t", "type": "tmpfs"}"#;
        let sysfs = r#"{"destination": "/sys", "type": "sysfs"}"#;
        let handed = |after_mounts| Network::Handed { after_mounts };
        assert_eq!(mounts(""), handed(0));
        assert_eq!(mounts(&format!("{proc}, {tmpfs}")), handed(2));
        assert_eq!(mounts(&format!("{proc}, {sysfs}, {tmpfs}")), handed(1));
        assert_eq!(
            mounts(r#"{"destination": "/n", "type": "nfs", "source": "h:/"}"#),
            handed(0)
        );
        assert_eq!(network(&Scene::v1(), ""), handed(0));
    }

    #[test]
    fn the_network_is_born_where_the_runtime_cannot_make_it() {
        let with_user = r#""linux": {"namespaces": [{"type": "user"}, {"type": "network"}],
            "uidMappings": [{"containerID": 0, "hostID": 1, "size": 1}],
            "gidMappings": [{"containerID": 0, "hostID": 1, "size": 1}]}"#;
        let staged = r#""linux": {"namespaces": [{"type": "pid", "path": "/p"}, {"type": "network"},
            {"type": "mount"}]}"#;
        let hook = r#""hooks": {"createContainer": [{"path": "/h"}]}"#;
        for members in [with_user, staged, hook] {
            assert_eq!(network(&Scene::v2(), members), Network::Born, "{members}");
        }
        assert_eq!(network(&Scene::rootless(), ""), Network::Born);
        let none = r#""linux": {"namespaces": [{"type": "mount"}]}"#;
        assert_eq!(network(&Scene::v2(), none), Network::Settled);
    }

    #[test]
    fn a_user_namespace_is_own_whether_new_or_joined() {
        let new = Scene::v2()
            .plan(&format!(r#""linux": {{{USER}}}"#))
            .init
            .namespaces;
        assert_eq!((new.user, new.birth), (UserNamespace::Own, Birth::Direct));
        let joined = Scene::v2().plan(
            r#""linux": {"namespaces": [{"type": "user", "path": "/u"}, {"type": "mount"}]}"#,
        );
        assert_eq!(joined.init.namespaces.user, UserNamespace::Own);
        assert!(matches!(joined.init.namespaces.birth, Birth::Staged { .. }));
    }
}
