//! A reading of the rules that cannot be wrong because it does nothing clever.

use hull_bpf::devices::{Access, DeviceKind, DeviceRule};

/// What the kernel asks a filter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request {
    pub(crate) kind: DeviceKind,
    pub(crate) major: u32,
    pub(crate) minor: u32,
    pub(crate) access: Access,
}

/// The set with these of the kernel's bits.
pub(crate) fn access(bits: u8) -> Access {
    [Access::MKNOD, Access::READ, Access::WRITE]
        .into_iter()
        .filter(|one| bits & one.bits() != 0)
        .fold(Access::NONE, Access::with)
}

pub(crate) fn expected(rules: &[DeviceRule], request: &Request) -> bool {
    [Access::READ, Access::WRITE, Access::MKNOD]
        .into_iter()
        .filter(|bit| covers(request.access, *bit))
        .all(|bit| {
            rules
                .iter()
                .rfind(|r| speaks_about(r, request, bit))
                .is_some_and(|r| r.allow)
        })
}

fn speaks_about(rule: &DeviceRule, request: &Request, bit: Access) -> bool {
    (rule.kind == DeviceKind::All || rule.kind == request.kind)
        && rule.major.is_none_or(|n| n == request.major)
        && rule.minor.is_none_or(|n| n == request.minor)
        && covers(rule.access, bit)
}

fn covers(wide: Access, narrow: Access) -> bool {
    wide.bits() & narrow.bits() == narrow.bits()
}
