//! Config and host to plan: everything that can be decided is decided here, and nothing is done.
//!
//! One module per area; each takes what it needs and gives a part of the plan, or the pointer of
//! what cannot be applied. The order below is the order in which parts need each other. What is
//! only found out by opening, joining or writing is left to the steps that do it.

mod annotations;
mod capabilities;
mod cgroup;
mod cgroup_mount;
mod cgroup_owner;
mod cpu_list;
mod destination;
mod device_rules;
mod devices;
mod environment;
mod error;
mod files;
#[cfg(test)]
mod fixture;
mod handed;
mod hooks;
mod id_map_text;
mod idmaps;
mod labels;
#[cfg(test)]
mod large;
mod memory_policy;
mod mount_filesystem;
mod mount_id_map;
mod mount_label;
mod mount_options;
mod mount_words;
mod mounts;
mod namespaces;
mod net_devices;
mod notify;
mod path;
mod personality;
mod place;
mod process;
mod rdt;
mod resources;
mod rlimits;
mod rootfs;
mod scheduling;
mod seccomp;
mod subject;
mod sysctl;
mod terminal;
mod unsupported;
mod version;

use crate::bundle::Bundle;
use crate::config::Linux;
use crate::hook::HookState;
use crate::host::HostFacts;
use crate::plan::{
    Hooks, HostPlan, InitHooks, InitPlan, Keyring, NamespaceKind, Namespaces, NetDevice, Pauses,
    Plan, Process, Rootfs,
};
use crate::request::{Request, SessionKeyring};
use std::collections::BTreeMap;

use self::error::{At, Warnings};
use self::files::Files;
use self::idmaps::KnownMaps;
use self::subject::Subject;

pub(crate) use self::capabilities::names as capability_names;
pub use self::error::{Problem, ResolveError};
pub use self::labels::modules_asked;
pub(crate) use self::memory_policy::{MODES as MEMORY_POLICIES, flag_names as memory_policy_flags};
pub(crate) use self::mount_words::names as mount_option_names;
pub(crate) use self::seccomp::FLAGS as SECCOMP_FLAGS;
pub(crate) use self::version::{NEWEST, OLDEST};

/// Everything about one create, or why it cannot be.
pub fn resolve(
    bundle: &Bundle,
    host: &HostFacts,
    request: &Request<'_>,
) -> Result<Plan, ResolveError> {
    let mut warnings = Warnings::default();
    let nothing = Linux::default();
    let linux = bundle.config.linux.as_ref().unwrap_or(&nothing);
    version::check(&bundle.config)?;
    let subject = Subject {
        bundle,
        config: &bundle.config,
        linux,
        host,
        request,
    };
    let plan = plan(&subject, &mut warnings)?;
    Ok(Plan {
        warnings: warnings.0,
        ..plan
    })
}

fn plan(subject: &Subject<'_>, warnings: &mut Warnings) -> Result<Plan, ResolveError> {
    let config = subject.config;
    let own = namespaces::resolve(subject.linux)?;
    let maps = idmaps::resolve(subject.linux, &own, warnings)?;
    let files = files::resolve(subject, &own, &maps, warnings)?;
    let process = process(subject, &own, &maps, warnings)?;
    let hooks = hooks::resolve(config.hooks.as_ref(), &process.env)?;
    let annotations = annotations::resolve(config)?;
    let owner = cgroup_owner::resolve(cgroup_owner::Surroundings {
        host: subject.host,
        own: &own,
        maps: &maps,
        mounts: &files.rootfs.mounts,
        uid: process.uid,
    });
    let cgroup = cgroup::resolve(subject, owner, warnings)?;
    let limits = rlimits::resolve(config.process.as_ref())?;
    let (outside, inside) = match own.is_own(NamespaceKind::User) {
        true => (limits, Vec::new()),
        false => (Vec::new(), limits),
    };
    let state = hook_state(subject, &annotations);
    let seccomp = seccomp::resolve(subject.linux.seccomp.as_ref(), &process)?;
    let net_devices = net_devices::resolve(subject.linux, &own, subject.host)?;
    let pauses = pauses(&hooks, &net_devices);
    let process = Process {
        rlimits: inside,
        memory_policy: memory_policy::resolve(subject.linux.memory_policy.as_ref())?,
        personality: personality::resolve(subject.linux.personality.as_ref())?,
        seccomp: seccomp.filter,
        labels: labels::resolve(subject)?,
        ..process
    };
    Ok(Plan {
        init: inside_plan(subject, &own, &files, (process, &hooks, state, pauses))?,
        host: HostPlan {
            oci_version: config.oci_version.clone(),
            annotations,
            rootfs: files.root.path,
            namespaces: own,
            id_maps: maps.written,
            cgroup,
            rdt: rdt::resolve(
                subject.linux.intel_rdt.as_ref(),
                subject.request.id.as_str(),
                warnings,
            )?,
            handed: files.handed.trees,
            tree_maps: files.handed.maps,
            rlimits: outside,
            scheduling: scheduling::resolve(config)?,
            oom_score_adj: process::oom_score_adj(config)?,
            net_devices,
            seccomp_agent: seccomp.agent,
            hooks,
        },
        warnings: Vec::new(),
    })
}

