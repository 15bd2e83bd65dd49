//! The log: where it goes, in which form, and how much of it.
//!
//! Without `--log` it is standard error, as text. The facade is silent until a level is asked for,
//! and the error of a failed command does not come through it: so a failure writes exactly one
//! record and a success none, which is what Podman's single decode of the file needs.

mod line;

use crate::grammar::Matches;
use crate::output;
use crate::reason::Reason;
use crate::single_line;
use crate::table;
use line::Form;
use std::ffi::{OsStr, OsString};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::SystemTime;

static SINK: OnceLock<Sink> = OnceLock::new();

#[derive(Debug)]
struct Sink {
    /// None is standard error.
    file: Option<File>,
    form: Form,
}

/// A log that cannot be written.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LogError {
    #[error("open the log {}", path.display())]
    Open { path: PathBuf, source: Reason },
    #[error("--log {}: {scheme} is not supported yet, name a file", target.display())]
    Unsupported {
        target: OsString,
        scheme: &'static str,
    },
}

/// Opens the log that the global flags name.
pub(crate) fn open(globals: &Matches) -> Result<(), LogError> {
    let form = match globals.word(&table::LOG_FORMAT) {
        Some("json") => Form::Json,
        _ => Form::Text,
    };
    let file = globals.text(&table::LOG).map(file_named).transpose()?;
    let form = if file.is_some() { form } else { Form::Text };
    let sink = SINK.get_or_init(|| Sink { file, form });
    if log::set_logger(sink).is_ok() {
        log::set_max_level(level(globals));
    }
    Ok(())
}

/// The one record of a failed command. Standard error gets its own line from the report.
pub(crate) fn record_failure(message: &str) {
    if let Some(sink) = SINK.get().filter(|sink| sink.file.is_some()) {
        sink.write(log::Level::Error, message);
    }
}

fn level(globals: &Matches) -> log::LevelFilter {
    match globals.word(&table::LOG_LEVEL) {
        _ if globals.switch(&table::DEBUG) => log::LevelFilter::Debug,
        Some("debug") => log::LevelFilter::Debug,
        Some("info") => log::LevelFilter::Info,
        Some("warning") => log::LevelFilter::Warn,
        _ => log::LevelFilter::Off,
    }
}

fn file_named(target: &OsStr) -> Result<File, LogError> {
    let path = path_in(target)?;
    let options = || {
        OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o644)
            .open(&path)
    };
    options().map_err(|source| LogError::Open {
        source: source.into(),
        path: path.clone(),
    })
}

fn path_in(target: &OsStr) -> Result<PathBuf, LogError> {
    for scheme in ["journald", "syslog"] {
        let prefixed = target.as_bytes().strip_prefix(scheme.as_bytes());
        if prefixed.is_some_and(|rest| rest.starts_with(b":")) {
            return Err(LogError::Unsupported {
                target: target.to_owned(),
                scheme,
            });
        }
    }
    let path = target
        .as_bytes()
        .strip_prefix(b"file:")
        .unwrap_or(target.as_bytes());
    Ok(PathBuf::from(OsStr::from_bytes(path)))
}

impl Sink {
    fn write(&self, level: log::Level, message: &str) {
        let line = line::line(self.form, level, message, SystemTime::now());
        match &self.file {
            // A full disk must not turn a container's success into a failure.
            Some(file) => drop((&*file).write_all(&line)),
            None => output::complain(&line),
        }
    }
}

impl log::Log for Sink {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &log::Record<'_>) {
        if self.enabled(record.metadata()) {
            self.write(record.level(), &single_line::of(&record.args().to_string()));
        }
    }

    fn flush(&self) {}
}

#[cfg(test)]
mod tests {
    use super::{level, path_in};
    use crate::grammar::{Order, read};
    use crate::table::GLOBALS;
    use log::LevelFilter;
    use std::ffi::{OsStr, OsString};
    use std::path::Path;

    #[test]
    fn nothing_but_failures_is_recorded_unless_asked_for() {
        let table = [
            ("", LevelFilter::Off),
            ("--log-level error", LevelFilter::Off),
            ("--log-level warning", LevelFilter::Warn),
            ("--log-level=info", LevelFilter::Info),
            ("--log-level debug", LevelFilter::Debug),
            ("--debug", LevelFilter::Debug),
            ("--debug=false", LevelFilter::Off),
            ("--debug --log-level error", LevelFilter::Debug),
        ];
        for (line, expected) in table {
            let args = line.split_whitespace().map(OsString::from);
            let (matches, outcome) = read(GLOBALS, Order::FlagsFirst, args);
            assert_eq!(outcome, Ok(()));
            assert_eq!(level(&matches), expected, "{line}");
        }
    }

    #[test]
    fn a_log_is_a_file_for_now() {
        let table = [
            ("/a/log", Some("/a/log")),
            ("log", Some("log")),
            ("file:/a/log", Some("/a/log")),
            ("./journald:x", Some("./journald:x")),
            ("journal", Some("journal")),
            ("journald:web", None),
            ("syslog:web", None),
        ];
        for (target, path) in table {
            let found = path_in(OsStr::new(target));
            assert_eq!(found.as_deref().ok(), path.map(Path::new), "{target}");
        }
    }
}
