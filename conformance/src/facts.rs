//! Reading what `probe report` and the probe's steps said.

use crate::verdict::{Check, Stop, ensure};
use serde_json::Value;

/// The topmost mount at `point` as the container sees it.
pub(crate) fn mount_at(facts: &Value, point: &str) -> Check<Value> {
    let mounts = facts["mounts"].as_array();
    let found = mounts.and_then(|mounts| mounts.iter().rev().find(|mount| mount["point"] == point));
    found.cloned().ok_or_else(|| Stop::Fail(format!("nothing is mounted at {point}")))
}

/// Whether a list of words in a fact (mount options, ...) holds `word`.
pub(crate) fn holds(list: &Value, word: &str) -> bool {
    list.as_array().is_some_and(|words| words.iter().any(|known| known == word))
}

/// Demands mount options at `point`; a leading `!` demands the absence of one.
pub(crate) fn has_options(facts: &Value, point: &str, options: &[&str]) -> Check {
    let mount = mount_at(facts, point)?;
    for option in options {
        match option.strip_prefix('!') {
            Some(absent) => {
                ensure!(!holds(&mount["options"], absent), "{point} has {absent}: {}", mount["options"]);
            }
            None => ensure!(holds(&mount["options"], option), "{point} lacks {option}: {}", mount["options"]),
        }
    }
    Ok(())
}

/// The one result of step `name` whose arguments begin with `first`.
pub(crate) fn result_of(steps: &[Value], name: &str, first: &str) -> Check<Value> {
    let found = steps.iter().find(|step| step["step"] == name && step["args"][0] == first);
    found.cloned().ok_or_else(|| Stop::Fail(format!("no result of {name} {first} in {steps:?}")))
}

/// The step must have failed with this errno.
pub(crate) fn denied(steps: &[Value], name: &str, first: &str, errnos: &[&str]) -> Check {
    let result = result_of(steps, name, first)?;
    let errno = result["errno"].as_str().unwrap_or("success");
    ensure!(errnos.contains(&errno), "{name} {first}: got {errno}, want one of {errnos:?}");
    Ok(())
}

/// The step must have worked; its value.
pub(crate) fn worked(steps: &[Value], name: &str, first: &str) -> Check<Value> {
    let result = result_of(steps, name, first)?;
    ensure!(result["ok"] == true, "{name} {first}: {}", result["errno"]);
    Ok(result["value"].clone())
}
