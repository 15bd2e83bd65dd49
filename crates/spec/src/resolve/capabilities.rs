//! `process.capabilities`: names to bits.
//!
//! What this kernel or hull does not know is left out with one warning (config.md#linux-process);
//! so is an ambient capability that capabilities(7) does not let rise, because it is not both
//! permitted and inheritable. Without the object all five sets are empty, for root too: the
//! bounding set is dropped before the execve, so that uid 0 regains nothing by it. That is what
//! runc does, and the safe reading of a config that asks for no capability.

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
pub(super) fn resolve(raw: Option<&Raw>, last: u32, warnings: &mut Warnings) -> Capabilities {
    let Some(raw) = raw else {
        return Capabilities::default();
    };
    let at = At::new("/process/capabilities");
    let mut unknown = Vec::new();
    let mut set = |names: &'_ Option<Vec<String>>| bits(names.as_deref(), last, &mut unknown);
    let mut capabilities = Capabilities {
        bounding: set(&raw.bounding),
        effective: set(&raw.effective),
        permitted: set(&raw.permitted),
        inheritable: set(&raw.inheritable),
        ambient: set(&raw.ambient),
    };
    if !unknown.is_empty() {
        warnings.add(
            &at,
            format_args!("unknown or unavailable: {}", unknown.join(", ")),
        );
    }
    let may_rise = capabilities.permitted & capabilities.inheritable;
    for name in raw.ambient.iter().flatten() {
        if bit(name, last).is_some_and(|bit| bit & !may_rise != 0) {
            let text = format_args!(
                "can't raise ambient capability {name}: not permitted and inheritable"
            );
            warnings.add(&at.member("/ambient"), text);
        }
    }
    capabilities.ambient &= may_rise;
    capabilities
}

fn bits(names: Option<&[String]>, last: u32, unknown: &mut Vec<String>) -> u64 {
    let mut bits = 0;
    for name in names.unwrap_or_default() {
        match bit(name, last) {
            Some(bit) => bits |= bit,
            None if unknown.contains(name) => {}
            None => unknown.push(name.clone()),
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
    fn an_ambient_capability_that_cannot_rise_is_a_warning() {
        let (capabilities, warnings) =
            answer(r#"{"permitted": ["CAP_KILL"], "ambient": ["CAP_KILL"]}"#);
        assert_eq!(capabilities.ambient, 0);
        assert!(warnings[0].contains("can't raise ambient capability CAP_KILL"));
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
