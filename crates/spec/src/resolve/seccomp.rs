//! `linux.seccomp`: the profile becomes a program here, outside of the container.
//!
//! What a profile means is said in `hull_bpf`; this is the way there and what belongs to loading:
//! flags, the moment, the listener.

use hull_bpf::{
    arch::Arch,
    seccomp::{Action, Arg, CompileError, Op, Profile, Rule, RuleError, SockFilter, compile},
};
use oci_spec::runtime::{LinuxSeccomp, LinuxSeccompArg, LinuxSeccompFilterFlag, LinuxSyscall};

use crate::plan::{BpfProgram, LoadMoment, Process, SeccompAgent, SeccompFilter};

use super::error::{At, Problem, ResolveError};
use super::{capabilities, path};

const LOG: u32 = 2;
const SPEC_ALLOW: u32 = 4;
const WAIT_KILLABLE_RECV: u32 = 32;

/// The flags of the specification.
pub(crate) const FLAGS: [&str; 4] = [
    "SECCOMP_FILTER_FLAG_LOG",
    "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
    "SECCOMP_FILTER_FLAG_TSYNC",
    "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV",
];

/// What init loads, and who gets the listener.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Seccomp {
    pub(super) filter: Option<SeccompFilter>,
    pub(super) agent: Option<SeccompAgent>,
}

pub(super) fn resolve(
    raw: Option<&LinuxSeccomp>,
    process: &Process,
) -> Result<Seccomp, ResolveError> {
    let Some(raw) = raw else {
        return Ok(Seccomp::default());
    };
    let at = At::new("/linux/seccomp");
    let profile = profile(raw, &at)?;
    let agent = agent(raw, profile.notifies(), &at)?;
    // A profile without rules that allows everything is none, to every runtime.
    if profile.default_action == Action::Allow && profile.rules.is_empty() {
        return Ok(Seccomp::default());
    }
    let native = Arch::native().ok_or_else(|| at.breaks("hull has no numbers of this machine"))?;
    let program = compile(&profile, native).map_err(|error| refuse(&error, &at))?;
    let filter = SeccompFilter {
        program: bytes(&program),
        flags: flags(raw.flags().as_deref(), agent.is_some()),
        moment: match agent {
            Some(_) => LoadMoment::WithListener,
            None => LoadMoment::BeforeExec,
        },
        keeps: match process.no_new_privileges {
            true => 0,
            false => capabilities::SYS_ADMIN,
        },
    };
    Ok(Seccomp {
        filter: Some(filter),
        agent,
    })
}

fn profile(raw: &LinuxSeccomp, at: &At<'_>) -> Result<Profile, ResolveError> {
    let architectures = raw.architectures().iter().flatten();
    let rules = raw.syscalls().iter().flatten();
    Ok(Profile {
        default_action: action(raw.default_action(), &at.member("/defaultAction"))?,
        default_errno: raw.default_errno_ret(),
        // SCMP_ARCH_NATIVE, which oci-spec knows, is there anyway.
        architectures: architectures
            .filter_map(|arch| Arch::parse(&arch.to_string()))
            .collect(),
        rules: rules
            .enumerate()
            .map(|(index, raw)| rule(raw, &at.member("/syscalls").index(index)))
            .collect::<Result<_, _>>()?,
    })
}

fn rule(raw: &LinuxSyscall, at: &At<'_>) -> Result<Rule, ResolveError> {
    let args = raw.args().iter().flatten().enumerate();
    Ok(Rule {
        names: raw.names().clone(),
        action: action(raw.action(), &at.member("/action"))?,
        errno_ret: raw.errno_ret(),
        args: args
            .map(|(index, raw)| arg(raw, &at.member("/args").index(index)))
            .collect::<Result<_, _>>()?,
    })
}

fn action(raw: impl ToString, at: &At<'_>) -> Result<Action, ResolveError> {
    let word = raw.to_string();
    Action::parse(&word).ok_or_else(|| at.wrong(&word, "is no action"))
}

fn arg(raw: &LinuxSeccompArg, at: &At<'_>) -> Result<Arg, ResolveError> {
    let word = raw.op().to_string();
    Ok(Arg {
        index: u32::try_from(raw.index()).unwrap_or(u32::MAX),
        value: raw.value(),
        value_two: raw.value_two().unwrap_or(0),
        op: Op::parse(&word).ok_or_else(|| at.member("/op").wrong(&word, "is no operator"))?,
    })
}

/// Where in the profile it is wrong, as far as the compiler says.
fn refuse(error: &CompileError, at: &At<'_>) -> ResolveError {
    let problem = Problem::Seccomp(error.to_string());
    match error {
        CompileError::Rule(RuleError::NotifyByDefault) => {
            at.member("/defaultAction").refuse(problem)
        }
        CompileError::Rule(
            RuleError::NoNames { rule } | RuleError::NoSuchArgument { rule, .. },
        ) => at.member("/syscalls").index(*rule).refuse(problem),
        _ => at.refuse(problem),
    }
}

