//! The command line of the bench.

use std::path::PathBuf;

#[derive(Debug, Default)]
pub(crate) struct Options {
    /// Only workloads whose name contains one of these; all when empty.
    pub(crate) workloads: Vec<String>,
    /// Names to paths, `hull=bin/hull`.
    pub(crate) runtimes: Vec<(String, PathBuf)>,
    pub(crate) runs: usize,
    pub(crate) configs: PathBuf,
    pub(crate) json: PathBuf,
    pub(crate) check: bool,
}

const HELP: &str = "\
bench - what a container costs, beside its peers and the least the kernel needs

  --workload NAME      only workloads whose name contains NAME (repeatable)
                       version run lifecycle exec state list config:FILE
  --runs N             measured runs of each contestant (default 100)
  --runtime NAME=PATH  measure PATH as NAME (repeatable; default hull, crun, runc)
  --configs DIR        config.json files of engines (default ../shared/configs)
  --json FILE          where the figures go (default out/bench.json)
  --check              compare with the targets; exit 1 when one is missed
";

impl Options {
    /// Nothing when only help was asked for.
    pub(crate) fn from_command_line() -> Result<Option<Self>, String> {
        Self::parse(lexopt::Parser::from_env()).map_err(|error| error.to_string())
    }

    fn parse(mut parser: lexopt::Parser) -> Result<Option<Self>, lexopt::Error> {
        use lexopt::prelude::*;
        let mut options = Self {
            runs: 100,
            configs: "../shared/configs".into(),
            json: "out/bench.json".into(),
            ..Self::default()
        };
        while let Some(argument) = parser.next()? {
            match argument {
                Long("workload") => options.workloads.push(parser.value()?.string()?),
                Long("runs") => options.runs = parser.value()?.parse()?,
                Long("runtime") => options
                    .runtimes
                    .push(named_path(&parser.value()?.string()?)?),
                Long("configs") => options.configs = parser.value()?.into(),
                Long("json") => options.json = parser.value()?.into(),
                Long("check") => options.check = true,
                Short('h') | Long("help") => {
                    print!("{HELP}");
                    return Ok(None);
                }
                other => return Err(other.unexpected()),
            }
        }
        if options.runtimes.is_empty() {
            let defaults = [("hull", "bin/hull"), ("crun", "crun"), ("runc", "runc")];
            options.runtimes = defaults
                .map(|(name, path)| (name.into(), path.into()))
                .into();
        }
        options.runs = options.runs.max(1);
        Ok(Some(options))
    }
}

fn named_path(word: &str) -> Result<(String, PathBuf), String> {
    let (name, path) = word.split_once('=').ok_or("--runtime takes NAME=PATH")?;
    Ok((name.to_owned(), path.into()))
}

#[cfg(test)]
mod tests {
    use super::Options;

    fn parse(words: &[&str]) -> Option<Options> {
        Options::parse(lexopt::Parser::from_args(words)).unwrap_or(None)
    }

    #[test]
    fn the_default_is_three_runtimes() {
        let options = parse(&[]).expect("options");
        let names: Vec<_> = options
            .runtimes
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        assert_eq!(names, ["hull", "crun", "runc"]);
    }

    #[test]
    fn a_runtime_has_a_name() {
        assert!(parse(&["--runtime", "bin/hull"]).is_none());
        let options = parse(&["--runtime", "new=bin/hull", "--runs=0"]).expect("options");
        assert_eq!((options.runtimes.len(), options.runs), (1, 1));
    }
}
