//! Runs the eBPF that the compiler emits, and refuses what the kernel's verifier would: unknown
//! operations, jumps out of the program, registers read before they are written, instructions
//! that nothing reaches.

use super::naive::Request;
use hull_bpf::devices::{DeviceKind, Insn};

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

/// The answer to one request.
pub(crate) fn run(program: &[Insn], request: &Request) -> bool {
    let kind = if request.kind == DeviceKind::Block {
        1
    } else {
        2
    };
    let mut machine = Machine {
        context: [
            u32::from(request.access.bits()) << 16 | kind,
            request.major,
            request.minor,
        ],
        registers: [None; 11],
    };
    let mut at = 0;
    loop {
        let insn = program[at];
        at += 1;
        match insn.code {
            EXIT => return machine.read(0) == 1,
            LD_DW => {
                let high = i64::from(program[at].imm) << 32;
                let low = i64::from(insn.imm.cast_unsigned());
                machine.registers[usize::from(insn.dst)] = Some((high | low).cast_unsigned());
                at += 1;
            }
            JEQ_K | JEQ_X | JNE_K | JNE_X | JSET_K if machine.jumps(insn) => {
                at += usize::try_from(insn.off).unwrap();
            }
            JEQ_K | JEQ_X | JNE_K | JNE_X | JSET_K => {}
            _ => machine.compute(insn),
        }
    }
}

struct Machine {
    context: [u32; 3],
    registers: [Option<u64>; 11],
}

impl Machine {
    fn read(&self, register: u8) -> u64 {
        self.registers[usize::from(register)].expect("a register is read after it is written")
    }

    fn jumps(&self, insn: Insn) -> bool {
        let value = self.read(insn.dst);
        let constant = i64::from(insn.imm).cast_unsigned();
        match insn.code {
            JEQ_K => value == constant,
            JNE_K => value != constant,
            JEQ_X => value == self.read(insn.src),
            JNE_X => value != self.read(insn.src),
            _ => value & constant != 0,
        }
    }

    fn compute(&mut self, insn: Insn) {
        let constant = i64::from(insn.imm).cast_unsigned();
        let value = match insn.code {
            LDX_W => {
                assert_eq!((insn.src, insn.off % 4), (1, 0));
                self.context[usize::try_from(insn.off / 4).unwrap()].into()
            }
            MOV_X => self.read(insn.src),
            MOV_K => constant,
            AND_K => self.read(insn.dst) & constant,
            AND_X => self.read(insn.dst) & self.read(insn.src),
            OR_X => self.read(insn.dst) | self.read(insn.src),
            LSH_K => self.read(insn.dst) << constant,
            RSH_K => self.read(insn.dst) >> constant,
            other => panic!("unknown operation {other:#x}"),
        };
        self.registers[usize::from(insn.dst)] = Some(value);
    }
}

/// The verifier refuses dead code.
pub(crate) fn assert_every_instruction_is_reachable(program: &[Insn]) {
    let mut reached = vec![false; program.len()];
    reached[0] = true;
    for (at, insn) in program.iter().enumerate() {
        assert!(reached[at], "instruction {at} of {program:?}");
        if matches!(insn.code, JEQ_K | JNE_K | JEQ_X | JNE_X | JSET_K) {
            reached[at + 1 + usize::try_from(insn.off).unwrap()] = true;
        }
        if insn.code != EXIT {
            reached[at + 1] = true;
        }
    }
}
