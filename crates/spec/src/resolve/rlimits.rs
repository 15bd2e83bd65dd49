//! `process.rlimits`: the sixteen names, each at most once, soft not above hard.

use crate::config::Process;
use crate::plan::Rlimit;

use super::error::{At, ResolveError};

/// By RLIMIT_* number, as x86_64 and aarch64 count.
const NAMES: [&str; 16] = [
    "RLIMIT_CPU",
    "RLIMIT_FSIZE",
    "RLIMIT_DATA",
    "RLIMIT_STACK",
    "RLIMIT_CORE",
    "RLIMIT_RSS",
    "RLIMIT_NPROC",
    "RLIMIT_NOFILE",
    "RLIMIT_MEMLOCK",
    "RLIMIT_AS",
    "RLIMIT_LOCKS",
    "RLIMIT_SIGPENDING",
    "RLIMIT_MSGQUEUE",
    "RLIMIT_NICE",
    "RLIMIT_RTPRIO",
    "RLIMIT_RTTIME",
];

/// All limits, in listed order.
pub(super) fn resolve(process: Option<&Process>) -> Result<Vec<Rlimit>, ResolveError> {
    let all = At::new("/process/rlimits");
    let mut rlimits: Vec<Rlimit> = Vec::new();
    let raw = process
        .and_then(|process| process.rlimits.as_deref())
        .unwrap_or_default();
    for (index, raw) in raw.iter().enumerate() {
        let at = all.index(index);
        let place = at.member("/type");
        let resource = (0..)
            .zip(NAMES)
            .find(|(_, name)| *name == raw.kind)
            .map(|(number, _): (u32, _)| number)
            .ok_or_else(|| place.wrong(&raw.kind, "is an invalid rlimit type"))?;
        if rlimits.iter().any(|other| other.resource == resource) {
            return Err(place.wrong(&raw.kind, "must not be listed twice"));
        }
        if raw.soft > raw.hard {
            return Err(at
                .member("/soft")
                .wrong(raw.soft, "must not be above the hard limit"));
        }
        rlimits.push(Rlimit {
            resource,
            soft: raw.soft,
            hard: raw.hard,
        });
    }
    Ok(rlimits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(rlimits: &str) -> Result<Vec<Rlimit>, String> {
        let text =
            format!(r#"{{"cwd": "/", "user": {{"uid": 0, "gid": 0}}, "rlimits": {rlimits}}}"#);
        let process: Process = serde_json::from_str(&text).unwrap();
        resolve(Some(&process)).map_err(|error| error.to_string())
    }

    #[test]
    fn all_sixteen_names_have_their_number() {
        for (number, name) in (0..).zip(NAMES) {
            let text =
                format!(r#"[{{"type": "{name}", "soft": 1, "hard": 18446744073709551615}}]"#);
            let expected = Rlimit {
                resource: number,
                soft: 1,
                hard: u64::MAX,
            };
            assert_eq!(answer(&text), Ok(vec![expected]));
        }
        assert_eq!(resolve(None), Ok(vec![]));
        assert_eq!(answer("[]"), Ok(vec![]));
        assert_eq!(NAMES[7], "RLIMIT_NOFILE");
    }

    #[test]
    fn what_is_unknown_double_or_upside_down_is_refused() {
        for (text, expected) in [
            (
                r#"[{"type": "NOFILE", "soft": 1, "hard": 1}]"#,
                "/0/type: \"NOFILE\" is an invalid rlimit type",
            ),
            (
                r#"[{"type": "RLIMIT_CPU", "soft": 2, "hard": 1}]"#,
                "/0/soft: \"2\" must not be above",
            ),
            (
                r#"[{"type": "RLIMIT_AS", "soft": 1, "hard": 1}, {"type": "RLIMIT_AS", "soft": 1, "hard": 1}]"#,
                "/1/type: \"RLIMIT_AS\" must not be listed twice",
            ),
        ] {
            let error = answer(text).unwrap_err();
            assert!(
                error.starts_with(&format!("config.json /process/rlimits{expected}")),
                "{error}"
            );
        }
    }
}
