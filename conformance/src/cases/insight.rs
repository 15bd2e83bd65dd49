//! contracts.md 4.3: verbs that only tell: plan, inspect, doctor, info,
//! completion. All but completion are hull's own, so no peer can keep them.

use crate::case::{Check, caller, case, ensure, same};
use crate::command::Output;
use crate::container::DeleteAtEnd;
use serde_json::{Value, json};

/// Output of a verb that must not have changed anything.
fn told(bed: &crate::bed::Bed, args: &[&str]) -> Check<Output> {
    let output = bed.call(args)?.succeeded(args[0])?;
    same("stderr", output.stderr.trim(), "")?;
    ensure!(!output.stdout.trim().is_empty(), "{args:?} says nothing");
    Ok(output)
}

case!(
    plan_tells_what_create_would_do,
    caller(
        &["c4.3.plan-BUNDLE"],
        "contracts 4.3: plan BUNDLE: a dry run with a verdict per property, text and JSON, no side effect"
    ),
    |bed| {
        let bundle = bed.bundle(&bed.config())?;
        let path = bundle.path.to_string_lossy().into_owned();
        told(bed, &["plan", &path])?;
        let plan: Value = serde_json::from_str(&told(bed, &["plan", "--format", "json", &path])?.stdout)?;
        ensure!(plan.is_object() || plan.is_array(), "{plan}");
        bed.nothing_left()
    }
);

case!(
    plan_refuses_what_create_would_refuse,
    caller(
        &["c4.3.plan-BUNDLE"],
        "contracts 4.3: plan of a config that cannot be kept: exit 1, and the same place is named"
    ),
    |bed| {
        let bundle = bed.bundle(&bed.config().set("/process/cwd", json!("relative")))?;
        let path = bundle.path.to_string_lossy().into_owned();
        let _end = DeleteAtEnd(bed);
        let created = bed.call(&["create", "--bundle", &path, &bed.id()])?;
        let planned = bed.call(&["plan", &path])?;
        same("codes", (planned.code, created.code), (1, 1))?;
        ensure!(format!("{}{}", planned.stdout, planned.stderr).contains("cwd"), "{}", planned.stderr);
        bed.nothing_left()
    }
);

case!(
    inspect_tells_what_isolates_a_container,
    caller(&["c4.3.plan-BUNDLE"], "contracts 4.3: inspect ID: what isolates a container, text and JSON"),
    |bed| {
        let container = bed.create(&bed.config())?;
        told(bed, &["inspect", &container.id])?;
        let facts: Value = serde_json::from_str(&told(bed, &["inspect", "--format", "json", &container.id])?.stdout)?;
        ensure!(facts.to_string().contains(&container.id), "{facts}");
        same("status", container.status()?, "created")?;
        container.delete_force()?;
        bed.call(&["inspect", "no-such-container"])?.refuses_with("does not exist")
    }
);

case!(
    doctor_tells_what_the_host_offers,
    caller(&["c4.3.plan-BUNDLE"], "contracts 4.3: doctor: what this host offers, text and JSON"),
    |bed| {
        let text = told(bed, &["doctor"])?.stdout;
        ensure!(text.contains("cgroup"), "not a word on cgroups: {text}");
        let facts: Value = serde_json::from_str(&told(bed, &["doctor", "--format", "json"])?.stdout)?;
        ensure!(facts.is_object() || facts.is_array(), "{facts}");
        bed.nothing_left()
    }
);

case!(
    info_tells_about_the_program,
    caller(&["c4.3.info"], "contracts 4.3: info: as youki's: the version and what of the host matters"),
    |bed| {
        let text = told(bed, &["info"])?.stdout;
        ensure!(text.to_lowercase().contains("version"), "no version: {text}");
        Ok(())
    }
);

case!(
    completion_is_a_script_for_a_shell,
    caller(
        &["c4.3.info"],
        "contracts 4.3: completion SHELL: a script that knows every verb; an unknown shell is refused"
    ),
    |bed| {
        for shell in ["bash", "zsh", "fish"] {
            let script = told(bed, &["completion", shell])?.stdout;
            for verb in ["create", "start", "delete", "features"] {
                ensure!(script.contains(verb), "{shell}: no {verb}");
            }
        }
        same("an unknown shell", bed.call(&["completion", "nosuch"])?.code, 1)
    }
);
