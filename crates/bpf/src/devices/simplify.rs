//! Drops the rules that cannot decide anything, before code is made of the rest.
//!
//! What remains has the same verdict for every request: a default, and the rules that may
//! differ from it, the deciding (last) one first. Order between rules is kept, because only
//! rules of one verdict may change places.

use super::{Access, DeviceKind, DeviceRule};

/// `dev_t` has 12 bits of major and 20 of minor; no device has a number past these.
pub(super) const HIGHEST_MAJOR: u32 = (1 << 12) - 1;
pub(super) const HIGHEST_MINOR: u32 = (1 << 20) - 1;

/// What answers when no rule does, and the rules, last of the list first.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Simplified {
    pub(super) default_allow: bool,
    pub(super) last_first: Vec<DeviceRule>,
}

pub(super) fn simplify(rules: &[DeviceRule]) -> Simplified {
    let mut last_first: Vec<DeviceRule> = Vec::with_capacity(rules.len());
    let mut default_allow = false;
    for rule in rules.iter().rev().copied().filter(can_match) {
        if decides_everything(&rule) {
            default_allow = rule.allow;
            break;
        }
        push_unless_shadowed(&mut last_first, rule);
    }
    // The earliest rules only repeat the default until one differs from it.
    while last_first
        .last()
        .is_some_and(|rule| rule.allow == default_allow)
    {
        last_first.pop();
    }
    Simplified {
        default_allow,
        last_first,
    }
}

fn can_match(rule: &DeviceRule) -> bool {
    rule.access != Access::NONE
        && rule.major.is_none_or(|major| major <= HIGHEST_MAJOR)
        && rule.minor.is_none_or(|minor| minor <= HIGHEST_MINOR)
}

fn decides_everything(rule: &DeviceRule) -> bool {
    covers_devices(rule, &DeviceRule::everything(true)) && rule.access == Access::ALL
}

fn push_unless_shadowed(later: &mut Vec<DeviceRule>, rule: DeviceRule) {
    if later
        .iter()
        .any(|l| covers_devices(l, &rule) && l.access.covers(rule.access))
    {
        return;
    }
    if let Some(last) = later.last_mut()
        && merge(last, &rule)
    {
        return;
    }
    later.push(rule);
}

/// Neighbours of one verdict become one rule: more access to a device, or both kinds of it.
fn merge(last: &mut DeviceRule, rule: &DeviceRule) -> bool {
    let same_numbers = (last.major, last.minor) == (rule.major, rule.minor);
    if last.allow != rule.allow || !same_numbers {
        return false;
    }
    if last.kind == rule.kind {
        last.access = last.access.with(rule.access);
        return true;
    }
    let both_kinds = last.access == rule.access;
    if both_kinds {
        last.kind = DeviceKind::All;
    }
    both_kinds
}

fn covers_devices(wide: &DeviceRule, narrow: &DeviceRule) -> bool {
    let number = |w: Option<u32>, n: Option<u32>| w.is_none() || w == n;
    (wide.kind == DeviceKind::All || wide.kind == narrow.kind)
        && number(wide.major, narrow.major)
        && number(wide.minor, narrow.minor)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn null(allow: bool, access: Access) -> DeviceRule {
        DeviceRule {
            allow,
            kind: DeviceKind::Char,
            major: Some(1),
            minor: Some(3),
            access,
        }
    }

    #[test]
    fn a_rule_for_everything_resets_what_came_before() {
        let rules = [null(true, Access::READ), DeviceRule::everything(false)];
        let expected = Simplified {
            default_allow: false,
            last_first: vec![],
        };
        assert_eq!(simplify(&rules), expected);
    }

    #[test]
    fn a_rule_repeated_later_with_more_access_is_dropped() {
        let rules = [null(true, Access::READ), null(true, Access::ALL)];
        assert_eq!(simplify(&rules).last_first, vec![null(true, Access::ALL)]);
    }

    #[test]
    fn rules_for_one_device_are_merged() {
        let rules = [
            null(true, Access::READ),
            null(true, Access::WRITE.with(Access::MKNOD)),
        ];
        assert_eq!(simplify(&rules).last_first, vec![null(true, Access::ALL)]);
    }

    #[test]
    fn character_and_block_devices_of_one_kind_of_rule_are_merged() {
        let mknod = |kind| DeviceRule {
            kind,
            access: Access::MKNOD,
            ..DeviceRule::everything(true)
        };
        let rules = [mknod(DeviceKind::Char), mknod(DeviceKind::Block)];
        assert_eq!(simplify(&rules).last_first, vec![mknod(DeviceKind::All)]);
    }

    #[test]
    fn numbers_no_device_can_have_are_dropped() {
        for (major, minor) in [(4096, 3), (1, 1 << 20), (u32::MAX, 3)] {
            let rules = [DeviceRule {
                major: Some(major),
                minor: Some(minor),
                ..null(true, Access::ALL)
            }];
            assert_eq!(simplify(&rules).last_first, vec![]);
        }
    }
}
