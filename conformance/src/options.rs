//! The command line of the driver, and of the workers it starts.
//!
//! A worker gets the driver's own arguments plus `--worker NAME`, `--token`
//! and `--scratch`; nothing else differs, so both read the same options.

use std::ffi::OsString;
use std::path::PathBuf;

/// What one worker is told to do.
#[derive(Debug, Clone, Default)]
pub(crate) struct Assignment {
    pub(crate) case: String,
    /// Part of every id, cgroup and path of this case, and of no other's.
    pub(crate) token: String,
    pub(crate) scratch: PathBuf,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Options {
    pub(crate) runtime: PathBuf,
    pub(crate) name: Option<String>,
    pub(crate) filters: Vec<String>,
    pub(crate) jobs: usize,
    pub(crate) tap: Option<PathBuf>,
    pub(crate) junit: Option<PathBuf>,
    pub(crate) results: Option<PathBuf>,
    pub(crate) gaps: Option<PathBuf>,
    pub(crate) coverage: Option<PathBuf>,
    /// The document to write, instead of judging anything.
    pub(crate) compatibility: Option<PathBuf>,
    pub(crate) figures: Option<PathBuf>,
    /// Another document to write, with the file of skips that it is made from.
    pub(crate) spec_conformance: Option<PathBuf>,
    pub(crate) skips: Option<PathBuf>,
    /// Result files of earlier runs.
    pub(crate) inputs: Vec<PathBuf>,
    pub(crate) probe: Option<PathBuf>,
    pub(crate) scratch: PathBuf,
    pub(crate) root_args: Vec<String>,
    pub(crate) systemd_cgroup: bool,
    pub(crate) rootless: bool,
    pub(crate) unified_view: bool,
    pub(crate) list: bool,
    /// How many more chances a case gets that did not go as expected, with nothing beside it.
    pub(crate) again: usize,
    pub(crate) keep: bool,
    pub(crate) verbose: bool,
    pub(crate) worker: Option<Assignment>,
    /// The command line as given, for the workers.
    pub(crate) words: Vec<OsString>,
}

/// How often `--again` runs a case: a race that is lost in one of three runs is lost in all of them once in 80.
const AGAIN: usize = 3;

const HELP: &str = "\
conformance - judges an OCI runtime

  --runtime PATH      the binary to judge (or $RUNTIME)
  --name FAMILY       hull, runc, crun or youki; else taken from --version
  --filter SUBSTR     only cases whose section::name contains SUBSTR (repeatable)
  --jobs N            cases at once (default 2)
  --list              print the cases and their rules
  --tap FILE          write TAP (`-` for stdout)
  --junit FILE        write JUnit XML
  --results FILE      write the verdicts, with transcripts of what did not pass, as JSON
  --gaps FILE         expected failures (default: gaps.toml of this crate)
  --coverage FILE     write the checklist rows without a case (`-` for stdout)
  --probe PATH        the static probe (default: beside this binary)
  --scratch DIR       where bundles are made (default /var/tmp)
  --root-arg WORD     an extra global argument for the runtime (repeatable)
  --systemd-cgroup    pass --systemd-cgroup and slice:prefix:name paths
  --rootless          run as an ordinary user
  --unified-view      give each case a pure cgroup v2 view of this host
  --again             run what did not go as expected up to three times more, alone, and let that count:
                      for controls, whose races are not what is judged
  --keep              keep the scratch directories
  --verbose           print the transcript of passing cases too

  --compatibility DOC --figures FILE [RESULTS...]
                      judge nothing: put the figures of RESULTS into FILE and write DOC from it
  --spec-conformance DOC --figures FILE --skips FILE [RESULTS...]
                      judge nothing: put what hull skipped in RESULTS into the file of skips and write DOC
";

impl Options {
    pub(crate) fn from_command_line() -> Result<Self, String> {
        let words: Vec<OsString> = std::env::args_os().skip(1).collect();
        Self::parse(words).map_err(|error| error.to_string())
    }

    fn parse(words: Vec<OsString>) -> Result<Self, lexopt::Error> {
        use lexopt::prelude::*;
        let mut options = Self { jobs: 2, scratch: "/var/tmp".into(), words: words.clone(), ..Self::default() };
        let mut worker = Assignment::default();
        let mut parser = lexopt::Parser::from_args(words);
        while let Some(argument) = parser.next()? {
            match argument {
                Long("runtime") => options.runtime = parser.value()?.into(),
                Long("name") => options.name = Some(parser.value()?.string()?),
                Long("filter") => options.filters.push(parser.value()?.string()?),
                Long("jobs") => options.jobs = parser.value()?.parse()?,
                Long("tap") => options.tap = Some(parser.value()?.into()),
                Long("junit") => options.junit = Some(parser.value()?.into()),
                Long("results") => options.results = Some(parser.value()?.into()),
                Long("gaps") => options.gaps = Some(parser.value()?.into()),
                Long("coverage") => options.coverage = Some(parser.value()?.into()),
                Long("compatibility") => options.compatibility = Some(parser.value()?.into()),
                Long("figures") => options.figures = Some(parser.value()?.into()),
                Long("spec-conformance") => options.spec_conformance = Some(parser.value()?.into()),
                Long("skips") => options.skips = Some(parser.value()?.into()),
                Long("probe") => options.probe = Some(parser.value()?.into()),
                Long("scratch") => options.scratch = parser.value()?.into(),
                Long("root-arg") => options.root_args.push(parser.value()?.string()?),
                Long("systemd-cgroup") => options.systemd_cgroup = true,
                Long("rootless") => options.rootless = true,
                Long("unified-view") => options.unified_view = true,
                Long("list") => options.list = true,
                Long("again") => options.again = AGAIN,
                Long("keep") => options.keep = true,
                Long("verbose") => options.verbose = true,
                Long("worker") => worker.case = parser.value()?.string()?,
                Long("token") => worker.token = parser.value()?.string()?,
                Short('h') | Long("help") => {
                    print!("{HELP}");
                    return Err("asked for help".into());
                }
                Value(file) if options.writes_a_document() => options.inputs.push(file.into()),
                other => return Err(other.unexpected()),
            }
        }
        if !worker.case.is_empty() {
            worker.scratch = options.scratch.join(&worker.token);
            options.worker = Some(worker);
        }
        options.settle().map_err(Into::into)
    }

    fn writes_a_document(&self) -> bool {
        self.compatibility.is_some() || self.spec_conformance.is_some()
    }

    /// Fills what the environment or the place of this binary decides.
    fn settle(mut self) -> Result<Self, String> {
        if self.runtime.as_os_str().is_empty()
            && let Some(runtime) = std::env::var_os("RUNTIME")
        {
            self.runtime = runtime.into();
        }
        let judges = !self.list && self.coverage.is_none() && !self.writes_a_document();
        if self.runtime.as_os_str().is_empty() && judges {
            return Err("--runtime PATH is needed (or --list, --coverage FILE)".to_owned());
        }
        if !self.runtime.as_os_str().is_empty() {
            let given = self.runtime.clone();
            self.runtime = std::fs::canonicalize(&given).map_err(|error| format!("{}: {error}", given.display()))?;
        }
        self.jobs = self.jobs.max(1);
        Ok(self)
    }
}
