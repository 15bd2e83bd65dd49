//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

/// Twice what the slowest program is known to take, on a machine that is slow as well.
const DEADLINE: Duration = Duration::from_secs(120);

#[derive(Debug, Clone, Default)]
pub(crate) struct Options {
    pub(crate) checkout: PathBuf,
    pub(crate) runtime: PathBuf,
    pub(crate) name: Option<String>,
    pub(crate) filters: Vec<String>,
    pub(crate) deadline: Duration,
    pub(crate) tap: Option<PathBuf>,
    pub(crate) gaps: Option<PathBuf>,
    pub(crate) scratch: PathBuf,
    pub(crate) list: bool,
    pub(crate) keep: bool,
    pub(crate) verbose: bool,
    pub(crate) help: bool,
}

pub(crate) const HELP: &str = "\
runtime-tools - judges an OCI runtime by the validation programs of runtime-tools

  --checkout DIR      a built checkout of runtime-tools (or $RUNTIME_TOOLS)
  --runtime PATH      the binary to judge (or $RUNTIME)
  --name FAMILY       hull, runc, crun or youki; else taken from --version
  --filter SUBSTR     only programs whose name contains SUBSTR (repeatable)
  --list              print the names of the programs
  --deadline SECONDS  end a program that takes longer (default 120)
  --tap FILE          write TAP (`-` for stdout)
  --gaps FILE         expected failures (default: gaps.toml of this crate)
  --scratch DIR       where the programs work (default /var/tmp)
  --keep              keep the folders in which they worked
  --verbose           print the output of every program
";

impl Options {
    pub(crate) fn from_command_line() -> Result<Self, String> {
        let options = Self::parse(std::env::args_os().skip(1).collect()).map_err(|error| error.to_string())?;
        options.settle()
    }

    fn parse(words: Vec<OsString>) -> Result<Self, lexopt::Error> {
        use lexopt::prelude::*;
        let mut options = Self { deadline: DEADLINE, scratch: "/var/tmp".into(), ..Self::default() };
        let mut parser = lexopt::Parser::from_args(words);
        while let Some(argument) = parser.next()? {
            match argument {
                Long("checkout") => options.checkout = parser.value()?.into(),
                Long("runtime") => options.runtime = parser.value()?.into(),
                Long("name") => options.name = Some(parser.value()?.string()?),
                Long("filter") => options.filters.push(parser.value()?.string()?),
                Long("list") => options.list = true,
                Long("deadline") => options.deadline = Duration::from_secs(parser.value()?.parse()?),
                Long("tap") => options.tap = Some(parser.value()?.into()),
                Long("gaps") => options.gaps = Some(parser.value()?.into()),
                Long("scratch") => options.scratch = parser.value()?.into(),
                Long("keep") => options.keep = true,
                Long("verbose") => options.verbose = true,
                Short('h') | Long("help") => options.help = true,
                other => return Err(other.unexpected()),
            }
        }
        Ok(options)
    }

    /// Fills what the environment decides, and asks for what is needed.
    fn settle(mut self) -> Result<Self, String> {
        let fill = |path: &mut PathBuf, variable: &str| {
            if path.as_os_str().is_empty() {
                *path = std::env::var_os(variable).unwrap_or_default().into();
            }
            !path.as_os_str().is_empty()
        };
        let has_checkout = fill(&mut self.checkout, "RUNTIME_TOOLS");
        let has_runtime = fill(&mut self.runtime, "RUNTIME");
        if self.help {
            return Ok(self);
        }
        if !has_checkout {
            return Err("--checkout DIR is needed: a built checkout of runtime-tools".to_owned());
        }
        if !has_runtime && !self.list {
            return Err("--runtime PATH is needed (or --list)".to_owned());
        }
        Ok(self)
    }
}
