//! features-linux.md: the parts that a runtime may have or not: seccomp,
//! intelRdt, memoryPolicy, netDevices, and whether what is told is true.

use super::features::features;
use crate::case::{Check, case, ensure, must, skip};
use crate::facts::holds;
use serde_json::{Value, json};

/// Parts may be absent; with none of these there is nothing to judge.
fn tells_of_any(features: &Value, parts: &[&str]) -> Check {
    match parts.iter().any(|part| features["linux"][part].is_object()) {
        true => Ok(()),
        false => skip(format!("the runtime tells nothing of {}", parts.join(", "))),
    }
}

/// Where `pointer` is given at all, it must be a boolean.
fn is_boolean_if_there(features: &Value, pointer: &str) -> Check {
    let value = features.pointer(pointer);
    ensure!(value.is_none_or(Value::is_boolean), "{pointer}: {value:?}");
    Ok(())
}

/// Where `pointer` is given at all, it must be a list of some of these words.
fn is_subset_if_there(features: &Value, pointer: &str, words: &[&str]) -> Check {
    let Some(list) = features.pointer(pointer) else { return Ok(()) };
    ensure!(list.is_array(), "{pointer}: {list}");
    for word in list.as_array().into_iter().flatten() {
        ensure!(word.as_str().is_some_and(|word| words.contains(&word)), "{pointer} holds {word}");
    }
    Ok(())
}

const ACTIONS: [&str; 9] = [
    "SCMP_ACT_KILL",
    "SCMP_ACT_KILL_PROCESS",
    "SCMP_ACT_KILL_THREAD",
    "SCMP_ACT_TRAP",
    "SCMP_ACT_ERRNO",
    "SCMP_ACT_TRACE",
    "SCMP_ACT_ALLOW",
    "SCMP_ACT_LOG",
    "SCMP_ACT_NOTIFY",
];

case!(
    seccomp_is_told_in_its_own_constants,
    must(
        &["7.linux.seccomp"],
        "features-linux.md#seccomp: enabled, actions, operators, archs, knownFlags; supportedFlags is a part of knownFlags"
    ),
    |bed| {
        let features = features(bed)?;
        tells_of_any(&features, &["seccomp"])?;
        is_boolean_if_there(&features, "/linux/seccomp/enabled")?;
        is_subset_if_there(&features, "/linux/seccomp/actions", &ACTIONS)?;
        let operators = ["NE", "LT", "LE", "EQ", "GE", "GT", "MASKED_EQ"].map(|name| format!("SCMP_CMP_{name}"));
        is_subset_if_there(&features, "/linux/seccomp/operators", &operators.each_ref().map(String::as_str))?;
        for arch in features["linux"]["seccomp"]["archs"].as_array().into_iter().flatten() {
            ensure!(arch.as_str().is_some_and(|arch| arch.starts_with("SCMP_ARCH_")), "archs holds {arch}");
        }
        let flags = ["TSYNC", "LOG", "SPEC_ALLOW", "WAIT_KILLABLE_RECV"];
        let flags = flags.map(|name| format!("SECCOMP_FILTER_FLAG_{name}"));
        is_subset_if_there(&features, "/linux/seccomp/knownFlags", &flags.each_ref().map(String::as_str))?;
        let known = features["linux"]["seccomp"]["knownFlags"].clone();
        for flag in features["linux"]["seccomp"]["supportedFlags"].as_array().into_iter().flatten() {
            ensure!(holds(&known, flag.as_str().unwrap_or_default()), "{flag} is supported but not known");
        }
        Ok(())
    }
);

case!(
    rdt_memory_policies_and_network_devices_are_told_in_their_types,
    must(
        &["7.linux.intelRdt", "7.linux.memoryPolicy"],
        "features-linux.md: intelRdt and netDevices hold booleans; memoryPolicy lists modes and flags"
    ),
    |bed| {
        let features = features(bed)?;
        tells_of_any(&features, &["intelRdt", "memoryPolicy", "netDevices"])?;
        for pointer in ["intelRdt/enabled", "intelRdt/schemata", "intelRdt/monitoring", "netDevices/enabled"] {
            is_boolean_if_there(&features, &format!("/linux/{pointer}"))?;
        }
        let modes = ["DEFAULT", "BIND", "INTERLEAVE", "WEIGHTED_INTERLEAVE", "PREFERRED", "PREFERRED_MANY", "LOCAL"]
            .map(|name| format!("MPOL_{name}"));
        is_subset_if_there(&features, "/linux/memoryPolicy/modes", &modes.each_ref().map(String::as_str))?;
        let flags = ["NUMA_BALANCING", "RELATIVE_NODES", "STATIC_NODES"].map(|name| format!("MPOL_F_{name}"));
        is_subset_if_there(&features, "/linux/memoryPolicy/flags", &flags.each_ref().map(String::as_str))
    }
);

case!(
    what_is_told_as_disabled_is_refused,
    must(
        &["7.linux.seccomp", "7.linux.intelRdt", "7.linux.memoryPolicy", "1.Known-property-hull-does-not"],
        "features.md: a part that is not enabled cannot be applied, so a configuration that asks for it is an error"
    ),
    |bed| {
        let linux = features(bed)?["linux"].clone();
        let rule = json!({"names": ["swapon"], "action": "SCMP_ACT_ERRNO"});
        let filter = json!({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [rule]});
        let policy = json!({"mode": "MPOL_BIND", "nodes": "0"});
        let parts = [
            (&linux["seccomp"], "seccomp", filter),
            (&linux["intelRdt"], "intelRdt", json!({"closID": "/"})),
            (&linux["netDevices"], "netDevices", json!({"no-such-link": {}})),
            (&linux["memoryPolicy"], "memoryPolicy", policy),
        ];
        let disabled: Vec<_> = parts.into_iter().filter(|(part, ..)| part["enabled"] == false).collect();
        if disabled.is_empty() {
            return skip("the runtime tells of nothing that is disabled");
        }
        for (_, pointer, value) in disabled {
            bed.create_refused(&bed.config().set(&format!("/linux/{pointer}"), value))?;
        }
        Ok(())
    }
);

case!(
    every_listed_action_and_flag_of_seccomp_is_accepted,
    must(&["7.linux.seccomp"], "features-linux.md#seccomp: the recognised names MUST be accepted in config.json"),
    |bed| {
        let seccomp = features(bed)?["linux"]["seccomp"].clone();
        if seccomp["enabled"] != true {
            return skip("the runtime tells of no seccomp");
        }
        let filter = |action: &Value, flags: Value| {
            let rule = json!({"names": ["swapon"], "action": action});
            json!({"defaultAction": "SCMP_ACT_ALLOW", "flags": flags, "syscalls": [rule]})
        };
        let mut filters: Vec<Value> = vec![];
        for action in seccomp["actions"].as_array().into_iter().flatten() {
            // Its own section has an agent to be asked.
            if action != "SCMP_ACT_NOTIFY" {
                filters.push(filter(action, json!([])));
            }
        }
        for flag in seccomp["supportedFlags"].as_array().into_iter().flatten() {
            filters.push(filter(&json!("SCMP_ACT_ERRNO"), json!([flag])));
        }
        for filter in filters {
            let output = bed.run(&bed.config().set("/linux/seccomp", filter.clone()).steps("exit 0"))?;
            ensure!(output.code == 0, "{filter}: {}", output.stderr.trim());
        }
        Ok(())
    }
);
