//! Fault model C-24: what the runtime wrote about a live container is damaged.
//! Whatever it says then, it must not call the container gone while it lives,
//! nor touch what is outside, and one delete --force must clean up.

use crate::bed::Bed;
use crate::case::{Check, case, ensure, safety, same};
use crate::container::Container;
use crate::process::KillAtEnd;
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};

/// The files in which the runtime keeps what it knows: not fifos, sockets or locks.
fn records(dir: &Path) -> Check<Vec<PathBuf>> {
    let entries = fs::read_dir(dir)?.flatten().filter(|entry| entry.metadata().is_ok_and(|meta| meta.is_file()));
    let all: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    let mut filled: Vec<PathBuf> =
        all.into_iter().filter(|path| fs::metadata(path).is_ok_and(|meta| meta.len() > 0)).collect();
    filled.sort();
    Ok(filled)
}

const DAMAGES: [&str; 8] = ["missing", "empty", "cut", "garbage", "another value", "huge", "a link", "flipped"];

fn damage(kind: &str, file: &Path, outside: &Path) -> Check {
    let content = fs::read(file)?;
    match kind {
        "missing" => fs::remove_file(file)?,
        "empty" => fs::write(file, "")?,
        "cut" => fs::write(file, &content[..content.len() / 2])?,
        "garbage" => fs::write(file, "\u{0}\u{1}not json at all")?,
        "another value" => fs::write(file, "[]")?,
        // Sparse: it costs only those who read all of it.
        "huge" => fs::OpenOptions::new().write(true).open(file)?.set_len(1 << 26)?,
        "a link" => {
            fs::remove_file(file)?;
            std::os::unix::fs::symlink(outside, file)?;
        }
        _ => fs::write(file, content.iter().map(|byte| byte ^ 0x10).collect::<Vec<u8>>())?,
    }
    Ok(())
}

/// What every verb may say of the damaged container, while it lives.
fn never_called_gone(bed: &Bed, kind: &str, container: &Container) -> Check {
    for args in [&["state"][..], &["start"], &["kill", "KILL"], &["delete"]] {
        let words: Vec<&str> = match args {
            ["kill", signal] => vec!["kill", &container.id, signal],
            _ => vec![args[0], &container.id],
        };
        let output = bed.call(&words)?;
        if output.code == 0 {
            // It may know better than its file; a delete that succeeds must have ended the process.
            let gone = args[0] != "delete" || !container.handle.is_alive();
            ensure!(gone, "{kind}: delete succeeded, and the process lives on");
        } else {
            bed.is_one_clear_line(&output.stderr)?;
        }
    }
    Ok(())
}

/// A live container whose records `spoil` damages: verbs may refuse, one delete --force ends it all.
fn survives(bed: &Bed, kind: &str, spoil: impl FnOnce(&[PathBuf]) -> Check) -> Check {
    let container = super::ready(bed, &bed.config().steps("spawn + tell /sync/ready + pause"))?;
    // Before the guard's own delete, which may not know the container any more.
    let _end = KillAtEnd(&container.handle);
    spoil(&records(&bed.root().join(&container.id))?)?;
    bed.call(&["list", "-q"])?.succeeded("list")?;
    never_called_gone(bed, kind, &container)?;
    container.delete_force()?;
    let ended = container.handle.ends_within(std::time::Duration::from_secs(2));
    ensure!(ended, "{kind}: the process lives on after delete --force");
    container.wait()?;
    let left = bed.host.cgroups.directories_naming(&container.id);
    ensure!(left.is_empty(), "{kind}: cgroups are left: {left:?}");
    same(kind, bed.root().join(&container.id).exists(), false)
}

/// How many records the runtime keeps.
fn records_of_a_container(bed: &Bed) -> Check<usize> {
    let container = bed.create(&bed.config())?;
    let count = records(&bed.root().join(&container.id))?.len();
    container.delete_force()?;
    container.wait()?;
    ensure!(count > 0, "no record of a container");
    Ok(count)
}

