//! What is measured, and which of it was asked for.

use crate::options::Options;
use std::path::PathBuf;

#[derive(Debug)]
pub(crate) enum Workload {
    Version,
    Run,
    /// create, start and delete as three commands.
    Lifecycle,
    /// A command in a running container: `exec ID /true`, `state ID`, `list`.
    Inside(&'static str),
    /// `run` with the config.json of an engine.
    Config(PathBuf),
}

impl Workload {
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Version => "version".into(),
            Self::Run => "run".into(),
            Self::Lifecycle => "lifecycle".into(),
            Self::Inside(verb) => (*verb).into(),
            Self::Config(path) => {
                let stem = path.file_stem().unwrap_or_default();
                format!("config:{}", stem.to_string_lossy())
            }
        }
    }

    pub(crate) fn says(&self) -> &'static str {
        match self {
            Self::Version => "--version; floor: an empty static program",
            Self::Run => "run, default config, payload /true",
            Self::Lifecycle => "create + start + delete as three commands; floor: that of run",
            Self::Inside("exec") => "exec ID /true in a running container",
            Self::Inside(_) => "with one running container; floor: an empty static program",
            Self::Config(_) => "run with an engine's config, without limits; floor: that of run",
        }
    }
}

pub(crate) fn chosen(options: &Options) -> Vec<Workload> {
    let mut all = vec![Workload::Version, Workload::Run, Workload::Lifecycle];
    all.extend(["exec", "state", "list"].map(Workload::Inside));
    let configs = std::fs::read_dir(&options.configs)
        .into_iter()
        .flatten()
        .flatten();
    let mut configs: Vec<PathBuf> = configs.map(|entry| entry.path()).collect();
    configs.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "json")
    });
    configs.sort();
    all.extend(configs.into_iter().map(Workload::Config));
    let wanted = &options.workloads;
    all.retain(|workload| {
        wanted.is_empty()
            || wanted
                .iter()
                .any(|name| workload.name().contains(name.as_str()))
    });
    all
}
