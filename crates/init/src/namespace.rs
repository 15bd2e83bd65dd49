//! Namespaces from inside: joined by the fds that were handed over, then set up.

use crate::{
    conversation::Conversation,
    failure::{Context, Failure},
    inherited::Inherited,
};
use alloc::format;
use hull_spec::{
    plan::{CgroupNamespace, InitNamespaces, NamespaceKind, Network},
    protocol::ToInit,
};
use hull_sys::{
    namespace::{join, set_domainname, set_hostname, unshare},
    network,
};

/// Joins them in the plan's order: the user namespace first, the mount namespace last.
pub(crate) fn join_all(plan: &InitNamespaces, inherited: &Inherited) -> Result<(), Failure> {
    for (kind, fd) in inherited.namespaces(&plan.joined)? {
        join(&fd, kind.clone_flag())
            .with_context(|| format!("join the {} namespace", kind.name()))?;
    }
    Ok(())
}

/// What is set inside namespaces of our own.
pub(crate) fn set_up(plan: &InitNamespaces, parent: &Conversation) -> Result<(), Failure> {
    if plan.cgroup == CgroupNamespace::AfterAttach {
        parent.expect(ToInit::Continue)?;
        unshare(NamespaceKind::Cgroup.clone_flag()).context("make the cgroup namespace")?;
    }
    if plan.network == Network::Born {
        network::loopback_up().context("set the loopback up")?;
    }
    if let Some(name) = &plan.hostname {
        set_hostname(name).with_context(|| format!("set hostname {name:?}"))?;
    }
    if let Some(name) = &plan.domainname {
        set_domainname(name).with_context(|| format!("set domainname {name:?}"))?;
    }
    Ok(())
}

/// The network namespace that the runtime makes meanwhile; waits for it.
pub(crate) fn join_network(parent: &Conversation) -> Result<(), Failure> {
    let namespace = parent.receive(ToInit::Network)?;
    join(namespace, NamespaceKind::Network.clone_flag()).context("join the network namespace")
}
