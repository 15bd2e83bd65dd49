//! `process.apparmorProfile` and `process.selinuxLabel`: what the security modules of this host are
//! told, word for word.
//!
//! A label without its module is an error, as nothing would enforce it. Whether a profile is loaded,
//! or a context known, only the kernel can say, when it is written.

use crate::config::Config;
use crate::host::SecurityModules;
use crate::plan::{Label, Labelled};
use crate::request::SessionKeyring;

use super::error::{At, ResolveError};
use super::subject::Subject;

const NO_APPARMOR: &str =
    "apparmor profile is specified in config, but apparmor is disabled or not supported";
/// The phrase of runc.
pub(super) const NO_SELINUX: &str =
    "selinux label is specified in config, but selinux is disabled or not supported";

/// The security modules that a config needs: others are not looked for.
#[must_use]
pub fn modules_asked(config: &Config) -> SecurityModules {
    let process = config.process.as_ref();
    let asks = |text: Option<&String>| given(text).is_some();
    SecurityModules {
        apparmor: asks(process.and_then(|process| process.apparmor_profile.as_ref())),
        selinux: asks(process.and_then(|process| process.selinux_label.as_ref()))
            || asks(
                config
                    .linux
                    .as_ref()
                    .and_then(|linux| linux.mount_label.as_ref()),
            ),
    }
}

/// An empty label is none.
pub(super) fn given(text: Option<&String>) -> Option<&str> {
    text.map(String::as_str).filter(|text| !text.is_empty())
}

/// The labels of the process, and of what it gets.
pub(super) fn resolve(subject: &Subject<'_>) -> Result<Vec<Label>, ResolveError> {
    let Some(process) = &subject.config.process else {
        return Ok(Vec::new());
    };
    let modules = subject.host.security_modules;
    let profile = apparmor(given(process.apparmor_profile.as_ref()), modules)?;
    let context = given(process.selinux_label.as_ref());
    let contexts = selinux(context, modules, subject.request.keyring)?;
    Ok(profile.into_iter().chain(contexts).collect())
}

/// Newer kernels give AppArmor attributes of its own, where no other module can be meant. A runtime
/// that is confined may be allowed no profile but one on top of its own, above all under
/// no_new_privs: the payload then has both.
fn apparmor(
    profile: Option<&str>,
    modules: SecurityModules,
) -> Result<Option<Label>, ResolveError> {
    let at = At::new("/process/apparmorProfile");
    match profile {
        None => Ok(None),
        Some("unconfined") if !modules.apparmor => Ok(None),
        Some(_) if !modules.apparmor => Err(at.breaks(NO_APPARMOR)),
        Some(profile) => Ok(Some(Label {
            of: Labelled::Payload,
            pointer: at.pointer(),
            attributes: vec!["apparmor/exec".to_owned(), "exec".to_owned()],
            texts: vec![format!("exec {profile}"), format!("stack {profile}")],
        })),
    }
}

fn selinux(
    context: Option<&str>,
    modules: SecurityModules,
    keyring: SessionKeyring,
) -> Result<Vec<Label>, ResolveError> {
    let at = At::new("/process/selinuxLabel");
    let Some(context) = context else {
        return Ok(Vec::new());
    };
    if !modules.selinux {
        return Err(at.breaks(NO_SELINUX));
    }
    let label = |of, attribute: &str| Label {
        of,
        pointer: at.pointer(),
        attributes: vec![attribute.to_owned()],
        texts: vec![context.to_owned()],
    };
    let payload = label(Labelled::Payload, "exec");
    Ok(match keyring {
        SessionKeyring::New => vec![label(Labelled::Keyring, "keycreate"), payload],
        SessionKeyring::Inherit => vec![payload],
    })
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Scene;
    use super::*;

    fn with(apparmor: bool, selinux: bool) -> Scene {
        let mut scene = Scene::v2();
        scene.host.security_modules = SecurityModules { apparmor, selinux };
        scene
    }

    fn label(of: Labelled, pointer: &str, attributes: &[&str], texts: &[&str]) -> Label {
        let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Label {
            of,
            pointer: pointer.to_owned(),
            attributes: owned(attributes),
            texts: owned(texts),
        }
    }

    fn profile(name: &str) -> Label {
        let texts = [format!("exec {name}"), format!("stack {name}")];
        label(
            Labelled::Payload,
            "/process/apparmorProfile",
            &["apparmor/exec", "exec"],
            &texts.each_ref().map(String::as_str),
        )
    }

    fn labels(scene: &Scene, members: &str) -> Vec<Label> {
        let plan = scene.plan(&format!(r#""process": {{{members}}}"#));
        plan.init.process.labels
    }

    #[test]
    fn a_profile_is_written_word_for_word() {
        let named =
            |scene: &Scene, name: &str| labels(scene, &format!(r#""apparmorProfile": "{name}""#));
        for name in ["containers-default-0.57.4", "a//b", "unconfined"] {
            assert_eq!(named(&with(true, false), name), [profile(name)]);
        }
        assert_eq!(named(&with(true, true), ""), []);
        for nothing in ["", "unconfined"] {
            assert_eq!(named(&with(false, false), nothing), []);
        }
    }

    #[test]
    fn a_selinux_label_is_of_the_payload_and_of_its_keyring() {
        let members = r#""selinuxLabel": "u:r:t:s0", "apparmorProfile": "p""#;
        let context =
            |of, attribute| label(of, "/process/selinuxLabel", &[attribute], &["u:r:t:s0"]);
        let keyring = context(Labelled::Keyring, "keycreate");
        let payload = context(Labelled::Payload, "exec");
        let given = labels(&with(true, true), members);
        assert_eq!(given, [profile("p"), keyring, payload.clone()]);
        let inherit = Scene {
            keyring: SessionKeyring::Inherit,
            ..with(true, true)
        };
        assert_eq!(labels(&inherit, members), [profile("p"), payload]);
    }

    #[test]
    fn a_label_without_its_module_is_refused() {
        let selinux = format!("/process/selinuxLabel: {NO_SELINUX}");
        with(true, false).refuses(&[
            (r#""process": {"selinuxLabel": "a"}"#, &selinux),
            (
                r#""linux": {"mountLabel": "a"}"#,
                &format!("/linux/mountLabel: {NO_SELINUX}"),
            ),
        ]);
        with(false, true).refuses(&[(
            r#""process": {"apparmorProfile": "p"}"#,
            &format!("/process/apparmorProfile: {NO_APPARMOR}"),
        )]);
        with(false, false).plan(
            r#""process": {"apparmorProfile": "", "selinuxLabel": ""}, "linux": {"mountLabel": ""}"#,
        );
    }

    #[test]
    fn only_what_a_config_asks_for_is_looked_for() {
        let asked = |members: &str| {
            let text = format!(r#"{{"ociVersion": "1.0.0", {members}}}"#);
            let asked = modules_asked(&Config::parse(text.as_bytes()).unwrap());
            (asked.apparmor, asked.selinux)
        };
        let process =
            |member: &str| format!(r#""process": {{"cwd": "/", "args": ["a"], {member}}}"#);
        for (members, expected) in [
            (
                process(r#""apparmorProfile": "", "selinuxLabel": """#),
                (false, false),
            ),
            (process(r#""apparmorProfile": "unconfined""#), (true, false)),
            (process(r#""selinuxLabel": "a""#), (false, true)),
            (r#""linux": {"mountLabel": "a"}"#.to_owned(), (false, true)),
            (r#""linux": {}"#.to_owned(), (false, false)),
        ] {
            assert_eq!(asked(&members), expected, "{members}");
        }
    }
}
