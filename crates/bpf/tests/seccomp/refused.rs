//! Profiles that contradict themselves or the specification, and what is said about them.

use crate::profiles::engine;
use hull_bpf::arch::Arch;
use hull_bpf::seccomp::{Action, Arg, Op, Profile, Rule, compile};

fn rule(name: &str, action: Action) -> Rule {
    Rule {
        names: vec![name.to_owned()],
        action,
        errno_ret: None,
        args: Vec::new(),
    }
}

fn profile(default_action: Action, rules: Vec<Rule>) -> Profile {
    Profile {
        default_action,
        default_errno: None,
        architectures: Vec::new(),
        rules,
    }
}

fn refusal(profile: &Profile) -> String {
    compile(profile, Arch::X86_64).unwrap_err().to_string()
}

#[test]
fn notify_is_refused_where_loading_would_wait_for_its_listener() {
    assert_eq!(
        refusal(&profile(Action::Notify, vec![])),
        "SCMP_ACT_NOTIFY cannot be used as default action"
    );
    assert_eq!(
        refusal(&profile(Action::Allow, vec![rule("write", Action::Notify)])),
        "SCMP_ACT_NOTIFY cannot be used for the write syscall"
    );
    let allowed = profile(Action::Allow, vec![rule("openat", Action::Notify)]);
    assert!(allowed.notifies() && compile(&allowed, Arch::X86_64).is_ok());
}

#[test]
fn an_errno_belongs_to_errno_and_trace_only() {
    let with = |action, errno| Rule {
        errno_ret: Some(errno),
        ..rule("read", action)
    };
    let refused = |action, errno| refusal(&profile(Action::Log, vec![with(action, errno)]));
    assert_eq!(
        refused(Action::KillThread, 1),
        "seccomp action SCMP_ACT_KILL_THREAD takes no errno, but 1 is given"
    );
    assert_eq!(
        refused(Action::Errno, 4096),
        "seccomp action SCMP_ACT_ERRNO with errno 4096: 4095 is the highest"
    );
    assert_eq!(
        refused(Action::Trace, 0x1_0000),
        "seccomp action SCMP_ACT_TRACE with errno 65536: 65535 is the highest"
    );
    let by_default = Profile {
        default_errno: Some(1),
        ..profile(Action::Allow, vec![])
    };
    assert_eq!(
        refusal(&by_default),
        "seccomp action SCMP_ACT_ALLOW takes no errno, but 1 is given"
    );
}

#[test]
fn a_rule_names_a_syscall_and_one_of_six_arguments() {
    let nameless = Rule {
        names: vec![],
        ..rule("read", Action::Errno)
    };
    assert_eq!(
        refusal(&profile(
            Action::Allow,
            vec![rule("read", Action::Log), nameless]
        )),
        "seccomp rule 1 names no syscall"
    );
    let args = vec![Arg {
        index: 6,
        value: 0,
        value_two: 0,
        op: Op::Equal,
    }];
    let seventh = Rule {
        args,
        ..rule("read", Action::Errno)
    };
    assert_eq!(
        refusal(&profile(Action::Allow, vec![seventh])),
        "seccomp rule 0: argument index 6 is above 5"
    );
}

#[test]
fn an_architecture_of_the_other_byte_order_is_refused() {
    let profile = Profile {
        architectures: vec![Arch::S390X],
        ..engine("docker")
    };
    assert_eq!(
        refusal(&profile),
        "seccomp architecture SCMP_ARCH_S390X has not the byte order of SCMP_ARCH_X86_64"
    );
}

#[test]
fn more_conditions_than_the_kernel_takes_are_an_error() {
    let arg = |value| Arg {
        index: 0,
        value,
        value_two: 0,
        op: Op::Equal,
    };
    let args = (0..2000).map(arg).collect();
    let long = profile(
        Action::Allow,
        vec![Rule {
            args,
            ..rule("read", Action::Errno)
        }],
    );
    assert!(refusal(&long).ends_with("instructions, the kernel takes 4096"));
}
