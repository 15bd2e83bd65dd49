//! The bed a case lies in: the runtime with a private state root, a scratch
//! directory, and the calls that nearly every case makes.

use crate::bundle::{Bundle, Config};
use crate::command::{Files, Output, Running, describe};
use crate::delegation::{OwnIds, for_a_user};
use crate::host::Host;
use crate::leak::Snapshot;
use crate::options::{Assignment, Options};
use crate::runtime::Runtime;
use crate::verdict::{Check, Stop, ensure, fail, skip};
use serde_json::Value;
use std::cell::{Cell, RefCell};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

#[derive(Debug)]
pub(crate) struct Bed {
    pub(crate) runtime: Runtime,
    pub(crate) host: Host,
    pub(crate) token: String,
    /// Of this case alone; removed after it.
    pub(crate) scratch: PathBuf,
    pub(crate) probe: PathBuf,
    systemd: bool,
    rootless: Option<OwnIds>,
    calls: Cell<u32>,
    transcript: RefCell<Vec<String>>,
    before: RefCell<Snapshot>,
}

impl Bed {
    pub(crate) fn make(options: &Options, assignment: &Assignment, probe: PathBuf) -> Check<Self> {
        fs::create_dir_all(&assignment.scratch)?;
        Ok(Self {
            runtime: Runtime::identify(options).map_err(Stop::Fail)?,
            host: Host::look(),
            token: assignment.token.clone(),
            scratch: assignment.scratch.clone(),
            probe,
            systemd: options.systemd_cgroup,
            rootless: options.rootless.then(OwnIds::look),
            calls: Cell::new(0),
            transcript: RefCell::default(),
            before: RefCell::new(Snapshot::take(&assignment.token)),
        })
    }

    /// The state root of this case.
    pub(crate) fn root(&self) -> PathBuf {
        self.scratch.join("root")
    }

    /// An id no other case uses.
    pub(crate) fn id(&self) -> String {
        self.token.clone()
    }

    pub(crate) fn config(&self) -> Config {
        let config = Config::new(&self.cgroups_path(""));
        match &self.rootless {
            None => config,
            Some(ids) if self.host.cgroups.may_be_made() => ids.user_namespace(config),
            Some(ids) => ids.user_namespace(config).remove("/linux/cgroupsPath"),
        }
    }

    /// A `cgroupsPath` of this case in the form that the cgroup driver takes, where we may make cgroups.
    pub(crate) fn cgroups_path(&self, suffix: &str) -> String {
        let name = format!("{}{suffix}", self.token);
        if self.systemd { format!("system.slice:conformance:{name}") } else { self.host.cgroups.path_of(&name) }
    }

    /// For rules about paths: systemd's driver has `slice:prefix:name` in their place.
    pub(crate) fn needs_cgroup_paths(&self) -> Check {
        if self.systemd { skip("the systemd driver takes slice:prefix:name in place of a path") } else { Ok(()) }
    }

    pub(crate) fn bundle(&self, config: &Config) -> Check<Bundle> {
        self.bundle_named("bundle", config)
    }

    pub(crate) fn bundle_named(&self, name: &str, config: &Config) -> Check<Bundle> {
        let path = self.scratch.join(name);
        let bundle = if path.exists() { Bundle { path } } else { Bundle::make(&path, &self.probe)? };
        match &self.rootless {
            None => bundle.write(config)?,
            Some(_) => bundle.write(&for_a_user(config.clone()))?,
        }
        Ok(bundle)
    }

