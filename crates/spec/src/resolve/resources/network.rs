//! `network`: classes and priorities, which only v1 has.

use crate::config::Network;

use super::super::error::{At, ResolveError};
use super::writes::{Files, Writes};

const CLASS: Files = ("net_cls", "net_cls.classid", "");
const PRIORITIES: Files = ("net_prio", "net_prio.ifpriomap", "");

pub(super) fn resolve(network: Option<&Network>, writes: &mut Writes) -> Result<(), ResolveError> {
    let Some(network) = network else {
        return Ok(());
    };
    let at = At::new("/linux/resources/network");
    let class = network.class_id.filter(|class| *class != 0);
    let priorities = network.priorities.as_deref().unwrap_or_default();
    let asked = [
        (class.is_some(), "/classID"),
        (!priorities.is_empty(), "/priorities"),
    ];
    if let Some((_, member)) = asked.iter().find(|(asked, _)| *asked && writes.is_v2()) {
        return Err(at.member(member).breaks("cannot be set on cgroup v2"));
    }
    if let Some(class) = class {
        writes.put(CLASS, class, "/linux/resources/network/classID");
    }
    let all = at.member("/priorities");
    for (index, entry) in priorities.iter().enumerate() {
        if entry.name.is_empty() || entry.name.contains(char::is_whitespace) {
            return Err(all
                .index(index)
                .member("/name")
                .wrong(&entry.name, "is no interface"));
        }
        let value = format_args!("{} {}", entry.name, entry.priority);
        writes.put(PRIORITIES, value, "/linux/resources/network/priorities");
    }
    Ok(())
}
