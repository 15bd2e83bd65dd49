//! The same profile given to libseccomp, as runc would: both programs answer alike.
//!
//! `cargo test -p hull-bpf --features differential`; needs libseccomp 2.6 or later, found by
//! the linker or in `LIBSECCOMP_LIB_PATH`. What runc adds itself (`ENOSYS` for newer calls) is
//! taken from the naive reading. Where clauses with conditions contradict each other
//! libseccomp answers by the shape of its tree, so random profiles avoid that.

use crate::interpreter::{Call, is_big_endian, run};
use crate::naive;
use crate::profiles::{ENGINES, engine};
use crate::random::{HOSTS, VALUES, calls, profile};
use hull_bpf::arch::Arch;
use hull_bpf::seccomp::{Action, Arg, Op, Profile, SockFilter, compile};
use hull_bpf::syscalls::Syscall;
use libseccomp::{ScmpAction, ScmpArch, ScmpArgCompare, ScmpCompareOp, ScmpFilterContext};
use libseccomp::{ScmpSyscall, error::SeccompErrno};
use proptest::prelude::*;
use proptest::sample::select;
use std::io::{Read, Seek};
use std::str::FromStr;

fn action(action: Action, errno: Option<u32>) -> ScmpAction {
    let errno = errno.unwrap_or(1);
    match action {
        Action::KillProcess => ScmpAction::KillProcess,
        Action::KillThread => ScmpAction::KillThread,
        Action::Trap => ScmpAction::Trap,
        Action::Errno => ScmpAction::Errno(errno.cast_signed()),
        Action::Notify => ScmpAction::Notify,
        Action::Trace => ScmpAction::Trace(u16::try_from(errno).unwrap()),
        Action::Log => ScmpAction::Log,
        Action::Allow => ScmpAction::Allow,
    }
}

fn arch(arch: Arch) -> ScmpArch {
    ScmpArch::from_str(arch.name()).unwrap()
}

fn compare(arg: &Arg) -> ScmpArgCompare {
    let (op, value) = match arg.op {
        Op::NotEqual => (ScmpCompareOp::NotEqual, arg.value),
        Op::Less => (ScmpCompareOp::Less, arg.value),
        Op::LessOrEqual => (ScmpCompareOp::LessOrEqual, arg.value),
        Op::Equal => (ScmpCompareOp::Equal, arg.value),
        Op::GreaterOrEqual => (ScmpCompareOp::GreaterEqual, arg.value),
        Op::Greater => (ScmpCompareOp::Greater, arg.value),
        Op::MaskedEqual => (ScmpCompareOp::MaskedEqual(arg.value), arg.value_two),
    };
    ScmpArgCompare::new(arg.index, op, value)
}

/// What runc makes of a profile, without its own addition; nothing where libseccomp refuses.
fn libseccomp(profile: &Profile, native: Arch) -> Option<Vec<SockFilter>> {
    let default = action(profile.default_action, profile.default_errno);
    let mut context = ScmpFilterContext::new(default).unwrap();
    context.set_ctl_optimize(2).unwrap();
    if native != Arch::X86_64 {
        context.remove_arch(ScmpArch::Native).unwrap();
    }
    for listed in [native].iter().chain(&profile.architectures) {
        context.add_arch(arch(*listed)).unwrap();
    }
    for rule in &profile.rules {
        let action = action(rule.action, rule.errno_ret);
        if action == default {
            continue;
        }
        for name in &rule.names {
            let Ok(call) = ScmpSyscall::from_name(name) else {
                continue;
            };
            for args in naive::alternatives(rule) {
                let args: Vec<_> = args.iter().map(compare).collect();
                if let Err(error) = context.add_rule_conditional(action, call, &args) {
                    assert_eq!(error.errno(), Some(SeccompErrno::EEXIST));
                    return None;
                }
            }
        }
    }
    Some(export(&context, native))
}

fn export(context: &ScmpFilterContext, native: Arch) -> Vec<SockFilter> {
    let mut file = tempfile::tempfile().unwrap();
    context.export_bpf(&file).unwrap();
    file.rewind().unwrap();
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).unwrap();
    // libseccomp writes for the machine that will run the filter.
    let order = is_big_endian(native);
    let filter = |insn: &[u8]| {
        let (code, k) = (insn[..2].try_into().unwrap(), insn[4..].try_into().unwrap());
        let (code, k) = if order {
            (u16::from_be_bytes(code), u32::from_be_bytes(k))
        } else {
            (u16::from_le_bytes(code), u32::from_le_bytes(k))
        };
        let k = if code == 0x06 { an_answer(k) } else { k };
        SockFilter {
            code,
            jt: insn[2],
            jf: insn[3],
            k,
        }
    };
    bytes.chunks_exact(8).map(filter).collect()
}

