//! `process`: the program, its environment, who it is, what it may.
//!
//! A config without a process makes a container that can be created and never started; its
//! process is nobody in particular with no rights.

use crate::config::{Config, Process as Raw, User};
use crate::host::HostFacts;
use crate::plan::{Capabilities, GroupChange, NamespaceKind, Namespaces, Process, Terminal};
use crate::request::{Activation, Request};

use super::capabilities;
use super::error::{At, ResolveError, Warnings};
use super::idmaps::KnownMaps;
use super::{cpu_list, environment, notify, path, terminal};

/// Deliberate where the specification says "unchanged": images are built for it.
const DEFAULT_UMASK: u32 = 0o022;
const HIGHEST_UMASK: u32 = 0o777;
const OOM_SCORES: std::ops::RangeInclusive<i32> = -1000..=1000;

/// The annotation by which Podman keeps the caller's groups.
const KEEP_GROUPS: &str = "run.oci.keep_original_groups";

/// What a process is checked against.
#[derive(Debug, Clone, Copy)]
pub(super) struct Surroundings<'a> {
    pub(super) config: &'a Config,
    pub(super) own: &'a Namespaces,
    pub(super) maps: &'a KnownMaps,
    pub(super) host: &'a HostFacts,
    pub(super) request: &'a Request<'a>,
}

/// The payload of init's plan.
pub(super) fn resolve(
    around: Surroundings<'_>,
    warnings: &mut Warnings,
) -> Result<Process, ResolveError> {
    let raw = around.config.process.as_ref();
    let terminal = terminal::resolve(raw, around.own, around.request)?;
    let process = match raw {
        Some(raw) => process(raw, around, warnings)?,
        None => nobody(),
    };
    Ok(Process {
        preserved_fds: preserved_fds(around.request),
        terminal,
        ..process
    })
}

fn preserved_fds(request: &Request<'_>) -> u32 {
    let sockets = request.activation.sockets;
    sockets.saturating_add(request.preserved_fds)
}

fn nobody() -> Process {
    Process {
        rlimits: Vec::new(),
        args: Vec::new(),
        env: Vec::new(),
        home_from_passwd: true,
        cwd: "/".to_owned(),
        uid: 0,
        gid: 0,
        additional_gids: GroupChange::Set(Vec::new()),
        umask: DEFAULT_UMASK,
        capabilities: Capabilities::default(),
        no_new_privileges: false,
        labels: Vec::new(),
        seccomp: None,
        memory_policy: None,
        personality: None,
        preserved_fds: 0,
        terminal: Terminal::None,
    }
}

fn process(
    raw: &Raw,
    around: Surroundings<'_>,
    warnings: &mut Warnings,
) -> Result<Process, ResolveError> {
    let at = At::new("/process");
    let args = raw.args.clone().unwrap_or_default();
    if args.is_empty() {
        return Err(at.member("/args").breaks("must have at least one entry"));
    }
    let given = raw.env.as_deref().unwrap_or_default();
    let activation = Activation {
        notify: notify::is_wanted(around.request, around.own),
        ..around.request.activation
    };
    let env = environment::resolve(given, activation, &at.member("/env"), warnings);
    let root = User::default();
    let user = raw.user.as_ref().unwrap_or(&root);
    check_affinity(raw, &at.member("/execCPUAffinity"))?;
    around.maps.check_uid(user.uid, &at.member("/user/uid"))?;
    around.maps.check_gid(user.gid, &at.member("/user/gid"))?;
    Ok(Process {
        args,
        home_from_passwd: !environment::names(&env, "HOME"),
        env,
        cwd: path::absolute(&raw.cwd, &at.member("/cwd"))?,
        uid: user.uid,
        gid: user.gid,
        additional_gids: groups(user, around, &at.member("/user/additionalGids"))?,
        umask: umask(user, &at.member("/user/umask"))?,
        capabilities: capabilities::resolve(
            raw.capabilities.as_ref(),
            around.host.last_capability,
            warnings,
        ),
        no_new_privileges: raw.no_new_privileges.unwrap_or(false),
        ..nobody()
    })
}

/// For exec only, and yet a config that exec could not apply is none.
fn check_affinity(raw: &Raw, at: &At<'_>) -> Result<(), ResolveError> {
    let Some(affinity) = &raw.exec_cpu_affinity else {
        return Ok(());
    };
    for (list, member) in [(&affinity.initial, "/initial"), (&affinity.last, "/final")] {
        match list.as_deref() {
            None | Some("") => {}
            Some(list) if cpu_list::is_list(list) => {}
            Some(list) => {
                return Err(at
                    .member(member)
                    .wrong(list, "must be a list of CPUs such as 0-3,7"));
            }
        }
    }
    Ok(())
}

fn groups(user: &User, around: Surroundings<'_>, at: &At<'_>) -> Result<GroupChange, ResolveError> {
    let keeps = around
        .config
        .annotations
        .as_ref()
        .and_then(|all| all.find(KEEP_GROUPS));
    if keeps.is_some_and(|value| value == "1") {
        return Ok(GroupChange::Keep);
    }
    let gids = user.additional_gids.as_deref().unwrap_or_default();
    for (index, gid) in gids.iter().enumerate() {
        around.maps.check_gid(*gid, &at.index(index))?;
    }
    match (forbids_setgroups(around), gids.is_empty()) {
        (false, _) => Ok(GroupChange::Set(gids.to_vec())),
        (true, true) => Ok(GroupChange::Keep),
        (true, false) => {
            Err(at.breaks("cannot be set: setgroups is denied in this user namespace"))
        }
    }
}