/// What init is handed.
fn inside_plan(
    subject: &Subject<'_>,
    own: &Namespaces,
    files: &Files,
    (process, hooks, state, pauses): (Process, &Hooks, HookState, Pauses),
) -> Result<InitPlan, ResolveError> {
    let around = namespaces::Surroundings {
        config: subject.config,
        host: subject.host,
        mounts: &files.rootfs.mounts,
        hooks,
    };
    Ok(InitPlan {
        verbosity: subject.request.verbosity,
        namespaces: namespaces::inside(own, around)?,
        rootfs: Rootfs {
            old_root: files::old_root(subject, own, hooks, &files.root),
            ..files.rootfs.clone()
        },
        sysctls: sysctl::resolve(subject.config, subject.linux, own)?,
        keyring: keyring(subject.request),
        pauses,
        hooks: InitHooks {
            create_container: hooks.create_container.clone(),
            start_container: hooks.start_container.clone(),
            state,
        },
        process,
    })
}

/// createContainer hooks and sysctls find the network devices in place, too.
fn pauses(hooks: &Hooks, net_devices: &[NetDevice]) -> Pauses {
    Pauses {
        after_mounts: !hooks.prestart.is_empty()
            || !hooks.create_runtime.is_empty()
            || !net_devices.is_empty(),
    }
}

fn process(
    subject: &Subject<'_>,
    own: &Namespaces,
    maps: &KnownMaps,
    warnings: &mut Warnings,
) -> Result<Process, ResolveError> {
    let &Subject {
        config,
        host,
        request,
        ..
    } = subject;
    if config.vm.is_some() {
        warnings.add(&At::new("/vm"), "ignored: hull makes no virtual machines");
    }
    process::resolve(
        process::Surroundings {
            config,
            own,
            maps,
            host,
            request,
        },
        warnings,
    )
}

fn hook_state(subject: &Subject<'_>, annotations: &BTreeMap<String, String>) -> HookState {
    HookState::new(
        &subject.config.oci_version,
        subject.request.id.as_str(),
        &subject.bundle.directory.to_string_lossy(),
        annotations,
    )
}

fn keyring(request: &Request<'_>) -> Keyring {
    match request.keyring {
        SessionKeyring::New => Keyring::Join(format!("_ses.{}", request.id)),
        SessionKeyring::Inherit => Keyring::Inherit,
    }
}

#[cfg(test)]
mod tests {
    use super::fixture::Scene;
    use super::*;

    #[test]
    fn a_plan_has_no_open_question() {
        let plan = Scene::v2().plan(r#""annotations": {"a": "b"}, "vm": {}"#);
        assert_eq!(plan.host.oci_version, "1.3.0");
        assert_eq!(plan.host.annotations["a"], "b");
        assert_eq!(plan.init.keyring, Keyring::Join("_ses.web".to_owned()));
        assert_eq!(
            plan.init.pauses,
            Pauses {
                after_mounts: false
            }
        );
        assert_eq!(
            plan.warnings,
            ["config.json /vm: ignored: hull makes no virtual machines"]
        );
        let inherit = Scene {
            keyring: SessionKeyring::Inherit,
            ..Scene::v2()
        };
        assert_eq!(inherit.plan("").init.keyring, Keyring::Inherit);
    }

    #[test]
    fn a_run_starts_ahead_unless_something_waits_for_the_runtime() {
        let asks = |members: &str| Scene::v2().plan(members).asks_for_more();
        assert!(!asks(""));
        for members in [
            r#""hooks": {"prestart": [{"path": "/h"}]}"#,
            r#""hooks": {"createRuntime": [{"path": "/h"}]}"#,
            r#""hooks": {"createContainer": [{"path": "/h"}]}"#,
            r#""hooks": {"startContainer": [{"path": "/h"}]}"#,
            r#""linux": {"netDevices": {"a": {}}}"#,
            &format!(
                r#""linux": {{{}}}, "process": {{"rlimits": [{{"type": "RLIMIT_CORE", "soft": 0, "hard": 0}}]}}"#,
                super::fixture::USER
            ),
        ] {
            assert!(asks(members), "{members}");
        }
        assert!(!asks(
            r#""hooks": {"poststart": [{"path": "/h"}], "poststop": [{"path": "/h"}]}"#
        ));
        let terminal = Scene {
            console: true,
            ..Scene::v2()
        };
        assert!(
            terminal
                .plan(r#""process": {"terminal": true}"#)
                .asks_for_more()
        );
    }

    #[test]
    fn versions_of_another_major_are_refused() {
        Scene::v2().refuses(&[
            (
                r#""ociVersion": "2.0.0""#,
                "/ociVersion: \"2.0.0\" must be of major version 1",
            ),
            (
                r#""ociVersion": "1.0""#,
                "/ociVersion: \"1.0\" is no version of the form",
            ),
        ]);
    }
}
