//! `linux.resources.devices`: which device nodes the container may use.
//!
//! The list says what is allowed on top of nothing: it starts with a rule that denies everything,
//! so that a v1 cgroup, which starts with all that its parent has, means the same as an eBPF
//! program. The config's rules follow in their order, then the rules that every container has.

use crate::config::{DeviceRule as Raw, Resources};
use crate::host::HostFacts;
use crate::plan::{CgroupManager, DeviceKind, DevicePolicy, DeviceRule};

use super::error::{At, ResolveError};

const NOTHING: DeviceRule = rule(false, DeviceKind::All, None, None);

const fn rule(allow: bool, kind: DeviceKind, major: Option<u32>, minor: Option<u32>) -> DeviceRule {
    DeviceRule {
        allow,
        kind,
        major,
        minor,
        read: true,
        write: true,
        mknod: true,
    }
}

const fn mknod_only(kind: DeviceKind) -> DeviceRule {
    DeviceRule {
        read: false,
        write: false,
        ..rule(true, kind, None, None)
    }
}

const fn character(major: u32, minor: Option<u32>) -> DeviceRule {
    rule(true, DeviceKind::Char, Some(major), minor)
}

/// As many as an eBPF program could have instructions. A v1 cgroup would take more, each in longer
/// than the one before.
const MOST_RULES: usize = 4096;

/// What engines have relied on since runc: making any node (opening it is another matter), the
/// default devices, and pseudo terminals.
const ALWAYS: [DeviceRule; 10] = [
    mknod_only(DeviceKind::Char),
    mknod_only(DeviceKind::Block),
    character(1, Some(3)),
    character(1, Some(8)),
    character(1, Some(7)),
    character(5, Some(0)),
    character(1, Some(5)),
    character(1, Some(9)),
    character(136, None),
    character(5, Some(2)),
];

/// The filter of the container's cgroup.
pub(super) fn resolve(
    resources: Option<&Resources>,
    manager: CgroupManager,
    host: &HostFacts,
) -> Result<DevicePolicy, ResolveError> {
    let all = At::new("/linux/resources/devices");
    let raw = resources
        .and_then(|resources| resources.devices.as_deref())
        .unwrap_or_default();
    if raw.len() > MOST_RULES {
        return Err(all.breaks("must have at most 4096 rules"));
    }
    let mut rules = Vec::with_capacity(1 + raw.len() + ALWAYS.len());
    rules.push(NOTHING);
    for (index, raw) in raw.iter().enumerate() {
        rules.push(parse(raw, &all.index(index))?);
    }
    if rules.get(1) == Some(&NOTHING) {
        rules.remove(0);
    }
    // Without privilege no filter can be loaded, and no node can be made that it would stop.
    if !host.privileged || manager == CgroupManager::Disabled {
        return Ok(DevicePolicy::Unfiltered);
    }
    rules.extend(ALWAYS);
    Ok(DevicePolicy::Rules(rules))
}

fn parse(raw: &Raw, at: &At<'_>) -> Result<DeviceRule, ResolveError> {
    let kind = match raw.kind.as_deref() {
        None | Some("" | "a") => DeviceKind::All,
        Some("b") => DeviceKind::Block,
        Some("c") => DeviceKind::Char,
        Some(other) => return Err(at.member("/type").wrong(other, "must be one of a, b, c")),
    };
    let access = raw.access.as_deref().unwrap_or_default();
    let is_letter = |letter| matches!(letter, 'r' | 'w' | 'm');
    if access.is_empty() || !access.chars().all(is_letter) {
        return Err(at
            .member("/access")
            .wrong(access, "must be made of r, w and m"));
    }
    Ok(DeviceRule {
        allow: raw.allow,
        kind,
        major: number(raw.major, &at.member("/major"))?,
        minor: number(raw.minor, &at.member("/minor"))?,
        read: access.contains('r'),
        write: access.contains('w'),
        mknod: access.contains('m'),
    })
}

/// -1 is every number, as absence is.
fn number(number: Option<i64>, at: &At<'_>) -> Result<Option<u32>, ResolveError> {
    match number {
        None | Some(-1) => Ok(None),
        Some(number) => match u32::try_from(number) {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(at.wrong(number, "is no device number")),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Scene;
    use super::*;

    fn rules(scene: &Scene, rules: &str) -> DevicePolicy {
        let members = format!(r#""linux": {{"resources": {{"devices": [{rules}]}}}}"#);
        scene.plan(&members).host.cgroup.devices
    }

    #[test]
    fn the_configs_rules_stand_between_nothing_and_what_is_always_there() {
        let expected =
            |own: &[DeviceRule]| DevicePolicy::Rules([&[NOTHING], own, ALWAYS.as_slice()].concat());
        let scene = Scene::v2();
        let fuse = character(10, Some(229));
        let read_block = DeviceRule {
            write: false,
            mknod: false,
            ..rule(true, DeviceKind::Block, Some(8), None)
        };
        assert_eq!(scene.plan("").host.cgroup.devices, expected(&[]));
        assert_eq!(
            rules(&scene, r#"{"allow": false, "access": "rwm"}"#),
            expected(&[])
        );
        assert_eq!(
            rules(
                &scene,
                r#"{"allow": true, "access": "rwm", "type": "c", "major": 10, "minor": 229},
                {"allow": true, "access": "r", "type": "b", "major": 8, "minor": -1}"#
            ),
            expected(&[fuse, read_block])
        );
        let everything = rule(true, DeviceKind::All, None, None);
        let answer = rules(&scene, r#"{"allow": true, "type": "a", "access": "mrw"}"#);
        assert_eq!(answer, expected(&[everything]));
    }

    #[test]
    fn without_privilege_or_cgroup_there_is_no_filter() {
        assert_eq!(rules(&Scene::rootless(), ""), DevicePolicy::Unfiltered);
        let disabled = Scene {
            manager: CgroupManager::Disabled,
            ..Scene::v2()
        };
        assert_eq!(rules(&disabled, ""), DevicePolicy::Unfiltered);
    }

    #[test]
    fn a_rule_that_says_nothing_clear_is_refused() {
        for (rule, expected) in [
            (r#"{"allow": true}"#, "/access: \"\" must be made of"),
            (
                r#"{"allow": true, "access": "rx"}"#,
                "/access: \"rx\" must be made of",
            ),
            (
                r#"{"allow": true, "access": "r", "type": "p"}"#,
                "/type: \"p\" must be one of",
            ),
            (
                r#"{"allow": true, "access": "r", "major": -2}"#,
                "/major: \"-2\" is no device",
            ),
        ] {
            let refusal = Scene::rootless().refusal(&format!(
                r#""linux": {{"resources": {{"devices": [{rule}]}}}}"#
            ));
            let expected = format!("/linux/resources/devices/0{expected}");
            assert!(refusal.starts_with(&expected), "{refusal}");
        }
    }
}
