//! Arguments into [`Matches`], by the flags of one command.
//!
//! lexopt splits `--k=v` and short bundles; what it does not know is looked at before it sees a
//! word: the one-dash long names of Go programs (containerd sends `-no-subreaper`), `-k=false`, and
//! where the flags end.

use super::matches::{Matches, Value};
use super::syntax::{Arguments, Flag, Order, Takes};
use crate::single_line;
use lexopt::{Arg, Parser};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// A command line that cannot be understood. The texts are what callers and their tests look for.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UsageError {
    #[error("No help topic for '{0}'")]
    Command(String),
    #[error("flag provided but not defined: -{0}")]
    Undefined(String),
    #[error("flag needs an argument: {0}")]
    NoValue(String),
    #[error("invalid boolean value {value:?} for --{flag}")]
    NotABool { flag: &'static str, value: String },
    #[error("invalid value {value:?} for --{flag}: not an integer from 0 to {most}")]
    NotANumber {
        flag: &'static str,
        value: String,
        most: u32,
    },
    #[error("{refusal}: {value} (one of {})", words.join(", "))]
    NotAWord {
        refusal: &'static str,
        value: String,
        words: &'static [&'static str],
    },
    #[error("\"{command}\" requires {bound} {count} argument(s)")]
    Count {
        command: &'static str,
        bound: &'static str,
        count: usize,
    },
}

