//! `linux.personality`: the execution domain, as personality(2) counts it.

use oci_spec::runtime::{LinuxPersonality, LinuxPersonalityDomain};

use super::error::{At, ResolveError};

const LINUX: u32 = 0;
/// uname(2) tells of a 32-bit machine.
const LINUX32: u32 = 8;

/// The domain of init's plan. No flag is known to the specification yet.
pub(super) fn resolve(raw: Option<&LinuxPersonality>) -> Result<Option<u32>, ResolveError> {
    let Some(raw) = raw else {
        return Ok(None);
    };
    if raw.flags().as_ref().is_some_and(|flags| !flags.is_empty()) {
        return Err(At::new("/linux/personality/flags").breaks("no flag is known"));
    }
    Ok(Some(match raw.domain() {
        LinuxPersonalityDomain::PerLinux => LINUX,
        LinuxPersonalityDomain::PerLinux32 => LINUX32,
    }))
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Scene;

    #[test]
    fn a_domain_has_its_number() {
        for (members, expected) in [
            ("", None),
            (r#""linux": {"personality": {"domain": "LINUX"}}"#, Some(0)),
            (
                r#""linux": {"personality": {"domain": "LINUX32", "flags": []}}"#,
                Some(8),
            ),
        ] {
            let process = Scene::v2().plan(members).init.process;
            assert_eq!(process.personality, expected, "{members}");
        }
        Scene::v2().refuses(&[
            (
                r#""linux": {"personality": {"domain": "LINUX", "flags": ["x"]}}"#,
                "/linux/personality/flags: no flag is known",
            ),
            (
                r#""linux": {"personality": {"domain": "SOLARIS"}}"#,
                "/linux/personality/domain: unknown variant",
            ),
        ]);
    }
}
