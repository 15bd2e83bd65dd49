//! The container's end of NOTIFY_SOCKET, where engines and images know it from runc.

use crate::plan::{
    Links, Mount, MountAttributes, MountKind, NamespaceKind, Namespaces, Propagation, TreeSource,
};
use crate::request::Request;

use super::error::At;
use super::handed::Handed;

/// What the payload finds in its environment.
pub(super) const SOCKET: &str = "/run/notify/notify.sock";
const DIRECTORY: &str = "/run/notify";

/// MOUNT_ATTR_* (mount_setattr(2)).
const READ_ONLY_NOSUID_NODEV_NOEXEC: u64 = 1 | 2 | 4 | 8;

/// The directory of the socket, behind all mounts of the config.
pub(super) fn mount(index: usize, handed: &mut Handed) -> Mount {
    let at = At::new("NOTIFY_SOCKET");
    let source = TreeSource::Notify;
    Mount {
        index: u32::try_from(index).unwrap_or(u32::MAX),
        destination: DIRECTORY.to_owned(),
        kind: MountKind::Bind {
            handed: handed.add(&at, source, false, Propagation::Private),
            links: Links::Followed,
        },
        attributes: MountAttributes {
            set: READ_ONLY_NOSUID_NODEV_NOEXEC,
            clear: 0,
        },
        recursive_attributes: MountAttributes::default(),
        propagation: Vec::new(),
        copy_up: None,
    }
}

/// Asked for, and with a root of the container's own to put it in.
pub(super) fn is_wanted(request: &Request<'_>, own: &Namespaces) -> bool {
    request.activation.notify && own.is_new(NamespaceKind::Mount)
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Scene;
    use super::*;

    #[test]
    fn a_socket_that_somebody_listens_on_is_mounted_last_and_named() {
        let mut scene = Scene::v2();
        scene.notify = true;
        let members = r#""mounts": [{"destination": "/tmp", "type": "tmpfs"}],
            "process": {"env": ["NOTIFY_SOCKET=/host", "A=1"]}"#;
        let plan = scene.plan(members);
        let mounts = &plan.init.rootfs.mounts;
        assert_eq!(
            (mounts[1].destination.as_str(), mounts[1].index),
            (DIRECTORY, 1)
        );
        assert_eq!(mounts[1].attributes.set, 15);
        assert!(plan.host.notifies());
        let named = format!("NOTIFY_SOCKET={SOCKET}");
        assert_eq!(plan.init.process.env, ["A=1", &named]);
        scene.notify = false;
        let plan = scene.plan(members);
        assert_eq!(plan.init.rootfs.mounts.len(), 1);
        assert!(!plan.host.notifies());
    }

    #[test]
    fn a_root_that_is_not_ours_has_no_place_for_it() {
        let mut scene = Scene::v2();
        scene.notify = true;
        let plan = scene.plan(r#""linux": {"namespaces": [{"type": "mount", "path": "/ns"}]}"#);
        assert!(!plan.host.notifies());
        assert!(
            !plan
                .init
                .process
                .env
                .iter()
                .any(|entry| entry.contains("notify"))
        );
    }
}
