//! Programs whose size or verdict people rely on, and what is refused.

use super::interpreter::run;
use super::naive::Request;
use hull_bpf::devices::{Access, DeviceKind, DeviceRule, Insn, compile};

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
        code: 0x61,
        dst: 4,
        src: 1,
        off: 4,
        imm: 0,
    };
    if cfg!(target_endian = "little") {
        assert_eq!(insn.to_bytes(), [0x61, 0x14, 4, 0, 0, 0, 0, 0]);
    }
}
