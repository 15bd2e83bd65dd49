//! What limits become, as text: `file=value`, `file?=value` where the file may be missing,
//! `file|value` where the next write takes its place then.

use crate::plan::OnAbsence;

use super::super::fixture::Scene;

fn members(resources: &str) -> String {
    format!(r#""linux": {{"resources": {{{resources}}}}}"#)
}

/// The writes for these members of `linux.resources`.
pub(super) fn writes(scene: &Scene, resources: &str) -> Vec<String> {
    let plan = scene.plan(&members(resources));
    let writes = plan.host.cgroup.writes.iter().map(|write| {
        let mark = match write.on_absence {
            OnAbsence::Fail => "=",
            OnAbsence::Skip => "?=",
            OnAbsence::Next => "|",
        };
        assert!(write.pointer.starts_with("/linux/resources/"));
        format!("{}{mark}{}", write.file, write.value)
    });
    writes.collect()
}

/// Members, the writes on v2, the writes on v1.
pub(super) fn check(table: &[(&str, &[&str], &[&str])]) {
    for (resources, v2, v1) in table {
        assert_eq!(writes(&Scene::v2(), resources), *v2, "v2 {resources}");
        assert_eq!(writes(&v1_with_all(), resources), *v1, "v1 {resources}");
    }
}

/// A v1 host with every controller that a limit could ask for.
pub(super) fn v1_with_all() -> Scene {
    let mut scene = Scene::v1();
    let all = ["blkio", "cpuset", "pids", "hugetlb", "rdma"].map(str::to_owned);
    scene.host.cgroup_v1[0].controllers.extend(all);
    scene
}

/// Members, and how the refusal begins below /linux/resources.
pub(super) fn refuses(scene: &Scene, table: &[(&str, &str)]) {
    for (resources, expected) in table {
        let refusal = scene.refusal(&members(resources));
        let expected = format!("/linux/resources/{expected}");
        assert!(
            refusal.starts_with(&expected),
            "{refusal:?} for {resources}"
        );
    }
}

/// The warnings that go with these members.
pub(super) fn warnings(resources: &str) -> Vec<String> {
    Scene::v2().plan(&members(resources)).warnings
}
