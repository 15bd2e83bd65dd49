//! `linux.netDevices`: which links of the host go into the container's network namespace, and what
//! they are called there. Whether they exist, and can move, is found out before anything is made.

use crate::config::Linux;
use crate::host::HostFacts;
use crate::plan::{NamespaceKind, Namespaces, NetDevice};

use super::error::{At, ResolveError};

/// The kernel's IFNAMSIZ, without the NUL.
const LONGEST_NAME: usize = 15;

/// The devices in the order in which they move: those that are numbered last, so that they take
/// no name that another one asks for.
pub(super) fn resolve(
    linux: &Linux,
    own: &Namespaces,
    host: &HostFacts,
) -> Result<Vec<NetDevice>, ResolveError> {
    let all = At::new("/linux/netDevices");
    let mut devices = Vec::new();
    for (host_name, device) in linux.net_devices.iter().flat_map(|devices| devices.iter()) {
        let at = all.key(host_name);
        check_host_name(host_name, &at)?;
        let name = match device.name() {
            None => host_name,
            Some(name) => {
                check_name(name, &at.member("/name"))?;
                name
            }
        };
        devices.push(NetDevice {
            pointer: at.pointer(),
            host_name: host_name.to_owned(),
            name: name.to_owned(),
        });
    }
    check_surroundings(&devices, own, host, &all)?;
    devices.sort_by_key(NetDevice::is_numbered);
    check_unique(&devices, &all)?;
    Ok(devices)
}

fn check_surroundings(
    devices: &[NetDevice],
    own: &Namespaces,
    host: &HostFacts,
    at: &At<'_>,
) -> Result<(), ResolveError> {
    if devices.is_empty() {
        return Ok(());
    }
    if !own.is_own(NamespaceKind::Network) {
        return Err(at.breaks("unable to move network devices without a private network namespace"));
    }
    if !host.privileged {
        return Err(at.breaks("only root of the initial user namespace can move network devices"));
    }
    Ok(())
}

fn check_host_name(name: &str, at: &At<'_>) -> Result<(), ResolveError> {
    check_form(name, at)?;
    match name {
        "lo" => Err(at.breaks("the loopback cannot leave its network namespace")),
        _ if name.contains('%') => Err(at.wrong(name, "is no name of a network device")),
        _ => Ok(()),
    }
}

fn check_name(name: &str, at: &At<'_>) -> Result<(), ResolveError> {
    check_form(name, at)?;
    if name == "lo" {
        return Err(at.breaks("every network namespace has a \"lo\" already"));
    }
    // __dev_alloc_name: one "%d", and no other use of the sign.
    match name.split_once('%') {
        Some((_, after)) if !after.starts_with('d') || after.contains('%') => {
            Err(at.wrong(name, "may have one %, as %d"))
        }
        _ => Ok(()),
    }
}

/// The kernel's dev_valid_name.
fn check_form(name: &str, at: &At<'_>) -> Result<(), ResolveError> {
    if name.is_empty() || name.len() > LONGEST_NAME {
        return Err(at.wrong(name, "must have 1 to 15 bytes"));
    }
    if matches!(name, "." | "..") || name.bytes().any(is_forbidden) {
        return Err(at.wrong(name, "is no name of a network device"));
    }
    Ok(())
}

/// The kernel's isspace knows the no-break space of Latin-1 too.
fn is_forbidden(byte: u8) -> bool {
    matches!(byte, b'/' | b':' | b' ' | 9..=13 | 0xa0)
}

