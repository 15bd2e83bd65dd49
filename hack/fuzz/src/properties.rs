//! Whole configs made of properties of the specification, each with a value that is nearly right.

use arbitrary::{Result, Unstructured};
use serde_json::{Value, json};

use super::{promises, worlds};

/// What a value looks like.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Number,
    Flag,
    Path,
    Word(&'static [&'static str]),
    Text,
}

use Kind::{Flag, Number, Path, Text, Word};

const RLIMITS: &[&str] = &["RLIMIT_NOFILE", "RLIMIT_CORE", "RLIMIT_RTTIME", "RLIMIT_X"];
const CAPABILITIES: &[&str] = &["CAP_CHOWN", "CAP_SYS_ADMIN", "CAP_BPF", "CAP_NONE", "chown"];
const NAMESPACES: &[&str] = &[
    "pid", "network", "ipc", "uts", "mount", "cgroup", "user", "time", "x",
];
const ACTIONS: &[&str] = &[
    "SCMP_ACT_ALLOW",
    "SCMP_ACT_ERRNO",
    "SCMP_ACT_NOTIFY",
    "SCMP_ACT_KILL",
];
const SYSCTLS: &[&str] = &[
    "net.ipv4.ip_forward",
    "kernel.shmmax",
    "kernel/msgmax",
    "kernel.hostname",
    "a/../b",
];
const DEVICES: &[&str] = &["c", "b", "u", "p", "a", ""];
const OPTIONS: &[&str] = &[
    "ro",
    "rbind",
    "bind",
    "remount",
    "noatime",
    "rslave",
    "size=5k",
    "tmpcopyup",
    "mode=755",
];

/// Where, and what. `+` is a new element of a list, `0` the last one there is.
const PROPERTIES: [(&str, Kind); 86] = [
    (
        "/ociVersion",
        Word(&["1.0.0", "1.3.0-dev", "1.9.9+x", "2.0.0", "1"]),
    ),
    ("/root/path", Path),
    ("/root/readonly", Flag),
    ("/hostname", Text),
    ("/domainname", Text),
    ("/annotations/k", Text),
    (
        "/annotations/run.oci.keep_original_groups",
        Word(&["1", "0", "true"]),
    ),
    ("/mounts/+/destination", Path),
    ("/mounts/0/source", Path),
    (
        "/mounts/0/type",
        Word(&[
            "tmpfs", "proc", "sysfs", "cgroup", "bind", "mqueue", "devpts", "none",
        ]),
    ),
    ("/mounts/0/options/+", Word(OPTIONS)),
    ("/mounts/0/options/+", Text),
    ("/process/terminal", Flag),
    ("/process/consoleSize/height", Number),
    ("/process/consoleSize/width", Number),
    ("/process/cwd", Path),
    ("/process/env/+", Text),
    (
        "/process/env/+",
        Word(&["A=1", "A=2", "HOME=", "PATH=/bin", "=", "B"]),
    ),
    ("/process/args/+", Text),
    ("/process/user/uid", Number),
    ("/process/user/gid", Number),
    ("/process/user/umask", Number),
    ("/process/user/additionalGids/+", Number),
    ("/process/noNewPrivileges", Flag),
    ("/process/oomScoreAdj", Number),
    ("/process/rlimits/+/type", Word(RLIMITS)),
    ("/process/rlimits/0/soft", Number),
    ("/process/rlimits/0/hard", Number),
    ("/process/capabilities/bounding/+", Word(CAPABILITIES)),
    ("/process/capabilities/effective/+", Word(CAPABILITIES)),
    ("/process/capabilities/permitted/+", Word(CAPABILITIES)),
    ("/process/capabilities/inheritable/+", Word(CAPABILITIES)),
    ("/process/capabilities/ambient/+", Word(CAPABILITIES)),
    (
        "/process/execCPUAffinity/initial",
        Word(&["0", "0-3,7", "x", "3-1"]),
    ),
    ("/hooks/prestart/+/path", Path),
    ("/hooks/createContainer/+/path", Path),
    ("/hooks/startContainer/+/path", Path),
    ("/hooks/startContainer/0/timeout", Number),
    ("/hooks/poststop/+/path", Path),
    ("/hooks/poststop/0/args/+", Text),
    ("/linux/namespaces/+/type", Word(NAMESPACES)),
    ("/linux/namespaces/0/path", Path),
    ("/linux/uidMappings/+/containerID", Number),
    ("/linux/uidMappings/0/hostID", Number),
    ("/linux/uidMappings/0/size", Number),
    ("/linux/gidMappings/+/containerID", Number),
    ("/linux/gidMappings/0/hostID", Number),
    ("/linux/gidMappings/0/size", Number),
    ("/linux/timeOffsets/boottime/secs", Number),
    ("/linux/timeOffsets/monotonic/nanosecs", Number),
    ("/linux/devices/+/type", Word(DEVICES)),
    ("/linux/devices/0/path", Path),
    ("/linux/devices/0/major", Number),
    ("/linux/devices/0/minor", Number),
    ("/linux/devices/0/fileMode", Number),
    ("/linux/devices/0/uid", Number),
    ("/linux/cgroupsPath", Path),
    (
        "/linux/cgroupsPath",
        Word(&["a:b:c", "../x", "/", "/a//b", "a/./b", ""]),
    ),
    ("/linux/sysctl/net.core.somaxconn", Text),
    ("/linux/sysctl/kernel.msgmax", Number),
    ("/linux/seccomp/defaultAction", Word(ACTIONS)),
    ("/linux/seccomp/syscalls/+/action", Word(ACTIONS)),
    (
        "/linux/seccomp/syscalls/0/names/+",
        Word(&["read", "write", "socket", "nothing"]),
    ),
    ("/linux/seccomp/syscalls/0/errnoRet", Number),
    (
        "/linux/seccomp/architectures/+",
        Word(&["SCMP_ARCH_X86", "SCMP_ARCH_S390X", "SCMP_ARCH_NO"]),
    ),
    ("/linux/seccomp/listenerPath", Path),
    ("/linux/maskedPaths/+", Path),
    ("/linux/readonlyPaths/+", Path),
    (
        "/linux/rootfsPropagation",
        Word(&["shared", "rslave", "private", "unbindable", "ro"]),
    ),
    ("/linux/resources/devices/+/allow", Flag),
    ("/linux/resources/devices/0/type", Word(DEVICES)),
    ("/linux/resources/devices/0/major", Number),
    (
        "/linux/resources/devices/0/access",
        Word(&["rwm", "r", "", "x", "rr"]),
    ),
    ("/linux/resources/memory/limit", Number),
    ("/linux/resources/memory/swap", Number),
    ("/linux/resources/memory/reservation", Number),
    ("/linux/resources/memory/swappiness", Number),
    ("/linux/resources/cpu/shares", Number),
    ("/linux/resources/cpu/quota", Number),
    ("/linux/resources/cpu/period", Number),
    ("/linux/resources/cpu/burst", Number),
    ("/linux/resources/cpu/idle", Number),
    ("/linux/resources/pids/limit", Number),
    (
        "/linux/resources/hugepageLimits/+/pageSize",
        Word(&["2MB", "1GB", "2M", "../x", "64KB"]),
    ),
    ("/linux/resources/hugepageLimits/0/limit", Number),
    (
        "/linux/resources/unified/memory.high",
        Word(&["1", "max", "a\nb", ""]),
    ),
];

