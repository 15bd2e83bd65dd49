//! The device filter: rule by rule on v1, one eBPF program on v2.

use super::{CgroupError, directory::Directory};
use hull_bpf::devices::{self as bpf, Access};
use hull_spec::plan::{DeviceKind, DevicePolicy, DeviceRule};
use hull_sys::bpf as kernel;

/// Writes the rules into the v1 devices controller: before a process is in the cgroup, since all
/// is denied until the last rule stands.
pub(super) fn write_v1(
    directories: &[Directory],
    policy: &DevicePolicy,
) -> Result<(), CgroupError> {
    match (v1_directory(directories), policy) {
        (Some(directory), DevicePolicy::Rules(rules)) => {
            rules.iter().try_for_each(|rule| apply_v1(directory, rule))
        }
        _ => Ok(()),
    }
}

/// Attaches the eBPF program: at once, so that it may come while init already works.
pub(super) fn attach_v2(
    directories: &[Directory],
    policy: &DevicePolicy,
) -> Result<(), CgroupError> {
    let unified = directories
        .iter()
        .find(|directory| directory.hierarchy.unified);
    match (v1_directory(directories), unified, policy) {
        (None, Some(directory), DevicePolicy::Rules(rules)) => apply_v2(directory, rules),
        _ => Ok(()),
    }
}

fn v1_directory(directories: &[Directory]) -> Option<&Directory> {
    let has = |directory: &&Directory| {
        directory
            .hierarchy
            .controllers
            .iter()
            .any(|c| c == "devices")
    };
    directories.iter().find(has)
}

fn apply_v1(directory: &Directory, rule: &DeviceRule) -> Result<(), CgroupError> {
    let file = if rule.allow {
        "devices.allow"
    } else {
        "devices.deny"
    };
    let value = v1_line(rule);
    directory
        .write(file, &value)
        .map_err(|source| CgroupError::Limit {
            pointer: "/linux/resources/devices",
            value,
            file: file.to_owned(),
            path: directory.hierarchy.path(),
            source,
        })
}

/// `c 1:3 rwm`.
fn v1_line(rule: &DeviceRule) -> String {
    let kind = match rule.kind {
        DeviceKind::All => 'a',
        DeviceKind::Block => 'b',
        DeviceKind::Char => 'c',
    };
    let number = |value: Option<u32>| value.map_or("*".to_owned(), |value| value.to_string());
    let mut access = String::new();
    for (wanted, letter) in [(rule.read, 'r'), (rule.write, 'w'), (rule.mknod, 'm')] {
        if wanted {
            access.push(letter);
        }
    }
    format!(
        "{kind} {}:{} {access}",
        number(rule.major),
        number(rule.minor)
    )
}

fn apply_v2(directory: &Directory, rules: &[DeviceRule]) -> Result<(), CgroupError> {
    let rules: Vec<_> = rules.iter().map(compiled_rule).collect();
    let program =
        bpf::compile(&rules).map_err(|error| CgroupError::DeviceRules(error.to_string()))?;
    let words: Vec<u64> = program
        .iter()
        .map(|instruction| u64::from_ne_bytes(instruction.to_bytes()))
        .collect();
    kernel::load_device_filter(&words)
        .and_then(|program| kernel::attach_device_filter(program, &directory.fd))
        .map_err(CgroupError::DeviceFilter)
}

fn compiled_rule(rule: &DeviceRule) -> bpf::DeviceRule {
    let access = [
        (rule.read, Access::READ),
        (rule.write, Access::WRITE),
        (rule.mknod, Access::MKNOD),
    ];
    bpf::DeviceRule {
        allow: rule.allow,
        kind: match rule.kind {
            DeviceKind::All => bpf::DeviceKind::All,
            DeviceKind::Block => bpf::DeviceKind::Block,
            DeviceKind::Char => bpf::DeviceKind::Char,
        },
        major: rule.major,
        minor: rule.minor,
        access: access
            .into_iter()
            .filter(|(wanted, _)| *wanted)
            .fold(Access::NONE, |all, (_, one)| all.with(one)),
    }
}
