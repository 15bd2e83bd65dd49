//! Runs classic BPF as the kernel does for seccomp, and refuses what its checker would.

use hull_bpf::arch::Arch;
use hull_bpf::seccomp::SockFilter;

/// One syscall as a filter sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call {
    pub(crate) arch: Arch,
    pub(crate) number: u32,
    pub(crate) args: [u64; 6],
}

/// The answer and how many instructions it took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) answer: u32,
    pub(crate) steps: usize,
}

pub(crate) fn is_big_endian(arch: Arch) -> bool {
    arch.audit() & 0x4000_0000 == 0
}

/// `struct seccomp_data` as 16 words of 32 bits.
fn words(call: &Call) -> [u32; 16] {
    let mut words = [0; 16];
    words[0] = call.number;
    words[1] = call.arch.audit();
    for (index, arg) in call.args.iter().enumerate() {
        let low = u32::try_from(arg & 0xffff_ffff).unwrap();
        let high = u32::try_from(arg >> 32).unwrap();
        let pair = if is_big_endian(call.arch) {
            [high, low]
        } else {
            [low, high]
        };
        words[4 + 2 * index..6 + 2 * index].copy_from_slice(&pair);
    }
    words
}

pub(crate) fn run(program: &[SockFilter], call: &Call) -> Outcome {
    let data = words(call);
    let (mut at, mut accumulator, mut steps) = (0_usize, 0_u32, 0);
    loop {
        let SockFilter { code, jt, jf, k } = program[at];
        steps += 1;
        at += 1;
        let branch = |holds: bool| usize::from(if holds { jt } else { jf });
        match code {
            0x20 => {
                assert_eq!(k % 4, 0);
                accumulator = data[usize::try_from(k / 4).unwrap()];
            }
            0x54 => accumulator &= k,
            0x05 => at += usize::try_from(k).unwrap(),
            0x15 => at += branch(accumulator == k),
            0x25 => at += branch(accumulator > k),
            0x35 => at += branch(accumulator >= k),
            0x45 => at += branch(accumulator & k != 0),
            0x06 => return Outcome { answer: k, steps },
            other => panic!("unknown operation {other:#x}"),
        }
    }
}
