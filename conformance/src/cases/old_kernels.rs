//! Security test T-A22: a kernel without a call (ENOSYS), or an outer
//! container that forbids it (EPERM), gives the same verdict or a refusal.
//!
//! The filter of `probe launch --enosys` holds for all that the runtime
//! starts; what a case's payload itself needs is never among the calls.

use super::hostile_root::{Decoy, fine_or_clean_by, fresh, plant};
use crate::bed::Bed;
use crate::bundle::Config;
use crate::case::{Check, case, ensure, safety, same};
use crate::container::Container;
use crate::facts::{mount_at, worked};
use serde_json::json;
use std::path::Path;

const ANSWERS: [&str; 2] = ["--enosys", "--eperm"];

const MOUNT_CALLS: &str = "fsopen,open_tree,move_mount,mount_setattr";

/// A container that asks for a little of everything, so that every call is needed.
fn full(bed: &Bed) -> Check<Config> {
    let data = bed.directory("data")?;
    std::fs::write(data.join("file"), "data")?;
    let config = bed
        .config()
        .bind(&data, "/mnt", &["rbind", "ro", "nosuid"])
        .mount("/run", "tmpfs", "tmpfs", &["nosuid", "mode=755"])
        .set("/linux/maskedPaths", json!(["/proc/timer_list", "/sys/firmware"]))
        .set("/linux/readonlyPaths", json!(["/proc/sys"]));
    let limited = bed.host.cgroups.has_controller("pids");
    Ok(if limited { config.set("/linux/resources/pids/limit", json!(50)) } else { config })
}

/// The verdict on a good config: what was asked for is there, or nothing is left and one line says why.
fn whole_or_refused(bed: &Bed, answer: &str, calls: &str) -> Check {
    let config = full(bed)?.steps("report + write /mnt/new x + read /mnt/file + read /proc/timer_list");
    let bundle = fresh(bed, &config)?;
    let path = bundle.path.to_string_lossy().into_owned();
    let output = bed.finish(bed.command_from(&[answer, calls], &["run", "--bundle", &path, &bed.id()]))?;
    if output.code != 0 {
        return bed.is_clean_refusal(&output);
    }
    let steps = output.steps();
    let facts = output.step("report")?;
    mount_at(&facts, "/run")?;
    same("a read-only mount", &output.step("write")?["errno"], &json!("EROFS"))?;
    same("a bind", worked(&steps, "read", "/mnt/file")?, json!("data"))?;
    let masked = output.steps().into_iter().find(|step| step["args"][0] == "/proc/timer_list").unwrap_or_default();
    ensure!(masked["value"].as_str().unwrap_or_default().is_empty(), "a masked path shows {masked}");
    same("NoNewPrivs", &facts["status"]["NoNewPrivs"], &json!("1"))?;
    bed.nothing_left()
}

/// The verdict on a hostile root: no fallback may be led outside.
fn still_inside(bed: &Bed, answer: &str, calls: &str) -> Check {
    let decoy = Decoy::make(bed)?;
    let caller = [answer, calls];
    let config = bed.config().mount("/link/below", "tmpfs", "tmpfs", &[]).steps("exit 0");
    for target in [decoy.path(), Path::new("../../out")] {
        let bundle = fresh(bed, &config)?;
        plant(&bundle, "link", target)?;
        fine_or_clean_by(bed, &caller, &bundle, &decoy)?;
    }
    let bundle = fresh(bed, &super::hostile_root::without_dev(bed.config()).steps("exit 0"))?;
    plant(&bundle, "dev", decoy.path())?;
    fine_or_clean_by(bed, &caller, &bundle, &decoy)
}

