//! contracts.md 4.3: mounts added to a running container and removed again.
//! crun's verb, newer than what Debian 12 and 13 have.

use crate::bed::Bed;
use crate::case::{Check, caller, case, ensure, same};
use crate::command::Output;
use crate::container::Container;
use crate::facts::{denied, worked};
use serde_json::{Value, json};

/// A container that waits, then carries out `steps`.
fn waiting<'b>(bed: &'b Bed, steps: &str) -> Check<(Container<'b>, super::Fifo)> {
    let bundle = bed.bundle(&bed.config().steps(&format!("tell /sync/ready + await /sync/go + {steps}")))?;
    let ready = super::Fifo::make(&bundle.rootfs().join("sync/ready"))?;
    let go = super::Fifo::make(&bundle.rootfs().join("sync/go"))?;
    let container = Container::create(bed, &bed.id(), &bundle, &[])?;
    container.start()?;
    ready.wait()?;
    Ok((container, go))
}

fn change(bed: &Bed, verb: &str, mounts: &Value) -> Check<Output> {
    let file = bed.file(&format!("{verb}.json"), &mounts.to_string())?;
    bed.call(&["mounts", verb, &bed.id(), &file.to_string_lossy()])
}

/// A bind of a directory with one file.
fn bind(bed: &Bed) -> Check<Value> {
    let data = bed.directory("data")?;
    std::fs::write(data.join("file"), "data")?;
    Ok(json!({"destination": "/mnt", "type": "bind", "source": data, "options": ["bind", "ro"]}))
}

fn last_steps(container: &Container, go: &super::Fifo) -> Check<Vec<Value>> {
    go.tell()?;
    let code = container.wait()?;
    Ok(container.output(code).steps())
}

case!(
    a_mount_is_added_while_the_container_runs,
    caller(
        &["c4.3.mounts-add-remove-ID-FILE"],
        "contracts 4.3: mounts add ID FILE: a JSON array of mounts, applied to the running mount namespace (crun since 1.20 or later)"
    ),
    |bed| {
        let (container, go) = waiting(bed, "read /mnt/file + write /mnt/file new + write /run/x y")?;
        let mounts = json!([bind(bed)?, {"destination": "/run", "type": "tmpfs", "source": "tmpfs"}]);
        change(bed, "add", &mounts)?.succeeded("mounts add")?;
        let steps = last_steps(&container, &go)?;
        same("read", worked(&steps, "read", "/mnt/file")?, json!("data"))?;
        denied(&steps, "write", "/mnt/file", &["EROFS"])?;
        ensure!(!bed.scratch.join("bundle/rootfs/run/x").exists(), "/run is no mount");
        container.delete()
    }
);

case!(
    a_mount_is_removed_while_the_container_runs,
    caller(&["c4.3.mounts-add-remove-ID-FILE"], "contracts 4.3: mounts remove ID FILE: what was added is gone"),
    |bed| {
        let (container, go) = waiting(bed, "read /mnt/file")?;
        let mounts = json!([bind(bed)?]);
        change(bed, "add", &mounts)?.succeeded("mounts add")?;
        change(bed, "remove", &mounts)?.succeeded("mounts remove")?;
        denied(&last_steps(&container, &go)?, "read", "/mnt/file", &["ENOENT"])?;
        container.delete()
    }
);

case!(
    mounts_are_added_all_or_none,
    caller(&["c4.3.mounts-add-remove-ID-FILE"], "contracts 4.3: all-or-nothing: one mount that fails leaves none"),
    |bed| {
        let (container, go) = waiting(bed, "read /mnt/file")?;
        // As a control that the verb is there at all.
        change(bed, "add", &json!([]))?.succeeded("mounts add of nothing")?;
        let missing = json!({"destination": "/tmp", "type": "bind", "source": "/no/such/source", "options": ["bind"]});
        let output = change(bed, "add", &json!([bind(bed)?, missing]))?;
        same("code", output.code, 1)?;
        bed.is_one_clear_line(&output.stderr)?;
        denied(&last_steps(&container, &go)?, "read", "/mnt/file", &["ENOENT"])?;
        container.delete()
    }
);
