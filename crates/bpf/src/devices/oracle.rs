//! What the compiler is measured against: an interpreter of the instructions it emits, and a
//! reading of the rules that cannot be wrong because it does nothing clever.
//!
//! The interpreter also refuses what the kernel's verifier would: unknown operations, jumps
//! out of the program, registers read before they are written, unreachable instructions.

use super::emit::{
    AND_K, AND_X, EXIT, Insn, JEQ_K, JEQ_X, JNE_K, JNE_X, JSET_K, LD_DW, LDX_W, LSH_K, MOV_K,
    MOV_X, OR_X, RSH_K, compile,
};
use super::{Access, DeviceKind, DeviceRule};
use proptest::prelude::*;

#[derive(Clone, Copy, Debug)]
struct Request {
    kind: DeviceKind,
    major: u32,
    minor: u32,
    access: Access,
}

fn expected(rules: &[DeviceRule], request: &Request) -> bool {
    [Access::READ, Access::WRITE, Access::MKNOD]
        .into_iter()
        .filter(|bit| request.access.covers(*bit))
        .all(|bit| {
            rules
                .iter()
                .rfind(|r| speaks_about(r, request, bit))
                .is_some_and(|r| r.allow)
        })
}

fn speaks_about(rule: &DeviceRule, request: &Request, bit: Access) -> bool {
    (rule.kind == DeviceKind::All || rule.kind == request.kind)
        && rule.major.is_none_or(|n| n == request.major)
        && rule.minor.is_none_or(|n| n == request.minor)
        && rule.access.covers(bit)
}

fn run(program: &[Insn], request: &Request) -> bool {
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

fn assert_every_instruction_is_reachable(program: &[Insn]) {
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

fn kinds() -> impl Strategy<Value = DeviceKind> {
    prop_oneof![
        Just(DeviceKind::All),
        Just(DeviceKind::Char),
        Just(DeviceKind::Block)
    ]
}

/// Small numbers meet each other often; the highest ones, and those past them, stand where one
/// part of the program's key ends and the next begins.
fn numbers(highest: u32) -> impl Strategy<Value = Option<u32>> {
    prop_oneof![
        3 => Just(None),
        6 => (0_u32..3).prop_map(Some),
        2 => (highest - 1..highest + 3).prop_map(Some),
        1 => any::<u32>().prop_map(Some),
    ]
}

fn rules() -> impl Strategy<Value = Vec<DeviceRule>> {
    let rule = (
        any::<bool>(),
        kinds(),
        numbers(0xfff),
        numbers(0xf_ffff),
        0_u8..8,
    )
        .prop_map(|(allow, kind, major, minor, access)| DeviceRule {
            allow,
            kind,
            major,
            minor,
            access: Access(access),
        });
    proptest::collection::vec(rule, 0..12)
}

fn every_telling_request() -> impl Iterator<Item = Request> {
    let kinds = [DeviceKind::Char, DeviceKind::Block];
    let majors = [0, 1, 2, 3, 0xffe, 0xfff];
    let minors = [0, 1, 2, 3, 0xf_fffe, 0xf_ffff];
    kinds.into_iter().flat_map(move |kind| {
        majors.into_iter().flat_map(move |major| {
            minors.into_iter().flat_map(move |minor| {
                (1..8).map(move |access| Request {
                    kind,
                    major,
                    minor,
                    access: Access(access),
                })
            })
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]
    #[test]
    fn the_program_answers_as_the_rules_read(rules in rules()) {
        let program = compile(&rules).unwrap();
        assert_every_instruction_is_reachable(&program);
        for request in every_telling_request() {
            prop_assert_eq!(run(&program, &request), expected(&rules, &request), "{:?}", request);
        }
    }
}

fn node(major: u32, minor: u32, access: Access) -> Request {
    Request {
        kind: DeviceKind::Char,
        major,
        minor,
        access,
    }
}

fn rule(allow: bool, major: Option<u32>, minor: Option<u32>, access: Access) -> DeviceRule {
    DeviceRule {
        allow,
        kind: DeviceKind::Char,
        major,
        minor,
        access,
    }
}

#[test]
fn no_rules_deny_every_device() {
    let program = compile(&[]).unwrap();
    assert_eq!(program.len(), 2);
    assert!(!run(&program, &node(1, 3, Access::READ)));
}

#[test]
fn a_privileged_container_gets_a_program_of_two_instructions() {
    let program = compile(&[DeviceRule::everything(false), DeviceRule::everything(true)]).unwrap();
    assert_eq!(program.len(), 2);
    assert!(run(&program, &node(8, 0, Access::ALL)));
}

#[test]
fn denying_the_write_bit_refuses_a_request_for_both() {
    let rules = [
        DeviceRule::everything(true),
        rule(false, Some(1), Some(3), Access::WRITE),
    ];
    let program = compile(&rules).unwrap();
    assert!(run(&program, &node(1, 3, Access::READ)));
    assert!(!run(
        &program,
        &node(1, 3, Access::READ.with(Access::WRITE))
    ));
}

#[test]
fn an_empty_request_passes_only_where_something_is_allowed() {
    let program = compile(&[rule(true, Some(1), Some(3), Access::READ)]).unwrap();
    assert!(run(&program, &node(1, 3, Access::NONE)));
    assert!(!run(&program, &node(1, 5, Access::NONE)));
}

#[test]
fn the_default_list_of_the_engines_takes_three_instructions_a_rule() {
    let mut rules = vec![
        DeviceRule::everything(false),
        rule(true, None, None, Access::MKNOD),
    ];
    let devices = [
        (1, 3),
        (1, 5),
        (1, 7),
        (1, 8),
        (1, 9),
        (5, 0),
        (5, 1),
        (5, 2),
        (10, 200),
    ];
    rules.extend(devices.map(|(ma, mi)| rule(true, Some(ma), Some(mi), Access::ALL)));
    let program = compile(&rules).unwrap();
    assert_eq!(program.len(), 10 + 9 * 3 + 8 + 4);
}

#[test]
fn more_rules_than_the_kernel_takes_are_an_error() {
    let rules: Vec<_> = (0..5000)
        .map(|n| rule(true, Some(n), Some(n), Access::ALL))
        .collect();
    let text = compile(&rules).unwrap_err().to_string();
    assert_eq!(
        text,
        "compile device rules: 5000 rules need 12302 instructions, the kernel takes 4096"
    );
}

#[test]
fn letters_other_than_r_w_and_m_are_no_access() {
    assert_eq!(Access::parse("mrw"), Some(Access::ALL));
    assert_eq!(Access::parse("rx"), None);
    assert_eq!(Access::parse(""), None);
}

#[test]
fn an_instruction_has_the_layout_of_the_kernel() {
    let insn = Insn {
        code: LDX_W,
        dst: 4,
        src: 1,
        off: 4,
        imm: 0,
    };
    if cfg!(target_endian = "little") {
        assert_eq!(insn.to_bytes(), [0x61, 0x14, 4, 0, 0, 0, 0, 0]);
    }
}
