//! Device nodes: the six that every container has, then `linux.devices`.
//!
//! Nodes are made by mknod where the kernel lets us, and are the host's own, bound, where it does
//! not (in a user namespace, and for a runtime that is itself in one). A rootfs whose /dev is the
//! caller's bind is not ours to fill.

use crate::config::{Device as Raw, Linux};
use crate::host::HostFacts;
use crate::plan::{
    Device, DeviceNode, Mount, MountKind, NamespaceKind, Namespaces, Propagation, TreeSource,
};

use super::error::{At, ResolveError};
use super::handed::Handed;
use super::idmaps::KnownMaps;
use super::path;

/// config-linux.md#default-devices; /dev/console and /dev/ptmx are made with the terminal.
const DEFAULTS: [(&str, u32, u32); 6] = [
    ("/dev/null", 1, 3),
    ("/dev/zero", 1, 5),
    ("/dev/full", 1, 7),
    ("/dev/random", 1, 8),
    ("/dev/urandom", 1, 9),
    ("/dev/tty", 5, 0),
];

const DEFAULT_MODE: u32 = 0o666;
/// Permission bits; callers also send the file type.
const MODE_BITS: u32 = 0o7777;
/// dev_t has 12 bits for the major and 20 for the minor number.
const HIGHEST_MAJOR: u32 = 0xfff;
const HIGHEST_MINOR: u32 = 0xf_ffff;

/// Is /dev not a bind of somebody else's?
pub(super) fn dev_is_ours(mounts: &[Mount]) -> bool {
    let binds_dev = |mount: &Mount| {
        matches!(mount.kind, MountKind::Bind { .. }) && path::clean(&mount.destination) == "/dev"
    };
    !mounts.iter().any(binds_dev)
}

/// All nodes, default ones first; a listed node of the same path takes a default one's place.
pub(super) fn resolve(linux: &Linux, maps: &KnownMaps) -> Result<Vec<Device>, ResolveError> {
    let listed: Vec<&Raw> = linux.devices.iter().flatten().collect();
    let is_listed = |path: &str| listed.iter().any(|raw| path::clean(&raw.path) == path);
    let mut devices: Vec<Device> = DEFAULTS
        .iter()
        .filter(|(path, ..)| !is_listed(path))
        .map(default)
        .collect();
    let all = At::new("/linux/devices");
    for (index, raw) in listed.into_iter().enumerate() {
        devices.push(device(raw, maps, &all.index(index))?);
    }
    Ok(devices)
}

/// Nodes that mknod would refuse are bound from the host.
pub(super) fn place(
    mut devices: Vec<Device>,
    own: &Namespaces,
    host: &HostFacts,
    handed: &mut Handed,
) -> Vec<Device> {
    if own.is_own(NamespaceKind::User) || !host.privileged {
        devices.iter_mut().for_each(|device| bind(device, handed));
    }
    devices
}

fn default(&(path, major, minor): &(&str, u32, u32)) -> Device {
    Device {
        origin: "default device".to_owned(),
        path: path.to_owned(),
        node: DeviceNode::Char { major, minor },
        mode: DEFAULT_MODE,
        uid: 0,
        gid: 0,
    }
}

fn device(raw: &Raw, maps: &KnownMaps, at: &At<'_>) -> Result<Device, ResolveError> {
    let path = path::absolute(&raw.path, &at.member("/path"))?;
    let (uid, gid) = (raw.uid.unwrap_or(0), raw.gid.unwrap_or(0));
    maps.check_uid(uid, &at.member("/uid"))?;
    maps.check_gid(gid, &at.member("/gid"))?;
    Ok(Device {
        origin: at.pointer(),
        path,
        node: node(raw, at)?,
        mode: raw.file_mode.unwrap_or(DEFAULT_MODE) & MODE_BITS,
        uid,
        gid,
    })
}

fn node(raw: &Raw, at: &At<'_>) -> Result<DeviceNode, ResolveError> {
    let major = || number(raw.major, HIGHEST_MAJOR, &at.member("/major"));
    let minor = || number(raw.minor, HIGHEST_MINOR, &at.member("/minor"));
    match raw.kind.as_str() {
        "c" | "u" => Ok(DeviceNode::Char {
            major: major()?,
            minor: minor()?,
        }),
        "b" => Ok(DeviceNode::Block {
            major: major()?,
            minor: minor()?,
        }),
        "p" => Ok(DeviceNode::Fifo),
        other => Err(at.member("/type").wrong(other, "must be one of c, b, u, p")),
    }
}

fn number(number: Option<i64>, highest: u32, at: &At<'_>) -> Result<u32, ResolveError> {
    let number = number.ok_or_else(|| at.breaks("must be given"))?;
    let fits = u32::try_from(number)
        .ok()
        .filter(|number| *number <= highest);
    fits.ok_or_else(|| at.wrong(number, "is no device number"))
}