/// create, state, start, kill and delete without the calls: they are obeyed or refuse, and one delete cleans up.
fn life_without(bed: &Bed, answer: &str, calls: &str) -> Check {
    let bundle = fresh(bed, &bed.config().steps("pause"))?;
    let container = Container::create(bed, &bed.id(), &bundle, &[])?;
    for args in [&["state"][..], &["start"], &["kill", "KILL"], &["delete", "--force"]] {
        let words: Vec<&str> = match args {
            [verb, signal] if *verb == "kill" => vec![verb, &container.id, signal],
            _ => args.iter().copied().chain([container.id.as_str()]).collect(),
        };
        let output = bed.finish(bed.command_from(&[answer, calls], &words))?;
        if output.code != 0 {
            bed.is_one_clear_line(&output.stderr)?;
        }
    }
    container.delete_force()?;
    container.wait()?;
    bed.nothing_left()
}

fn without(bed: &Bed, calls: &str) -> Check {
    bed.host.needs_root()?;
    for answer in ANSWERS {
        whole_or_refused(bed, answer, calls)?;
        life_without(bed, answer, calls)?;
    }
    Ok(())
}

case!(
    without_openat2,
    safety(
        &["T-A22"],
        "T-A22: openat2 answers ENOSYS, then EPERM: the same verdict, or one clear line and nothing left"
    ),
    |bed| { without(bed, "openat2") }
);

case!(
    without_the_mount_calls,
    safety(&["T-A22"], "T-A22: fsopen, open_tree, move_mount, mount_setattr: the same verdict, or one clear line"),
    |bed| { without(bed, MOUNT_CALLS) }
);

case!(
    without_close_range,
    safety(&["T-A22"], "T-A22: close_range: the same verdict, or one clear line and nothing left"),
    |bed| { without(bed, "close_range") }
);

case!(
    without_clone3,
    safety(&["T-A22"], "T-A22: clone3: the same verdict, or one clear line and nothing left"),
    |bed| { without(bed, "clone3") }
);

case!(
    without_pidfd_open,
    safety(&["T-A22"], "T-A22: pidfd_open: the same verdict, or one clear line and nothing left"),
    |bed| { without(bed, "pidfd_open") }
);

case!(
    without_memfd_create,
    safety(&["T-A22"], "T-A22: memfd_create: the same verdict, or one clear line and nothing left"),
    |bed| { without(bed, "memfd_create") }
);

case!(
    without_name_to_handle_at,
    safety(&["T-A22"], "T-A22: name_to_handle_at: the same verdict, or one clear line and nothing left"),
    |bed| { without(bed, "name_to_handle_at") }
);

case!(
    without_statmount,
    safety(&["T-A22"], "T-A22: statmount and listmount: the same verdict, or one clear line and nothing left"),
    |bed| { without(bed, "statmount,listmount") }
);

case!(
    without_a_call_no_link_leads_outside,
    safety(
        &["T-A22", "T-A01", "T-A09"],
        "T-A22 with T-A01 and T-A09: whichever call is taken away, its fallback follows no link out of the root"
    ),
    |bed| {
        bed.host.needs_root()?;
        for calls in ["openat2", MOUNT_CALLS, "close_range", "clone3", "pidfd_open", "memfd_create"] {
            for answer in ANSWERS {
                still_inside(bed, answer, calls)?;
            }
        }
        Ok(())
    }
);

case!(
    without_a_call_descriptors_stay_closed,
    safety(&["T-A22", "T-A15"], "T-A22 with T-A15: without close_range the payload still has only 0, 1 and 2"),
    |bed| {
        // An ordinary user may not install the filter that takes the call away.
        bed.host.needs_root()?;
        let bundle = bed.bundle(&bed.config())?;
        let path = bundle.path.to_string_lossy().into_owned();
        for answer in ANSWERS {
            let caller = [answer, "close_range", "--fd", "3:/", "--fd", "9:/etc/passwd"];
            let output = bed.finish(bed.command_from(&caller, &["run", "--bundle", &path, &bed.id()]))?;
            if output.code != 0 {
                bed.is_clean_refusal(&output)?;
                continue;
            }
            let facts = output.step("report")?;
            let fds: Vec<&String> = facts["fds"].as_object().into_iter().flatten().map(|(fd, _)| fd).collect();
            same("descriptors", fds, vec!["0", "1", "2"])?;
        }
        Ok(())
    }
);
