//! `hull help`: the same pages as `--help`.

use crate::grammar::UsageError;
use crate::invocation::Invocation;
use crate::{help, output, table};
use std::error::Error;

pub(super) fn help(invocation: &Invocation<'_>) -> Result<(), Box<dyn Error>> {
    let name = invocation.word(0);
    let page = match table::find(&name) {
        Some((_, command)) => help::of(command),
        None if name.is_empty() => help::of_hull(),
        None => return Err(UsageError::Command(name.into_owned()).into()),
    };
    Ok(output::show(&page)?)
}
