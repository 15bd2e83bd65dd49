//! Reads a profile word by word for one call, with no thought of speed.

use super::interpreter::Call;
use hull_bpf::arch::Arch;
use hull_bpf::seccomp::{Action, Arg, Op, Profile, Rule};
use hull_bpf::syscalls::Syscall;

const X32_BIT: u32 = 1 << 30;
pub(crate) const ENOSYS: u32 = 0x0005_0026;

const THROUGH_SOCKETCALL: [&str; 20] = [
    "socket",
    "bind",
    "connect",
    "listen",
    "accept",
    "getsockname",
    "getpeername",
    "socketpair",
    "send",
    "recv",
    "sendto",
    "recvfrom",
    "shutdown",
    "setsockopt",
    "getsockopt",
    "sendmsg",
    "recvmsg",
    "accept4",
    "recvmmsg",
    "sendmmsg",
];
const THROUGH_IPC: [(&str, u64); 12] = [
    ("semop", 1),
    ("semget", 2),
    ("semctl", 3),
    ("semtimedop", 4),
    ("msgsnd", 11),
    ("msgrcv", 12),
    ("msgget", 13),
    ("msgctl", 14),
    ("shmat", 21),
    ("shmdt", 22),
    ("shmget", 23),
    ("shmctl", 24),
];
const MULTIPLEXING: [Arch; 11] = [
    Arch::X86,
    Arch::Mips,
    Arch::Mipsel,
    Arch::Ppc,
    Arch::Ppc64,
    Arch::Ppc64Le,
    Arch::S390,
    Arch::S390X,
    Arch::M68k,
    Arch::Sh,
    Arch::Sheb,
];

pub(crate) fn answer(action: Action, errno: Option<u32>) -> u32 {
    let errno = errno.unwrap_or(1);
    match action {
        Action::KillProcess => 0x8000_0000,
        Action::KillThread => 0,
        Action::Trap => 0x0003_0000,
        Action::Errno => 0x0005_0000 + errno,
        Action::Notify => 0x7fc0_0000,
        Action::Trace => 0x7ff0_0000 + errno,
        Action::Log => 0x7ffc_0000,
        Action::Allow => 0x7fff_0000,
    }
}

/// Which of the profile's architectures made the call.
pub(crate) fn arch_of(profile: &Profile, native: Arch, call: &Call) -> Option<Arch> {
    let listed = |arch| arch == native || profile.architectures.contains(&arch);
    let arch = match call.arch {
        Arch::X86_64 | Arch::X32 if call.number >= X32_BIT => Arch::X32,
        Arch::X86_64 | Arch::X32 => Arch::X86_64,
        other => other,
    };
    listed(arch).then_some(arch)
}

/// Past the newest call that the profile names, as runc has it.
pub(crate) fn is_newer(profile: &Profile, arch: Arch, number: u32) -> bool {
    if matches!(
        profile.default_action,
        Action::Allow | Action::Log | Action::Trace
    ) {
        return false;
    }
    let private = |number: u32| arch == Arch::Arm && number >= 0xf_0000;
    let mut named: Vec<u32> = Vec::new();
    for name in profile.rules.iter().flat_map(|rule| &rule.names) {
        named.extend(Syscall::named(name).and_then(|call| call.number(arch)));
        if let Some((through, _)) = multiplexed(arch, name) {
            named.extend(through.number(arch));
        }
    }
    let newest = named
        .into_iter()
        .filter(|n| private(*n) == private(number))
        .max();
    let setup = matches!(arch, Arch::S390 | Arch::S390X) && number == 0;
    newest.is_some_and(|newest| number > newest || setup)
}

fn multiplexed(arch: Arch, name: &str) -> Option<(Syscall, u64)> {
    if !MULTIPLEXING.contains(&arch) {
        return None;
    }
    let through = |name| Syscall::named(name).unwrap();
    if let Some(position) = THROUGH_SOCKETCALL.iter().position(|known| *known == name) {
        return Some((through("socketcall"), u64::try_from(position).unwrap() + 1));
    }
    let (_, operation) = THROUGH_IPC.iter().find(|(known, _)| *known == name)?;
    Some((through("ipc"), *operation))
}