    /// A call with this case's state root: `args` begin with the verb.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.runtime.path);
        command.arg("--root").arg(self.root()).args(&self.runtime.global).args(args);
        command
    }

    /// The same call, made by an unusual caller (`probe launch`'s options).
    pub(crate) fn command_from(&self, caller: &[&str], args: &[&str]) -> Command {
        let mut launcher = Command::new(&self.probe);
        launcher.arg("launch").args(caller).arg("--");
        self.command_through(launcher, args)
    }

    /// The same call, started by another program, to whose words it is added.
    pub(crate) fn command_through(&self, mut program: Command, args: &[&str]) -> Command {
        let plain = self.command(args);
        program.arg(plain.get_program()).args(plain.get_args());
        program
    }

    /// For loads that keep systemd busy for minutes, which then answers no other case in time.
    pub(crate) fn needs_no_systemd_driver(&self) -> Check {
        if self.systemd { skip("would keep systemd busy for minutes") } else { Ok(()) }
    }

    pub(crate) fn needs_systemd_driver(&self) -> Check {
        if self.systemd { Ok(()) } else { crate::verdict::skip("needs --systemd-cgroup") }
    }

    pub(crate) fn spawn(&self, command: Command, stdin: Stdio) -> Check<Running> {
        self.calls.set(self.calls.get() + 1);
        Running::spawn(command, stdin, Files::numbered(&self.scratch, self.calls.get()))
    }

    /// A null device of this case's own: a runtime that is led astray must not reach the host's.
    pub(crate) fn null(&self) -> Stdio {
        use rustix::fs::{CWD, FileType, Mode, makedev, mknodat};
        let path = self.scratch.join("null");
        // As an ordinary user, or where device nodes cannot be opened, the host's has to do.
        mknodat(CWD, &path, FileType::CharacterDevice, Mode::from_raw_mode(0o666), makedev(1, 3)).unwrap_or_default();
        fs::OpenOptions::new().read(true).write(true).open(&path).map_or_else(|_| Stdio::null(), Stdio::from)
    }

    pub(crate) fn finish(&self, command: Command) -> Check<Output> {
        self.finish_with(command, self.null())
    }

    pub(crate) fn finish_with(&self, command: Command, stdin: Stdio) -> Check<Output> {
        let running = self.spawn(command, stdin)?;
        let words = running.words().to_owned();
        let output = running.finish()?;
        self.note(describe(&words, &output));
        Ok(output)
    }

    pub(crate) fn note(&self, line: String) {
        self.transcript.borrow_mut().push(line);
    }

    pub(crate) fn transcript(&self) -> Vec<String> {
        self.transcript.borrow().clone()
    }

    /// One call of the runtime to its end.
    pub(crate) fn call(&self, args: &[&str]) -> Check<Output> {
        self.finish(self.command(args))
    }

    pub(crate) fn call_without_root(&self, args: &[&str]) -> Check<Output> {
        let mut command = Command::new(&self.runtime.path);
        command.args(args);
        self.finish(command)
    }

    /// `run` in the foreground, to its end.
    pub(crate) fn run(&self, config: &Config) -> Check<Output> {
        let bundle = self.bundle(config)?;
        self.run_bundle(&bundle)
    }

    pub(crate) fn run_bundle(&self, bundle: &Bundle) -> Check<Output> {
        self.call(&["run", "--bundle", &bundle.path.to_string_lossy(), &self.id()])
    }

    /// What `probe report` saw in a foreground `run` that succeeded.
    pub(crate) fn facts(&self, config: &Config) -> Check<Value> {
        self.run(config)?.succeeded("run")?.step("report")
    }

    /// The results of the probe's steps in a foreground `run` that succeeded.
    pub(crate) fn steps(&self, config: &Config) -> Check<Vec<Value>> {
        Ok(self.run(config)?.succeeded("run")?.steps())
    }

    /// `run` must refuse: exit 1, one clear line, nothing left behind.
    pub(crate) fn refused(&self, config: &Config) -> Check<Output> {
        let bundle = self.bundle(config)?;
        let output = self.run_bundle(&bundle)?;
        self.is_clean_refusal(&output)?;
        Ok(output)
    }

    /// The same for `create`, for what must be refused before the program could start.
    pub(crate) fn create_refused(&self, config: &Config) -> Check<Output> {
        let bundle = self.bundle(config)?;
        let output = self.call(&["create", "--bundle", &bundle.path.to_string_lossy(), &self.id()])?;
        self.is_clean_refusal(&output)?;
        Ok(output)
    }

    pub(crate) fn is_clean_refusal(&self, output: &Output) -> Check {
        if output.code == 0 {
            self.call(&["delete", "--force", &self.id()])?;
            fail!("accepted, though it must be an error");
        }
        ensure!(output.code == 1, "exit code {}, want 1: {}", output.code, output.stderr.trim());
        self.is_one_clear_line(&output.stderr)?;
        self.nothing_left()
    }

    /// An error message is one line, not empty, and no internal crash text.
    pub(crate) fn is_one_clear_line(&self, stderr: &str) -> Check {
        let text = stderr.trim();
        ensure!(!text.is_empty(), "an error without a word on stderr");
        ensure!(!text.contains("panic") && !text.contains("goroutine"), "a crash instead of an error: {text}");
        ensure!(text.lines().count() == 1, "an error of more than one line: {text:?}");
        Ok(())
    }

    /// Processes, mounts, cgroups, state and sockets are as before the case.
    pub(crate) fn nothing_left(&self) -> Check {
        let mut leaks = self.leaks();
        // In the middle of a case it holds descriptors of its own; at the end they count.
        leaks.retain(|leak| !leak.starts_with("descriptor "));
        ensure!(leaks.is_empty(), "left behind: {}", leaks.join("; "));
        Ok(())
    }

    pub(crate) fn leaks(&self) -> Vec<String> {
        let mut leaks = Snapshot::take(&self.token).since(&self.before.borrow());
        leaks.extend(entries(&self.root()).into_iter().map(|entry| format!("state {entry}")));
        leaks
    }

    /// What the case itself made since belongs to the state before.
    pub(crate) fn rebase(&self) {
        *self.before.borrow_mut() = Snapshot::take(&self.token);
    }

    /// A directory in the scratch directory.
    pub(crate) fn directory(&self, name: &str) -> Check<PathBuf> {
        let path = self.scratch.join(name);
        fs::create_dir_all(&path)?;
        Ok(path)
    }

    pub(crate) fn file(&self, name: &str, text: &str) -> Check<PathBuf> {
        let path = self.scratch.join(name);
        fs::write(&path, text)?;
        Ok(path)
    }
}

/// Names in the state root that stand for containers; runtimes may keep lock files of their own.
fn entries(root: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(root) else {
        return Vec::new();
    };
    let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| !name.starts_with('.')).collect()
}
