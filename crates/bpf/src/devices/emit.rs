//! Turns simplified rules into eBPF.
//!
//! The program walks the rules from the last to the first and keeps in one register the
//! access bits that nothing has decided yet: an allow rule clears its bits and accepts once
//! none is left, a deny rule refuses when one of its bits is. Kind and numbers stand in one
//! other register, `kind << 32 | major << 20 | minor`, so that a rule is one comparison: the
//! verifier follows every branch, and its work is most of what a container's filter costs.
//! Only instructions of Linux 4.15 are used, and no block is emitted that nothing reaches,
//! because the verifier refuses both.

use super::simplify::{HIGHEST_MAJOR, HIGHEST_MINOR, Simplified, simplify};
use super::{Access, DeviceKind, DeviceRule};

/// The kernel's limit on a program that needs no loop analysis (`BPF_MAXINSNS`).
const MAX_INSNS: usize = 4096;

// Registers: r1 is the context (struct bpf_cgroup_dev_ctx), r0 the verdict.
const R0: u8 = 0;
const CTX: u8 = 1;
const KEY: u8 = 2;
const ACCESS: u8 = 3;
const PART: u8 = 4;
const WANTED: u8 = 5;

const LD_DW: u8 = 0x18;
const LDX_W: u8 = 0x61;
const MOV_X: u8 = 0xbf;
const MOV_K: u8 = 0xb7;
const AND_K: u8 = 0x57;
const AND_X: u8 = 0x5f;
const OR_X: u8 = 0x4f;
const LSH_K: u8 = 0x67;
const RSH_K: u8 = 0x77;
const JEQ_K: u8 = 0x15;
const JNE_K: u8 = 0x55;
const JEQ_X: u8 = 0x1d;
const JNE_X: u8 = 0x5d;
const JSET_K: u8 = 0x45;
const EXIT: u8 = 0x95;

const DEV_BLOCK: u64 = 1;
const DEV_CHAR: u64 = 2;

// Where the parts of the key stand, and how wide they are: a dev_t has 12 bits of major and 20
// of minor.
const KIND_AT: u8 = 32;
const MAJOR_AT: u8 = 20;
const KIND_MASK: u64 = 0b11;
const MAJOR_MASK: u64 = HIGHEST_MAJOR as u64;
const MINOR_MASK: u64 = HIGHEST_MINOR as u64;
const WHOLE_KEY: u64 = KIND_MASK << KIND_AT | MAJOR_MASK << MAJOR_AT | MINOR_MASK;

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

#[derive(Clone, Copy, PartialEq, Eq)]
enum Jump {
    IfSame,
    IfOther,
}

#[derive(Default)]
struct Program {
    insns: Vec<Insn>,
    /// Jumps to the verdict that is not the default; resolved at the end.
    to_accept: Vec<usize>,
    to_refuse: Vec<usize>,
}

impl Program {
    /// The context is { access << 16 | kind, major, minor }.
    fn prologue(&mut self) {
        self.from(LDX_W, KEY, CTX, 0);
        self.from(MOV_X, ACCESS, KEY, 0);
        self.push(RSH_K, ACCESS, 16);
        self.push(AND_K, KEY, 0xffff);
        for (offset, width) in [(4, KIND_AT - MAJOR_AT), (8, MAJOR_AT)] {
            self.from(LDX_W, PART, CTX, offset);
            self.push(LSH_K, KEY, i32::from(width));
            self.from(OR_X, KEY, PART, 0);
        }
    }

    fn rule(&mut self, rule: &DeviceRule) {
        match self.subject(rule) {
            // What it matches is accepted at once: it decides every bit that is left.
            Some(subject) if rule.allow && rule.access == Access::ALL => {
                let jump = self.compare(Jump::IfSame, subject);
                self.to_accept.push(jump);
            }
            Some(subject) => {
                let miss = self.compare(Jump::IfOther, subject);
                self.decide(rule.allow, rule.access);
                self.land(miss);
            }
            None => self.decide(rule.allow, rule.access),
        }
    }

    /// A register with the parts of the key that the rule is about, and what they must be;
    /// `None` where it is about every device.
    fn subject(&mut self, rule: &DeviceRule) -> Option<(u8, u64)> {
        let kind = match rule.kind {
            DeviceKind::All => None,
            DeviceKind::Char => Some(DEV_CHAR),
            DeviceKind::Block => Some(DEV_BLOCK),
        };
        let parts = [
            (kind, KIND_AT, KIND_MASK),
            (rule.major.map(u64::from), MAJOR_AT, MAJOR_MASK),
            (rule.minor.map(u64::from), 0, MINOR_MASK),
        ];
        let (mut mask, mut wanted) = (0, 0);
        for (value, at, width) in parts {
            if let Some(value) = value {
                mask |= width << at;
                wanted |= value << at;
            }
        }
        match mask {
            0 => None,
            WHOLE_KEY => Some((KEY, wanted)),
            _ => {
                self.load(PART, mask);
                self.from(AND_X, PART, KEY, 0);
                Some((PART, wanted))
            }
        }
    }

    /// Jumps where the register holds this value, or where it does not; for `land`.
    fn compare(&mut self, jump: Jump, (register, wanted): (u8, u64)) -> usize {
        let (by_constant, by_register) = match jump {
            Jump::IfSame => (JEQ_K, JEQ_X),
            Jump::IfOther => (JNE_K, JNE_X),
        };
        if let Ok(wanted) = i32::try_from(wanted) {
            return self.push(by_constant, register, wanted);
        }
        self.load(WANTED, wanted);
        self.from(by_register, register, WANTED, 0);
        self.insns.len() - 1
    }

    /// A 64-bit constant, which takes the place of two instructions.
    fn load(&mut self, register: u8, value: u64) {
        let [low, high] = [value, value >> 32].map(|half| (half & 0xffff_ffff) as u32);
        self.push(LD_DW, register, low.cast_signed());
        self.push(0, 0, high.cast_signed());
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
