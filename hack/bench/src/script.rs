//! The commands of a workload, for each kind of contestant.

use crate::bed::{Bed, cgroup_of};
use crate::bundle::DeviceRules;
use crate::contestant::{Contestant, Kind};
use crate::runtime::{Container, Runtime};
use crate::sample::Sample;
use crate::workload::Workload;
use serde_json::Value;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// One contestant made ready for one workload.
#[derive(Debug)]
pub(crate) struct Script<'a> {
    bed: &'a Bed,
    steps: Steps<'a>,
    /// What the steps work in, or what a failed one left; ends with the script.
    _container: Option<Container<'a>>,
}

#[derive(Debug)]
enum Steps<'a> {
    One(Vec<OsString>),
    Lifecycle {
        runtime: Runtime<'a>,
        bundle: PathBuf,
    },
}

impl<'a> Script<'a> {
    /// The error is why the contestant takes no part.
    pub(crate) fn prepare(
        bed: &'a Bed,
        workload: &Workload,
        contestant: &Contestant,
        all: &[Contestant],
    ) -> Result<Self, String> {
        let path = match &contestant.kind {
            Kind::Absent(why) => return Err(why.clone()),
            Kind::Floor => return Self::floor(bed, workload, all),
            Kind::Runtime(path) => path,
        };
        let runtime = Runtime::new(bed, &contestant.name, path);
        let default = |payload| bundle(bed, "default", None, payload, contestant.rules);
        let left = || Some(runtime.leftover());
        let (steps, container) = match workload {
            Workload::Version => (Steps::One(vec![path.into(), "--version".into()]), None),
            Workload::Run => (Steps::One(runtime.run(&default("/true")?)), left()),
            Workload::Config(file) => {
                let name = workload.name();
                let bundle = bundle(bed, &name, Some(file), "/true", contestant.rules)?;
                (Steps::One(runtime.run(&bundle)), left())
            }
            Workload::Lifecycle => {
                let (left, bundle) = (left(), default("/true")?);
                (Steps::Lifecycle { runtime, bundle }, left)
            }
            Workload::Inside(verb) => {
                let words = match *verb {
                    "exec" => runtime.exec("/true"),
                    "list" => runtime.list(),
                    verb => runtime.verb(verb),
                };
                (Steps::One(words), Some(runtime.start(&default("/idle")?)?))
            }
        };
        Ok(Self {
            bed,
            steps,
            _container: container,
        })
    }

    fn floor(bed: &'a Bed, workload: &Workload, all: &[Contestant]) -> Result<Self, String> {
        let mut inside = None;
        let words: Vec<OsString> = match workload {
            Workload::Version | Workload::Inside("state" | "list") => vec![bed.program("empty")],
            Workload::Inside(_) => {
                let idle = bundle(bed, "default", None, "/idle", DeviceRules::Dropped)?;
                let container = proven(bed, all)?.start(&idle)?;
                let (pid, cgroup) = (container.pid, cgroup_of(container.pid));
                let cgroup = cgroup.ok_or("its container has no cgroup")?;
                inside = Some(container);
                let program = bed.program("exec_floor");
                vec![
                    program,
                    pid.to_string().into(),
                    cgroup.into(),
                    "/true".into(),
                ]
            }
            Workload::Run | Workload::Lifecycle | Workload::Config(_) => {
                let cgroup = "/sys/fs/cgroup/bench-floor".into();
                vec![
                    bed.program("floor"),
                    bed.rootfs().into(),
                    cgroup,
                    "/true".into(),
                ]
            }
        };
        Ok(Self {
            bed,
            steps: Steps::One(words),
            _container: inside,
        })
    }

    pub(crate) fn once(&self) -> Result<Sample, String> {
        match &self.steps {
            Steps::One(words) => self.bed.measure(words),
            Steps::Lifecycle { runtime, bundle } => {
                let created = self.bed.measure(&runtime.create(bundle))?;
                let started = self.bed.measure(&runtime.verb("start"))?;
                runtime.reap();
                let deleted = self.bed.measure(&runtime.verb("delete"))?;
                Ok(created.and(started).and(deleted))
            }
        }
    }

    /// Not of a lifecycle: strace would wait for the created process, which waits for `start`.
    pub(crate) fn syscalls(&self) -> Option<u64> {
        match &self.steps {
            Steps::One(words) => self.bed.syscalls(words),
            Steps::Lifecycle { .. } => None,
        }
    }
}

/// What makes the container for the floor of exec: the last runtime, which is the most proven one.
fn proven<'a>(bed: &'a Bed, all: &[Contestant]) -> Result<Runtime<'a>, String> {
    let runtimes = all
        .iter()
        .rev()
        .find_map(|contestant| match &contestant.kind {
            Kind::Runtime(path) => Some(Runtime::new(bed, "floor", path)),
            Kind::Floor | Kind::Absent(_) => None,
        });
    runtimes.ok_or_else(|| "no runtime makes a container for it".to_owned())
}

/// A bundle of the config in `file`, or of the default one, which runc writes.
fn bundle(
    bed: &Bed,
    name: &str,
    file: Option<&Path>,
    payload: &str,
    rules: DeviceRules,
) -> Result<PathBuf, String> {
    let text = match file {
        Some(file) => std::fs::read_to_string(file).map_err(|error| error.to_string())?,
        None => default_config(bed)?,
    };
    let config: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let name = format!("{name}{payload}").replace([':', '/'], "-");
    bed.bundle(&name, config, payload, rules)
}

fn default_config(bed: &Bed) -> Result<String, String> {
    let dir = bed.scratch("spec").map_err(|error| error.to_string())?;
    let file = dir.join("config.json");
    if !file.exists() {
        let made = Command::new("runc")
            .args(["spec", "-b"])
            .arg(&dir)
            .stdin(Stdio::null())
            .status();
        made.map_err(|error| format!("runc spec: {error}"))?;
    }
    std::fs::read_to_string(file).map_err(|error| format!("runc spec: {error}"))
}