/// `listenerPath` counts only where something asks (config-linux.md#seccomp).
fn agent(
    raw: &LinuxSeccomp,
    notifies: bool,
    at: &At<'_>,
) -> Result<Option<SeccompAgent>, ResolveError> {
    let metadata = raw.listener_metadata().clone();
    let listener = raw.listener_path().as_deref();
    let listener = listener.filter(|path| !path.as_os_str().is_empty());
    let Some(listener) = listener else {
        return match (notifies, metadata) {
            (true, _) => Err(at.breaks("SCMP_ACT_NOTIFY needs a listenerPath")),
            (false, Some(text)) if !text.is_empty() => Err(at
                .member("/listenerMetadata")
                .breaks("must not be set without listenerPath")),
            (false, _) => Ok(None),
        };
    };
    if !notifies {
        return Ok(None);
    }
    let path = path::absolute(&listener.to_string_lossy(), &at.member("/listenerPath"))?;
    Ok(Some(SeccompAgent { path, metadata }))
}

/// Without a word about flags the mitigation of speculative store bypass is left out, as runc and
/// crun do; an empty list is a word. TSYNC is about other threads: init has none. The last flag
/// is about waiting for an agent, and the kernel refuses it without a listener.
fn flags(given: Option<&[LinuxSeccompFilterFlag]>, listens: bool) -> u32 {
    let Some(given) = given else {
        return SPEC_ALLOW;
    };
    given.iter().fold(0, |flags, flag| {
        flags
            | match flag {
                LinuxSeccompFilterFlag::SeccompFilterFlagLog => LOG,
                LinuxSeccompFilterFlag::SeccompFilterFlagSpecAllow => SPEC_ALLOW,
                LinuxSeccompFilterFlag::SeccompFilterFlagWaitKillableRecv if listens => {
                    WAIT_KILLABLE_RECV
                }
                LinuxSeccompFilterFlag::SeccompFilterFlagTsync
                | LinuxSeccompFilterFlag::SeccompFilterFlagWaitKillableRecv => 0,
            }
    })
}

