//! The only place that writes to standard output and standard error.
//!
//! Each call is one write, because callers read what a command says with one read.

use crate::reason::Reason;
use std::io::{self, Write};

/// Results go to standard output, and an output that is not taken is a failure of the command.
pub(crate) fn show(text: &str) -> Result<(), OutputError> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(|source| OutputError {
            source: source.into(),
        })
}

/// Complaints go to standard error; when even that is closed there is nobody left to tell.
pub(crate) fn complain(line: &[u8]) {
    io::stderr().write_all(line).ok();
}

#[derive(Debug, thiserror::Error)]
#[error("write to standard output")]
pub(crate) struct OutputError {
    source: Reason,
}
