//! Random profiles: the program answers every interesting call as the naive reading does.

use crate::interpreter::{Call, run};
use crate::naive;
use hull_bpf::arch::Arch;
use hull_bpf::seccomp::{Action, Arg, Op, Profile, Rule, compile};
use hull_bpf::syscalls::Syscall;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// Hosts, each with what its kernels can also run.
pub(crate) const HOSTS: &[(Arch, &[Arch])] = &[
    (Arch::X86_64, &[Arch::X86, Arch::X32]),
    (Arch::Aarch64, &[Arch::Arm]),
    (Arch::S390X, &[Arch::S390]),
    (Arch::Ppc64Le, &[]),
    (Arch::Ppc64, &[Arch::Ppc]),
    (Arch::Riscv64, &[]),
    (Arch::Loongarch64, &[]),
    (Arch::Mips64, &[Arch::Mips, Arch::Mips64N32]),
    (Arch::Mipsel64, &[Arch::Mipsel, Arch::Mipsel64N32]),
    (Arch::Parisc64, &[Arch::Parisc]),
    (Arch::M68k, &[]),
];

const NAMES: &[&str] = &[
    "read",
    "write",
    "close",
    "socket",
    "listen",
    "semop",
    "shmctl",
    "clone",
    "personality",
    "socketcall",
    "ipc",
    "ptrace",
    "openat2",
    "set_tls",
    "breakpoint",
    "not_a_syscall",
];

pub(crate) const VALUES: &[u64] = &[
    0,
    1,
    2,
    4,
    5,
    24,
    0xff,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    0x1_0000_0000,
    0x1_0000_0005,
    0x5_0000_0001,
    0x8000_0000_0000_0000,
    u64::MAX - 1,
    u64::MAX,
];

fn actions() -> impl Strategy<Value = Action> {
    select(Action::NAMES.map(|(_, action)| action).to_vec())
}

fn args() -> impl Strategy<Value = Vec<Arg>> {
    let ops = select(Op::NAMES.map(|(_, op)| op).to_vec());
    let arg = (0_u32..3, select(VALUES), select(VALUES), ops).prop_map(
        |(index, value, value_two, op)| Arg {
            index,
            value,
            value_two,
            op,
        },
    );
    prop_oneof![2 => Just(Vec::new()), 3 => vec(arg, 1..4)]
}

fn errno(action: Action, errno: Option<u32>) -> Option<u32> {
    errno.filter(|_| matches!(action, Action::Errno | Action::Trace))
}

fn rule() -> impl Strategy<Value = Rule> {
    let names = vec(select(NAMES).prop_map(str::to_owned), 1..4);
    (names, actions(), proptest::option::of(1_u32..50), args())
        .prop_map(|(names, action, number, args)| Rule {
            names,
            action,
            errno_ret: errno(action, number),
            args,
        })
        .prop_filter("refused", |rule| {
            rule.action != Action::Notify || !rule.names.contains(&"write".to_owned())
        })
}

pub(crate) fn profile() -> impl Strategy<Value = (Arch, Profile)> {
    let default = actions().prop_filter("refused", |action| *action != Action::Notify);
    let host = select(HOSTS).prop_flat_map(|(native, others)| {
        (
            Just(native),
            proptest::sample::subsequence(others, 0..=others.len()),
        )
    });
    (
        host,
        default,
        proptest::option::of(1_u32..50),
        vec(rule(), 0..8),
    )
        .prop_map(|((native, architectures), default_action, number, rules)| {
            let default_errno = errno(default_action, number);
            (
                native,
                Profile {
                    default_action,
                    default_errno,
                    architectures,
                    rules,
                },
            )
        })
}

/// Numbers around everything a profile of `NAMES` can speak about.
fn numbers(arch: Arch) -> Vec<u32> {
    let mut numbers = vec![
        0,
        0x3fff_ffff,
        0x4000_0000,
        0x4000_0300,
        u32::MAX - 1,
        u32::MAX,
    ];
    for number in NAMES
        .iter()
        .filter_map(|name| Syscall::named(name)?.number(arch))
    {
        numbers.extend([number.saturating_sub(1), number, number + 1]);
    }
    numbers
}

pub(crate) fn calls(native: Arch) -> Vec<(Arch, u32)> {
    let (_, others) = HOSTS.iter().find(|(host, _)| *host == native).unwrap();
    let all = others.iter().chain([&native, &Arch::Sh]);
    all.flat_map(|arch| numbers(*arch).into_iter().map(|number| (*arch, number)))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]
    #[test]
    fn the_program_answers_as_the_profile_reads(
        (native, profile) in profile(),
        args in vec([select(VALUES), select(VALUES), select(VALUES)], 12),
    ) {
        let program = compile(&profile, native).unwrap();
        for (arch, number) in calls(native) {
            for [a, b, c] in &args {
                let call = Call { arch, number, args: [*a, *b, *c, 0, 0, 0] };
                let expected = naive::evaluate(&profile, native, &call);
                let found = run(&program, &call).answer;
                prop_assert_eq!(found, expected, "{:x?} instead of {:x} for {:x?}", found, expected, call);
            }
        }
    }
}
