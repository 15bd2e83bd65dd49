//! `hugepageLimits`: what may be used, and, where the kernel counts it, what may be reserved.

use crate::config::HugepageLimit;
use crate::plan::{CgroupWrite, OnAbsence};

use super::super::error::{At, ResolveError};
use super::writes::Writes;

const POINTER: &str = "/linux/resources/hugepageLimits";

pub(super) fn resolve(
    limits: Option<&[HugepageLimit]>,
    writes: &mut Writes,
) -> Result<(), ResolveError> {
    let all = At::new(POINTER);
    for (index, limit) in limits.unwrap_or_default().iter().enumerate() {
        if !is_size(&limit.page_size) {
            let at = all.index(index);
            return Err(at
                .member("/pageSize")
                .wrong(&limit.page_size, "must be such as 2MB or 1GB"));
        }
        put(writes, limit, ".rsvd", OnAbsence::Skip);
        put(writes, limit, "", OnAbsence::Fail);
    }
    Ok(())
}

fn put(writes: &mut Writes, limit: &HugepageLimit, kind: &str, on_absence: OnAbsence) {
    let last = if writes.is_v2() {
        "max"
    } else {
        "limit_in_bytes"
    };
    writes.list.push(CgroupWrite {
        controller: "hugetlb",
        file: format!("hugetlb.{}{kind}.{last}", limit.page_size),
        value: limit.limit.to_string(),
        pointer: POINTER,
        on_absence,
    });
}

/// The form of the schema: a number and KB, MB or GB.
fn is_size(size: &str) -> bool {
    let number = ["KB", "MB", "GB"]
        .iter()
        .find_map(|unit| size.strip_suffix(unit));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    number.is_some_and(|text| is_number(text) && !text.is_empty() && !text.starts_with('0'))
}
