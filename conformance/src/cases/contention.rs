//! Fault model C-03, C-04, C-25, C-34: several callers at one container at
//! once, as after an engine's restart.

use crate::bed::Bed;
use crate::bundle::Bundle;
use crate::case::{Check, caller, case, safety, same};
use crate::command::{Output, Running};
use crate::container::DeleteAtEnd;
use serde_json::{Value, json};
use std::time::Duration;

fn create(bed: &Bed, bundle: &Bundle) -> Check<Running> {
    bed.spawn(bed.command(&["create", "--bundle", &bundle.path.to_string_lossy(), &bed.id()]), bed.null())
}

/// None of these takes longer, however many are at it.
fn all(calls: Vec<Running>) -> Check<Vec<Output>> {
    calls.into_iter().map(|call| call.finish_within(Duration::from_secs(5))).collect()
}

/// The one container's state, if there is one.
fn state(bed: &Bed) -> Check<Option<Value>> {
    let output = bed.call(&["state", &bed.id()])?;
    if output.code != 0 {
        bed.is_one_clear_line(&output.stderr)?;
        return Ok(None);
    }
    Ok(Some(serde_json::from_str(&output.stdout)?))
}

case!(
    one_of_many_creates_wins,
    safety(
        &["c4.1.create-ID", "c8.container-with-given-ID-already"],
        "security C-03: 8 creates of one id at once: one wins, the others say `already exists`, and the winner's state is whole"
    ),
    |bed| {
        let bundle = bed.bundle(&bed.config().steps("exit 7"))?;
        for round in 0..5 {
            let _end = DeleteAtEnd(bed);
            let calls = (0..8).map(|_| create(bed, &bundle)).collect::<Check<Vec<_>>>()?;
            let outputs = all(calls)?;
            let (won, lost): (Vec<&Output>, Vec<&Output>) = outputs.iter().partition(|output| output.code == 0);
            same(&format!("winners of round {round}"), won.len(), 1)?;
            for output in lost {
                output.refuses_with("already exists")?;
                bed.is_one_clear_line(&output.stderr)?;
            }
            let state = state(bed)?.unwrap_or_default();
            same("status", &state["status"], &json!("created"))?;
            bed.call(&["start", &bed.id()])?.succeeded("start")?;
        }
        bed.nothing_left()
    }
);

case!(
    create_and_delete_leave_a_container_or_none,
    safety(
        &["c4.1.create-ID", "c4.1.f-force"],
        "security C-04: create against delete --force: at the end there is a created container or none, and no orphan"
    ),
    |bed| {
        let bundle = bed.bundle(&bed.config())?;
        for round in 0..12 {
            let creating = create(bed, &bundle)?;
            // delete begins after a little more of create's life each time.
            creating.handle.ends_within(Duration::from_millis(round));
            let deleting = bed.spawn(bed.command(&["delete", "--force", &bed.id()]), bed.null())?;
            let (created, deleted) = (creating.finish()?, deleting.finish()?);
            same(&format!("delete --force of round {round}"), (deleted.code, deleted.stderr.trim()), (0, ""))?;
            match state(bed)? {
                Some(state) => same("status", &state["status"], &json!("created"))?,
                None => bed.nothing_left()?,
            }
            if created.code != 0 {
                bed.is_one_clear_line(&created.stderr)?;
            }
            bed.call(&["delete", "--force", &bed.id()])?.succeeded("delete --force")?;
            bed.nothing_left()?;
        }
        Ok(())
    }
);

case!(
    one_of_two_starts_wins,
    safety(
        &["c4.1.start-ID", "2.Lifecycle-6-8-start"],
        "security C-25: two starts at once: exactly one succeeds, the other says why not, and the program runs once"
    ),
    |bed| {
        let bundle = bed.bundle(&bed.config().steps("append /tmp/ran x + tell /sync/ready + pause"))?;
        let ready = super::Fifo::make(&bundle.rootfs().join("sync/ready"))?;
        for round in 0..6 {
            std::fs::write(bundle.rootfs().join("tmp/ran"), "")?;
            let container = crate::container::Container::create(bed, &bed.id(), &bundle, &[])?;
            let start = || bed.spawn(bed.command(&["start", &container.id]), bed.null());
            let outputs = all(vec![start()?, start()?])?;
            same(&format!("winners of round {round}"), outputs.iter().filter(|output| output.code == 0).count(), 1)?;
            for output in outputs.iter().filter(|output| output.code != 0) {
                bed.is_one_clear_line(&output.stderr)?;
            }
            ready.wait()?;
            same("runs", std::fs::read_to_string(bundle.rootfs().join("tmp/ran"))?, "x")?;
            container.delete_force()?;
            container.wait()?;
        }
        bed.nothing_left()
    }
);

case!(
    many_forced_deletes_all_succeed,
    caller(
        &["c4.1.f-force", "c6.13-locking"],
        "security C-34: 8 delete --force at once: all exit 0, and nothing is left; success only once that holds"
    ),
    |bed| {
        for _ in 0..3 {
            let container = bed.create(&bed.config().steps("spawn + spawn + pause"))?;
            container.start()?;
            let delete = |_| bed.spawn(bed.command(&["delete", "--force", &container.id]), bed.null());
            let outputs = all((0..8).map(delete).collect::<Check<Vec<_>>>()?)?;
            for output in outputs {
                same("delete --force", (output.code, output.stderr.trim()), (0, ""))?;
            }
            container.wait()?;
            bed.nothing_left()?;
        }
        Ok(())
    }
);
