//! What the compiler is measured against: an interpreter of the instructions it emits, and a
//! reading of the rules that cannot be wrong because it does nothing clever.
//!
//! The interpreter also refuses what the kernel's verifier would: unknown operations, jumps
//! out of the program, registers read before they are written, unreachable instructions.

use super::emit::{AND_K, EXIT, Insn, JEQ_K, JNE_K, JSET_K, LDX_W, MOV_K, MOV_X, RSH_K, compile};
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
    let context = [
        u32::from(request.access.bits()) << 16 | kind,
        request.major,
        request.minor,
    ];
    let mut registers: [Option<u64>; 11] = [None; 11];
    let mut at = 0;
    loop {
        let Insn {
            code,
            dst,
            src,
            off,
            imm,
        } = program[at];
        let dst = usize::from(dst);
        let operand = i64::from(imm).cast_unsigned();
        let value = || registers[dst].expect("a register is read after it is written");
        let jump = match code {
            LDX_W => {
                assert_eq!((src, off % 4), (1, 0));
                registers[dst] = Some(u64::from(context[usize::try_from(off / 4).unwrap()]));
                false
            }
            MOV_X => {
                registers[dst] = registers[usize::from(src)];
                false
            }
            MOV_K => {
                registers[dst] = Some(operand);
                false
            }
            AND_K => {
                registers[dst] = Some(value() & operand);
                false
            }
            RSH_K => {
                registers[dst] = Some(value() >> operand);
                false
            }
            JEQ_K => value() == operand,
            JNE_K => value() != operand,
            JSET_K => value() & operand != 0,
            EXIT => return registers[0].expect("a verdict") == 1,
            other => panic!("unknown operation {other:#x}"),
        };
        at += 1 + if jump {
            usize::try_from(off).unwrap()
        } else {
            0
        };
    }
}

fn assert_every_instruction_is_reachable(program: &[Insn]) {
    let mut reached = vec![false; program.len()];
    reached[0] = true;
    for (at, insn) in program.iter().enumerate() {
        assert!(reached[at], "instruction {at} of {program:?}");
        if matches!(insn.code, JEQ_K | JNE_K | JSET_K) {
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

fn numbers() -> impl Strategy<Value = Option<u32>> {
    prop_oneof![3 => Just(None), 6 => (0_u32..3).prop_map(Some), 1 => any::<u32>().prop_map(Some)]
}

fn rules() -> impl Strategy<Value = Vec<DeviceRule>> {
    let rule = (any::<bool>(), kinds(), numbers(), numbers(), 0_u8..8).prop_map(
        |(allow, kind, major, minor, access)| DeviceRule {
            allow,
            kind,
            major,
            minor,
            access: Access(access),
        },
    );
    proptest::collection::vec(rule, 0..12)
}

fn every_small_request() -> impl Iterator<Item = Request> {
    (0..2 * 4 * 4 * 7_u32).map(|n| Request {
        kind: if n % 2 == 0 {
            DeviceKind::Char
        } else {
            DeviceKind::Block
        },
        major: n / 2 % 4,
        minor: n / 8 % 4,
        access: Access(u8::try_from(n / 32).unwrap() + 1),
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]
    #[test]
    fn the_program_answers_as_the_rules_read(rules in rules()) {
        let program = compile(&rules).unwrap();
        assert_every_instruction_is_reachable(&program);
        for request in every_small_request() {
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
fn the_default_list_of_the_engines_takes_five_instructions_a_rule() {
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
    assert_eq!(program.len(), 6 + 9 * 5 + 3 + 4);
}

#[test]
fn more_rules_than_the_kernel_takes_are_an_error() {
    let rules: Vec<_> = (0..5000)
        .map(|n| rule(true, Some(n), Some(n), Access::ALL))
        .collect();
    let text = compile(&rules).unwrap_err().to_string();
    assert_eq!(
        text,
        "compile device rules: 5000 rules need 25010 instructions, the kernel takes 4096"
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
