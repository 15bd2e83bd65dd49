//! Where the contest takes place: a root filesystem, bundles, a way to run and to measure commands.
//! All of it lies in one directory, which goes when the bed does.

use crate::bundle::{DeviceRules, StandIns, adapt};
use crate::sample::{Sample, syscalls_in};
use serde_json::Value;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Built by hack/bench/run.
const PROGRAMS: &str = "out/bench";

#[derive(Debug)]
pub(crate) struct Bed {
    programs: PathBuf,
    dir: PathBuf,
}

impl Bed {
    pub(crate) fn make() -> Result<Self, String> {
        // Orphans come to us, so that a container's process can be waited for, and none is left.
        let this = rustix::process::getpid();
        rustix::process::set_child_subreaper(Some(this)).map_err(|error| error.to_string())?;
        let programs = std::path::absolute(PROGRAMS).map_err(|error| error.to_string())?;
        if !programs.join("launch").exists() {
            return Err("start me by hack/bench/run, which builds the floors".to_owned());
        }
        let dir = PathBuf::from(format!("/run/hull-bench-{}", this.as_raw_nonzero()));
        let bed = Self { programs, dir };
        bed.furnish()
            .map_err(|error| format!("{}: {error}", bed.dir.display()))?;
        Ok(bed)
    }

    fn furnish(&self) -> std::io::Result<()> {
        for name in ["dev", "etc", "proc", "sys", "tmp", "run", "var"] {
            fs::create_dir_all(self.rootfs().join(name))?;
        }
        fs::copy(self.program("empty"), self.rootfs().join("true"))?;
        fs::copy(self.program("idle"), self.rootfs().join("idle"))?;
        fs::create_dir(self.dir.join("empty-dir"))?;
        fs::write(self.dir.join("empty-file"), "")
    }

    pub(crate) fn program(&self, name: &str) -> OsString {
        self.programs.join(name).into()
    }

    pub(crate) fn rootfs(&self) -> PathBuf {
        self.dir.join("rootfs")
    }

    pub(crate) fn state_root(&self, runtime: &str) -> PathBuf {
        self.dir.join("state").join(runtime)
    }

    pub(crate) fn pid_file(&self, id: &str) -> PathBuf {
        self.dir.join(format!("{id}.pid"))
    }

    /// A directory of the bed, made when it is not there.
    pub(crate) fn scratch(&self, name: &str) -> std::io::Result<PathBuf> {
        let dir = self.dir.join(name);
        fs::create_dir_all(&dir)?;
        Ok(dir)
    }

    /// A bundle of `config` with our root, running `payload`.
    pub(crate) fn bundle(
        &self,
        name: &str,
        config: Value,
        payload: &str,
        rules: DeviceRules,
    ) -> Result<PathBuf, String> {
        let (file, dir) = (self.dir.join("empty-file"), self.dir.join("empty-dir"));
        let with = StandIns {
            rootfs: &self.rootfs(),
            file: &file,
            dir: &dir,
            rules,
        };
        let bundle = self.dir.join("bundles").join(format!("{name}-{rules:?}"));
        let text = adapt(config, payload, &with).to_string();
        fs::create_dir_all(&bundle)
            .and_then(|()| fs::write(bundle.join("config.json"), text))
            .map_err(|error| format!("{}: {error}", bundle.display()))?;
        Ok(bundle)
    }

    /// Runs a command on the launcher's clock; the error says how it failed.
    pub(crate) fn measure(&self, words: &[OsString]) -> Result<Sample, String> {
        let errors = self.dir.join("stderr");
        let output = Command::new(self.program("launch"))
            .arg(&errors)
            .args(words)
            .stderr(Stdio::inherit())
            .output()
            .map_err(|error| format!("launch: {error}"))?;
        Sample::parse(&String::from_utf8_lossy(&output.stdout))
            .map_err(|status| failure(status, &fs::read_to_string(&errors).unwrap_or_default()))
    }

    /// The system calls of a command and of all that it starts.
    pub(crate) fn syscalls(&self, words: &[OsString]) -> Option<u64> {
        let summary = self.dir.join("strace");
        let traced = Command::new("strace")
            .args([OsStr::new("-fcqo"), summary.as_os_str()])
            .args(words)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        traced.ok().filter(|status| status.success())?;
        syscalls_in(&fs::read_to_string(summary).ok()?)
    }

    /// Waits for a container's process, which came to us when its runtime ended.
    pub(crate) fn reap(&self, pid: i32) {
        if let Some(pid) = rustix::process::Pid::from_raw(pid) {
            // When it is another's child after all, that one waits for it.
            let _ = rustix::process::waitpid(Some(pid), rustix::process::WaitOptions::empty());
        }
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.dir) {
            eprintln!("bench: {}: {error}", self.dir.display());
        }
    }
}

fn failure(status: u32, errors: &str) -> String {
    let last = errors
        .lines()
        .rfind(|line| !line.trim().is_empty())
        .unwrap_or("");
    // The end of a chain of causes says most.
    let skipped = last.chars().count().saturating_sub(120);
    format!(
        "exit {status}: {}",
        last.chars().skip(skipped).collect::<String>()
    )
}

/// The cgroup v2 directory of a process.
pub(crate) fn cgroup_of(pid: i32) -> Option<PathBuf> {
    let text = fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
    let path = text.lines().find_map(|line| line.strip_prefix("0::"))?;
    Some(Path::new("/sys/fs/cgroup").join(path.trim_start_matches('/')))
}
