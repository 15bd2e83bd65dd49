//! A created container as a guard: its verbs, its process by pidfd, and
//! `delete --force` when it goes out of scope.

use crate::bed::Bed;
use crate::bundle::{Bundle, Config};
use crate::command::{Files, Output, describe};
use crate::process::{DEADLINE, Handle};
use crate::verdict::{Check, Stop, ensure};
use serde_json::Value;
use std::cell::Cell;
use std::fs;
use std::path::PathBuf;

#[derive(Debug)]
pub(crate) struct Container<'b> {
    bed: &'b Bed,
    pub(crate) id: String,
    pub(crate) handle: Handle,
    files: Files,
    gone: Cell<bool>,
}

impl<'b> Container<'b> {
    /// `create` with a pid file; the payload's output goes to files of the scratch directory.
    pub(crate) fn create(bed: &'b Bed, id: &str, bundle: &Bundle, flags: &[&str]) -> Check<Self> {
        Self::make(bed, id, bundle, "create", flags)
    }

    /// `run --detach`.
    pub(crate) fn run_detached(bed: &'b Bed, bundle: &Bundle, flags: &[&str]) -> Check<Self> {
        let flags: Vec<&str> = std::iter::once("--detach").chain(flags.iter().copied()).collect();
        Self::make(bed, &bed.id(), bundle, "run", &flags)
    }

    fn make(bed: &'b Bed, id: &str, bundle: &Bundle, verb: &str, flags: &[&str]) -> Check<Self> {
        let pid_file = bed.scratch.join(format!("{id}.pid"));
        let (bundle, pid_path) = (bundle.path.to_string_lossy(), pid_file.to_string_lossy());
        let mut args = vec![verb, "--bundle", &bundle, "--pid-file", &pid_path];
        args.extend_from_slice(flags);
        args.push(id);
        Self::adopt(bed, id, bed.command(&args), &pid_file)
    }

    /// Takes charge of what `command`, a create or detached run of `id`, makes.
    pub(crate) fn adopt(
        bed: &'b Bed,
        id: &str,
        command: std::process::Command,
        pid_file: &std::path::Path,
    ) -> Check<Self> {
        let running = bed.spawn(command, bed.null())?;
        let (files, words) = (running.files().clone(), running.words().to_owned());
        let output = running.finish()?;
        bed.note(describe(&words, &output));
        output.succeeded("create")?;
        let handle = process_of(pid_file);
        if handle.is_err() {
            bed.call(&["delete", "--force", id])?;
        }
        Ok(Self { bed, id: id.to_owned(), handle: handle?, files, gone: Cell::new(false) })
    }

    pub(crate) fn pid(&self) -> i32 {
        self.handle.pid
    }

    pub(crate) fn start(&self) -> Check {
        self.bed.call(&["start", &self.id])?.succeeded("start").map(drop)
    }

    pub(crate) fn state(&self) -> Check<Value> {
        let output = self.bed.call(&["state", &self.id])?.succeeded("state")?;
        Ok(serde_json::from_str(&output.stdout)?)
    }

    pub(crate) fn status(&self) -> Check<String> {
        Ok(self.state()?["status"].as_str().unwrap_or_default().to_owned())
    }

    pub(crate) fn kill(&self, signal: &str) -> Check {
        self.bed.call(&["kill", &self.id, signal])?.succeeded("kill").map(drop)
    }

    /// Waits for the container's process to end and collects it: exit code or 128+signal.
    pub(crate) fn wait(&self) -> Check<i32> {
        ensure!(self.handle.ends_within(DEADLINE), "the container's process did not end within {DEADLINE:?}");
        Ok(self.handle.reap().unwrap_or(-1))
    }

    /// As `wait`, but the zombie stays.
    pub(crate) fn wait_unreaped(&self) -> Check {
        ensure!(self.handle.ends_within(DEADLINE), "the container's process did not end within {DEADLINE:?}");
        Ok(())
    }

    /// start, wait, and what the payload printed.
    pub(crate) fn finish(&self) -> Check<Output> {
        self.start()?;
        let code = self.wait()?;
        Ok(self.output(code))
    }

    /// What the payload printed so far.
    pub(crate) fn output(&self, code: i32) -> Output {
        Output { code, stdout: self.files.stdout(), stderr: self.files.stderr() }
    }

    /// The container's own cgroup in the hierarchy of `controller`.
    pub(crate) fn cgroup(&self, controller: &str) -> Check<PathBuf> {
        let missing = || Stop::Fail(format!("the container is in no cgroup of {controller}"));
        let dir = self.bed.host.cgroups.directory_of(self.pid(), controller).ok_or_else(missing)?;
        ensure!(dir.to_string_lossy().contains(&self.bed.token), "cgroup {} is not the container's own", dir.display());
        Ok(dir)
    }

    /// The content of a control file of it: (controller, v1 name, v2 name).
    pub(crate) fn control(&self, controller: &str, (v1, v2): (&str, &str)) -> Check<String> {
        let file = self.cgroup(controller)?.join(if self.bed.host.cgroups.is_unified() { v2 } else { v1 });
        let text = fs::read_to_string(&file).map_err(|error| Stop::Fail(format!("{}: {error}", file.display())))?;
        Ok(text.trim().to_owned())
    }

    pub(crate) fn delete(&self) -> Check {
        self.bed.call(&["delete", &self.id])?.succeeded("delete")?;
        self.gone.set(true);
        Ok(())
    }

    pub(crate) fn delete_force(&self) -> Check {
        self.bed.call(&["delete", "--force", &self.id])?.succeeded("delete --force")?;
        self.gone.set(true);
        Ok(())
    }
}

impl Bed {
    /// A created container, deleted with force when dropped.
    pub(crate) fn create(&self, config: &Config) -> Check<Container<'_>> {
        Container::create(self, &self.id(), &self.bundle(config)?, &[])
    }

    pub(crate) fn create_with(&self, config: &Config, flags: &[&str]) -> Check<Container<'_>> {
        Container::create(self, &self.id(), &self.bundle(config)?, flags)
    }
}

/// `delete --force` of this case's id when dropped, for calls that may leave a container or not.
#[derive(Debug)]
pub(crate) struct DeleteAtEnd<'b>(pub(crate) &'b Bed);

impl Drop for DeleteAtEnd<'_> {
    fn drop(&mut self) {
        self.0.call(&["delete", "--force", &self.0.id()]).map(drop).unwrap_or_default();
    }
}

/// The process a pid file names.
fn process_of(pid_file: &std::path::Path) -> Check<Handle> {
    let pid = fs::read_to_string(pid_file).map_err(|error| Stop::Fail(format!("{}: {error}", pid_file.display())))?;
    let pid = pid.parse().map_err(|_| Stop::Fail(format!("the pid file holds {pid:?}, not digits alone")))?;
    Handle::open(pid)
}

impl Drop for Container<'_> {
    fn drop(&mut self) {
        if !self.gone.get() {
            // A failing delete shows as a leak right after.
            self.bed.call(&["delete", "--force", &self.id]).map(drop).unwrap_or_default();
            self.handle.reap();
        }
    }
}
