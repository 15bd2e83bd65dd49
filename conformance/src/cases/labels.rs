//! AppArmor labels: contracts.md 4.2 and 8, and T-A07 with a label. They run
//! where AppArmor is on and its parser installed, as in the virtual machine.

use super::exec::{report, running};
use super::image_races::{Covering, started_behind};
use crate::bed::Bed;
use crate::bundle::Config;
use crate::case::{Check, caller, case, ensure, safety, same, skip};
use serde_json::{Value, json};
use std::process::Command;

/// A loaded profile that allows everything but /etc/denied; unloaded when dropped.
struct Profile<'b> {
    bed: &'b Bed,
    name: String,
    file: String,
}

impl<'b> Profile<'b> {
    fn load(bed: &'b Bed) -> Check<Self> {
        bed.host.needs_root()?;
        if !bed.host.has_apparmor() {
            return skip("AppArmor is not enabled here");
        }
        bed.host.needs_program("apparmor_parser")?;
        let name = bed.token.clone();
        let rules = "file, network, capability, mount, umount, pivot_root, signal, ptrace, unix,";
        let text = format!(
            "profile {name} flags=(attach_disconnected,mediate_deleted) {{\n{rules}\ndeny /etc/denied r,\n}}\n"
        );
        let file = bed.file("profile", &text)?.to_string_lossy().into_owned();
        let profile = Self { bed, name, file };
        profile.parser("--replace")?;
        Ok(profile)
    }

    fn parser(&self, verb: &str) -> Check {
        let mut command = Command::new("apparmor_parser");
        command.args([verb, "--skip-cache", &self.file]);
        self.bed.finish(command)?.succeeded("apparmor_parser").map(drop)
    }

    fn config(&self) -> Config {
        self.bed.config().set("/process/apparmorProfile", json!(self.name))
    }

    /// The label a process of this profile has.
    fn label(&self) -> Value {
        json!(format!("{} (enforce)", self.name))
    }
}

impl Drop for Profile<'_> {
    fn drop(&mut self) {
        self.parser("--remove").unwrap_or_default();
    }
}

case!(
    the_profile_holds_inside,
    safety(
        &["3.process.apparmorProfile", "T-A07"],
        "config.md#linux-process: apparmorProfile: the process has the profile, and what it denies is denied"
    ),
    |bed| {
        let profile = Profile::load(bed)?;
        let bundle = bed.bundle(&profile.config().steps("report + read /etc/denied"))?;
        std::fs::write(bundle.rootfs().join("etc/denied"), "secret")?;
        let output = bed.run_bundle(&bundle)?.succeeded("run")?;
        same("label", &output.step("report")?["label"], &profile.label())?;
        same("what it denies", &output.step("read")?["errno"], &json!("EACCES"))
    }
);

case!(
    exec_sets_the_apparmor_profile,
    caller(&["c4.2.no-new-privs"], "contracts 4.2: exec --apparmor P: the new process has the profile"),
    |bed| {
        let profile = Profile::load(bed)?;
        let _container = running(bed, bed.config())?;
        same("label", &report(bed, &["--apparmor", &profile.name])?["label"], &profile.label())
    }
);

case!(
    a_failed_write_of_a_label_names_the_attribute,
    caller(
        &["c8"],
        "contracts 8: a failed write of an LSM attribute is named in backquotes: `` `/proc/self/attr/...` ``"
    ),
    |bed| {
        bed.host.needs_root()?;
        if !bed.host.has_apparmor() {
            return skip("AppArmor is not enabled here");
        }
        let bundle = bed.bundle(&bed.config().set("/process/apparmorProfile", json!("no-such-profile")))?;
        let output = bed.run_bundle(&bundle)?;
        bed.is_clean_refusal(&output)?;
        let quoted = output
            .stderr
            .split('`')
            .skip(1)
            .step_by(2)
            .any(|word| word.starts_with("/proc/") && word.contains("/attr/"));
        ensure!(quoted, "no `/proc/self/attr/...`: {}", output.stderr.trim());
        Ok(())
    }
);

case!(
    a_false_attribute_file_takes_no_label,
    safety(
        &["T-A07"],
        "T-A07: a hook mounts a tmpfs on proc/1/attr/apparmor, or on proc/1/attr, whose `exec` leads to /proc/1/sched: attr/current is the profile, or refused"
    ),
    |bed| {
        let profile = Profile::load(bed)?;
        // A runtime that sets no label at all would refuse for the wrong reason.
        same("label in peace", &bed.facts(&profile.config())?["label"], &profile.label())?;
        for covered in ["proc/1/attr/apparmor", "proc/1/attr"] {
            let config = profile.config().steps("tell /sync/ready + pause");
            let covering = Covering { place: covered, link: "exec", target: "/proc/1/sched" };
            if let Some(container) = started_behind(bed, &config, &covering)? {
                // The payload's own procfs is covered; the host's is not.
                let label = std::fs::read_to_string(format!("/proc/{}/attr/current", container.pid()))?;
                same(covered, &json!(label.trim()), &profile.label())?;
                container.delete_force()?;
                container.wait()?;
            }
        }
        Ok(())
    }
);
