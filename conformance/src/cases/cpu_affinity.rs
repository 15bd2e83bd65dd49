//! config.md, `process.execCPUAffinity`: the CPUs of what exec starts, never
//! those of the container's own process.

use crate::bed::Bed;
use crate::case::{Check, Stop, case, ensure, must, same, skip};
use serde_json::json;

/// The list of CPUs in a process's status.
fn allowed(status: &str) -> Option<&str> {
    status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).map(str::trim)
}

/// The CPUs this process may use, and the last of them; more than one is needed to tell them apart.
fn own(bed: &Bed) -> Check<(String, String)> {
    bed.host.needs_root()?;
    let status = std::fs::read_to_string("/proc/self/status")?;
    let all = allowed(&status).ok_or_else(|| Stop::Fail("no Cpus_allowed_list".to_owned()))?;
    match all.rsplit(['-', ',']).next() {
        Some(last) if last != all => Ok((all.to_owned(), last.to_owned())),
        _ => skip("this machine has one CPU for us"),
    }
}

case!(
    the_affinity_of_exec_leaves_the_container_alone,
    must(
        &["3.process.execCPUAffinity"],
        "config.md#process: execCPUAffinity: for exec only, not for the container's init"
    ),
    |bed| {
        let (all, last) = own(bed)?;
        let config = bed.config().set("/process/execCPUAffinity", json!({"initial": last, "final": last}));
        same("CPUs", &bed.facts(&config)?["status"]["Cpus_allowed_list"], &json!(all))
    }
);

case!(
    exec_runs_on_its_final_cpus,
    must(
        &["3.process.execCPUAffinity"],
        "config.md#process: execCPUAffinity: final: the CPUs the process runs on in the container's cgroup"
    ),
    |bed| {
        let (all, last) = own(bed)?;
        let config = bed.config().set("/process/execCPUAffinity", json!({"initial": all, "final": last}));
        let container = super::ready(bed, &config.steps("tell /sync/ready + pause"))?;
        let output = bed.call(&["exec", &container.id, "/probe", "report"])?.succeeded("exec")?;
        same("CPUs of the exec", &output.step("report")?["status"]["Cpus_allowed_list"], &json!(last))?;
        let status = std::fs::read_to_string(format!("/proc/{}/status", container.pid()))?;
        same("CPUs of the container", allowed(&status), Some(all.as_str()))
    }
);

case!(
    a_malformed_affinity_is_refused,
    must(
        &["3.process.execCPUAffinity", "1.Known-property-wrong-JSON-type"],
        "config.md#process: execCPUAffinity: initial and final are lists of CPUs"
    ),
    |bed| {
        for affinity in [
            json!({"initial": "zero"}),
            json!({"final": "0-"}),
            json!({"final": "1-0"}),
            json!({"final": "-1"}),
            json!({"initial": 0}),
            json!("0"),
        ] {
            let refused = bed.create_refused(&bed.config().set("/process/execCPUAffinity", affinity.clone()));
            ensure!(refused.is_ok(), "{affinity}: {refused:?}");
        }
        Ok(())
    }
);
