//! The command lines of one runtime, and the containers it makes for the bench.

use crate::bed::Bed;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

#[derive(Debug, Clone)]
pub(crate) struct Runtime<'a> {
    bed: &'a Bed,
    /// Its path and its global options.
    command: Vec<OsString>,
    /// Of its container and cgroup: each contestant has its own.
    id: String,
}

impl<'a> Runtime<'a> {
    pub(crate) fn new(bed: &'a Bed, name: &str, path: &Path) -> Self {
        let command = vec![path.into(), "--root".into(), bed.state_root(name).into()];
        Self {
            bed,
            command,
            id: format!("bench-{name}"),
        }
    }

    pub(crate) fn run(&self, bundle: &Path) -> Vec<OsString> {
        self.words(&[
            "run".as_ref(),
            "--bundle".as_ref(),
            bundle,
            self.id.as_ref(),
        ])
    }

    pub(crate) fn create(&self, bundle: &Path) -> Vec<OsString> {
        let pid_file = self.pid_file();
        let options = [
            "create".as_ref(),
            "--bundle".as_ref(),
            bundle,
            "--pid-file".as_ref(),
        ];
        self.words(&[&options[..], &[&pid_file, self.id.as_ref()]].concat())
    }

    pub(crate) fn exec(&self, program: &str) -> Vec<OsString> {
        self.words(&["exec".as_ref(), self.id.as_ref(), program.as_ref()])
    }

    pub(crate) fn list(&self) -> Vec<OsString> {
        self.words(&["list".as_ref()])
    }

    /// A verb that takes the id alone.
    pub(crate) fn verb(&self, verb: &str) -> Vec<OsString> {
        self.words(&[verb.as_ref(), self.id.as_ref()])
    }

    fn words(&self, words: &[&Path]) -> Vec<OsString> {
        self.command
            .iter()
            .cloned()
            .chain(words.iter().map(OsString::from))
            .collect()
    }

    fn pid_file(&self) -> PathBuf {
        self.bed.pid_file(&self.id)
    }

    fn pid(&self) -> Option<i32> {
        std::fs::read_to_string(self.pid_file())
            .ok()?
            .trim()
            .parse()
            .ok()
    }

    /// Waits for the container's process, which came to us when its runtime ended.
    pub(crate) fn reap(&self) {
        if let Some(pid) = self.pid() {
            self.bed.reap(pid);
        }
    }

    /// The container that a failed command may have left; removed on drop.
    pub(crate) fn leftover(&self) -> Container<'a> {
        Container {
            runtime: self.clone(),
            pid: 0,
        }
    }

    /// A container that runs until it is dropped.
    pub(crate) fn start(&self, bundle: &Path) -> Result<Container<'a>, String> {
        let mut container = self.leftover();
        self.bed.measure(&self.create(bundle))?;
        container.pid = self.pid().ok_or("its container has no pid")?;
        self.bed.measure(&self.verb("start"))?;
        Ok(container)
    }
}

#[derive(Debug)]
pub(crate) struct Container<'a> {
    runtime: Runtime<'a>,
    pub(crate) pid: i32,
}

impl Drop for Container<'_> {
    fn drop(&mut self) {
        let runtime = &self.runtime;
        let words = ["delete".as_ref(), "--force".as_ref(), runtime.id.as_ref()];
        match runtime.bed.measure(&runtime.words(&words)) {
            Ok(_) => runtime.reap(),
            Err(why) => eprintln!("bench: a container is left: {}: {why}", runtime.id),
        }
    }
}
