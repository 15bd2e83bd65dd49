//! The part of the plan about cgroups: the place, the limits, the device rules, the owner.

use crate::plan::CgroupPlan;

use super::error::{ResolveError, Warnings};
use super::subject::Subject;
use super::{device_rules, place, resources};

pub(super) fn resolve(
    subject: &Subject<'_>,
    owner: Option<u32>,
    warnings: &mut Warnings,
) -> Result<CgroupPlan, ResolveError> {
    let &Subject {
        linux,
        host,
        request,
        ..
    } = subject;
    let (resources, manager) = (linux.resources.as_ref(), request.manager);
    let place = place::resolve(linux, request, host)?;
    let writes = resources::resolve(resources, manager, host, warnings)?;
    // A place or a limit that was asked for must not be missed silently.
    let best_effort =
        place::is_rootless(request, host) && place::asked(linux).is_none() && writes.is_empty();
    Ok(CgroupPlan {
        manager,
        place,
        writes,
        devices: device_rules::resolve(resources, manager, host)?,
        owner,
        best_effort,
    })
}
