//! Security labels: contracts.md 4.2 and 8, and T-A07 with a label. AppArmor's run where it is on
//! and its parser installed, as in the virtual machine; no machine of ours has SELinux, so of that
//! only the refusals are seen.

use super::exec::{report, running};
use super::hostile_root::fresh;
use super::image_races::{Covering, started_behind};
use crate::bed::Bed;
use crate::bundle::Config;
use crate::case::{Check, caller, case, ensure, must, safety, same, skip};
use crate::command::Output;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

/// A loaded profile that allows everything but /etc/denied; unloaded when dropped.
struct Profile<'b> {
    bed: &'b Bed,
    name: String,
    file: String,
}

impl<'b> Profile<'b> {
    fn load(bed: &'b Bed) -> Check<Self> {
        Self::load_as(bed, &bed.token, "")
    }

    /// With this name, and with further rules.
    fn load_as(bed: &'b Bed, name: &str, more: &str) -> Check<Self> {
        bed.host.needs_root()?;
        if !bed.host.has_apparmor() {
            return skip("AppArmor is not enabled here");
        }
        bed.host.needs_program("apparmor_parser")?;
        let name = name.to_owned();
        let rules = "file, network, capability, mount, umount, pivot_root, signal, ptrace, unix,";
        let text = format!(
            "profile {name} flags=(attach_disconnected,mediate_deleted) {{\n{rules}\ndeny /etc/denied r,\n{more}\n}}\n"
        );
        let file = bed.file(&format!("{name}.profile"), &text)?.to_string_lossy().into_owned();
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
    the_profile_holds_in_a_user_namespace,
    safety(
        &["3.process.apparmorProfile"],
        "config.md#linux-process: apparmorProfile: the same in a user namespace, whosever the pid namespace is"
    ),
    |bed| {
        let profile = Profile::load(bed)?;
        let own = profile.config().user_namespace(100_000, 65536);
        same("label with a pid namespace", &bed.facts(&own)?["label"], &profile.label())?;
        // Only what belongs to the user namespace may be mounted afresh.
        let shared = own.without_namespace("pid").without_mount("/proc").bind(Path::new("/proc"), "/proc", &["rbind"]);
        same("label in the host's pid namespace", &bed.facts(&shared)?["label"], &profile.label())
    }
);

case!(
    the_profile_holds_after_a_start_container_hook,
    safety(
        &["3.process.apparmorProfile", "3.startContainer"],
        "config.md#linux-process: apparmorProfile: the same where hooks run between start and the process"
    ),
    |bed| {
        let profile = Profile::load(bed)?;
        let hook = json!({"path": "/probe", "args": ["probe", "write", "/hook", "ran"]});
        let bundle = bed.bundle(&profile.config().set("/hooks/startContainer/-", hook).steps("report"))?;
        let output = bed.run_bundle(&bundle)?.succeeded("run")?;
        same("label", &output.step("report")?["label"], &profile.label())?;
        same("the hook", std::fs::read_to_string(bundle.rootfs().join("hook"))?, "ran")
    }
);

case!(
    a_confined_runtime_never_lifts_its_own_profile,
    safety(
        &["3.process.apparmorProfile"],
        "config.md#linux-process: apparmorProfile of a confined runtime: stacked on its own under no_new_privs, or as its policy allows"
    ),
    |bed| {
        bed.host.needs_program("aa-exec")?;
        let inner = Profile::load(bed)?;
        let outer = Profile::load_as(bed, &format!("{}-outer", bed.token), "change_profile,")?;
        let label = |new_privileges: bool| -> Check<String> {
            let config = inner.config().set("/process/noNewPrivileges", json!(!new_privileges));
            let bundle = fresh(bed, &config.steps("report + read /etc/denied"))?;
            std::fs::write(bundle.rootfs().join("etc/denied"), "secret")?;
            let mut launcher = Command::new("aa-exec");
            launcher.args(["-p", &outer.name, "--"]);
            let call = ["run", "--bundle", &bundle.path.to_string_lossy(), &bed.id()];
            let output = bed.finish(bed.command_through(launcher, &call))?.succeeded("run")?;
            same("what it denies", &output.step("read")?["errno"], &json!("EACCES"))?;
            Ok(output.step("report")?["label"].as_str().unwrap_or_default().to_owned())
        };
        same("label where policy allows it", json!(label(true)?), inner.label())?;
        let stacked = label(false)?;
        let mut names: Vec<&str> = stacked.trim_end_matches(" (enforce)").split("//&").collect();
        names.sort_unstable();
        same("profiles under no_new_privs", names, vec![inner.name.as_str(), outer.name.as_str()])
    }
);

case!(
    nothing_is_needed_to_be_unconfined,
    caller(&["3.process.apparmorProfile"], "checklist: apparmorProfile: `unconfined` and the empty one are accepted"),
    |bed| {
        for name in ["", "unconfined"] {
            let facts = bed.facts(&bed.config().set("/process/apparmorProfile", json!(name)))?;
            if bed.host.has_apparmor() {
                same(name, &facts["label"], &json!("unconfined"))?;
            }
        }
        Ok(())
    }
);

/// A config that asks for SELinux, on a machine without it.
fn refused_without_selinux(bed: &Bed, pointer: &str) -> Check<Output> {
    if Path::new("/sys/fs/selinux/enforce").exists() {
        return skip("this machine has SELinux");
    }
    bed.create_refused(&bed.config().set(pointer, json!("system_u:system_r:container_t:s0:c1,c2")))
}

case!(
    a_selinux_label_without_selinux_is_named,
    caller(
        &["3.process.selinuxLabel"],
        "checklist: selinuxLabel: SELinux off: `selinux label is specified in config, but selinux is disabled or not supported`"
    ),
    |bed| {
        let output = refused_without_selinux(bed, "/process/selinuxLabel")?;
        let phrase = "selinux label is specified in config, but selinux is disabled or not supported";
        ensure!(output.stderr.contains(phrase), "no such phrase: {}", output.stderr.trim());
        Ok(())
    }
);

case!(
    a_mount_label_without_selinux_is_refused,
    must(&["6.mountLabel"], "config-linux.md#mount-label: a label that cannot be applied is an error"),
    |bed| { refused_without_selinux(bed, "/linux/mountLabel").map(drop) }
);

case!(
    the_type_of_a_mount_context_needs_no_selinux,
    caller(&["6.mountLabel"], "contracts 12: run.oci.mount_context_type without a label changes nothing"),
    |bed| {
        for word in ["context", "fscontext", "defcontext", "rootcontext"] {
            bed.facts(&bed.config().set("/annotations", json!({"run.oci.mount_context_type": word})))?;
        }
        Ok(())
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
