//! What holds for every answer, whatever the config was.

use std::path::Path;

use hull_spec::plan::{
    CgroupPlace, CgroupV1Source, DeviceNode, Entering, Hook, Hooks, InitPlan, MountKind, Plan,
    Rlimit,
};

/// The kernel's limit on both kinds of BPF.
const MOST_INSTRUCTIONS: usize = 4096;

/// A refusal is one line that begins with the file's name; a plan is sound.
pub(crate) fn kept(answer: &Result<Plan, String>) {
    match answer {
        Ok(plan) => sound(plan),
        Err(message) => {
            assert!(message.starts_with("config.json"), "{message:?}");
            assert!(message.len() > "config.json: ".len());
        }
    }
}

fn sound(plan: &Plan) {
    travels(&plan.init);
    only_handed_trees_are_used(plan);
    paths_are_absolute(plan);
    hooks_can_run(&plan.host.hooks);
    stays_in_its_cgroup(plan);
    let rlimits = [&plan.host.rlimits[..], &plan.init.process.rlimits].concat();
    limits_are_in_order(&rlimits);
    let process = &plan.init.process;
    assert!(process.env.iter().all(|entry| entry.contains('=')));
    let sets = process.capabilities;
    let known = (1_u64 << 41) - 1;
    let all = sets.bounding | sets.effective | sets.permitted | sets.inheritable | sets.ambient;
    assert_eq!(all & !known, 0, "a capability that the host has not");
    // capset(2) refuses these as a whole; the specification wants a warning.
    assert_eq!(sets.effective & !sets.permitted, 0);
    assert_eq!(sets.inheritable & !sets.bounding, 0);
    assert_eq!(sets.ambient & !(sets.permitted & sets.inheritable), 0);
    if let Some(filter) = &process.seccomp {
        let (instructions, rest) = filter.program.0.as_chunks::<8>();
        assert!(rest.is_empty() && (1..=MOST_INSTRUCTIONS).contains(&instructions.len()));
    }
}

/// Init is handed what was sent.
fn travels(plan: &InitPlan) {
    let sent = postcard::to_allocvec(plan).expect("a plan can be sent");
    let received: InitPlan = postcard::from_bytes(&sent).expect("a plan can be read");
    assert_eq!(&received, plan);
}

fn only_handed_trees_are_used(plan: &Plan) {
    let mut used: Vec<u32> = Vec::new();
    for mount in &plan.init.rootfs.mounts {
        match &mount.kind {
            MountKind::Bind { handed, .. } | MountKind::Made { handed } => used.push(*handed),
            MountKind::CgroupV1 { hierarchies, .. } => {
                used.extend(hierarchies.iter().filter_map(|one| match one.source {
                    CgroupV1Source::Handed(number) => Some(number),
                    CgroupV1Source::Mounted { .. } => None,
                }));
            }
            MountKind::Filesystem { .. } | MountKind::Remount => {}
        }
    }
    used.extend(
        plan.init
            .rootfs
            .devices
            .iter()
            .filter_map(|device| match device.node {
                DeviceNode::Bound { handed } => Some(handed),
                _ => None,
            }),
    );
    let trees = plan.host.handed.len();
    assert!(
        used.iter()
            .all(|number| usize::try_from(*number).expect("small") < trees)
    );
    let before = used.len();
    used.sort_unstable();
    used.dedup();
    assert_eq!(used.len(), before, "a tree is used twice");
}

fn paths_are_absolute(plan: &Plan) {
    let rootfs = &plan.init.rootfs;
    let namespaces = plan.host.namespaces.joined.iter().map(|(_, path)| path);
    let mounts = rootfs.mounts.iter().map(|mount| &mount.destination);
    let devices = rootfs.devices.iter().map(|device| &device.path);
    let chroot = match &rootfs.entering {
        Entering::Chroot(path) => Some(path),
        _ => None,
    };
    let paths = [&plan.host.rootfs, &plan.init.process.cwd]
        .into_iter()
        .chain(namespaces)
        .chain(mounts)
        .chain(devices)
        .chain(chroot)
        .chain(&rootfs.masked_paths)
        .chain(&rootfs.readonly_paths);
    for path in paths {
        assert!(Path::new(path).is_absolute(), "{path:?} is not absolute");
        assert!(!path.contains('\0'));
    }
    for sysctl in &plan.init.sysctls {
        let components: Vec<&str> = sysctl.path.split('/').collect();
        let odd = |part: &&str| matches!(*part, "" | "." | "..");
        assert!(!components.iter().any(odd), "{:?}", sysctl.path);
    }
}

fn hooks_can_run(hooks: &Hooks) {
    let lists: [&[Hook]; 6] = [
        &hooks.prestart,
        &hooks.create_runtime,
        &hooks.create_container,
        &hooks.start_container,
        &hooks.poststart,
        &hooks.poststop,
    ];
    for hook in lists.into_iter().flatten() {
        assert!(Path::new(&hook.path).is_absolute() && !hook.args.is_empty());
        assert_ne!(hook.timeout, Some(0));
    }
}

fn stays_in_its_cgroup(plan: &Plan) {
    let cgroup = &plan.host.cgroup;
    let (CgroupPlace::Absolute(place) | CgroupPlace::Relative(place)) = &cgroup.place;
    for part in place {
        assert!(!matches!(part.as_str(), "" | "." | "..") && !part.contains('/'));
    }
    for write in &cgroup.writes {
        assert!(!write.file.contains('/') && write.file.contains('.'));
    }
}

fn limits_are_in_order(rlimits: &[Rlimit]) {
    let mut resources: Vec<u32> = rlimits.iter().map(|limit| limit.resource).collect();
    resources.sort_unstable();
    assert!(resources.windows(2).all(|pair| pair[0] != pair[1]));
    assert!(
        rlimits
            .iter()
            .all(|limit| limit.soft <= limit.hard && limit.resource < 16)
    );
}
