//! `linux.resources` as writes, in the order in which they must happen.
//!
//! One file per controller; each knows its files on both layouts. What a layout cannot do is an
//! error unless it is what the kernel does anyway. `unified` comes last: it has the last word.

mod block_io;
mod cpu;
#[cfg(test)]
mod fixture;
mod hugetlb;
mod memory;
mod network;
mod pids;
mod rdma;
mod unified;
mod writes;

use crate::config::Resources;
use crate::host::HostFacts;
use crate::plan::{CgroupLayout, CgroupManager, CgroupWrite, OnAbsence};

use super::error::{At, Problem, ResolveError, Warnings};
use writes::Writes;

/// Every write of the config's limits for the layout of this host.
pub(super) fn resolve(
    resources: Option<&Resources>,
    manager: CgroupManager,
    host: &HostFacts,
    warnings: &mut Warnings,
) -> Result<Vec<CgroupWrite>, ResolveError> {
    let Some(resources) = resources else {
        return Ok(Vec::new());
    };
    let mut writes = Writes::new(host.cgroup_layout);
    pids::resolve(resources.pids.as_ref(), &mut writes)?;
    memory::resolve(resources.memory.as_ref(), &mut writes, warnings)?;
    cpu::resolve(resources.cpu.as_ref(), &mut writes, warnings)?;
    block_io::resolve(resources.block_io.as_ref(), &mut writes)?;
    hugetlb::resolve(resources.hugepage_limits.as_deref(), &mut writes)?;
    network::resolve(resources.network.as_ref(), &mut writes)?;
    rdma::resolve(resources.rdma.as_ref(), &mut writes)?;
    unified::resolve(resources.unified.as_ref(), &mut writes)?;
    refuse_impossible(&writes.list, manager, host)?;
    Ok(writes.list)
}

/// A limit needs a cgroup, and on v1 a hierarchy with its controller. On v2 the controllers that
/// are at hand depend on the place, and are found out there.
fn refuse_impossible(
    writes: &[CgroupWrite],
    manager: CgroupManager,
    host: &HostFacts,
) -> Result<(), ResolveError> {
    for write in writes
        .iter()
        .filter(|write| write.on_absence == OnAbsence::Fail)
    {
        let at = At::new(write.pointer);
        if manager == CgroupManager::Disabled {
            return Err(at.breaks("needs a cgroup, and cgroups are disabled"));
        }
        if host.cgroup_layout == CgroupLayout::V1 && !host.has_v1_controller(write.controller) {
            return Err(at.refuse(Problem::NoController(write.controller)));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::fixture::{check, refuses, v1_with_all, writes};
    use super::*;
    use crate::resolve::fixture::Scene;

    #[test]
    fn the_other_controllers_have_their_files() {
        check(&[
            (
                r#""hugepageLimits": [{"pageSize": "2MB", "limit": 18446744073709551615}]"#,
                &[
                    "hugetlb.2MB.rsvd.max?=18446744073709551615",
                    "hugetlb.2MB.max=18446744073709551615",
                ],
                &[
                    "hugetlb.2MB.rsvd.limit_in_bytes?=18446744073709551615",
                    "hugetlb.2MB.limit_in_bytes=18446744073709551615",
                ],
            ),
            (
                r#""rdma": {"b": {"hcaObjects": 3}, "a": {"hcaHandles": 1, "hcaObjects": 2}}"#,
                &[
                    "rdma.max=a hca_handle=1 hca_object=2",
                    "rdma.max=b hca_object=3",
                ],
                &[
                    "rdma.max=a hca_handle=1 hca_object=2",
                    "rdma.max=b hca_object=3",
                ],
            ),
            (r#""network": {"classID": 0}"#, &[], &[]),
        ]);
        let network = r#""network": {"classID": 9, "priorities": [{"name": "lo", "priority": 4}]}"#;
        let v1 = writes(&v1_with_all(), network);
        assert_eq!(v1, ["net_cls.classid=9", "net_prio.ifpriomap=lo 4"]);
    }

    #[test]
    fn unified_is_for_v2_and_comes_last() {
        let resources = r#""unified": {"memory.high": "5", "x.y": "z"}, "pids": {"limit": 1}"#;
        let v2 = writes(&Scene::v2(), resources);
        assert_eq!(v2, ["pids.max=1", "memory.high=5", "x.y=z"]);
        let plan = Scene::v2().plan(&format!(r#""linux": {{"resources": {{{resources}}}}}"#));
        let controllers: Vec<_> = plan
            .host
            .cgroup
            .writes
            .iter()
            .map(|w| w.controller)
            .collect();
        assert_eq!(controllers, ["pids", "memory", ""]);
        let on_v1 = "unified/memory.high: cannot be set on cgroup v1";
        refuses(&v1_with_all(), &[(resources, on_v1)]);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        refuses(
            &Scene::v2(),
            &[
                (
                    r#""hugepageLimits": [{"pageSize": "64kB", "limit": 1}]"#,
                    "hugepageLimits/0/pageSize: \"64kB\" must be such as",
                ),
                (
                    r#""hugepageLimits": [{"pageSize": "MB", "limit": 1}]"#,
                    "hugepageLimits/0/page",
                ),
                (
                    r#""hugepageLimits": [{"limit": 1}]"#,
                    "hugepageLimits/0: missing field `pageSize`",
                ),
                (
                    r#""rdma": {"a": {}}"#,
                    "rdma/a: needs hcaHandles or hcaObjects",
                ),
                (
                    r#""rdma": {"a b": {"hcaHandles": 1}}"#,
                    "rdma/a b: \"a b\" is no device",
                ),
                (
                    r#""network": {"classID": 9}"#,
                    "network/classID: cannot be set on cgroup v2",
                ),
                (
                    r#""network": {"priorities": [{"name": "lo"}]}"#,
                    "network/priorities/0: missing field `priority`",
                ),
                (
                    r#""unified": {"a/b": ""}"#,
                    "unified/a~1b: must be the name of a file",
                ),
                (
                    r#""unified": {"..": ""}"#,
                    "unified/..: must be the name of a file",
                ),
                (r#""unified": {"a": 1}"#, "unified/a: invalid type"),
            ],
        );
    }

    #[test]
    fn a_limit_needs_a_cgroup_and_its_controller() {
        refuses(
            &Scene::v1(),
            &[(
                r#""pids": {"limit": 5}"#,
                "pids/limit: the requested cgroup controller `pids` is not available",
            )],
        );
        assert_eq!(
            writes(&Scene::v1(), r#""pids": {"limit": -1}"#),
            ["pids.max?=max"]
        );
        let disabled = Scene {
            manager: CgroupManager::Disabled,
            ..Scene::v2()
        };
        refuses(
            &disabled,
            &[(r#""memory": {"limit": 5}"#, "memory/limit: needs a cgroup")],
        );
        assert_eq!(disabled.plan("").host.cgroup.writes, []);
    }
}
