//! `linux.memoryPolicy`: what set_mempolicy(2) takes, with the kernel's own rules checked first.
//!
//! Whether a node exists is the kernel's to say: it can be taken away at any time.

use crate::config::MemoryPolicy as Raw;
use crate::plan::MemoryPolicy;

use super::cpu_list;
use super::error::{At, Problem, ResolveError};

/// By MPOL_* number.
pub(crate) const MODES: [&str; 7] = [
    "MPOL_DEFAULT",
    "MPOL_PREFERRED",
    "MPOL_BIND",
    "MPOL_INTERLEAVE",
    "MPOL_LOCAL",
    "MPOL_PREFERRED_MANY",
    "MPOL_WEIGHTED_INTERLEAVE",
];
const DEFAULT: u32 = 0;
const PREFERRED: u32 = 1;
const BIND: u32 = 2;
const LOCAL: u32 = 4;
const PREFERRED_MANY: u32 = 5;

/// MPOL_F_* by the bit.
const FLAGS: [(&str, u32); 3] = [
    ("MPOL_F_NUMA_BALANCING", BALANCING),
    ("MPOL_F_RELATIVE_NODES", RELATIVE),
    ("MPOL_F_STATIC_NODES", STATIC),
];
const BALANCING: u32 = 1 << 13;
const RELATIVE: u32 = 1 << 14;
const STATIC: u32 = 1 << 15;

/// The most that any kernel is built for (NODES_SHIFT).
const MOST_NODES: u32 = 1024;

/// The policy of init's plan.
pub(super) fn resolve(raw: Option<&Raw>) -> Result<Option<MemoryPolicy>, ResolveError> {
    let Some(raw) = raw else {
        return Ok(None);
    };
    let at = At::new("/linux/memoryPolicy");
    let mode = mode(raw, &at)?;
    let flags = flags(raw, mode, &at)?;
    let nodes = nodes(raw, (mode, flags), &at)?;
    Ok(Some(MemoryPolicy {
        mode: mode | flags,
        nodes,
    }))
}

pub(crate) fn flag_names() -> impl Iterator<Item = &'static str> {
    FLAGS.iter().map(|(name, _)| *name)
}

fn mode(raw: &Raw, at: &At<'_>) -> Result<u32, ResolveError> {
    let known = (0..).zip(MODES).find(|(_, name)| *name == raw.mode);
    known
        .map(|(number, _)| number)
        .ok_or_else(|| bad(&at.member("/mode"), "mode", &raw.mode, "is unknown"))
}

fn flags(raw: &Raw, mode: u32, at: &At<'_>) -> Result<u32, ResolveError> {
    let at = at.member("/flags");
    let mut bits = 0;
    for (index, word) in raw.flags.iter().flatten().enumerate() {
        let known = FLAGS.iter().find(|(name, _)| name == word);
        let Some((_, bit)) = known else {
            return Err(bad(&at.index(index), "flag", word, "is unknown"));
        };
        bits |= bit;
    }
    if bits & STATIC != 0 && bits & RELATIVE != 0 {
        let rule = "excludes MPOL_F_RELATIVE_NODES";
        return Err(bad(&at, "flag", "MPOL_F_STATIC_NODES", rule));
    }
    if bits & BALANCING != 0 && !matches!(mode, BIND | PREFERRED_MANY) {
        let rule = "needs MPOL_BIND or MPOL_PREFERRED_MANY";
        return Err(bad(&at, "flag", "MPOL_F_NUMA_BALANCING", rule));
    }
    Ok(bits)
}

fn nodes(raw: &Raw, (mode, flags): (u32, u32), at: &At<'_>) -> Result<Vec<u64>, ResolveError> {
    let at = at.member("/nodes");
    let text = raw.nodes.as_deref().unwrap_or_default();
    let empty = text.is_empty();
    let fixed = flags & (STATIC | RELATIVE) != 0;
    match mode {
        DEFAULT | LOCAL if !empty => {
            Err(bad(&at, "node", text, "stands with a mode without nodes"))
        }
        LOCAL if fixed => Err(bad(&at, "node", text, "is too few for the flags")),
        DEFAULT | LOCAL => Ok(Vec::new()),
        PREFERRED if empty && !fixed => Ok(Vec::new()),
        _ if empty => Err(bad(&at, "node", text, "is too few for the mode")),
        _ => mask(text).ok_or_else(|| bad(&at, "node", text, "must be a list such as 0-3,7")),
    }
}