/// user_namespaces(7): without privilege over the parent, a gid map that maps the caller alone
/// may only be written after setgroups is denied; and a child inherits the denial.
fn forbids_setgroups(around: Surroundings<'_>) -> bool {
    let self_mapped = match around.maps.written.gid.as_slice() {
        [only] => only.size == 1 && only.host_id == around.host.gid,
        _ => false,
    };
    let new = around.own.is_new(NamespaceKind::User);
    around.host.setgroups_denied || (new && self_mapped && !around.host.privileged)
}

fn umask(user: &User, at: &At<'_>) -> Result<u32, ResolveError> {
    let umask = user.umask.unwrap_or(DEFAULT_UMASK);
    match umask <= HIGHEST_UMASK {
        true => Ok(umask),
        false => Err(at.wrong(umask, "must be at most 0o777")),
    }
}

/// `oomScoreAdj`: written only when set.
pub(super) fn oom_score_adj(config: &Config) -> Result<Option<i32>, ResolveError> {
    let score = config
        .process
        .as_ref()
        .and_then(|process| process.oom_score_adj);
    match score {
        Some(score) if !OOM_SCORES.contains(&score) => {
            Err(At::new("/process/oomScoreAdj").wrong(score, "must be from -1000 to 1000"))
        }
        score => Ok(score),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Scene, USER};
    use super::*;

    fn process(members: &str) -> Process {
        Scene::v2()
            .plan(&format!(r#""process": {{{members}}}"#))
            .init
            .process
    }

    #[test]
    fn a_process_is_taken_as_it_is_written() {
        let given = process(
            r#""args": ["a", ""], "cwd": "/x/..", "noNewPrivileges": true, "terminal": false,
                "user": {"uid": 5, "gid": 6, "umask": 63, "additionalGids": [7, 6]},
                "consoleSize": {"height": 1, "width": 2}, "apparmorProfile": "unconfined""#,
        );
        assert_eq!(given.args, ["a", ""]);
        assert_eq!((given.cwd.as_str(), given.uid, given.gid), ("/x/..", 5, 6));
        assert_eq!(given.additional_gids, GroupChange::Set(vec![7, 6]));
        assert_eq!(
            (given.umask, given.no_new_privileges, given.preserved_fds),
            (0o077, true, 2)
        );
        let default = process(r#""user": null"#);
        assert_eq!((default.uid, default.gid), (0, 0));
        assert_eq!((default.umask, default.no_new_privileges), (0o022, false));
        assert_eq!(default.additional_gids, GroupChange::Set(vec![]));
    }

    #[test]
    fn no_process_can_be_created() {
        let plan = Scene::v2().plan(r#""process": null"#);
        assert_eq!(plan.init.process.args, [""; 0]);
        assert_eq!(
            (
                plan.init.process.cwd.as_str(),
                plan.init.process.preserved_fds
            ),
            ("/", 2)
        );
    }

    #[test]
    fn a_process_that_cannot_be_is_refused() {
        Scene::v2().refuses(&[
            (
                r#""process": {"execCPUAffinity": {"initial": "0", "final": "1-0"}}"#,
                "/process/execCPUAffinity/final: \"1-0\" must be a list of CPUs",
            ),
            (
                r#""process": {"args": []}"#,
                "/process/args: must have at least one entry",
            ),
            (
                r#""process": {"args": null}"#,
                "/process/args: must have at least one entry",
            ),
            (
                r#""process": {"cwd": "a"}"#,
                "/process/cwd: \"a\" must be absolute",
            ),
            (
                r#""process": {"cwd": ""}"#,
                "/process/cwd: must not be empty",
            ),
            (
                r#""process": {"cwd": null}"#,
                "/process: missing field `cwd`",
            ),
            (
                r#""process": {"user": {"umask": 512}}"#,
                "/process/user/umask: \"512\" must be",
            ),
            (
                r#""process": {"oomScoreAdj": 1001}"#,
                "/process/oomScoreAdj: \"1001\" must be",
            ),
        ]);
        assert_eq!(Scene::v2().plan("").host.oom_score_adj, None);
        let scored = Scene::v2().plan(r#""process": {"oomScoreAdj": 0}"#);
        assert_eq!(scored.host.oom_score_adj, Some(0));
    }

    #[test]
    fn groups_are_kept_where_they_cannot_be_set() {
        let groups =
            |scene: &Scene, members: &str| scene.plan(members).init.process.additional_gids;
        let keep = r#""annotations": {"run.oci.keep_original_groups": "1"}"#;
        assert_eq!(groups(&Scene::v2(), keep), GroupChange::Keep);
        let others = format!(r#""linux": {{{USER}}}"#);
        assert_eq!(
            groups(&Scene::rootless(), &others),
            GroupChange::Set(vec![])
        );
        let itself = others.replace("200000", "1000").replace("500", "1");
        assert_eq!(groups(&Scene::rootless(), &itself), GroupChange::Keep);
        assert_eq!(groups(&Scene::v2(), &itself), GroupChange::Set(vec![]));
        let mut denied = Scene::rootless();
        denied.host.setgroups_denied = true;
        assert_eq!(groups(&denied, ""), GroupChange::Keep);
        let refusal = denied.refusal(r#""process": {"user": {"additionalGids": [0]}}"#);
        assert!(
            refusal.starts_with("/process/user/additionalGids: cannot be set"),
            "{refusal}"
        );
    }
}
