//! Where the container's cgroups will stand: decided before any of them is made.

use super::{CgroupError, membership};
use crate::state::CgroupRecord;
use hull_spec::{
    HostFacts,
    plan::{CgroupLayout, CgroupManager, CgroupPlace, CgroupPlan},
};

/// Every hierarchy that the container joins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Placement {
    pub(crate) manager: CgroupManager,
    pub(crate) layout: CgroupLayout,
    pub(crate) hierarchies: Vec<Hierarchy>,
}

/// One hierarchy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hierarchy {
    /// Directory below /sys/fs/cgroup; empty where cgroup2 is mounted there itself.
    pub(crate) name: String,
    /// v1 controllers.
    pub(crate) controllers: Vec<String>,
    /// cgroup2, alone or as `unified`.
    pub(crate) unified: bool,
    /// Components of the container's own directory.
    pub(crate) components: Vec<String>,
}

impl Hierarchy {
    /// Absolute path of the hierarchy's root.
    pub(crate) fn mount_point(&self) -> String {
        mount_point(&self.name)
    }

    /// Absolute path of the container's directory.
    pub(crate) fn path(&self) -> String {
        format!("{}/{}", self.mount_point(), self.components.join("/"))
    }
}

/// Absolute path of a hierarchy's root by its name.
pub(super) fn mount_point(name: &str) -> String {
    match name {
        "" => "/sys/fs/cgroup".to_owned(),
        name => format!("/sys/fs/cgroup/{name}"),
    }
}

/// Absolute path of a recorded place.
pub(crate) fn path_of(name: &str, place: &str) -> String {
    mount_point(name) + place
}

impl Placement {
    /// The plan's place in each hierarchy of this host.
    pub(crate) fn of(plan: &CgroupPlan, host: &HostFacts) -> Result<Self, CgroupError> {
        let mut placement = Self {
            manager: plan.manager,
            layout: host.cgroup_layout,
            hierarchies: Vec::new(),
        };
        if plan.manager == CgroupManager::Disabled {
            return Ok(placement);
        }
        for (name, controllers, unified) in hierarchies(host) {
            let components = components(&plan.place, &name)?;
            placement.hierarchies.push(Hierarchy {
                name,
                controllers,
                unified,
                components,
            });
        }
        Ok(placement)
    }

    /// As the state remembers it.
    pub(crate) fn record(&self, made: Vec<String>) -> CgroupRecord {
        let place = |hierarchy: &Hierarchy| {
            (
                hierarchy.name.clone(),
                format!("/{}", hierarchy.components.join("/")),
            )
        };
        CgroupRecord {
            manager: self.manager,
            layout: self.layout,
            places: self.hierarchies.iter().map(place).collect(),
            made,
        }
    }
}

fn hierarchies(host: &HostFacts) -> Vec<(String, Vec<String>, bool)> {
    if host.cgroup_layout == CgroupLayout::V2 {
        return vec![(String::new(), Vec::new(), true)];
    }
    let v1 = host.cgroup_v1.iter();
    let unified = host
        .cgroup_unified
        .then(|| (membership::UNIFIED.to_owned(), Vec::new(), true));
    // cgroup2 first: it is the one that the clone is born into.
    unified
        .into_iter()
        .chain(v1.map(|h| (h.name.clone(), h.controllers.clone(), false)))
        .collect()
}

fn components(place: &CgroupPlace, name: &str) -> Result<Vec<String>, CgroupError> {
    let relative = match place {
        CgroupPlace::Absolute(components) => return Ok(components.clone()),
        CgroupPlace::Relative(components) => components,
    };
    let own = membership::own().map_err(CgroupError::Membership)?;
    let name = if name.is_empty() {
        membership::UNIFIED
    } else {
        name
    };
    let own = own
        .iter()
        .find(|line| line.name == name)
        .map_or("/", |line| line.path.as_str());
    if own.split('/').any(|part| part == "..") {
        return Err(CgroupError::Outside(own.to_owned()));
    }
    let above = own
        .split('/')
        .filter(|part| !part.is_empty())
        .map(str::to_owned);
    Ok(above.chain(relative.iter().cloned()).collect())
}