/// For the other byte order libseccomp swaps some answers and leaves others as they are.
fn an_answer(k: u32) -> u32 {
    let known = [0x8000, 0x0003, 0x0005, 0x7fc0, 0x7ff0, 0x7ffc, 0x7fff];
    if k == 0 || known.contains(&(k >> 16)) {
        k
    } else {
        k.swap_bytes()
    }
}

fn expected(theirs: &[SockFilter], profile: &Profile, native: Arch, call: &Call) -> u32 {
    match naive::arch_of(profile, native, call) {
        Some(arch) if naive::is_newer(profile, arch, call.number) => naive::ENOSYS,
        _ => run(theirs, call).answer,
    }
}

#[test]
fn every_syscall_of_every_architecture_is_answered_as_by_runc() {
    for (name, _) in ENGINES {
        for (native, others) in HOSTS {
            let profile = Profile {
                architectures: others.to_vec(),
                ..engine(name)
            };
            let ours = compile(&profile, *native).unwrap();
            let theirs = libseccomp(&profile, *native).unwrap();
            for arch in others.iter().chain([native, &Arch::Sh]) {
                let known = Syscall::all().filter_map(|call| call.number(*arch));
                for number in known.chain([0, 600, 5600, u32::MAX]) {
                    for first in VALUES
                        .iter()
                        .copied()
                        .chain([8, 16, 40, 0x2_0000, 0x7e02_0000])
                    {
                        let call = Call {
                            arch: *arch,
                            number,
                            args: [first, 1, 9, 0, 0, 0],
                        };
                        let expected = expected(&theirs, &profile, *native, &call);
                        assert_eq!(run(&ours, &call).answer, expected, "{name} {call:x?}");
                    }
                }
            }
        }
    }
}

#[test]
fn names_have_the_numbers_libseccomp_gives_them() {
    for (_, ours) in Arch::NAMES {
        for call in Syscall::all() {
            let Ok(theirs) = ScmpSyscall::from_name_by_arch(call.name(), arch(ours)) else {
                continue;
            };
            // Calls it may route through socketcall or ipc have a negative number there.
            if let Ok(theirs) = u32::try_from(i32::from(theirs)) {
                assert_eq!(
                    call.number(ours),
                    Some(theirs),
                    "{} on {ours:?}",
                    call.name()
                );
            }
        }
    }
}

/// One clause with conditions for a syscall, and one condition for an argument; none for the
/// multiplexers, which the clauses about `socket` and `semop` speak about too.
fn without_contradictions(mut profile: Profile) -> Profile {
    let mut conditional = vec!["socketcall".to_owned(), "ipc".to_owned()];
    for rule in profile
        .rules
        .iter_mut()
        .filter(|rule| !rule.args.is_empty())
    {
        rule.names.retain(|name| !conditional.contains(name));
        rule.names.dedup();
        conditional.extend(rule.names.iter().cloned());
        // An empty mask is no condition, and so contradicts rules without any.
        for arg in rule.args.iter_mut().filter(|arg| arg.op == Op::MaskedEqual) {
            arg.value |= 1;
        }
        rule.args.sort_by_key(|arg| arg.index);
        rule.args.dedup_by_key(|arg| arg.index);
    }
    profile.rules.retain(|rule| !rule.names.is_empty());
    profile
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, max_global_rejects: 20_000, ..ProptestConfig::with_cases(1000) })]
    #[test]
    fn random_profiles_are_answered_as_by_runc(
        (native, profile) in profile(),
        args in proptest::collection::vec([select(VALUES), select(VALUES), select(VALUES)], 12),
    ) {
        let profile = without_contradictions(profile);
        let ours = compile(&profile, native).unwrap();
        let theirs = libseccomp(&profile, native);
        prop_assume!(theirs.is_some());
        let theirs = theirs.unwrap();
        for (arch, number) in calls(native) {
            for [a, b, c] in &args {
                let call = Call { arch, number, args: [*a, *b, *c, 0, 0, 0] };
                let expected = expected(&theirs, &profile, native, &call);
                let found = run(&ours, &call).answer;
                prop_assert_eq!(found, expected, "{:x} instead of {:x} for {:x?}", found, expected, call);
            }
        }
    }
}