/// As `struct sock_filter` lies in memory.
fn bytes(program: &[SockFilter]) -> BpfProgram {
    let mut bytes = Vec::with_capacity(program.len() * 8);
    for one in program {
        bytes.extend_from_slice(&one.code.to_ne_bytes());
        bytes.extend_from_slice(&[one.jt, one.jf]);
        bytes.extend_from_slice(&one.k.to_ne_bytes());
    }
    BpfProgram(bytes)
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Scene;
    use super::*;

    const ASKS: &str = r#""defaultAction": "SCMP_ACT_ALLOW",
        "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_NOTIFY"}]"#;

    fn config(members: &str) -> String {
        format!(r#""linux": {{"seccomp": {{{members}}}}}"#)
    }

    fn seccomp(members: &str) -> Seccomp {
        let plan = Scene::v2().plan(&config(members));
        Seccomp {
            filter: plan.init.process.seccomp,
            agent: plan.host.seccomp_agent,
        }
    }

    #[test]
    fn a_profile_becomes_a_program_that_is_loaded_last() {
        let filter = seccomp(r#""defaultAction": "SCMP_ACT_ERRNO""#)
            .filter
            .unwrap();
        let (instructions, rest) = filter.program.0.as_chunks::<8>();
        assert!(instructions.len() > 2 && rest.is_empty());
        // ld [4]: what a filter looks at first is the architecture.
        assert_eq!(instructions[0], [0x20, 0, 0, 0, 4, 0, 0, 0]);
        assert_eq!(filter.moment, LoadMoment::BeforeExec);
        assert_eq!(filter.keeps, 1 << 21);
        let given = r#""process": {"noNewPrivileges": true}"#;
        let filtered = config(r#""defaultAction": "SCMP_ACT_ERRNO""#);
        let plan = Scene::v2().plan(&format!("{given}, {filtered}"));
        assert_eq!(plan.init.process.seccomp.unwrap().keeps, 0);
    }

    #[test]
    fn a_profile_that_lets_everything_through_without_a_rule_is_none() {
        let nothing = Seccomp::default();
        let default = r#""defaultAction": "SCMP_ACT_ALLOW""#;
        assert_eq!(seccomp(default), nothing);
        assert_eq!(
            seccomp(&format!(r#"{default}, "listenerPath": "/s""#)),
            nothing
        );
        let rules = r#""syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_ALLOW"}]"#;
        assert!(seccomp(&format!("{default}, {rules}")).filter.is_some());
    }

    #[test]
    fn flags_are_those_given_and_one_where_none_are() {
        let flags = |list: &str| {
            let members = format!(r#"{ASKS}, "listenerPath": "/s"{list}"#);
            seccomp(&members).filter.unwrap().flags
        };
        assert_eq!(flags(""), SPEC_ALLOW);
        assert_eq!(flags(r#", "flags": []"#), 0);
        let all: Vec<String> = FLAGS.iter().map(|flag| format!("{flag:?}")).collect();
        let all = all.join(", ");
        let every = LOG | SPEC_ALLOW | WAIT_KILLABLE_RECV;
        assert_eq!(flags(&format!(r#", "flags": [{all}]"#)), every);
        let deaf = format!(r#""defaultAction": "SCMP_ACT_LOG", "flags": [{all}]"#);
        assert_eq!(seccomp(&deaf).filter.unwrap().flags, LOG | SPEC_ALLOW);
    }

    #[test]
    fn a_listener_is_for_profiles_that_ask() {
        let asking = seccomp(&format!(
            r#"{ASKS}, "listenerPath": "/s", "listenerMetadata": "m""#
        ));
        assert_eq!(asking.filter.unwrap().moment, LoadMoment::WithListener);
        let agent = SeccompAgent {
            path: "/s".to_owned(),
            metadata: Some("m".to_owned()),
        };
        assert_eq!(asking.agent, Some(agent));
        let deaf = seccomp(r#""defaultAction": "SCMP_ACT_LOG", "listenerPath": "relative""#);
        assert_eq!(deaf.agent, None);
    }

    #[test]
    fn every_word_that_features_tells_is_taken() {
        for (name, arch) in Arch::NAMES {
            let members =
                format!(r#""defaultAction": "SCMP_ACT_LOG", "architectures": ["{name}"]"#);
            let native = Arch::native().unwrap();
            match compile(
                &Profile {
                    default_action: Action::Log,
                    default_errno: None,
                    architectures: vec![arch],
                    rules: vec![],
                },
                native,
            ) {
                Ok(program) => {
                    let filter = seccomp(&members).filter.unwrap();
                    assert_eq!(filter.program, bytes(&program), "{name}");
                }
                Err(error) => {
                    let refusal = Scene::v2().refusal(&config(&members));
                    assert_eq!(refusal, format!("/linux/seccomp: {error}"));
                }
            }
        }
        for (op, _) in Op::NAMES {
            let rule = format!(
                r#"{{"names": ["read"], "action": "SCMP_ACT_TRAP", "args": [{{"index": 0, "value": 1, "op": "{op}"}}]}}"#
            );
            let members = format!(r#""defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{rule}]"#);
            assert!(seccomp(&members).filter.is_some(), "{op}");
        }
        for (word, action) in Action::NAMES {
            let rule = format!(r#"{{"names": ["mkdir"], "action": "{word}"}}"#);
            let members = format!(
                r#""defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "/s", "syscalls": [{rule}]"#
            );
            let asks = seccomp(&members).agent.is_some();
            assert_eq!(asks, action == Action::Notify, "{word}");
        }
    }

    #[test]
    fn a_profile_that_cannot_be_is_refused() {
        let rule = |rule: &str| {
            config(&format!(
                r#""defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{{"names": ["read"], "action": "SCMP_ACT_LOG"}}, {{{rule}}}]"#
            ))
        };
        Scene::v2().refuses(&[
            (
                &config(r#""defaultAction": "SCMP_ACT_NOTIFY", "listenerPath": "/s""#),
                "/linux/seccomp/defaultAction: SCMP_ACT_NOTIFY cannot be used as default action",
            ),
            (
                &config(ASKS),
                "/linux/seccomp: SCMP_ACT_NOTIFY needs a listenerPath",
            ),
            (
                &config(&format!(r#"{ASKS}, "listenerPath": "s""#)),
                "/linux/seccomp/listenerPath: \"s\" must be absolute",
            ),
            (
                &config(r#""defaultAction": "SCMP_ACT_LOG", "listenerMetadata": "m""#),
                "/linux/seccomp/listenerMetadata: must not be set without listenerPath",
            ),
            (
                &rule(r#""names": [], "action": "SCMP_ACT_TRAP""#),
                "/linux/seccomp/syscalls/1: seccomp rule 1 names no syscall",
            ),
            (
                &rule(r#""names": ["read"], "action": "SCMP_ACT_TRAP", "args": [{"index": 6, "value": 0, "op": "SCMP_CMP_EQ"}]"#),
                "/linux/seccomp/syscalls/1: seccomp rule 1: argument index 6",
            ),
            (
                &rule(r#""names": ["read"], "action": "SCMP_ACT_TRAP", "errnoRet": 1"#),
                "/linux/seccomp: seccomp action SCMP_ACT_TRAP takes no errno",
            ),
            (
                &rule(r#""names": ["read"], "action": "SCMP_ACT_MAYBE""#),
                "/linux/seccomp/syscalls/1/action: unknown variant `SCMP_ACT_MAYBE`",
            ),
            (
                &config(r#""syscalls": []"#),
                "/linux/seccomp: missing field `defaultAction`",
            ),
        ]);
    }
}
