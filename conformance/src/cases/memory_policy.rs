//! config-linux.md, `memoryPolicy`: the NUMA policy of the container's process,
//! as the kernel shows it in numa_maps.

use super::all_refused;
use crate::bed::Bed;
use crate::bundle::Config;
use crate::case::{Check, case, ensure, must};
use serde_json::{Value, json};

fn with_policy(bed: &Bed, policy: Value) -> Config {
    bed.config().set(POLICY, policy)
}

/// Every mapping of the payload, and of a child of it, must show this policy.
fn shows(bed: &Bed, policy: Value, wanted: &str) -> Check {
    bed.host.needs_path("/proc/self/numa_maps")?;
    let config =
        with_policy(bed, policy.clone()).steps("read /proc/self/numa_maps + run /probe read /proc/self/numa_maps");
    let steps = bed.steps(&config)?;
    let maps: Vec<&str> = steps.iter().filter_map(|step| step["value"].as_str()).collect();
    ensure!(maps.len() == 2, "{policy}: {steps:?}");
    for line in maps.iter().flat_map(|map| map.lines()) {
        let seen = line.split_once(' ').map_or("", |(_, rest)| rest);
        ensure!(format!("{seen} ").starts_with(&format!("{wanted} ")), "{policy}: want {wanted}, got {line}");
    }
    Ok(())
}

const POLICY: &str = "/linux/memoryPolicy";

case!(
    the_memory_policy_is_set_and_inherited,
    must(
        &["6.memoryPolicy.mode", "6.memoryPolicy.nodes"],
        "config-linux.md#memory-policy: mode and nodes of the container's process, which its children inherit"
    ),
    |bed| {
        shows(bed, json!({"mode": "MPOL_BIND", "nodes": "0"}), "bind:0")?;
        shows(bed, json!({"mode": "MPOL_INTERLEAVE", "nodes": "0-0"}), "interleave:0")?;
        shows(bed, json!({"mode": "MPOL_PREFERRED", "nodes": "0"}), "prefer:0")
    }
);

case!(
    policies_without_nodes_are_set,
    must(
        &["6.memoryPolicy.mode", "6.memoryPolicy.nodes"],
        "config-linux.md#memory-policy: nodes may be absent or empty where the mode needs none"
    ),
    |bed| {
        shows(bed, json!({"mode": "MPOL_LOCAL"}), "local")?;
        shows(bed, json!({"mode": "MPOL_LOCAL", "nodes": ""}), "local")?;
        shows(bed, json!({"mode": "MPOL_PREFERRED", "nodes": ""}), "local")?;
        shows(bed, json!({"mode": "MPOL_DEFAULT", "nodes": "", "flags": []}), "default")
    }
);

case!(
    the_newer_memory_policies_are_set,
    must(
        &["6.memoryPolicy.mode"],
        "config-linux.md#memory-policy: MPOL_PREFERRED_MANY (Linux 5.15) and MPOL_WEIGHTED_INTERLEAVE (6.9)"
    ),
    |bed| {
        bed.host.needs_kernel(6, 9)?;
        shows(bed, json!({"mode": "MPOL_PREFERRED_MANY", "nodes": "0"}), "prefer (many):0")?;
        shows(bed, json!({"mode": "MPOL_WEIGHTED_INTERLEAVE", "nodes": "0"}), "weighted interleave:0")
    }
);

case!(
    the_flags_of_a_memory_policy_are_set,
    must(&["6.memoryPolicy.flags"], "config-linux.md#memory-policy: flags: static, relative, balancing"),
    |bed| {
        bed.host.needs_kernel(5, 12)?;
        let policy = |flags: &[&str]| json!({"mode": "MPOL_BIND", "nodes": "0", "flags": flags});
        shows(bed, policy(&["MPOL_F_STATIC_NODES"]), "bind=static:0")?;
        shows(bed, policy(&["MPOL_F_RELATIVE_NODES"]), "bind=relative:0")?;
        shows(bed, policy(&["MPOL_F_NUMA_BALANCING"]), "bind=balancing:0")?;
        shows(bed, policy(&["MPOL_F_NUMA_BALANCING", "MPOL_F_STATIC_NODES"]), "bind=static|balancing:0")
    }
);

case!(
    an_unknown_memory_policy_is_refused,
    must(
        &["6.memoryPolicy.mode", "1.REQUIRED-member-missing", "1.Unknown-enum-string-namespace-action"],
        "config-linux.md#memory-policy: mode is REQUIRED and one of seven constants"
    ),
    |bed| {
        all_refused(
            bed,
            POLICY,
            &[
                json!({}),
                json!({"nodes": "0"}),
                json!({"mode": ""}),
                json!({"mode": "MPOL_WISHES", "nodes": "0"}),
                json!({"mode": "bind", "nodes": "0"}),
                json!({"mode": 2, "nodes": "0"}),
            ],
        )
    }
);

case!(
    nodes_that_do_not_suit_are_refused,
    must(
        &["6.memoryPolicy.nodes", "1.Un-appliable-property"],
        "config-linux.md#memory-policy: nodes is a list of existing nodes; some modes need one, some none"
    ),
    |bed| {
        let nodes = |mode: &str, nodes: &str| json!({"mode": mode, "nodes": nodes});
        all_refused(
            bed,
            POLICY,
            &[
                json!({"mode": "MPOL_BIND"}),
                nodes("MPOL_BIND", ""),
                nodes("MPOL_INTERLEAVE", ""),
                nodes("MPOL_DEFAULT", "0"),
                nodes("MPOL_LOCAL", "0"),
                nodes("MPOL_BIND", "zero"),
                nodes("MPOL_BIND", "0-"),
                nodes("MPOL_BIND", "1-0"),
                nodes("MPOL_BIND", "-1"),
                nodes("MPOL_BIND", "1023"),
                nodes("MPOL_BIND", "99999999999999999999"),
                json!({"mode": "MPOL_BIND", "nodes": 0}),
            ],
        )
    }
);

case!(
    flags_that_do_not_suit_are_refused,
    must(
        &["6.memoryPolicy.flags", "1.Unknown-enum-string-namespace-action"],
        "config-linux.md#memory-policy: flags are three constants; the kernel refuses some combinations"
    ),
    |bed| {
        let flags = |mode: &str, flags: &[&str]| json!({"mode": mode, "nodes": "0", "flags": flags});
        all_refused(
            bed,
            POLICY,
            &[
                flags("MPOL_BIND", &["MPOL_F_WISHES"]),
                flags("MPOL_BIND", &[""]),
                flags("MPOL_BIND", &["MPOL_F_STATIC_NODES", "MPOL_F_RELATIVE_NODES"]),
                flags("MPOL_INTERLEAVE", &["MPOL_F_NUMA_BALANCING"]),
                json!({"mode": "MPOL_BIND", "nodes": "0", "flags": "MPOL_F_STATIC_NODES"}),
            ],
        )
    }
);
