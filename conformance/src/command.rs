//! One call of the runtime: its output goes to files, its end is awaited on
//! a pidfd with a deadline. Files and not pipes, because a container that
//! was created keeps the descriptors long after the call returned.

use crate::process::{DEADLINE, Handle};
use crate::verdict::{Check, Stop};
use rustix::process::Signal;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// What a finished call left.
#[derive(Debug, Clone)]
pub(crate) struct Output {
    /// Exit code, or 128 + signal.
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Output {
    /// The JSON objects the probe printed, one per line.
    pub(crate) fn steps(&self) -> Vec<serde_json::Value> {
        self.stdout.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// The first result of the step named so.
    pub(crate) fn step(&self, name: &str) -> Check<serde_json::Value> {
        let missing = || {
            Stop::Fail(format!(
                "the probe printed no result of {name}; stdout: {:?} stderr: {:?}",
                self.stdout, self.stderr
            ))
        };
        self.steps().into_iter().find(|step| step["step"] == name).ok_or_else(missing)
    }

    /// A refusal: exit code 1 and the phrase on stderr, whose quotes a log format may escape.
    pub(crate) fn refuses_with(&self, phrase: &str) -> Check {
        let said = self.stderr.replace("\\\"", "\"");
        if self.code == 1 && said.contains(phrase) {
            return Ok(());
        }
        Err(Stop::Fail(format!("want exit code 1 and `{phrase}`, got {}: {}", self.code, self.stderr.trim())))
    }

    pub(crate) fn succeeded(self, what: &str) -> Check<Self> {
        if self.code == 0 {
            return Ok(self);
        }
        Err(Stop::Fail(format!("{what} ended with {}: {}", self.code, self.stderr.trim())))
    }
}

/// A call under way.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    pub(crate) handle: Handle,
    files: Files,
    words: String,
    done: bool,
}

/// Where a call's output goes.
#[derive(Debug, Clone)]
pub(crate) struct Files {
    pub(crate) stdout: PathBuf,
    pub(crate) stderr: PathBuf,
}

impl Files {
    pub(crate) fn numbered(dir: &Path, number: u32) -> Self {
        Self { stdout: dir.join(format!("stdout.{number}")), stderr: dir.join(format!("stderr.{number}")) }
    }

    pub(crate) fn stdout(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.stdout).unwrap_or_default()).into_owned()
    }

    pub(crate) fn stderr(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.stderr).unwrap_or_default()).into_owned()
    }
}

impl Running {
    pub(crate) fn spawn(mut command: Command, stdin: Stdio, files: Files) -> Check<Self> {
        let words: Vec<String> = std::iter::once(command.get_program())
            .chain(command.get_args())
            .map(|word| word.to_string_lossy().into_owned())
            .collect();
        command.stdin(stdin).stdout(File::create(&files.stdout)?).stderr(File::create(&files.stderr)?);
        let child = command.spawn()?;
        let pid = i32::try_from(child.id())?;
        Ok(Self { handle: Handle::open(pid)?, child, files, words: words.join(" "), done: false })
    }

    pub(crate) fn signal(&self, signal: Signal) -> Check {
        self.handle.signal(signal)
    }

    /// Waits for the end, and fails the case if it does not come in time.
    pub(crate) fn finish(self) -> Check<Output> {
        self.finish_within(DEADLINE)
    }

    /// The same where the time itself is the contract.
    pub(crate) fn finish_within(mut self, limit: Duration) -> Check<Output> {
        use std::os::unix::process::ExitStatusExt;
        if !self.handle.ends_within(limit) {
            let far = format!("no end within {limit:?}: {}; stderr so far: {}", self.words, self.files.stderr());
            return Err(Stop::Fail(far));
        }
        self.done = true;
        let status = self.child.wait()?;
        let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
        Ok(Output { code, stdout: self.files.stdout(), stderr: self.files.stderr() })
    }

    pub(crate) fn words(&self) -> &str {
        &self.words
    }

    pub(crate) fn files(&self) -> &Files {
        &self.files
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.done {
            // Nothing can be reported from here; the oracle sees what remains.
            self.child.kill().unwrap_or_default();
            self.child.wait().map(drop).unwrap_or_default();
        }
    }
}

pub(crate) fn describe(words: &str, output: &Output) -> String {
    format!(
        "$ {words}\n=> {}\nstdout: {}\nstderr: {}",
        output.code,
        shortened(&output.stdout),
        shortened(&output.stderr)
    )
}

fn shortened(text: &str) -> String {
    const MOST: usize = 1500;
    let text = text.trim();
    if text.len() <= MOST {
        return text.to_owned();
    }
    format!("{} ... ({} bytes)", text.chars().take(MOST).collect::<String>(), text.len())
}
