//! The verdicts of one run as JSON: what `--results` writes and
//! `--compatibility` reads, with transcripts of the cases that did not pass.

use crate::options::Options;
use crate::outcome::Judgement;
use crate::report::{Judged, Run};
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::Path;

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Results {
    pub(crate) runtime: String,
    pub(crate) version: String,
    /// The first two numbers of the kernel's version.
    pub(crate) kernel: String,
    pub(crate) environment: String,
    /// False when a filter left cases out.
    pub(crate) whole: bool,
    pub(crate) cases: Vec<Entry>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) judgement: Judgement,
    /// Why it failed, was skipped, or is expected to fail.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) why: String,
    /// What was seen, where it is another thing than `why`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) seen: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) transcript: Vec<String>,
}

impl Entry {
    pub(crate) fn section(&self) -> &str {
        self.name.split("::").next().unwrap_or_default()
    }
}

impl Results {
    /// A run that was filtered, or in which something failed, tells nothing lasting.
    pub(crate) fn must_last(&self) -> Result<(), String> {
        if !self.whole {
            return Err("a filter was given".to_owned());
        }
        match self.cases.iter().filter(|case| !case.judgement.is_as_expected()).count() {
            0 => Ok(()),
            failed => Err(format!("{failed} cases failed")),
        }
    }
}

pub(crate) fn of(options: &Options, run: &Run) -> Result<String, String> {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let results = Results {
        runtime: run.runtime.family.clone(),
        version: run.runtime.version_text(),
        kernel: release.split('.').take(2).collect::<Vec<_>>().join("."),
        environment: run.world.word().to_owned(),
        whole: options.filters.is_empty(),
        cases: run.results.iter().map(entry).collect(),
    };
    serde_json::to_string_pretty(&results).map(|text| text + "\n").map_err(|error| error.to_string())
}

fn entry(judged: &Judged) -> Entry {
    let outcome = &judged.outcome;
    let passed = judged.judgement == Judgement::Passed;
    let is_gap = judged.judgement == Judgement::KnownGap;
    Entry {
        name: judged.case.full_name(),
        judgement: judged.judgement,
        why: judged.why().to_owned(),
        seen: if is_gap { outcome.detail.clone() } else { String::new() },
        transcript: if passed { Vec::new() } else { outcome.transcript.clone() },
    }
}

pub(crate) fn read(file: &Path) -> Result<Results, String> {
    let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    serde_json::from_str(&text).map_err(|error| format!("{}: {error}", file.display()))
}