pub(crate) fn check(bytes: &[u8]) {
    let mut choices = Unstructured::new(bytes);
    let config = config(&mut choices).unwrap_or_default();
    let text = config.to_string();
    for answer in worlds::everywhere(text.as_bytes()) {
        promises::kept(&answer);
    }
}

fn config(choices: &mut Unstructured<'_>) -> Result<Value> {
    let mut config = json!({
        "ociVersion": "1.3.0",
        "root": {"path": "rootfs"},
        "process": {"args": ["sh"], "cwd": "/", "user": {"uid": 0, "gid": 0}},
        "linux": {"namespaces": [{"type": "pid"}, {"type": "mount"}, {"type": "network"}]},
    });
    let mut count = 0;
    while !choices.is_empty() && count < 60 {
        count += 1;
        let (pointer, kind) = *choices.choose(&PROPERTIES)?;
        let value = value(choices, kind)?;
        set(&mut config, pointer, value);
    }
    // A key that is not one word: escapes, and what sysctl does with it.
    if choices.ratio(1, 8)? {
        let key = (*choices.choose(SYSCTLS)?).to_owned();
        config["linux"]["sysctl"] = json!({key: "1"});
    }
    Ok(config)
}

fn value(choices: &mut Unstructured<'_>, kind: Kind) -> Result<Value> {
    if choices.ratio(1, 40)? {
        return Ok(choices
            .choose(&[json!(null), json!([]), json!({}), json!("")])?
            .clone());
    }
    Ok(match kind {
        Number => number(choices)?,
        Flag => json!(choices.arbitrary::<bool>()?),
        Word(words) => json!(choices.choose(words)?),
        Text => json!(choices.arbitrary::<&str>()?),
        Path => json!(path(choices)?),
    })
}

fn number(choices: &mut Unstructured<'_>) -> Result<Value> {
    Ok(match choices.int_in_range(0..=4)? {
        0 | 1 => json!(choices.int_in_range(0..=2000)?),
        2 => json!(-choices.int_in_range(0..=1000)?),
        3 => json!(choices.choose(&[
            u64::from(u32::MAX),
            1 << 31,
            1 << 32,
            1 << 53,
            i64::MAX as u64,
            u64::MAX
        ])?),
        _ => json!(choices.arbitrary::<i64>()?),
    })
}

fn path(choices: &mut Unstructured<'_>) -> Result<String> {
    let mut path = String::new();
    for _ in 0..choices.int_in_range(0..=5)? {
        path.push_str(
            choices.choose(&["/", "a", "..", ".", "/proc", "/sys", "/dev", "b c", "\n"])?,
        );
    }
    Ok(path)
}

fn set(config: &mut Value, pointer: &str, value: Value) {
    let mut place = config;
    for part in pointer.split('/').skip(1) {
        place = match part {
            "+" | "0" => element(place, part == "+"),
            key => member(place, key),
        };
    }
    *place = value;
}

fn member<'v>(place: &'v mut Value, key: &str) -> &'v mut Value {
    if !place.is_object() {
        *place = json!({});
    }
    &mut place[key]
}

fn element(place: &mut Value, is_new: bool) -> &mut Value {
    if !place.is_array() {
        *place = json!([]);
    }
    let Value::Array(items) = place else {
        unreachable!("made so above")
    };
    if is_new || items.is_empty() {
        items.push(Value::Null);
    }
    let last = items.len() - 1;
    &mut items[last]
}
