//! Hosts and calls that a config may meet, and what it becomes in each.

use hull_spec::plan::{CgroupLayout, CgroupManager, Plan, Verbosity};
use hull_spec::{
    Activation, Bundle, Config, ContainerId, HostFacts, Request, RootChange, Rootless,
    SecurityModules, SessionKeyring, V1Hierarchy, resolve,
};

/// A host and a way to call.
#[derive(Debug)]
struct World {
    host: HostFacts,
    manager: CgroupManager,
    rootless: Rootless,
    root_change: RootChange,
    console: bool,
}

/// What the config becomes in every world: plan or message.
pub(crate) fn everywhere(text: &[u8]) -> Vec<Result<Plan, String>> {
    in_the(&worlds(), text)
}

/// The same for the first world alone: root on a host with cgroup2.
pub(crate) fn first(text: &[u8]) -> Result<Plan, String> {
    let [first, ..] = worlds();
    in_the(&[first], text).swap_remove(0)
}

fn in_the(worlds: &[World], text: &[u8]) -> Vec<Result<Plan, String>> {
    match Config::parse(text) {
        Ok(config) => {
            let bundle = Bundle {
                directory: "/bundle".into(),
                config,
                text: text.to_vec(),
            };
            worlds.iter().map(|world| meet(&bundle, world)).collect()
        }
        Err(error) => vec![Err(error.to_string())],
    }
}

fn meet(bundle: &Bundle, world: &World) -> Result<Plan, String> {
    let id = ContainerId::new("web").expect("a good name");
    let request = Request {
        id: &id,
        manager: world.manager,
        rootless: world.rootless,
        root_change: world.root_change,
        keyring: SessionKeyring::New,
        preserved_fds: 2,
        activation: Activation {
            notify: true,
            ..Activation::default()
        },
        verbosity: Verbosity::Quiet,
        console: world.console,
        detached: true,
    };
    resolve(bundle, &world.host, &request).map_err(|error| error.to_string())
}

fn worlds() -> [World; 5] {
    let v2 = || World {
        host: v2_host(),
        manager: CgroupManager::Cgroupfs,
        rootless: Rootless::Auto,
        root_change: RootChange::PivotRoot,
        console: false,
    };
    [
        v2(),
        World {
            host: v1_host(false),
            console: true,
            ..v2()
        },
        World {
            host: v1_host(true),
            root_change: RootChange::Chroot,
            ..v2()
        },
        World {
            host: HostFacts {
                uid: 1000,
                gid: 1000,
                privileged: false,
                setgroups_denied: true,
                ..v2_host()
            },
            console: true,
            ..v2()
        },
        World {
            manager: CgroupManager::Disabled,
            rootless: Rootless::Yes,
            ..v2()
        },
    ]
}

fn v2_host() -> HostFacts {
    HostFacts {
        cgroup_layout: CgroupLayout::V2,
        cgroup_v1: Vec::new(),
        cgroup_unified: false,
        uid: 0,
        gid: 0,
        privileged: true,
        setgroups_denied: false,
        last_capability: 40,
        security_modules: SecurityModules {
            apparmor: true,
            selinux: true,
        },
    }
}

fn v1_host(unified: bool) -> HostFacts {
    let hierarchy = |name: &str| V1Hierarchy {
        name: name.to_owned(),
        controllers: match name {
            "systemd" => Vec::new(),
            name => name.split(',').map(str::to_owned).collect(),
        },
    };
    let names = [
        "cpu,cpuacct",
        "cpuset",
        "memory",
        "pids",
        "devices",
        "net_cls,net_prio",
        "rdma",
        "hugetlb",
        "systemd",
    ];
    HostFacts {
        cgroup_layout: CgroupLayout::V1,
        cgroup_v1: names.map(hierarchy).to_vec(),
        cgroup_unified: unified,
        ..v2_host()
    }
}
