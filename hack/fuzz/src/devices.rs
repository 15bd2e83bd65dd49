//! Device rules: the program answers as the rules read, for requests around all they speak about.

#[path = "../../../crates/bpf/tests/devices/interpreter.rs"]
mod interpreter;
#[path = "../../../crates/bpf/tests/devices/naive.rs"]
mod naive;

use arbitrary::{Result, Unstructured};
use hull_bpf::devices::{Access, DeviceKind, DeviceRule, compile};

use self::naive::Request;

const KINDS: [DeviceKind; 3] = [DeviceKind::All, DeviceKind::Char, DeviceKind::Block];
/// A dev_t has 12 bits of major and 20 of minor.
const HIGHEST: (u32, u32) = (0xfff, 0xf_ffff);

pub(crate) fn check(bytes: &[u8]) {
    let rules = rules(&mut Unstructured::new(bytes)).unwrap_or_default();
    let Ok(program) = compile(&rules) else {
        assert!(rules.len() > 100, "few rules need a short program");
        return;
    };
    assert!(program.len() <= 4096);
    interpreter::assert_every_instruction_is_reachable(&program);
    for request in requests(&rules) {
        let expected = naive::expected(&rules, &request);
        let found = interpreter::run(&program, &request);
        assert_eq!(found, expected, "{request:?} of {rules:?}");
    }
}

fn rules(choices: &mut Unstructured<'_>) -> Result<Vec<DeviceRule>> {
    let mut rules = Vec::new();
    while !choices.is_empty() && rules.len() < 2000 {
        rules.push(DeviceRule {
            allow: choices.arbitrary()?,
            kind: *choices.choose(&KINDS)?,
            major: number(choices, HIGHEST.0)?,
            minor: number(choices, HIGHEST.1)?,
            access: naive::access(choices.int_in_range(0..=7)?),
        });
    }
    Ok(rules)
}

/// Few numbers, so that rules meet, and those around the highest that a device can have.
fn number(choices: &mut Unstructured<'_>, highest: u32) -> Result<Option<u32>> {
    Ok(match choices.int_in_range(0..=9)? {
        0..=3 => None,
        4..=6 => Some(choices.int_in_range(0..=3)?),
        7 => Some(choices.int_in_range(highest - 1..=highest + 2)?),
        8 => Some(choices.int_in_range(0..=200)?),
        _ => Some(choices.arbitrary()?),
    })
}

/// What a device can really ask: numbers of the first rules, their neighbours, and the edges.
fn requests(rules: &[DeviceRule]) -> impl Iterator<Item = Request> {
    let telling = |number: fn(&DeviceRule) -> Option<u32>, highest: u32| {
        let mut numbers: Vec<u32> = vec![0, 1, highest];
        numbers.extend(rules.iter().rev().filter_map(number).take(4));
        numbers.retain(|number| *number <= highest);
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    };
    let majors = telling(|rule| rule.major, HIGHEST.0);
    let minors = telling(|rule| rule.minor, HIGHEST.1);
    let kinds = [DeviceKind::Char, DeviceKind::Block];
    let accesses: Vec<Access> = (1..8).map(naive::access).collect();
    let mut requests = Vec::new();
    for (kind, major) in kinds
        .into_iter()
        .flat_map(|kind| majors.iter().map(move |major| (kind, *major)))
    {
        for minor in &minors {
            requests.extend(accesses.iter().map(|access| Request {
                kind,
                major,
                minor: *minor,
                access: *access,
            }));
        }
    }
    requests.into_iter()
}
