//! `linux.resources` as writes, in the order in which they must happen.
//!
//! One file per controller; each knows its files on both layouts. What a layout cannot do is an
//! error unless it is what the kernel does anyway. `unified` comes last: it has the last word.

mod cpu;
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
