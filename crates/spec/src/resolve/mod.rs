//! Config and host to plan: everything that can be decided is decided here, and nothing is done.
//!
//! One module per area; each takes what it needs and gives a part of the plan, or the pointer of
//! what cannot be applied. The order below is the order in which parts need each other. What is
//! only found out by opening, joining or writing is left to the steps that do it.

mod annotations;
mod capabilities;
mod cgroup_mount;
mod destination;
mod device_rules;
mod devices;
mod environment;
mod error;
#[cfg(test)]
mod fixture;
mod handed;
mod hooks;
mod idmaps;
mod mount_options;
mod mount_words;
mod mounts;
mod namespaces;
mod path;
mod place;
mod process;
mod resources;
mod rlimits;
mod rootfs;
mod sysctl;
mod terminal;
mod unsupported;
mod version;

use crate::bundle::Bundle;
use crate::config::{Config, Linux};
use crate::hook::HookState;
use crate::host::HostFacts;
use crate::plan::{
    CgroupPlan, HandedTree, Hooks, HostPlan, InitHooks, InitPlan, Keyring, NamespaceKind,
    Namespaces, OldRoot, Pauses, Plan, Process, Rootfs,
};
use crate::request::{Request, SessionKeyring};

use std::collections::BTreeMap;

use self::error::{At, Warnings};
use self::handed::Handed;
use self::idmaps::KnownMaps;
use self::rootfs::Root;

pub(crate) use self::capabilities::names as capability_names;
pub use self::error::{Problem, ResolveError};
pub(crate) use self::mount_words::names as mount_option_names;
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
    unsupported::refuse(&bundle.config)?;
    let subject = Subject {
        bundle,
        config: &bundle.config,
        linux,
        host,
        request,
    };
    let plan = subject.plan(&mut warnings)?;
    Ok(Plan {
        warnings: warnings.0,
        ..plan
    })
}

/// All that is given.
#[derive(Debug, Clone, Copy)]
struct Subject<'a> {
    bundle: &'a Bundle,
    config: &'a Config,
    linux: &'a Linux,
    host: &'a HostFacts,
    request: &'a Request<'a>,
}

/// The part of the plan about files.
struct Files {
    root: Root,
    rootfs: Rootfs,
    handed: Vec<HandedTree>,
}

