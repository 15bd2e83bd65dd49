//! Ten thousand of everything: planned whole, or refused by the first that is too many. What took
//! the square of its size would show here as a test that takes half a minute.

use super::fixture::Scene;
use crate::plan::DevicePolicy;

const MANY: usize = 10_000;

fn list(entry: impl Fn(usize) -> String) -> String {
    (0..MANY).map(entry).collect::<Vec<_>>().join(",")
}

#[test]
fn many_entries_are_planned_whole() {
    let words = list(|number| format!(r#""V{number}=x""#));
    let plan = Scene::v2().plan(&format!(
        r#""process": {{"env": [{words}], "args": [{words}]}}"#
    ));
    assert_eq!(plan.init.process.env.len(), MANY);
    assert_eq!(plan.init.process.args.len(), MANY);
    let same = list(|number| format!(r#""V={number}""#));
    let plan = Scene::v2().plan(&format!(r#""process": {{"env": [{same}]}}"#));
    assert_eq!(plan.init.process.env, ["V=9999"]);
    let keys = list(|number| format!(r#""k{number}": "v""#));
    let plan = Scene::v2().plan(&format!(r#""annotations": {{{keys}}}"#));
    assert_eq!(plan.host.annotations.len(), MANY);
    let ids = list(|number| number.to_string());
    Scene::v2().plan(&format!(
        r#""process": {{"user": {{"additionalGids": [{ids}]}}}}"#
    ));
    let hooks = list(|_| r#"{"path": "/h"}"#.to_owned());
    let plan = Scene::v2().plan(&format!(r#""hooks": {{"poststop": [{hooks}]}}"#));
    assert_eq!(plan.host.hooks.poststop.len(), MANY);
}

#[test]
fn many_entries_of_linux_are_planned_whole() {
    let linux = |member: &str| Scene::v2().plan(&format!(r#""linux": {{{member}}}"#));
    let paths = list(|number| format!(r#""/p{number}""#));
    let rootfs = linux(&format!(
        r#""maskedPaths": [{paths}], "readonlyPaths": [{paths}]"#
    ))
    .init
    .rootfs;
    assert_eq!(
        (rootfs.masked_paths.len(), rootfs.readonly_paths.len()),
        (MANY, MANY)
    );
    let keys = list(|number| format!(r#""net.k{number}": "1""#));
    assert_eq!(
        linux(&format!(r#""sysctl": {{{keys}}}"#))
            .init
            .sysctls
            .len(),
        MANY
    );
    let nodes = list(|number| {
        format!(r#"{{"type": "c", "path": "/dev/n{number}", "major": 1, "minor": 3}}"#)
    });
    assert_eq!(
        linux(&format!(r#""devices": [{nodes}]"#))
            .init
            .rootfs
            .devices
            .len(),
        MANY + 6
    );
    let rules = list(|_| r#"{"names": ["ptrace"], "action": "SCMP_ACT_ERRNO"}"#.to_owned());
    let seccomp =
        format!(r#""seccomp": {{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{rules}]}}"#);
    assert!(linux(&seccomp).init.process.seccomp.is_some());
    let words = list(|_| r#""sync", "dirsync""#.to_owned());
    let mount = format!(r#"{{"destination": "/t", "type": "tmpfs", "options": [{words}]}}"#);
    let plan = Scene::v2().plan(&format!(r#""mounts": [{mount}]"#));
    assert_eq!(plan.init.rootfs.mounts.len(), 1);
}

#[test]
fn unknown_capabilities_are_one_warning_however_many() {
    let names = list(|number| format!(r#""CAP_{number}""#));
    let plan = Scene::v2().plan(&format!(
        r#""process": {{"capabilities": {{"bounding": [{names}]}}}}"#
    ));
    assert_eq!(plan.warnings.len(), 1);
}

#[test]
fn too_many_are_refused_by_the_first() {
    let namespaces = list(|_| r#"{"type": "pid"}"#.to_owned());
    let rlimits = list(|_| r#"{"type": "RLIMIT_CPU", "soft": 1, "hard": 1}"#.to_owned());
    let extents =
        list(|number| format!(r#"{{"containerID": {number}, "hostID": {number}, "size": 1}}"#));
    let rules = list(|number| format!(r#"{{"allow": true, "major": {number}, "access": "r"}}"#));
    let argument = |number| format!(r#"{{"index": 1, "value": {number}, "op": "SCMP_CMP_EQ"}}"#);
    let calls = list(|number| {
        format!(
            r#"{{"names": ["socket"], "action": "SCMP_ACT_ERRNO", "args": [{}]}}"#,
            argument(number)
        )
    });
    Scene::v2().refuses(&[
        (
            &format!(r#""linux": {{"namespaces": [{namespaces}]}}"#),
            "/linux/namespaces/1: malformed",
        ),
        (
            &format!(r#""process": {{"rlimits": [{rlimits}]}}"#),
            "/process/rlimits/1/type:",
        ),
        (
            &format!(
                r#""linux": {{"namespaces": [{{"type": "user"}}], "uidMappings": [{extents}]}}"#
            ),
            "/linux/uidMappings: must have at most 340 entries",
        ),
        (
            &format!(r#""linux": {{"resources": {{"devices": [{rules}]}}}}"#),
            "/linux/resources/devices: must have at most 4096 rules",
        ),
        (
            &format!(
                r#""linux": {{"seccomp": {{"defaultAction": "SCMP_ACT_ALLOW",
                    "architectures": ["SCMP_ARCH_X86", "SCMP_ARCH_X32"], "syscalls": [{calls}]}}}}"#
            ),
            "/linux/seccomp: compile seccomp profile:",
        ),
        (
            &format!(r#""linux": {{"cgroupsPath": "{}"}}"#, "/a".repeat(MANY)),
            "/linux/cgroupsPath: must have at most 4095 bytes",
        ),
        (
            &format!(r#""process": {{"cwd": "{}"}}"#, "/a".repeat(MANY)),
            "/process/cwd: must have at most 4095 bytes",
        ),
    ]);
}

#[test]
fn as_many_device_rules_as_are_taken_are_planned() {
    let rules = vec![r#"{"allow": true, "access": "r"}"#; 4096].join(",");
    let plan = Scene::v2().plan(&format!(
        r#""linux": {{"resources": {{"devices": [{rules}]}}}}"#
    ));
    let DevicePolicy::Rules(rules) = plan.host.cgroup.devices else {
        panic!("a filter")
    };
    assert!(rules.len() > 4096);
}
