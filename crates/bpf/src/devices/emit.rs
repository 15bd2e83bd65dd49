//! Turns simplified rules into eBPF.
//!
//! The program walks the rules from the last to the first and keeps in one register the
//! access bits that nothing has decided yet: an allow rule clears its bits and accepts once
//! none is left, a deny rule refuses when one of its bits is. Only instructions of Linux 4.15
//! are used, and no block is emitted that nothing reaches, because the verifier refuses both.

use super::simplify::{Simplified, simplify};
use super::{Access, DeviceKind, DeviceRule};

/// The kernel's limit on a program that needs no loop analysis (`BPF_MAXINSNS`).
const MAX_INSNS: usize = 4096;

// Registers: r1 is the context (struct bpf_cgroup_dev_ctx), r0 the verdict.
const R0: u8 = 0;
const CTX: u8 = 1;
const KIND: u8 = 2;
const ACCESS: u8 = 3;
const MAJOR: u8 = 4;
const MINOR: u8 = 5;

pub(super) const LDX_W: u8 = 0x61;
pub(super) const MOV_X: u8 = 0xbf;
pub(super) const MOV_K: u8 = 0xb7;
pub(super) const AND_K: u8 = 0x57;
pub(super) const RSH_K: u8 = 0x77;
pub(super) const JEQ_K: u8 = 0x15;
pub(super) const JNE_K: u8 = 0x55;
pub(super) const JSET_K: u8 = 0x45;
pub(super) const EXIT: u8 = 0x95;

const DEV_BLOCK: i32 = 1;
const DEV_CHAR: i32 = 2;

/// Why no program can be made.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum DevicesError {
    /// The rules need more instructions than the kernel takes.
    #[error(
        "compile device rules: {rules} rules need {insns} instructions, the kernel takes {MAX_INSNS}"
    )]
    TooLong {
        /// Rules given.
        rules: usize,
        /// Instructions they would need.
        insns: usize,
    },
}

/// One eBPF instruction, as `struct bpf_insn` has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Insn {
    /// Operation.
    pub code: u8,
    /// Destination register.
    pub dst: u8,
    /// Source register.
    pub src: u8,
    /// Jump distance, or offset in memory.
    pub off: i16,
    /// Immediate operand.
    pub imm: i32,
}

impl Insn {
    /// The eight bytes the kernel reads, in the byte order of this host.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 8] {
        // The two registers are bit fields, which the C ABI fills from the low end of the
        // byte on little-endian machines and from the high end on big-endian ones.
        let registers = if cfg!(target_endian = "little") {
            self.src << 4 | self.dst
        } else {
            self.dst << 4 | self.src
        };
        let [off0, off1] = self.off.to_ne_bytes();
        let [imm0, imm1, imm2, imm3] = self.imm.to_ne_bytes();
        [self.code, registers, off0, off1, imm0, imm1, imm2, imm3]
    }
}

/// The program for these rules, in listed order; an empty list denies every device.
pub fn compile(rules: &[DeviceRule]) -> Result<Vec<Insn>, DevicesError> {
    let Simplified {
        default_allow,
        last_first,
    } = simplify(rules);
    let mut program = Program::default();
    if !last_first.is_empty() {
        program.prologue();
    }
    for rule in &last_first {
        program.rule(rule);
    }
    program.verdicts(default_allow);
    let insns = program.insns.len();
    if insns > MAX_INSNS {
        return Err(DevicesError::TooLong {
            rules: rules.len(),
            insns,
        });
    }
    Ok(program.insns)
}

#[derive(Default)]
struct Program {
    insns: Vec<Insn>,
    /// Jumps to the verdict that is not the default; resolved at the end.
    to_accept: Vec<usize>,
    to_refuse: Vec<usize>,
}

impl Program {
    /// Splits the context into registers: { access << 16 | kind, major, minor }.
    fn prologue(&mut self) {
        self.from(LDX_W, KIND, CTX, 0);
        self.from(MOV_X, ACCESS, KIND, 0);
        self.push(RSH_K, ACCESS, 16);
        self.push(AND_K, KIND, 0xffff);
        self.from(LDX_W, MAJOR, CTX, 4);
        self.from(LDX_W, MINOR, CTX, 8);
    }

    fn rule(&mut self, rule: &DeviceRule) {
        let mut misses = Vec::new();
        match rule.kind {
            DeviceKind::All => {}
            DeviceKind::Char => misses.push(self.push(JNE_K, KIND, DEV_CHAR)),
            DeviceKind::Block => misses.push(self.push(JNE_K, KIND, DEV_BLOCK)),
        }
        for (register, number) in [(MAJOR, rule.major), (MINOR, rule.minor)] {
            if let Some(number) = number {
                misses.push(self.push(JNE_K, register, number.cast_signed()));
            }
        }
        self.decide(rule.allow, rule.access);
        for miss in misses {
            self.land(miss);
        }
    }

    fn decide(&mut self, allow: bool, access: Access) {
        let bits = i32::from(access.bits());
        if allow {
            self.push(AND_K, ACCESS, i32::from(Access::ALL.bits()) & !bits);
            let jump = self.push(JEQ_K, ACCESS, 0);
            self.to_accept.push(jump);
        } else {
            let jump = self.push(JSET_K, ACCESS, bits);
            self.to_refuse.push(jump);
        }
    }

    fn verdicts(&mut self, default_allow: bool) {
        let accept = std::mem::take(&mut self.to_accept);
        let refuse = std::mem::take(&mut self.to_refuse);
        let (same, other) = if default_allow {
            (accept, refuse)
        } else {
            (refuse, accept)
        };
        self.verdict(default_allow, &same);
        if !other.is_empty() {
            self.verdict(!default_allow, &other);
        }
    }

    fn verdict(&mut self, allow: bool, jumps: &[usize]) {
        for jump in jumps {
            self.land(*jump);
        }
        self.push(MOV_K, R0, i32::from(allow));
        self.push(EXIT, 0, 0);
    }

    fn from(&mut self, code: u8, dst: u8, src: u8, off: i16) {
        self.insns.push(Insn {
            code,
            dst,
            src,
            off,
            imm: 0,
        });
    }

    /// Returns where the instruction stands, for `land`.
    fn push(&mut self, code: u8, dst: u8, imm: i32) -> usize {
        self.insns.push(Insn {
            code,
            dst,
            src: 0,
            off: 0,
            imm,
        });
        self.insns.len() - 1
    }

    /// Makes the jump at `from` go to the next instruction. A distance that does not fit
    /// belongs to a program past `MAX_INSNS`, which `compile` refuses.
    fn land(&mut self, from: usize) {
        let distance = self.insns.len() - from - 1;
        self.insns[from].off = i16::try_from(distance).unwrap_or(i16::MAX);
    }
}