/// Reads as far as it can: what came before an error stands in the matches, so that the error can
/// go to the log that was named before it.
pub(crate) fn read(
    flags: &[&'static Flag],
    order: Order,
    args: impl IntoIterator<Item = OsString>,
) -> (Matches, Result<(), UsageError>) {
    let mut matches = Matches::default();
    let mut parser = Parser::from_args(args);
    let outcome = read_into(&mut matches, &mut parser, flags, order);
    (matches, outcome)
}

/// Holds the number of positional arguments against what the command takes.
pub(crate) fn check_count(
    command: &'static str,
    takes: &Arguments,
    matches: &Matches,
) -> Result<(), UsageError> {
    let given = matches.positionals().len();
    let (bound, count) = match (takes.least, takes.most) {
        (least, most) if (least..=most).contains(&given) => return Ok(()),
        (least, most) if least == most => ("exactly", least),
        (least, _) if given < least => ("a minimum of", least),
        (_, most) => ("a maximum of", most),
    };
    Err(UsageError::Count {
        command,
        bound,
        count,
    })
}

fn read_into(
    matches: &mut Matches,
    parser: &mut Parser,
    flags: &[&'static Flag],
    order: Order,
) -> Result<(), UsageError> {
    while let Some(word) = next_word(parser, flags)? {
        match word {
            Word::Flag(flag, attached) => {
                let value = value_of(flag, attached, parser)?;
                matches.give(flag, value);
            }
            Word::Positional(argument) => {
                matches.place([argument]);
                if order == Order::FlagsFirst {
                    matches.place(rest(parser));
                }
            }
            Word::EndOfFlags => matches.place(rest(parser)),
        }
    }
    Ok(())
}

enum Word {
    Flag(&'static Flag, Option<OsString>),
    Positional(OsString),
    EndOfFlags,
}

fn next_word(parser: &mut Parser, flags: &[&'static Flag]) -> Result<Option<Word>, UsageError> {
    let mut seen = OsString::new();
    if let Some(mut ahead) = parser.try_raw_args()
        && let Some(word) = ahead.peek()
    {
        seen = word.to_owned();
        let known = if word == "--" {
            Some(Word::EndOfFlags)
        } else {
            one_dash(word, flags)
        };
        if known.is_some() {
            ahead.next();
            return Ok(known);
        }
    }
    next_of_lexopt(parser, flags, &seen)
}

/// `-name` and `-name=value`, where the name is a long one; `-c=value` where it is a short one.
fn one_dash(word: &OsStr, flags: &[&'static Flag]) -> Option<Word> {
    let bytes = word
        .as_bytes()
        .strip_prefix(b"-")
        .filter(|rest| !rest.starts_with(b"-"))?;
    let mut halves = bytes.splitn(2, |byte| *byte == b'=');
    let name = std::str::from_utf8(halves.next()?).ok()?;
    let attached = halves
        .next()
        .map(|value| OsStr::from_bytes(value).to_owned());
    let by_short = || {
        single(name)
            .filter(|_| attached.is_some())
            .and_then(|c| find_short(flags, c))
    };
    let flag = find_long(flags, name).or_else(by_short)?;
    Some(Word::Flag(flag, attached))
}

fn next_of_lexopt(
    parser: &mut Parser,
    flags: &[&'static Flag],
    seen: &OsStr,
) -> Result<Option<Word>, UsageError> {
    let (flag, name) = match parser.next() {
        Ok(None) => return Ok(None),
        Ok(Some(Arg::Value(argument))) => return Ok(Some(Word::Positional(argument))),
        Ok(Some(Arg::Long(name))) => (find_long(flags, name), name.to_owned()),
        Ok(Some(Arg::Short(short))) => (find_short(flags, short), short.to_string()),
        Err(why) => return stuck_to_a_switch(why, flags).map(Some),
    };
    let name = if seen.is_empty() { name } else { name_in(seen) };
    let flag = flag.ok_or(UsageError::Undefined(name))?;
    let in_bundle = flag.is_switch() && !seen.as_bytes().starts_with(b"--");
    let attached = if in_bundle {
        None
    } else {
        parser.optional_value()
    };
    Ok(Some(Word::Flag(flag, attached)))
}

/// lexopt's only complaint here is the value in `-td=false`: the switch is told again, with it.
fn stuck_to_a_switch(why: lexopt::Error, flags: &[&'static Flag]) -> Result<Word, UsageError> {
    match why {
        lexopt::Error::UnexpectedValue { option, value } => {
            let name = name_in(option.as_ref());
            let flag = single(&name).and_then(|short| find_short(flags, short));
            flag.map(|flag| Word::Flag(flag, Some(value)))
                .ok_or(UsageError::Undefined(name))
        }
        other => Err(UsageError::Undefined(other.to_string())),
    }
}

fn value_of(
    flag: &'static Flag,
    attached: Option<OsString>,
    parser: &mut Parser,
) -> Result<Value, UsageError> {
    if flag.is_switch() {
        return switch(flag, attached.as_deref());
    }
    let next = || parser.try_raw_args().and_then(|mut ahead| ahead.next());
    let text = attached.or_else(next);
    let text = text.ok_or_else(|| UsageError::NoValue(format!("--{}", flag.long)))?;
    match flag.takes {
        Takes::Nothing | Takes::Text(_) => Ok(Value::Text(text)),
        Takes::Number { most, .. } => number(flag.long, &text, most),
        Takes::Word { words, refusal } => word(&text, words, refusal),
    }
}

fn switch(flag: &'static Flag, attached: Option<&OsStr>) -> Result<Value, UsageError> {
    match attached.map(OsStr::as_bytes) {
        None | Some(b"true") => Ok(Value::Switch(true)),
        Some(b"false") => Ok(Value::Switch(false)),
        Some(other) => {
            let value = single_line::of_bytes(other);
            Err(UsageError::NotABool {
                flag: flag.long,
                value,
            })
        }
    }
}

fn number(flag: &'static str, text: &OsStr, most: u32) -> Result<Value, UsageError> {
    let parsed = text
        .to_str()
        .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    let parsed = parsed
        .and_then(|text| text.parse::<u32>().ok())
        .filter(|number| *number <= most);
    let value = || single_line::of_bytes(text.as_bytes());
    parsed
        .map(Value::Number)
        .ok_or_else(|| UsageError::NotANumber {
            flag,
            value: value(),
            most,
        })
}

fn word(
    text: &OsStr,
    words: &'static [&'static str],
    refusal: &'static str,
) -> Result<Value, UsageError> {
    let found = words
        .iter()
        .find(|word| text == **word)
        .map(|word| Value::Word(word));
    let value = || single_line::of_bytes(text.as_bytes());
    found.ok_or_else(|| UsageError::NotAWord {
        refusal,
        value: value(),
        words,
    })
}

fn rest(parser: &mut Parser) -> Vec<OsString> {
    parser
        .try_raw_args()
        .map(Iterator::collect)
        .unwrap_or_default()
}

fn find_long(flags: &[&'static Flag], name: &str) -> Option<&'static Flag> {
    flags.iter().copied().find(|flag| flag.long == name)
}

fn find_short(flags: &[&'static Flag], short: char) -> Option<&'static Flag> {
    flags
        .iter()
        .copied()
        .find(|flag| flag.shorts.contains(short))
}

fn single(name: &str) -> Option<char> {
    let mut characters = name.chars();
    characters.next().filter(|_| characters.next().is_none())
}

/// The name as it was typed, without dashes and value.
fn name_in(word: &OsStr) -> String {
    let text = single_line::of_bytes(word.as_bytes());
    let name = text.trim_start_matches('-');
    name.split('=').next().unwrap_or(name).to_owned()
}
