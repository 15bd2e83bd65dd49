//! Drops the rules that cannot decide anything, before code is made of the rest.
//!
//! What remains has the same verdict for every request: a default, and the rules that may
//! differ from it, the deciding (last) one first. Order between rules is kept, because only
//! rules of one verdict may change places.

use super::{Access, DeviceKind, DeviceRule};

/// `dev_t` has 12 bits of major and 20 of minor; no device has a number past this.
const HIGHEST_NUMBER: u32 = (1 << 20) - 1;

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
    let possible = |number: Option<u32>| number.is_none_or(|n| n <= HIGHEST_NUMBER);
    rule.access != Access::NONE && possible(rule.major) && possible(rule.minor)
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
        && last.allow == rule.allow
        && covers_devices(last, &rule)
        && covers_devices(&rule, last)
    {
        last.access = last.access.with(rule.access);
        return;
    }
    later.push(rule);
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
    fn numbers_no_device_can_have_are_dropped() {
        let rules = [DeviceRule {
            major: Some(u32::MAX),
            ..null(true, Access::ALL)
        }];
        assert_eq!(simplify(&rules).last_first, vec![]);
    }
}
