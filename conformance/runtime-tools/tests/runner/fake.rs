//! A fake checkout of runtime-tools, whose programs are shell scripts, and
//! what the runner says of them.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

pub(crate) struct Checkout {
    dir: TempDir,
    pub(crate) scratch: TempDir,
}

/// What a run of the runner said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Checkout {
    pub(crate) fn new() -> Self {
        let checkout = Self {
            dir: TempDir::new().expect("directory"),
            scratch: TempDir::with_prefix_in("rts", "/var/tmp").expect("directory"),
        };
        checkout.put("runtimetest", "");
        let architecture = match std::env::consts::ARCH {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            other => other,
        };
        checkout.put(&format!("rootfs-{architecture}.tar.gz"), "");
        checkout
    }

    pub(crate) fn with(self, program: &str, script: &str) -> Self {
        self.put(&format!("validation/{program}"), &format!("#!/bin/sh\n{script}\n"));
        self
    }

    pub(crate) fn put(&self, name: &str, text: &str) {
        let file = self.path().join(name);
        fs::create_dir_all(file.parent().expect("below the checkout")).expect("folder");
        fs::write(&file, text).expect("file");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("mode");
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Every file with its content.
    pub(crate) fn content(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut content = BTreeMap::new();
        let mut folders = vec![self.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for path in fs::read_dir(folder).expect("folder").flatten().map(|entry| entry.path()) {
                if path.is_dir() {
                    folders.push(path);
                } else {
                    content.insert(path.clone(), fs::read(path).expect("file"));
                }
            }
        }
        content
    }

    /// Runs the runner on this checkout with a stub for the runtime, which is never written by
    /// a process that also starts it: that would be refused while another thread forks.
    pub(crate) fn run(&self, options: &[&str]) -> Said {
        let stub = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/runner/stub-runtime");
        run(self.path(), &stub, self.scratch.path(), options)
    }
}

pub(crate) fn run(checkout: &Path, runtime: &Path, scratch: &Path, options: &[&str]) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_runtime-tools"));
    command.arg("--checkout").arg(checkout).arg("--runtime").arg(runtime).arg("--scratch").arg(scratch);
    let output = command.args(options).stdin(Stdio::null()).output().expect("the runner starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let status = output.status.code().expect("the runner exits");
    Said { status, stdout: text(&output.stdout), stderr: text(&output.stderr) }
}

impl Said {
    #[track_caller]
    pub(crate) fn expect(&self, status: i32, lines: &[&str]) {
        assert_eq!(self.status, status, "{self:?}");
        for line in lines {
            assert!(self.stdout.contains(line), "no \"{line}\" in:\n{}{}", self.stdout, self.stderr);
        }
    }

    /// The word after `mark` in the output.
    pub(crate) fn word_after(&self, mark: &str) -> String {
        let rest = self.stdout.split(mark).nth(1).unwrap_or_else(|| panic!("no {mark} in {self:?}"));
        rest.split_whitespace().next().unwrap_or_default().to_owned()
    }
}

/// Says loudly why a test proves nothing here.
pub(crate) fn is_root() -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        eprintln!("SKIPPED: running programs needs root");
    }
    root
}
