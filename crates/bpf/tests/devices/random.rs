//! Random rules: the program answers every telling request as the naive reading does.

use super::interpreter::{assert_every_instruction_is_reachable, run};
use super::naive::{Request, access, expected};
use hull_bpf::devices::{DeviceKind, DeviceRule, compile};
use proptest::prelude::*;

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
        .prop_map(|(allow, kind, major, minor, bits)| DeviceRule {
            allow,
            kind,
            major,
            minor,
            access: access(bits),
        });
    proptest::collection::vec(rule, 0..12)
}

/// Requests around everything that small rules can speak about.
fn every_telling_request() -> impl Iterator<Item = Request> {
    let kinds = [DeviceKind::Char, DeviceKind::Block];
    let majors = [0, 1, 2, 3, 0xffe, 0xfff];
    let minors = [0, 1, 2, 3, 0xf_fffe, 0xf_ffff];
    kinds.into_iter().flat_map(move |kind| {
        majors.into_iter().flat_map(move |major| {
            minors.into_iter().flat_map(move |minor| {
                (1..8).map(move |bits| Request {
                    kind,
                    major,
                    minor,
                    access: access(bits),
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