impl Subject<'_> {
    fn plan(&self, warnings: &mut Warnings) -> Result<Plan, ResolveError> {
        let own = namespaces::resolve(self.linux)?;
        let maps = idmaps::resolve(self.linux, &own, warnings)?;
        let files = self.files(&own, &maps, warnings)?;
        let process = self.process(&own, &maps, warnings)?;
        let hooks = hooks::resolve(self.config.hooks.as_ref(), &process.env)?;
        let pauses = Pauses {
            runtime_hooks: !hooks.prestart.is_empty() || !hooks.create_runtime.is_empty(),
        };
        let annotations = annotations::resolve(self.config)?;
        let limits = rlimits::resolve(self.config.process.as_ref())?;
        let (outside, inside) = match own.is_own(NamespaceKind::User) {
            true => (limits, Vec::new()),
            false => (Vec::new(), limits),
        };
        let around = namespaces::Surroundings {
            config: self.config,
            host: self.host,
            mounts: &files.rootfs.mounts,
            hooks: &hooks,
        };
        let init = InitPlan {
            verbosity: self.request.verbosity,
            namespaces: namespaces::inside(&own, around)?,
            rootfs: Rootfs {
                old_root: self.old_root(&own, &hooks),
                ..files.rootfs
            },
            sysctls: sysctl::resolve(self.config, self.linux, &own)?,
            keyring: self.keyring(),
            pauses,
            hooks: InitHooks {
                create_container: hooks.create_container.clone(),
                start_container: hooks.start_container.clone(),
                state: self.hook_state(&annotations),
            },
            process: Process {
                rlimits: inside,
                ..process
            },
        };
        let host = HostPlan {
            oci_version: self.config.oci_version.clone(),
            annotations,
            rootfs: files.root.path,
            namespaces: own,
            id_maps: maps.written,
            cgroup: self.cgroup(warnings)?,
            handed: files.handed,
            rlimits: outside,
            oom_score_adj: process::oom_score_adj(self.config)?,
            hooks,
        };
        Ok(Plan {
            host,
            init,
            warnings: Vec::new(),
        })
    }

    fn files(
        &self,
        own: &Namespaces,
        maps: &KnownMaps,
        warnings: &mut Warnings,
    ) -> Result<Files, ResolveError> {
        let mut handed = Handed::default();
        let root = rootfs::resolve(self.bundle, own, self.request.root_change, &mut handed)?;
        let rootfs = if root.is_ours() {
            self.filled(&root, own, maps, (&mut handed, warnings))?
        } else {
            rootfs::refuse_foreign(self.config, own, warnings)?;
            root.empty()
        };
        Ok(Files {
            root,
            rootfs,
            handed: handed.0,
        })
    }

    fn filled(
        &self,
        root: &Root,
        own: &Namespaces,
        maps: &KnownMaps,
        (handed, warnings): (&mut Handed, &mut Warnings),
    ) -> Result<Rootfs, ResolveError> {
        let layout = self.host.cgroup_layout;
        let around = mounts::Surroundings {
            bundle: self.bundle,
            layout,
            ties: root.ties.binds,
        };
        let mut mounts = mounts::resolve(around, handed, warnings)?;
        let nodes = devices::resolve(self.linux, maps)?;
        let dev_is_ours = devices::dev_is_ours(&mounts);
        let devices = if dev_is_ours {
            devices::place(nodes, own, self.host, handed)
        } else {
            Vec::new()
        };
        cgroup_mount::fill(&mut mounts, own, self.host, handed);
        let (masked, readonly) = (
            At::new("/linux/maskedPaths"),
            At::new("/linux/readonlyPaths"),
        );
        Ok(Rootfs {
            mounts,
            devices,
            dev_links: dev_is_ours,
            masked_paths: rootfs::covered(self.linux.masked_paths.as_deref(), &masked)?,
            readonly_paths: rootfs::covered(self.linux.readonly_paths.as_deref(), &readonly)?,
            readonly: root.readonly,
            propagation: root.ties.afterwards,
            ..root.empty()
        })
    }

    fn process(
        &self,
        own: &Namespaces,
        maps: &KnownMaps,
        warnings: &mut Warnings,
    ) -> Result<Process, ResolveError> {
        let &Self {
            config,
            host,
            request,
            ..
        } = self;
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

    fn cgroup(&self, warnings: &mut Warnings) -> Result<CgroupPlan, ResolveError> {
        let resources = self.linux.resources.as_ref();
        let manager = self.request.manager;
        let place = place::resolve(self.linux, self.request, self.host)?;
        let writes = resources::resolve(resources, manager, self.host, warnings)?;
        let devices = device_rules::resolve(resources, manager, self.host)?;
        // A place or a limit that was asked for must not be missed silently.
        let best_effort = place::is_rootless(self.request, self.host)
            && place::asked(self.linux).is_none()
            && writes.is_empty();
        Ok(CgroupPlan {
            manager,
            place,
            writes,
            devices,
            best_effort,
        })
    }

    /// Where nobody can tell that pivot_root came first, a hostile root filesystem is only ever
    /// filled with the host out of its reach. The hooks of create can tell (runtime.md#lifecycle);
    /// and from a user namespace proc and sysfs can be mounted only while others of their kind are
    /// in sight (user_namespaces(7)).
    fn old_root(&self, own: &Namespaces, hooks: &Hooks) -> OldRoot {
        let unseen = !hooks.any_at_create();
        if unseen && self.host.privileged && !own.is_own(NamespaceKind::User) {
            OldRoot::LeftFirst
        } else {
            OldRoot::LeftLast
        }
    }

    fn hook_state(&self, annotations: &BTreeMap<String, String>) -> HookState {
        HookState::new(
            &self.config.oci_version,
            self.request.id.as_str(),
            &self.bundle.directory.to_string_lossy(),
            annotations,
        )
    }

    fn keyring(&self) -> Keyring {
        match self.request.keyring {
            SessionKeyring::New => Keyring::Join(format!("_ses.{}", self.request.id)),
            SessionKeyring::Inherit => Keyring::Inherit,
        }
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
                runtime_hooks: false
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
    fn the_old_root_is_left_first_unless_it_is_still_needed() {
        let old_root = |members: &str| Scene::v2().plan(members).init.rootfs.old_root;
        assert_eq!(old_root(""), OldRoot::LeftFirst);
        assert_eq!(
            old_root(
                r#""hooks": {"startContainer": [{"path": "/h"}], "poststop": [{"path": "/h"}]}"#
            ),
            OldRoot::LeftFirst
        );
        for kind in ["prestart", "createRuntime", "createContainer"] {
            let hook = format!(r#""hooks": {{"{kind}": [{{"path": "/h"}}]}}"#);
            assert_eq!(old_root(&hook), OldRoot::LeftLast, "{kind}");
        }
        let user = format!(r#""linux": {{{}}}"#, super::fixture::USER);
        assert_eq!(old_root(&user), OldRoot::LeftLast);
        let rootless = Scene::rootless().plan(&user).init.rootfs.old_root;
        assert_eq!(rootless, OldRoot::LeftLast);
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