fn holds(arch: Arch, arg: &Arg, call: &Call) -> bool {
    let narrow = arch.audit() & 0x8000_0000 == 0
        || matches!(arch, Arch::X32 | Arch::Mips64N32 | Arch::Mipsel64N32);
    let cut = |value: u64| if narrow { value & 0xffff_ffff } else { value };
    let (given, value) = (
        cut(call.args[usize::try_from(arg.index).unwrap()]),
        cut(arg.value),
    );
    match arg.op {
        Op::NotEqual => given != value,
        Op::Less => given < value,
        Op::LessOrEqual => given <= value,
        Op::Equal => given == value,
        Op::GreaterOrEqual => given >= value,
        Op::Greater => given > value,
        Op::MaskedEqual => given & value == cut(arg.value_two) & value,
    }
}

/// The rule's conditions as alternatives, each a list of which all must hold.
pub(crate) fn alternatives(rule: &Rule) -> Vec<Vec<Arg>> {
    let mut indexes: Vec<_> = rule.args.iter().map(|arg| arg.index).collect();
    indexes.sort_unstable();
    if indexes.windows(2).any(|pair| pair[0] == pair[1]) {
        rule.args.iter().map(|arg| vec![*arg]).collect()
    } else {
        vec![rule.args.clone()]
    }
}

/// How a rule came to speak about a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hit {
    /// By number, without conditions.
    Always,
    /// By number, with conditions that hold.
    Checked,
    /// Through a multiplexer, without further conditions.
    Operation,
    /// Through a multiplexer, with conditions that hold.
    CheckedOperation,
}

fn matches(arch: Arch, name: &str, args: &[Arg], call: &Call) -> Option<Hit> {
    let direct = Syscall::named(name)?.number(arch) == Some(call.number);
    if direct && args.iter().all(|arg| holds(arch, arg, call)) {
        return Some(if args.is_empty() {
            Hit::Always
        } else {
            Hit::Checked
        });
    }
    let (through, operation) = multiplexed(arch, name)?;
    let operation = Arg {
        index: 0,
        value: operation,
        value_two: 0,
        op: Op::Equal,
    };
    let rest = args.iter().filter(|arg| arg.index != 0);
    let hit = through.number(arch) == Some(call.number)
        && rest.chain([&operation]).all(|arg| holds(arch, arg, call));
    hit.then_some(if args.is_empty() {
        Hit::Operation
    } else {
        Hit::CheckedOperation
    })
}

/// The first rule without conditions, else the strictest of those that hold.
fn decide(mut hits: Vec<(Hit, u32)>) -> Option<u32> {
    if let Some((_, answer)) = hits.iter().find(|(hit, _)| *hit == Hit::Always) {
        return Some(*answer);
    }
    if let Some(first) = hits.iter().position(|(hit, _)| *hit == Hit::Operation) {
        let positions = 0..hits.len();
        let kept = positions.filter(|at| *at == first || hits[*at].0 == Hit::Checked);
        hits = kept.map(|at| hits[at]).collect();
    }
    let action = |answer: u32| (answer >> 16 << 16).cast_signed();
    hits.iter()
        .min_by_key(|(_, answer)| action(*answer))
        .map(|(_, answer)| *answer)
}

pub(crate) fn evaluate(profile: &Profile, native: Arch, call: &Call) -> u32 {
    let default = answer(profile.default_action, profile.default_errno);
    let Some(arch) = arch_of(profile, native, call) else {
        let skipped = call.arch.audit() == Arch::X86_64.audit() && call.number == u32::MAX;
        return if skipped { default } else { 0 };
    };
    if is_newer(profile, arch, call.number) {
        return ENOSYS;
    }
    let mut hits = Vec::new();
    for rule in &profile.rules {
        let answer = answer(rule.action, rule.errno_ret);
        for args in alternatives(rule) {
            for name in &rule.names {
                let hit = matches(arch, name, &args, call).filter(|_| answer != default);
                hits.extend(hit.map(|hit| (hit, answer)));
            }
        }
    }
    decide(hits).unwrap_or(default)
}