fn check_unique(devices: &[NetDevice], all: &At<'_>) -> Result<(), ResolveError> {
    for (index, device) in devices.iter().enumerate() {
        let taken = |other: &NetDevice| other.name == device.name && !other.is_numbered();
        if devices[..index].iter().any(taken) {
            let at = all.key(&device.host_name);
            return Err(at.wrong(&device.name, "is the name of another of these devices"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Scene;
    use super::*;

    fn with(devices: &str) -> String {
        format!(r#""linux": {{"netDevices": {devices}}}"#)
    }

    fn device(pointer: &str, host_name: &str, name: &str) -> NetDevice {
        NetDevice {
            pointer: pointer.to_owned(),
            host_name: host_name.to_owned(),
            name: name.to_owned(),
        }
    }

    #[test]
    fn a_device_keeps_its_name_or_gets_another() {
        let plan = |devices: &str| Scene::v2().plan(&with(devices)).host.net_devices;
        assert_eq!(plan("{}"), []);
        assert_eq!(
            plan(r#"{"b": {}, "a~c": {"name": "eth0"}}"#),
            [
                device("/linux/netDevices/a~0c", "a~c", "eth0"),
                device("/linux/netDevices/b", "b", "b"),
            ]
        );
        assert_eq!(Scene::v2().plan("").host.net_devices, []);
    }

    #[test]
    fn what_the_kernel_numbers_moves_last() {
        let devices = r#"{"a": {"name": "wan%d"}, "b": {"name": "wan%d"}, "c": {"name": "wan0"}}"#;
        let plan = Scene::v2().plan(&with(devices)).host.net_devices;
        let names: Vec<_> = plan.iter().map(|device| device.name.as_str()).collect();
        assert_eq!(names, ["wan0", "wan%d", "wan%d"]);
    }

    #[test]
    fn names_are_those_that_the_kernel_takes() {
        for name in ["a", "wan-15-letters.", "...", "%d", "a%d", "%db", "\u{b5}"] {
            let devices = serde_json::json!({"a": {"name": name}}).to_string();
            Scene::v2().plan(&with(&devices));
        }
        for (name, problem) in [
            ("", "must have 1 to 15 bytes"),
            ("sixteen-letters.", "must have 1 to 15 bytes"),
            ("a/b", "is no name of"),
            ("a b", "is no name of"),
            ("a:b", "is no name of"),
            ("a\nb", "is no name of"),
            ("\u{a0}", "is no name of"),
            (".", "is no name of"),
            ("..", "is no name of"),
            ("a%", "may have one %"),
            ("a%s", "may have one %"),
            ("a%db%d", "may have one %"),
        ] {
            let devices = serde_json::json!({"a": {"name": name}}).to_string();
            let refusal = Scene::v2().refusal(&with(&devices));
            assert!(
                refusal.starts_with("/linux/netDevices/a/name: "),
                "{refusal}"
            );
            assert!(refusal.contains(problem), "{refusal}");
        }
        for (key, problem) in [
            ("", "must have 1 to 15 bytes"),
            ("../a", "is no name of"),
            ("a%d", "is no name of"),
            ("lo", "the loopback cannot leave"),
        ] {
            let refusal = Scene::v2().refusal(&with(&serde_json::json!({key: {}}).to_string()));
            assert!(refusal.contains(problem), "{refusal}");
        }
    }

    #[test]
    fn two_devices_cannot_have_one_name() {
        Scene::v2().refuses(&[
            (
                &with(r#"{"a": {"name": "eth0"}, "b": {"name": "eth0"}}"#),
                "/linux/netDevices/b: \"eth0\" is the name of another",
            ),
            (
                &with(r#"{"a": {"name": "b"}, "b": {}}"#),
                "/linux/netDevices/b: \"b\" is the name of another",
            ),
            (
                &with(r#"{"a": {"name": "lo"}}"#),
                "/linux/netDevices/a/name: every network namespace has",
            ),
        ]);
        Scene::v2().plan(&with(r#"{"a": {"name": "b"}, "b": {"name": "a"}}"#));
    }

    #[test]
    fn devices_need_a_network_of_the_containers_own_and_root() {
        let shared = r#""linux": {"namespaces": [{"type": "mount"}], "netDevices": {"a": {}}}"#;
        Scene::v2().refuses(&[(shared, "/linux/netDevices: unable to move network devices")]);
        let user = Scene::rootless().refusal(&with(r#"{"a": {}}"#));
        assert!(user.starts_with("/linux/netDevices: only root"), "{user}");
        let joined = r#""linux": {"namespaces": [{"type": "mount"}, {"type": "network", "path": "/n"}],
            "netDevices": {"a": {}}}"#;
        assert_eq!(Scene::v2().plan(joined).host.net_devices.len(), 1);
    }

    #[test]
    fn init_waits_until_the_devices_are_there() {
        let pauses = |members: &str| Scene::v2().plan(members).init.pauses.after_mounts;
        assert!(pauses(&with(r#"{"a": {}}"#)));
        assert!(!pauses(&with("{}")));
    }
}
