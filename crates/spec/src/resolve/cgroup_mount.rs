//! What a mount of type `cgroup` shows: on a v1 host every hierarchy below one tmpfs.
//!
//! In a cgroup namespace of its own the container mounts each hierarchy afresh and sees itself as
//! the root. Without one it would see the host's whole tree, so its own directories are handed
//! over instead. cgroup2 beside v1 is not shown, as no other runtime does.
//!
//! cgroup2 is mounted afresh in a cgroup namespace of the container's own only: a mount made in
//! the host's resets `nsdelegate` and its kin for the whole machine, so the host's is bound there.

use crate::host::{HostFacts, V1Hierarchy};
use crate::plan::{
    CgroupLayout, CgroupV1Mount, CgroupV1Source, FsParameter, Links, Mount, MountKind,
    NamespaceKind, Namespaces, Propagation, TreeSource,
};

use super::error::At;
use super::handed::Handed;

/// Fills in the hierarchies, once all other trees have their numbers.
pub(super) fn fill(mounts: &mut [Mount], own: &Namespaces, host: &HostFacts, handed: &mut Handed) {
    let all = At::new("/mounts");
    for (index, mount) in mounts.iter_mut().enumerate() {
        if let MountKind::CgroupV1 { hierarchies, .. } = &mut mount.kind {
            let at = all.index(index);
            let show = |hierarchy: &V1Hierarchy| CgroupV1Mount {
                name: hierarchy.name.clone(),
                links: links(hierarchy),
                source: source(hierarchy, own, &at, handed),
            };
            *hierarchies = host.cgroup_v1.iter().map(show).collect();
        } else if is_cgroup2(&mount.kind) && !own.is_own(NamespaceKind::Cgroup) {
            let source = TreeSource::Path(hosts_cgroup2(host.cgroup_layout).to_owned());
            let at = all.index(index);
            mount.kind = MountKind::Bind {
                handed: handed.add(&at, source, false, Propagation::Private),
                links: Links::Followed,
            };
        }
    }
}

fn is_cgroup2(kind: &MountKind) -> bool {
    matches!(kind, MountKind::Filesystem { fstype, .. } if fstype == "cgroup2")
}

fn hosts_cgroup2(layout: CgroupLayout) -> &'static str {
    match layout {
        CgroupLayout::V2 => "/sys/fs/cgroup",
        CgroupLayout::V1 => "/sys/fs/cgroup/unified",
    }
}

/// `cpu,cpuacct` is also found as `cpu` and as `cpuacct`.
fn links(hierarchy: &V1Hierarchy) -> Vec<String> {
    match hierarchy.name.contains(',') {
        true => hierarchy.name.split(',').map(str::to_owned).collect(),
        false => Vec::new(),
    }
}

fn source(
    hierarchy: &V1Hierarchy,
    own: &Namespaces,
    at: &At<'_>,
    handed: &mut Handed,
) -> CgroupV1Source {
    if own.is_own(NamespaceKind::Cgroup) {
        return CgroupV1Source::Mounted {
            fstype: "cgroup".to_owned(),
            parameters: parameters(hierarchy),
        };
    }
    let source = TreeSource::CgroupV1(hierarchy.name.clone());
    CgroupV1Source::Handed(handed.add(at, source, false, Propagation::Private))
}

/// A hierarchy is found by its controllers, a named one by its name.
fn parameters(hierarchy: &V1Hierarchy) -> Vec<FsParameter> {
    if hierarchy.controllers.is_empty() {
        return vec![
            FsParameter::Flag("none".to_owned()),
            FsParameter::Text("name".to_owned(), hierarchy.name.clone()),
        ];
    }
    hierarchy
        .controllers
        .iter()
        .cloned()
        .map(FsParameter::Flag)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Scene;
    use super::*;

    const MOUNTS: &str = r#""mounts": [
        {"destination": "/sys/fs/cgroup", "type": "cgroup", "options": ["ro"]},
        {"destination": "/a", "source": "/b", "options": ["bind"]}]"#;

    fn hierarchies(plan: &crate::plan::Plan) -> &[CgroupV1Mount] {
        match &plan.init.rootfs.mounts[0].kind {
            MountKind::CgroupV1 { hierarchies, .. } => hierarchies,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_own_cgroup_namespace_mounts_each_hierarchy() {
        let plan = Scene::v1().plan(MOUNTS);
        let shown = hierarchies(&plan);
        let flag = |word: &str| FsParameter::Flag(word.to_owned());
        let mounted = |parameters| CgroupV1Source::Mounted {
            fstype: "cgroup".into(),
            parameters,
        };
        assert_eq!(shown[0].links, ["cpu", "cpuacct"]);
        assert_eq!(shown[0].source, mounted(vec![flag("cpu"), flag("cpuacct")]));
        assert_eq!(
            (shown[1].name.as_str(), shown[1].links.len()),
            ("memory", 0)
        );
        let name = FsParameter::Text("name".into(), "systemd".into());
        assert_eq!(shown[3].source, mounted(vec![flag("none"), name]));
        assert_eq!(plan.host.handed.len(), 2);
    }

    #[test]
    fn cgroup2_of_the_host_is_bound_where_the_namespace_is_the_hosts() {
        let linux = r#""linux": {"namespaces": [{"type": "mount"}]}"#;
        let bound = Scene::v2().plan(&format!("{MOUNTS}, {linux}"));
        let at = bound.host.handed.len() - 1;
        let kind = &bound.init.rootfs.mounts[0].kind;
        assert_eq!(
            kind,
            &MountKind::Bind {
                handed: u32::try_from(at).unwrap(),
                links: Links::Followed,
            }
        );
        let source = TreeSource::Path("/sys/fs/cgroup".into());
        assert_eq!(bound.host.handed[at].source, source);
        assert!(is_cgroup2(
            &Scene::v2().plan(MOUNTS).init.rootfs.mounts[0].kind
        ));
    }

    #[test]
    fn without_one_the_containers_own_directories_are_handed_last() {
        let linux = r#""linux": {"namespaces": [{"type": "mount"}]}"#;
        let plan = Scene::v1().plan(&format!("{MOUNTS}, {linux}"));
        let sources: Vec<_> = hierarchies(&plan)
            .iter()
            .map(|hierarchy| hierarchy.source.clone())
            .collect();
        let numbers = [2, 3, 4, 5].map(CgroupV1Source::Handed);
        assert_eq!(sources, numbers);
        assert_eq!(
            plan.host.handed[5].source,
            TreeSource::CgroupV1("systemd".into())
        );
    }
}