case!(
    damaged_state_strands_no_container,
    safety(
        &["T-A24", "c6.11-state", "c4.1.f-force"],
        "security C-24: state empty, cut, garbage, huge, a link, with bits flipped: no verb calls a live container gone; delete --force cleans all"
    ),
    |bed| {
        bed.host.needs_root()?;
        let outside = bed.file("outside", "{}")?;
        for kind in DAMAGES.into_iter().filter(|kind| *kind != "missing") {
            survives(bed, kind, |records| records.iter().try_for_each(|file| damage(kind, file, &outside)))?;
            same("the file outside", fs::read_to_string(&outside)?, "{}")?;
        }
        Ok(())
    }
);

case!(
    one_damaged_record_strands_no_container,
    safety(
        &["T-A24", "c6.11-state", "c4.1.f-force"],
        "security C-24: each file of the state missing or damaged, one at a time: the same"
    ),
    |bed| {
        bed.host.needs_root()?;
        let outside = bed.file("outside", "{}")?;
        for index in 0..records_of_a_container(bed)? {
            for kind in DAMAGES.into_iter().filter(|kind| *kind != "a link") {
                survives(bed, &format!("record {index} {kind}"), |records| damage(kind, &records[index], &outside))?;
            }
        }
        Ok(())
    }
);

case!(
    a_link_in_the_place_of_state_strands_no_container,
    safety(
        &["T-A24", "c6.11-state", "c4.1.f-force"],
        "security C-24: a file of the state is a link to outside: what it leads to is neither believed nor changed, and delete --force cleans all"
    ),
    |bed| {
        bed.host.needs_root()?;
        let outside = bed.file("outside", "{}")?;
        for index in 0..records_of_a_container(bed)? {
            survives(bed, &format!("record {index} a link"), |records| damage("a link", &records[index], &outside))?;
            same("the file outside", fs::read_to_string(&outside)?, "{}")?;
        }
        Ok(())
    }
);

case!(
    missing_state_strands_no_container,
    safety(
        &["T-A24", "c6.11-state", "c4.1.f-force"],
        "security C-24: every file of the state missing: the cgroup is found by the id; delete --force cleans all, or does not claim to"
    ),
    |bed| {
        bed.host.needs_root()?;
        survives(bed, "all missing", |records| records.iter().try_for_each(|file| Ok(fs::remove_file(file)?)))
    }
);

case!(
    list_shows_the_neighbours_of_damaged_state,
    safety(&["c4.3.list-f-table-json-q"], "security C-24: list: the others are shown, exit 0"),
    |bed| {
        let bundle = bed.bundle(&bed.config().remove("/linux/cgroupsPath"))?;
        let ids = ["damaged", "whole"].map(|name| format!("{}-{name}", bed.token));
        let containers = ids.iter().map(|id| Container::create(bed, id, &bundle, &[])).collect::<Check<Vec<_>>>()?;
        let pid = containers[0].pid().to_string();
        for file in records(&bed.root().join(&ids[0]))? {
            // Only what names the process: the rest may be needed to clean up.
            if fs::read_to_string(&file)?.contains(&pid) {
                damage("cut", &file, Path::new("/"))?;
            }
        }
        for flags in [&["list", "-q"][..], &["list"], &["list", "--format", "json"]] {
            let listed = bed.call(flags)?.succeeded("list")?.stdout;
            ensure!(listed.contains(&ids[1]), "{flags:?}: {listed}");
        }
        for container in &containers {
            container.delete_force()?;
            ensure!(container.handle.ends_within(std::time::Duration::from_secs(2)), "{} lives on", container.id);
            container.wait()?;
        }
        Ok(())
    }
);

case!(
    state_of_a_newer_version_is_read_or_refused,
    safety(
        &["c6.11-state"],
        "security C-24, C-40: a member that a newer version added: state is right, or one clear line; delete --force works"
    ),
    |bed| {
        let container = bed.create(&bed.config())?;
        for file in records(&bed.root().join(&container.id))? {
            let Ok(mut record) = serde_json::from_slice::<serde_json::Value>(&fs::read(&file)?) else { continue };
            if let Some(members) = record.as_object_mut() {
                members.insert("a-member-of-the-future".to_owned(), json!({"deep": [1, 2, 3]}));
                fs::write(&file, record.to_string())?;
            }
        }
        let output = bed.call(&["state", &container.id])?;
        if output.code == 0 {
            same("status", container.status()?, "created")?;
        } else {
            bed.is_one_clear_line(&output.stderr)?;
        }
        container.delete_force()?;
        container.wait()?;
        bed.nothing_left()
    }
);
