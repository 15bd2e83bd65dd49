//! The configs that engines really write: all parse, and all resolve once what is not supported
//! yet is taken out of them. They are read from the checkout beside this one where it is there,
//! and from the copies in tests/data.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that cannot read its input has nothing to say"
)]

use std::fs;
use std::path::{Path, PathBuf};

use hull_spec::config::Mount;
use hull_spec::plan::{
    CgroupLayout, CgroupManager, Entering, InitPlan, MountKind, Plan, Verbosity,
};
use hull_spec::{
    Activation, Bundle, Config, ContainerId, HostFacts, Request, RootChange, Rootless,
    SecurityModules, SessionKeyring, V1Hierarchy, resolve,
};
use serde_json::Value;

fn configs(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let Ok(entries) = fs::read_dir(&folder) else {
        eprintln!("skipped: no {}", folder.display());
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn all_configs() -> Vec<PathBuf> {
    let mut paths = configs("tests/data");
    assert!(!paths.is_empty());
    paths.extend(configs("../../../shared/configs"));
    paths
}

/// Takes out what this build answers with "not supported yet".
fn supported(text: &[u8]) -> Vec<u8> {
    let mut config: Value = serde_json::from_slice(text).unwrap();
    let linux = config["linux"].as_object_mut().unwrap();
    linux.remove("cgroupsPath");
    if let Some(Value::Object(resources)) = linux.get_mut("resources") {
        resources.remove("blockIO");
    }
    let process = config["process"].as_object_mut().unwrap();
    process.remove("terminal");
    config.to_string().into_bytes()
}

fn hierarchy(name: &str) -> V1Hierarchy {
    let controllers = match name {
        "systemd" => Vec::new(),
        name => name.split(',').map(str::to_owned).collect(),
    };
    V1Hierarchy {
        name: name.to_owned(),
        controllers,
    }
}

fn host(layout: CgroupLayout) -> HostFacts {
    let names = [
        "cpu,cpuacct",
        "cpuset",
        "memory",
        "pids",
        "devices",
        "systemd",
    ];
    HostFacts {
        cgroup_layout: layout,
        cgroup_v1: match layout {
            CgroupLayout::V1 => names.map(hierarchy).to_vec(),
            CgroupLayout::V2 => Vec::new(),
        },
        cgroup_unified: false,
        uid: 0,
        gid: 0,
        privileged: true,
        setgroups_denied: false,
        last_capability: 40,
        security_modules: SecurityModules {
            apparmor: true,
            selinux: false,
        },
    }
}

fn plan(text: &[u8], layout: CgroupLayout) -> Plan {
    let config = Config::parse(text).unwrap();
    let bundle = Bundle {
        directory: "/bundle".into(),
        config,
        text: text.to_vec(),
    };
    let id = ContainerId::new("web").unwrap();
    let request = Request {
        id: &id,
        manager: CgroupManager::Cgroupfs,
        rootless: Rootless::Auto,
        root_change: RootChange::PivotRoot,
        keyring: SessionKeyring::New,
        preserved_fds: 0,
        activation: Activation::default(),
        verbosity: Verbosity::Quiet,
        console: false,
        detached: true,
    };
    resolve(&bundle, &host(layout), &request).unwrap()
}

#[test]
fn every_config_of_an_engine_parses_as_oci_spec_reads_it() {
    for path in all_configs() {
        let text = fs::read(&path).unwrap();
        let config =
            Config::parse(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let oracle: oci_spec::runtime::Spec = serde_json::from_slice(&text).unwrap();
        assert_eq!(&config.oci_version, oracle.version());
        assert_mounts(&config.mounts.unwrap(), oracle.mounts().as_deref().unwrap());
        assert_eq!(&config.hooks, oracle.hooks());
        assert_eq!(&config.root, oracle.root());
        let (ours, theirs) = (config.process.unwrap(), oracle.process().clone().unwrap());
        assert_eq!(&ours.args, theirs.args());
        assert_eq!(&ours.env, theirs.env());
        let user = ours.user.unwrap();
        assert_eq!(user.uid, theirs.user().uid());
        assert_eq!(&user.additional_gids, theirs.user().additional_gids());
        let rlimits = |count: Option<usize>| count.unwrap_or(0);
        assert_eq!(
            rlimits(ours.rlimits.map(|list| list.len())),
            rlimits(theirs.rlimits().as_ref().map(Vec::len))
        );
        let (ours, theirs) = (config.linux.unwrap(), oracle.linux().clone().unwrap());
        assert_eq!(&ours.masked_paths, theirs.masked_paths());
        assert_eq!(&ours.seccomp, theirs.seccomp());
        assert_eq!(
            ours.namespaces.unwrap().len(),
            theirs.namespaces().as_ref().unwrap().len()
        );
        let (ours, theirs) = (ours.resources.unwrap(), theirs.resources().clone().unwrap());
        assert_eq!(&ours.memory, theirs.memory());
        assert_eq!(&ours.cpu, theirs.cpu());
        assert_eq!(
            ours.pids.and_then(|pids| pids.limit),
            theirs.pids().map(|pids| pids.limit())
        );
    }
}

fn assert_mounts(ours: &[Mount], theirs: &[oci_spec::runtime::Mount]) {
    assert_eq!(ours.len(), theirs.len());
    for (ours, theirs) in ours.iter().zip(theirs) {
        assert_eq!(Path::new(&ours.destination), theirs.destination());
        assert_eq!(&ours.kind, theirs.typ());
        assert_eq!(
            ours.source.as_deref().map(Path::new),
            theirs.source().as_deref()
        );
        assert_eq!(&ours.options, theirs.options());
        assert_eq!(ours.uid_mappings.is_some(), theirs.uid_mappings().is_some());
    }
}

#[test]
fn every_config_of_an_engine_becomes_a_plan_on_both_layouts() {
    for path in all_configs() {
        let text = supported(&fs::read(&path).unwrap());
        for layout in [CgroupLayout::V2, CgroupLayout::V1] {
            let plan = plan(&text, layout);
            assert_eq!(plan.init.rootfs.entering, Entering::PivotRoot);
            assert_eq!(plan.warnings, [""; 0], "{}", path.display());
            let filters = String::from_utf8_lossy(&text).contains("\"seccomp\"");
            assert_eq!(plan.init.process.seccomp.is_some(), filters);
            assert_handed_trees_are_used_once(&plan, &path);
            // What init is handed arrives as it was sent.
            let sent = postcard::to_allocvec(&plan.init).unwrap();
            assert_eq!(postcard::from_bytes::<InitPlan>(&sent).unwrap(), plan.init);
        }
    }
}

fn assert_handed_trees_are_used_once(plan: &Plan, path: &Path) {
    let binds = plan
        .init
        .rootfs
        .mounts
        .iter()
        .filter_map(|mount| match mount.kind {
            MountKind::Bind { handed, .. } => Some(handed),
            _ => None,
        });
    let mut used: Vec<u32> = std::iter::once(0).chain(binds).collect();
    let before = used.len();
    used.dedup();
    assert_eq!(used.len(), before, "{}", path.display());
    assert!(
        used.iter()
            .all(|index| usize::try_from(*index).unwrap() < plan.host.handed.len())
    );
}