/// The host's node of the same path and numbers in place of a new one.
fn bind(device: &mut Device, handed: &mut Handed) {
    if let DeviceNode::Char { major, minor } | DeviceNode::Block { major, minor } = device.node {
        let source = TreeSource::Device {
            path: device.path.clone(),
            major,
            minor,
        };
        let at = At::new(&device.origin);
        let number = handed.add(&at, source, false, Propagation::Private);
        device.node = DeviceNode::Bound { handed: number };
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Scene, USER};
    use super::*;

    fn listed(devices: &str) -> String {
        format!(r#""linux": {{"devices": [{devices}]}}"#)
    }

    #[test]
    fn every_container_has_the_six_default_nodes() {
        let devices = Scene::v2().plan("").init.rootfs.devices;
        let paths: Vec<_> = devices.iter().map(|device| device.path.as_str()).collect();
        assert_eq!(
            paths,
            [
                "/dev/null",
                "/dev/zero",
                "/dev/full",
                "/dev/random",
                "/dev/urandom",
                "/dev/tty"
            ]
        );
        assert_eq!(devices[0].node, DeviceNode::Char { major: 1, minor: 3 });
        assert_eq!(devices[5].node, DeviceNode::Char { major: 5, minor: 0 });
        assert!(
            devices
                .iter()
                .all(|device| (device.mode, device.uid, device.gid) == (0o666, 0, 0))
        );
        assert!(
            devices
                .iter()
                .all(|device| device.origin == "default device")
        );
    }

    #[test]
    fn listed_nodes_follow_and_take_a_default_ones_place() {
        let plan = Scene::v2().plan(&listed(
            r#"{"type": "u", "path": "/dev/fuse", "major": 10, "minor": 229, "fileMode": 8612,
                "uid": 7, "gid": 8},
            {"type": "b", "path": "/dev/sda", "major": 8, "minor": 0},
            {"type": "p", "path": "/dev/pipe"},
            {"type": "c", "path": "//dev/./tty", "major": 5, "minor": 0, "fileMode": 384}"#,
        ));
        let devices = plan.init.rootfs.devices;
        assert_eq!(devices.len(), 9);
        let fuse = &devices[5];
        assert_eq!(
            fuse.node,
            DeviceNode::Char {
                major: 10,
                minor: 229
            }
        );
        assert_eq!((fuse.mode, fuse.uid, fuse.gid), (0o644, 7, 8));
        assert_eq!(fuse.origin, "/linux/devices/0");
        assert_eq!(devices[6].node, DeviceNode::Block { major: 8, minor: 0 });
        assert_eq!(devices[7].node, DeviceNode::Fifo);
        assert_eq!(devices[8].mode, 0o600);
    }

    #[test]
    fn where_mknod_is_refused_the_hosts_nodes_are_bound() {
        for (scene, linux) in [
            (Scene::v2(), USER),
            (Scene::rootless(), r#""devices": null"#),
        ] {
            let mounts =
                r#""mounts": [{"destination": "/a", "source": "/b", "options": ["bind"]}]"#;
            let plan = scene.plan(&format!(r#""linux": {{{linux}}}, {mounts}"#));
            assert_eq!(
                plan.init.rootfs.devices[0].node,
                DeviceNode::Bound { handed: 2 }
            );
            assert_eq!(
                plan.init.rootfs.devices[5].node,
                DeviceNode::Bound { handed: 7 }
            );
            let path = "/dev/null".to_owned();
            let tree = &plan.host.handed[2];
            assert_eq!(
                tree.source,
                TreeSource::Device {
                    path,
                    major: 1,
                    minor: 3
                }
            );
            assert_eq!(
                (tree.pointer.as_str(), tree.recursive),
                ("default device", false)
            );
        }
    }

    #[test]
    fn a_bound_dev_is_left_alone() {
        for place in ["/dev", "/dev/", "//dev"] {
            let plan = Scene::v2().plan(&format!(
                r#""mounts": [{{"destination": "{place}", "source": "/d", "options": ["rbind"]}}]"#
            ));
            assert!(plan.init.rootfs.devices.is_empty() && !plan.init.rootfs.dev_links);
        }
    }

    #[test]
    fn what_is_no_device_is_refused() {
        Scene::v2().refuses(&[
            (
                &listed(r#"{"type": "a", "path": "/d"}"#),
                "/linux/devices/0/type: \"a\" must be one",
            ),
            (
                &listed(r#"{"type": "c", "path": "d"}"#),
                "/linux/devices/0/path: \"d\" must be abs",
            ),
            (
                &listed(r#"{"type": "c", "path": "/d"}"#),
                "/linux/devices/0/major: must be given",
            ),
            (
                &listed(r#"{"type": "c", "path": "/d", "major": 4096, "minor": 0}"#),
                "/linux/devices/0/major: \"4096\" is no device number",
            ),
            (
                &listed(r#"{"type": "b", "path": "/d", "major": 1, "minor": -1}"#),
                "/linux/devices/0/minor: \"-1\" is no device number",
            ),
            (
                &listed(r#"{"path": "/d"}"#),
                "/linux/devices/0: missing field `type`",
            ),
        ]);
    }
}
