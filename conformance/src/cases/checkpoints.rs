//! contracts.md 1#7 and 10, security test T-A26: checkpoint and restore. CRIU
//! mounts cgroup2 anew, which takes `nsdelegate` from the host: it is put back.

use crate::bed::Bed;
use crate::case::{Check, caller, case, ensure, safety, same, skip};
use crate::cgroups::KeptOptions;
use crate::process::{DEADLINE, Handle};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Skips unless CRIU is there and the kernel has what it asks for.
fn needs_criu(bed: &Bed) -> Check {
    bed.host.needs_root()?;
    bed.host.needs_program("criu")?;
    let mut check = Command::new("criu");
    check.arg("check");
    if bed.finish(check)?.code == 0 { Ok(()) } else { skip("`criu check` fails here") }
}

case!(
    callers_can_ask_for_checkpoint_and_restore,
    caller(
        &["c1.7", "c8.flag-needs-an-argument"],
        "contracts 1#7: checkpoint --help exits 0; restore --lsm-mount-context without a value: `flag needs an argument`"
    ),
    |bed| {
        bed.call_without_root(&["checkpoint", "--help"])?.succeeded("checkpoint --help")?;
        let output = bed.call_without_root(&["restore", "--lsm-mount-context"])?;
        same("exit code", output.code, 1)?;
        let said = format!("{}{}", output.stdout, output.stderr);
        ensure!(said.contains("flag needs an argument"), "{said}");
        Ok(())
    }
);

case!(
    only_a_running_container_is_checkpointed,
    caller(&["c4.3.checkpoint"], "contracts 10: `Container cannot be checkpointed in X state`"),
    |bed| {
        let images = bed.scratch.join("images").to_string_lossy().into_owned();
        let container = bed.create(&bed.config().steps("exit 0"))?;
        let output = bed.call(&["checkpoint", "--image-path", &images, &container.id])?;
        output.refuses_with("Container cannot be checkpointed in created state")?;
        container.finish()?;
        let output = bed.call(&["checkpoint", "--image-path", &images, &container.id])?;
        output.refuses_with("Container cannot be checkpointed in stopped state")?;
        container.delete()
    }
);

case!(
    options_of_checkpoint_are_checked_first,
    caller(
        &["c4.3.checkpoint"],
        "contracts 10: --empty-ns: `namespace \"X\" is not supported`; `--parent-path must be relative`; nothing is frozen meanwhile"
    ),
    |bed| {
        let container = super::ready(bed, &bed.config().steps("tell /sync/ready + pause"))?;
        for (option, phrase) in [
            (["--empty-ns", "uts"], "namespace \"uts\" is not supported"),
            (["--parent-path", "/absolute"], "--parent-path must be relative"),
        ] {
            let images = bed.scratch.join("images").to_string_lossy().into_owned();
            let output = bed.call(&["checkpoint", "--image-path", &images, option[0], option[1], &container.id])?;
            output.refuses_with(phrase)?;
            same("status", container.status()?, "running")?;
        }
        Ok(())
    }
);

case!(
    an_unknown_way_with_cgroups_is_refused,
    caller(&["c4.3.checkpoint"], "contracts 10: --manage-cgroups-mode: else `invalid manage-cgroups-mode value`"),
    |bed| {
        let container = super::ready(bed, &bed.config().steps("tell /sync/ready + pause"))?;
        let images = bed.scratch.join("images").to_string_lossy().into_owned();
        let output =
            bed.call(&["checkpoint", "--image-path", &images, "--manage-cgroups-mode", "nosuch", &container.id])?;
        output.refuses_with("invalid manage-cgroups-mode value")?;
        same("status", container.status()?, "running")
    }
);

/// Runs a call whose stdio are pipes, the only kind that CRIU carries over without help.
fn with_pipes(mut command: Command) -> Check<i32> {
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let handle = Handle::open(i32::try_from(child.id())?)?;
    ensure!(handle.ends_within(DEADLINE), "no end within {DEADLINE:?}: {command:?}");
    Ok(handle.reap().unwrap_or(-1))
}

/// A container that was checkpointed, and what its restore needs.
struct Dump {
    images: String,
    bundle: String,
    pid_file: String,
}

impl Dump {
    /// Runs a container of these steps until it says that it is ready; its images are then all there is of it.
    fn of(bed: &Bed, steps: &str) -> Check<Self> {
        let bundle = bed.bundle(&bed.config().steps(steps))?;
        let ready = super::Fifo::make(&bundle.rootfs().join("sync/ready"))?;
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let images = text(&bed.directory("images")?);
        let dump = Self { images, bundle: text(&bundle.path), pid_file: text(&bed.scratch.join("the.pid")) };
        same("run", with_pipes(dump.call(bed, &["run"]))?, 0)?;
        ready.wait()?;
        let first = dump.process()?;
        bed.call(&["checkpoint", "--image-path", &dump.images, "--work-path", &dump.images, &bed.id()])?
            .succeeded("checkpoint")?;
        ensure!(first.ends_within(DEADLINE), "the first process lives after the checkpoint");
        first.reap();
        Ok(dump)
    }

