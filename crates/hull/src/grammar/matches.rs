//! What was given on the command line, by flag.
//!
//! A flag given twice counts as given last. An empty text counts as not given, because callers pass
//! `--console-socket ""` for "none".

use super::syntax::Flag;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// The flags and positional arguments of one command, already checked one by one.
#[derive(Debug, Default)]
pub(crate) struct Matches {
    given: Vec<(&'static str, Value)>,
    positionals: Vec<OsString>,
}

/// A value in the form its flag takes.
#[derive(Debug)]
pub(super) enum Value {
    Switch(bool),
    Text(OsString),
    Number(u32),
    Word(&'static str),
}

impl Matches {
    pub(crate) fn switch(&self, flag: &Flag) -> bool {
        matches!(self.last(flag), Some(Value::Switch(true)))
    }

    pub(crate) fn text(&self, flag: &Flag) -> Option<&OsStr> {
        match self.last(flag) {
            Some(Value::Text(text)) if !text.is_empty() => Some(text),
            _ => None,
        }
    }

    /// A path, absolute from here on: nothing later depends on the working directory.
    pub(crate) fn path(&self, flag: &Flag) -> std::io::Result<Option<PathBuf>> {
        self.text(flag)
            .map(|text| std::path::absolute(Path::new(text)))
            .transpose()
    }

    pub(crate) fn number(&self, flag: &Flag) -> Option<u32> {
        match self.last(flag) {
            Some(Value::Number(number)) => Some(*number),
            _ => None,
        }
    }

    pub(crate) fn word(&self, flag: &Flag) -> Option<&'static str> {
        match self.last(flag) {
            Some(Value::Word(word)) => Some(word),
            _ => None,
        }
    }

    pub(crate) fn positional(&self, index: usize) -> Option<&OsStr> {
        self.positionals.get(index).map(OsString::as_os_str)
    }

    pub(crate) fn positionals(&self) -> &[OsString] {
        &self.positionals
    }

    pub(super) fn give(&mut self, flag: &'static Flag, value: Value) {
        self.given.push((flag.long, value));
    }

    pub(super) fn place(&mut self, positionals: impl IntoIterator<Item = OsString>) {
        self.positionals.extend(positionals);
    }

    fn last(&self, flag: &Flag) -> Option<&Value> {
        self.given
            .iter()
            .rev()
            .find(|(long, _)| *long == flag.long)
            .map(|(_, value)| value)
    }
}
