//! The argument grammar that callers of OCI runtimes rely on, on top of lexopt.
//!
//! `syntax` says what a command and a flag are, `matches` what was given, `read` turns one into the
//! other: `--k v`, `--k=v`, `--k=true`, `-long`, short bundles, `-kv`, `-k=v` and `--`. Which
//! commands and flags there are is not decided here but in `table`.

mod matches;
mod read;
mod syntax;
#[cfg(test)]
mod tests;

pub(crate) use matches::Matches;
pub(crate) use read::{UsageError, check_count, read};
pub(crate) use syntax::{Arguments, Command, Example, Flag, Order, Takes};
