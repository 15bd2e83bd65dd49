//! Seccomp profiles: the program answers as the profile reads, on every architecture of the host.

#[path = "../../../crates/bpf/tests/seccomp/interpreter.rs"]
mod interpreter;
#[path = "../../../crates/bpf/tests/seccomp/naive.rs"]
mod naive;

use arbitrary::{Result, Unstructured};
use hull_bpf::arch::Arch;
use hull_bpf::seccomp::{Action, Arg, CompileError, Op, Profile, Rule, RuleError, compile};
use hull_bpf::syscalls::Syscall;

use self::interpreter::Call;

/// Hosts, each with what its kernels can also run.
const HOSTS: [(Arch, &[Arch]); 13] = [
    (Arch::X86_64, &[Arch::X86, Arch::X32]),
    (Arch::Aarch64, &[Arch::Arm]),
    (Arch::Arm, &[]),
    (Arch::S390X, &[Arch::S390]),
    (Arch::Ppc64Le, &[]),
    (Arch::Ppc64, &[Arch::Ppc]),
    (Arch::Riscv64, &[]),
    (Arch::Loongarch64, &[]),
    (Arch::Mips64, &[Arch::Mips, Arch::Mips64N32]),
    (Arch::Mipsel64, &[Arch::Mipsel, Arch::Mipsel64N32]),
    (Arch::Parisc64, &[Arch::Parisc]),
    (Arch::M68k, &[]),
    (Arch::Sheb, &[]),
];

/// Calls that a compiler can get wrong: multiplexers and their operations, private numbers.
const TELLING: [&str; 14] = [
    "read",
    "socket",
    "semop",
    "shmctl",
    "socketcall",
    "ipc",
    "clone",
    "personality",
    "ptrace",
    "openat2",
    "set_tls",
    "breakpoint",
    "write",
    "no_such_call",
];

pub(crate) fn check(bytes: &[u8]) {
    let mut choices = Unstructured::new(bytes);
    let Ok((native, others)) = choices.choose(&HOSTS).copied() else {
        return;
    };
    let (Ok(args), Ok(profile)) = (args_of_calls(&mut choices), profile(&mut choices, others))
    else {
        return;
    };
    let program = match compile(&profile, native) {
        Ok(program) => program,
        Err(error) => return assert!(is_refusable(&profile, &error), "{error}: {profile:?}"),
    };
    assert!((1..=4096).contains(&program.len()));
    for arch in others.iter().chain([&native, &Arch::Riscv64]) {
        for number in numbers(&profile, *arch) {
            let call = |args: &[u64; 6]| Call {
                arch: *arch,
                number,
                args: *args,
            };
            for call in args.iter().map(call) {
                let expected = naive::evaluate(&profile, native, &call);
                let found = interpreter::run(&program, &call).answer;
                assert_eq!(found, expected, "{call:x?} of {profile:?}");
            }
        }
    }
}

fn is_refusable(profile: &Profile, error: &CompileError) -> bool {
    let mut rules = profile.rules.iter();
    match error {
        CompileError::TooLong { insns } => *insns > 4096 && profile.rules.len() > 20,
        CompileError::ByteOrder { .. } => false,
        CompileError::Rule(RuleError::NotifyByDefault) => profile.default_action == Action::Notify,
        CompileError::Rule(RuleError::NotifyOnWrite) => rules.any(|rule| {
            rule.action == Action::Notify && rule.names.iter().any(|name| name == "write")
        }),
        CompileError::Rule(RuleError::NoNames { rule }) => profile.rules[*rule].names.is_empty(),
        CompileError::Rule(RuleError::NoSuchArgument { rule, index }) => {
            *index > 5
                && profile.rules[*rule]
                    .args
                    .iter()
                    .any(|arg| arg.index == *index)
        }
        CompileError::Rule(
            RuleError::UnwantedErrno { errno, .. } | RuleError::ErrnoTooHigh { errno, .. },
        ) => {
            profile.default_errno == Some(*errno)
                || rules.any(|rule| rule.errno_ret == Some(*errno))
        }
    }
}

