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
