//! The profiles that engines write into their configs, from `tests/data`.

use hull_bpf::arch::Arch;
use hull_bpf::seccomp::{Action, Arg, Op, Profile, Rule};
use serde_json::Value;

pub(crate) const ENGINES: [(&str, &str); 4] = [
    ("docker", include_str!("../data/docker.json")),
    ("containerd", include_str!("../data/containerd.json")),
    ("podman", include_str!("../data/podman.json")),
    ("kubernetes", include_str!("../data/kubernetes.json")),
];

pub(crate) fn engine(name: &str) -> Profile {
    let (_, text) = ENGINES.iter().find(|(known, _)| *known == name).unwrap();
    read(text)
}

fn read(text: &str) -> Profile {
    let json: Value = serde_json::from_str(text).unwrap();
    Profile {
        default_action: Action::parse(json["defaultAction"].as_str().unwrap()).unwrap(),
        default_errno: number(&json["defaultErrnoRet"]),
        architectures: strings(&json["architectures"])
            .iter()
            .map(|name| Arch::parse(name).unwrap())
            .collect(),
        rules: list(&json["syscalls"]).iter().map(rule).collect(),
    }
}

fn rule(json: &Value) -> Rule {
    Rule {
        names: strings(&json["names"]),
        action: Action::parse(json["action"].as_str().unwrap()).unwrap(),
        errno_ret: number(&json["errnoRet"]),
        args: list(&json["args"]).iter().map(arg).collect(),
    }
}

fn arg(json: &Value) -> Arg {
    Arg {
        index: number(&json["index"]).unwrap(),
        value: json["value"].as_u64().unwrap(),
        value_two: json["valueTwo"].as_u64().unwrap_or(0),
        op: Op::parse(json["op"].as_str().unwrap()).unwrap(),
    }
}

fn number(json: &Value) -> Option<u32> {
    json.as_u64().map(|n| u32::try_from(n).unwrap())
}

fn list(json: &Value) -> &[Value] {
    json.as_array().map_or(&[], Vec::as_slice)
}

fn strings(json: &Value) -> Vec<String> {
    list(json)
        .iter()
        .map(|s| s.as_str().unwrap().to_owned())
        .collect()
}
