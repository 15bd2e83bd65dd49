//! `linux.resources.cpu.cpus` and `mems`: accepted is only what the kernel reads as it stands.

use serde_json::json;

use super::{promises, worlds};

pub(crate) fn check(list: &[u8]) {
    let Ok(list) = std::str::from_utf8(list) else {
        return;
    };
    if list.is_empty() || list.contains('\0') {
        return;
    }
    for member in ["cpus", "mems"] {
        let config = json!({
            "ociVersion": "1.3.0",
            "root": {"path": "rootfs"},
            "process": {"args": ["sh"], "cwd": "/", "user": {"uid": 0, "gid": 0}},
            "linux": {"resources": {"cpu": {member: list}}},
        });
        let answer = worlds::first(config.to_string().as_bytes());
        promises::kept(&answer);
        assert_eq!(answer.is_ok(), is_list(list), "{list:?}: {answer:?}");
        if let Ok(plan) = answer {
            let written = |write: &hull_spec::plan::CgroupWrite| write.file.contains(member);
            assert!(plan.host.cgroup.writes.iter().any(written));
        }
    }
}

/// The kernel's bitmap_parselist, but for strides and the words `N` and `all`.
fn is_list(text: &str) -> bool {
    let text = text.trim_matches(|char: char| char.is_ascii_whitespace());
    text.split(',').all(|part| {
        let part = part.trim_matches(|char: char| char.is_ascii_whitespace());
        let mut ends = part.splitn(2, '-').map(number);
        match (ends.next(), ends.next()) {
            (Some(Some(_)), None) => true,
            (Some(Some(first)), Some(Some(last))) => first <= last,
            _ => false,
        }
    })
}

fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let value = text.parse().ok()?;
    (digits && value <= u64::from(u32::MAX)).then_some(value)
}