    /// The exit code of its restore.
    fn restore(&self, bed: &Bed) -> Check<i32> {
        with_pipes(self.call(bed, &["restore", "--image-path", &self.images, "--work-path", &self.images]))
    }

    /// The process that the pid file names.
    fn process(&self) -> Check<Handle> {
        Handle::open(std::fs::read_to_string(&self.pid_file)?.parse()?)
    }

    fn call(&self, bed: &Bed, words: &[&str]) -> Command {
        let id = bed.id();
        bed.command(&[words, &["--detach", "--bundle", &self.bundle, "--pid-file", &self.pid_file, &id]].concat())
    }
}

case!(
    a_container_goes_on_after_a_restore,
    caller(
        &["c4.3.checkpoint", "c5.foreground-run-exec-restore-process"],
        "contracts 10: checkpoint ends the container; restore makes it run on, with its own pid file"
    ),
    |bed| {
        needs_criu(bed)?;
        let _options = KeptOptions::keep();
        let (dump, id) = (Dump::of(bed, "trap TERM 7 + tell /sync/ready + pause")?, bed.id());
        bed.call(&["state", &id])?.refuses_with("does not exist")?;
        same("restore", dump.restore(bed)?, 0)?;
        let second = dump.process()?;
        bed.call(&["kill", &id, "TERM"])?.succeeded("kill")?;
        ensure!(second.ends_within(DEADLINE), "the restored process did not end");
        same("code", second.reap(), Some(7))?;
        bed.call(&["delete", &id])?.succeeded("delete")?;
        bed.nothing_left()
    }
);

/// The descriptors.json of these images names a file of the host: that file.
fn name_in_descriptors(bed: &Bed, images: &Path) -> Check<PathBuf> {
    let decoy = bed.file("decoy", "decoy")?;
    std::fs::write(images.join("descriptors.json"), serde_json::json!([&decoy, &decoy, &decoy]).to_string())?;
    Ok(decoy)
}

/// Restores from `images`, which is nothing that this runtime wrote: refused, and the decoys stay as they are.
fn refuses_images(bed: &Bed, images: &Path) -> Check {
    let decoy = name_in_descriptors(bed, images)?;
    let bundle = bed.bundle(&bed.config())?;
    let (path, work) = (bundle.path.to_string_lossy().into_owned(), bed.directory("work")?);
    let flags = ["--detach", "--bundle", &path, "--image-path", &images.to_string_lossy(), "--work-path"];
    let output = bed.call(&[&["restore"][..], &flags, &[&work.to_string_lossy(), &bed.id()]].concat())?;
    same("the decoy", std::fs::read_to_string(&decoy)?, "decoy")?;
    ensure!(output.code != 0, "restored from hostile images");
    ensure!(!output.stderr.contains("panic"), "{}", output.stderr);
    bed.nothing_left()
}

case!(
    hostile_images_are_not_restored,
    safety(
        &["T-A26"],
        "T-A26: an image directory with links out of it, and descriptors that name host paths: refused, nothing outside is changed"
    ),
    |bed| {
        bed.host.needs_root()?;
        let _options = KeptOptions::keep();
        // A runtime that has no restore would pass for the wrong reason.
        bed.call_without_root(&["restore", "--help"])?.succeeded("restore --help")?;
        let decoy = bed.file("target", "decoy")?;
        let images = bed.directory("images")?;
        for name in ["inventory.img", "core-1.img", "fdinfo-2.img", "files.img", "restore.log", "stats-restore"] {
            symlink(&decoy, images.join(name))?;
        }
        refuses_images(bed, &images)?;
        same("what the links lead to", std::fs::read_to_string(decoy)?, "decoy")
    }
);

case!(
    images_with_false_descriptors_stay_inside,
    safety(
        &["T-A26"],
        "T-A26: true images whose descriptors.json names host paths: refused, or restored without touching them"
    ),
    |bed| {
        needs_criu(bed)?;
        let _options = KeptOptions::keep();
        let dump = Dump::of(bed, "say x + trap TERM 7 + tell /sync/ready + pause")?;
        let decoy = name_in_descriptors(bed, Path::new(&dump.images))?;
        if dump.restore(bed)? == 0 {
            let second = dump.process()?;
            bed.call(&["delete", "--force", &bed.id()])?.succeeded("delete")?;
            ensure!(second.ends_within(DEADLINE), "the restored process did not end");
            second.reap();
        }
        same("the decoy", std::fs::read_to_string(&decoy)?, "decoy")?;
        bed.nothing_left()
    }
);