fn profile(choices: &mut Unstructured<'_>, others: &[Arch]) -> Result<Profile> {
    let default_action = action(choices)?;
    let default_errno = errno(choices, default_action)?;
    let mut architectures = others.to_vec();
    architectures.retain(|_| choices.ratio(1, 2).unwrap_or_default());
    let mut rules = Vec::new();
    while !choices.is_empty() && rules.len() < 200 {
        rules.push(rule(choices)?);
    }
    Ok(Profile {
        default_action,
        default_errno,
        architectures,
        rules,
    })
}

fn action(choices: &mut Unstructured<'_>) -> Result<Action> {
    Ok(choices.choose(&Action::NAMES)?.1)
}

/// Mostly one that the action takes.
fn errno(choices: &mut Unstructured<'_>, action: Action) -> Result<Option<u32>> {
    let takes = matches!(action, Action::Errno | Action::Trace);
    Ok(match choices.int_in_range(0..=20)? {
        0 => Some(choices.arbitrary()?),
        1..=8 if takes => Some(choices.int_in_range(0..=4095)?),
        _ => None,
    })
}

fn rule(choices: &mut Unstructured<'_>) -> Result<Rule> {
    let action = action(choices)?;
    let names = (0..choices.int_in_range(0..=3)?)
        .map(|_| name(choices))
        .collect::<Result<Vec<_>>>()?;
    let args = (0..choices.int_in_range(0..=3)?)
        .map(|_| arg(choices))
        .collect::<Result<_>>()?;
    Ok(Rule {
        names,
        action,
        errno_ret: errno(choices, action)?,
        args,
    })
}

fn name(choices: &mut Unstructured<'_>) -> Result<String> {
    if choices.ratio(2, 3)? {
        return Ok((*choices.choose(&TELLING)?).to_owned());
    }
    let number = choices.choose_index(Syscall::COUNT)?;
    Ok(Syscall::all()
        .nth(number)
        .map_or("", Syscall::name)
        .to_owned())
}

fn arg(choices: &mut Unstructured<'_>) -> Result<Arg> {
    Ok(Arg {
        index: choices.int_in_range(0..=6)?,
        value: value(choices)?,
        value_two: value(choices)?,
        op: choices.choose(&Op::NAMES)?.1,
    })
}

/// The halves of a number are compared one by one.
fn value(choices: &mut Unstructured<'_>) -> Result<u64> {
    let mut half = || -> Result<u64> {
        Ok(match choices.int_in_range(0..=5)? {
            0 | 1 => 0,
            2 => choices.int_in_range(0..=25)?,
            3 => 0xffff_ffff,
            4 => 0x8000_0000,
            _ => u64::from(choices.arbitrary::<u32>()?),
        })
    };
    Ok(half()? << 32 | half()?)
}

fn args_of_calls(choices: &mut Unstructured<'_>) -> Result<Vec<[u64; 6]>> {
    let mut calls = vec![[0; 6]];
    for _ in 0..4 {
        let mut args = [0; 6];
        for arg in &mut args {
            *arg = value(choices)?;
        }
        calls.push(args);
    }
    Ok(calls)
}

/// All numbers that the profile speaks about, their neighbours, and the edges.
fn numbers(profile: &Profile, arch: Arch) -> Vec<u32> {
    let mut numbers = vec![
        0,
        0x3fff_ffff,
        0x4000_0000,
        0xf_0000,
        u32::MAX - 1,
        u32::MAX,
    ];
    let named = profile
        .rules
        .iter()
        .flat_map(|rule| &rule.names)
        .map(String::as_str);
    for name in named.chain(["socketcall", "ipc"]).take(40) {
        let number = Syscall::named(name).and_then(|call| call.number(arch));
        numbers.extend(
            number
                .iter()
                .flat_map(|number| [number.saturating_sub(1), *number, number + 1]),
        );
    }
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}
