//! `process.capabilities`: names to bits.
//!
//! What this kernel or hull does not know is left out with one warning (config.md#linux-process);
//! so is what capabilities(7) does not grant beside the other sets: effective without permitted,
//! inheritable past the bounding set, ambient that is not both permitted and inheritable. Without the object all five sets are empty, for root too: the
//! bounding set is dropped before the execve, so that uid 0 regains nothing by it. That is what
//! runc does, and the safe reading of a config that asks for no capability.

use std::collections::BTreeSet;
use std::str::FromStr;

use caps::Capability;

use crate::config::Capabilities as Raw;
use crate::plan::Capabilities;

use super::error::{At, Warnings};

/// CAP_SYS_ADMIN.
pub(super) const SYS_ADMIN: u64 = 1 << 21;

/// Names by number, as far as they are known.
pub(crate) fn names() -> Vec<String> {
    let mut known: Vec<Capability> = caps::all().into_iter().collect();
    known.sort_by_key(Capability::index);
    known.iter().map(ToString::to_string).collect()
}

/// The five sets.
pub(super) fn resolve<'a>(
    raw: Option<&'a Raw>,
    last: u32,
    warnings: &mut Warnings,
) -> Capabilities {
    let Some(raw) = raw else {
        return Capabilities::default();
    };
    let at = At::new("/process/capabilities");
    let mut unknown = Unknown::default();
    let mut set = |names: &'a Option<Vec<String>>| bits(names.as_deref(), last, &mut unknown);
    let mut capabilities = Capabilities {
        bounding: set(&raw.bounding),
        effective: set(&raw.effective),
        permitted: set(&raw.permitted),
        inheritable: set(&raw.inheritable),
        ambient: set(&raw.ambient),
    };
    if !unknown.names.is_empty() {
        let text = format_args!("unknown or unavailable: {}", unknown.names.join(", "));
        warnings.add(&at, text);
    }
    let Capabilities {
        bounding,
        permitted,
        ..
    } = capabilities;
    let mut keep = |set: &mut u64, granted: u64, words: [&str; 3]| {
        let [name, member, why] = words;
        for lost in named(*set & !granted) {
            let text = format_args!("can't raise {name} capability {lost}: not {why}");
            warnings.add(&at.member(member), text);
        }
        *set &= granted;
    };
    let words = ["effective", "/effective", "permitted"];
    keep(&mut capabilities.effective, permitted, words);
    let words = ["inheritable", "/inheritable", "in the bounding set"];
    keep(&mut capabilities.inheritable, bounding, words);
    let words = ["ambient", "/ambient", "permitted and inheritable"];
    let may_rise = permitted & capabilities.inheritable;
    keep(&mut capabilities.ambient, may_rise, words);
    capabilities
}

/// The names of these bits, by number.
fn named(bits: u64) -> Vec<String> {
    match bits {
        0 => Vec::new(),
        _ => names()
            .into_iter()
            .filter(|name| bit(name, u32::MAX).is_some_and(|bit| bit & bits != 0))
            .collect(),
    }
}

/// Names that no bit stands for, each once, in their order.
#[derive(Default)]
struct Unknown<'a> {
    names: Vec<&'a str>,
    seen: BTreeSet<&'a str>,
}

fn bits<'a>(names: Option<&'a [String]>, last: u32, unknown: &mut Unknown<'a>) -> u64 {
    let mut bits = 0;
    for name in names.unwrap_or_default() {
        match bit(name, last) {
            Some(bit) => bits |= bit,
            None if unknown.seen.insert(name) => unknown.names.push(name),
            None => {}
        }
    }
    bits
}

fn bit(name: &str, last: u32) -> Option<u64> {
    let capability = Capability::from_str(name).ok()?;
    (u32::from(capability.index()) <= last).then(|| capability.bitmask())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(text: &str) -> (Capabilities, Vec<String>) {
        let raw: Raw = serde_json::from_str(text).unwrap();
        let mut warnings = Warnings::default();
        let capabilities = resolve(Some(&raw), 40, &mut warnings);
        (capabilities, warnings.0)
    }

    #[test]
    fn names_become_bits() {
        let text = r#"{"bounding": ["CAP_CHOWN", "CAP_KILL"], "effective": ["CAP_KILL"],
            "permitted": ["CAP_KILL"], "inheritable": ["CAP_KILL"], "ambient": ["CAP_KILL"]}"#;
        let expected = Capabilities {
            bounding: 1 | 1 << 5,
            effective: 1 << 5,
            permitted: 1 << 5,
            inheritable: 1 << 5,
            ambient: 1 << 5,
        };
        assert_eq!(answer(text), (expected, vec![]));
    }

    #[test]
    fn no_object_and_empty_ones_are_no_capability() {
        let mut warnings = Warnings::default();
        assert_eq!(resolve(None, 40, &mut warnings), Capabilities::default());
        assert_eq!(answer("{}"), (Capabilities::default(), vec![]));
        assert_eq!(
            answer(r#"{"bounding": [], "ambient": null}"#).0,
            Capabilities::default()
        );
    }

    #[test]
    fn what_is_unknown_is_told_once() {
        let text = r#"{"bounding": ["CAP_NEW", "CAP_CHOWN", "chown"], "permitted": ["CAP_NEW"]}"#;
        let (capabilities, warnings) = answer(text);
        assert_eq!(capabilities.bounding, 1);
        assert_eq!(
            warnings,
            ["config.json /process/capabilities: unknown or unavailable: CAP_NEW, chown"]
        );
    }

    #[test]
    fn a_capability_beyond_the_kernel_is_unavailable() {
        let raw = Raw {
            bounding: Some(vec!["CAP_BPF".to_owned()]),
            ..Raw::default()
        };
        let mut warnings = Warnings::default();
        assert_eq!(resolve(Some(&raw), 36, &mut warnings).bounding, 0);
        assert_eq!(warnings.0.len(), 1);
        assert_eq!(resolve(Some(&raw), 39, &mut warnings).bounding, 1 << 39);
    }

    #[test]
    fn what_the_other_sets_do_not_grant_is_a_warning() {
        for (text, expected) in [
            (
                r#"{"bounding": ["CAP_KILL"], "permitted": ["CAP_KILL"], "ambient": ["CAP_KILL"]}"#,
                "/ambient: can't raise ambient capability CAP_KILL: not permitted and inheritable",
            ),
            (
                r#"{"bounding": ["CAP_KILL"], "permitted": ["CAP_KILL"],
                    "effective": ["CAP_KILL", "CAP_SYS_ADMIN"]}"#,
                "/effective: can't raise effective capability CAP_SYS_ADMIN: not permitted",
            ),
            (
                r#"{"bounding": ["CAP_KILL"], "permitted": ["CAP_KILL"], "inheritable": ["CAP_CHOWN"]}"#,
                "/inheritable: can't raise inheritable capability CAP_CHOWN: not in the bounding set",
            ),
        ] {
            let (capabilities, warnings) = answer(text);
            let expected = format!("config.json /process/capabilities{expected}");
            assert_eq!(warnings, [expected]);
            assert_eq!(capabilities.effective & !capabilities.permitted, 0);
            assert_eq!(capabilities.inheritable & !capabilities.bounding, 0);
            assert_eq!(capabilities.ambient, 0);
        }
    }

    #[test]
    fn the_known_names_come_by_number() {
        let names = names();
        assert_eq!(
            (names.len(), names[0].as_str(), names[40].as_str()),
            (41, "CAP_CHOWN", "CAP_CHECKPOINT_RESTORE")
        );
    }
}