/// A bit per node; nothing where the text is no list, or names a node that cannot be.
fn mask(text: &str) -> Option<Vec<u64>> {
    let mut words = Vec::new();
    for (first, last) in cpu_list::ranges(text)? {
        if last >= MOST_NODES {
            return None;
        }
        for node in first..=last {
            let word = usize::try_from(node / 64).unwrap_or(0);
            if words.len() <= word {
                words.resize(word + 1, 0_u64);
            }
            words[word] |= 1 << (node % 64);
        }
    }
    Some(words)
}

fn bad(at: &At<'_>, part: &'static str, value: &str, rule: &'static str) -> ResolveError {
    at.refuse(Problem::MemoryPolicy {
        part,
        value: value.to_owned(),
        rule,
    })
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Scene;
    use super::*;

    fn policy(members: &str) -> MemoryPolicy {
        let config = format!(r#""linux": {{"memoryPolicy": {{{members}}}}}"#);
        let process = Scene::v2().plan(&config).init.process;
        process.memory_policy.unwrap()
    }

    #[test]
    fn modes_flags_and_nodes_have_their_numbers() {
        for (number, name) in (0..).zip(MODES) {
            let nodes = if matches!(number, DEFAULT | LOCAL) {
                ""
            } else {
                "0"
            };
            let given = policy(&format!(r#""mode": "{name}", "nodes": "{nodes}""#));
            assert_eq!(given.mode, number, "{name}");
        }
        for (name, bit) in FLAGS {
            let given = policy(&format!(
                r#""mode": "MPOL_BIND", "nodes": "0-1,65", "flags": ["{name}"]"#
            ));
            assert_eq!((given.mode, given.nodes), (BIND | bit, vec![3, 2]));
        }
        assert_eq!(policy(r#""mode": "MPOL_PREFERRED""#).nodes, [0; 0]);
        assert_eq!(
            policy(r#""mode": "MPOL_BIND", "nodes": "1023""#)
                .nodes
                .len(),
            16
        );
        assert_eq!(Scene::v2().plan("").init.process.memory_policy, None);
    }

    #[test]
    fn what_the_kernel_would_refuse_is_named() {
        let refusal = |members: &str| {
            Scene::v2().refusal(&format!(r#""linux": {{"memoryPolicy": {{{members}}}}}"#))
        };
        let flags = |mode: &str, flags: &str| {
            format!(r#""mode": "{mode}", "nodes": "0", "flags": [{flags}]"#)
        };
        for (members, expected) in [
            (r#""nodes": "0""#.to_owned(), ": missing field `mode`"),
            (
                r#""mode": "bind""#.to_owned(),
                "/mode: invalid memory policy mode \"bind\": is unknown",
            ),
            (
                flags("MPOL_BIND", r#""X""#),
                "/flags/0: invalid memory policy flag \"X\"",
            ),
            (
                flags(
                    "MPOL_BIND",
                    r#""MPOL_F_STATIC_NODES", "MPOL_F_RELATIVE_NODES""#,
                ),
                "/flags: invalid memory policy flag \"MPOL_F_STATIC_NODES\": excludes",
            ),
            (
                flags("MPOL_INTERLEAVE", r#""MPOL_F_NUMA_BALANCING""#),
                "/flags: invalid memory policy flag \"MPOL_F_NUMA_BALANCING\": needs",
            ),
            (
                r#""mode": "MPOL_BIND""#.to_owned(),
                "/nodes: invalid memory policy node \"\"",
            ),
            (
                r#""mode": "MPOL_LOCAL", "nodes": "0""#.to_owned(),
                "/nodes: invalid memory policy node \"0\": stands with a mode without",
            ),
            (
                r#""mode": "MPOL_LOCAL", "flags": ["MPOL_F_STATIC_NODES"]"#.to_owned(),
                "/nodes: invalid memory policy node \"\": is too few for the flags",
            ),
            (
                r#""mode": "MPOL_PREFERRED", "flags": ["MPOL_F_STATIC_NODES"]"#.to_owned(),
                "/nodes: invalid memory policy node \"\": is too few for the mode",
            ),
            (
                r#""mode": "MPOL_BIND", "nodes": "1-0""#.to_owned(),
                "/nodes: invalid memory policy node \"1-0\": must be a list",
            ),
            (
                r#""mode": "MPOL_BIND", "nodes": "0-1024""#.to_owned(),
                "/nodes: invalid memory policy node \"0-1024\"",
            ),
        ] {
            let refusal = refusal(&members);
            let expected = format!("/linux/memoryPolicy{expected}");
            assert!(refusal.starts_with(&expected), "{refusal:?} for {members}");
        }
    }
}
