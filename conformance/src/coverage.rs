//! Which rows of the checklist (rows.toml) no case names. A row that no black
//! box can hold a runtime to says why in `untestable`, and is listed apart.

use crate::case;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::Path;

#[derive(Debug, Deserialize)]
struct Rows {
    row: Vec<Row>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) title: String,
    /// Why no case can show whether a runtime keeps it.
    pub(crate) untestable: Option<String>,
    /// What its cases do not reach, though they pass.
    pub(crate) unproved: Option<String>,
}

pub(crate) fn rows() -> Result<Vec<Row>, String> {
    let rows: Rows = toml::from_str(include_str!("../rows.toml")).map_err(|error| format!("rows.toml: {error}"))?;
    Ok(rows.row)
}

/// The ids of rows that cases name.
fn named() -> BTreeSet<&'static str> {
    case::all().iter().flat_map(|case| case.rule.rows.iter().copied()).collect()
}

/// Writes the rows without a case; false when a case names a row that is not there.
pub(crate) fn write(file: &Path) -> Result<bool, String> {
    let (rows, named) = (rows()?, named());
    let mut text = account(&rows, &named);
    let unknown: Vec<&&str> = named.iter().filter(|id| !rows.iter().any(|row| row.id == **id)).collect();
    for id in &unknown {
        writeln!(text, "unknown row {id}, named by a case").unwrap_or_default();
    }
    if file == Path::new("-") {
        print!("{text}");
    } else {
        fs::write(file, &text).map_err(|error| format!("{}: {error}", file.display()))?;
    }
    Ok(unknown.is_empty())
}

/// The rows in three parts: how many have a case, which cannot have one, which lack one.
fn account(rows: &[Row], named: &BTreeSet<&str>) -> String {
    let (covered, others): (Vec<&Row>, Vec<&Row>) = rows.iter().partition(|row| named.contains(row.id.as_str()));
    let (untestable, missing): (Vec<&Row>, Vec<&Row>) = others.into_iter().partition(|row| row.untestable.is_some());
    let mut text = String::new();
    let mut line = |words: String| writeln!(text, "{words}").unwrap_or_default();
    line(format!("{} of {} rows have a case", covered.len(), rows.len()));
    line(format!("{} cannot be shown by a case:", untestable.len()));
    for row in untestable {
        line(format!("{}: {}", row.id, row.untestable.as_deref().unwrap_or_default()));
    }
    line(format!("{} have none:", missing.len()));
    for row in missing {
        line(format!("{}: {}", row.id, row.title));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_a_case_names_exists() {
        let rows = rows().expect("rows.toml");
        for case in case::all() {
            for id in case.rule.rows {
                assert!(rows.iter().any(|row| row.id == *id), "{} names the unknown row {id}", case.full_name());
            }
        }
    }

    #[test]
    fn a_row_that_no_case_can_show_says_why_and_has_no_case() {
        let named = named();
        for row in rows().expect("rows.toml") {
            let Some(why) = &row.untestable else { continue };
            assert!(why.len() > 20, "{} is untestable without a reason", row.id);
            assert!(!named.contains(row.id.as_str()), "{} is untestable, yet a case names it", row.id);
        }
    }

    #[test]
    fn a_row_whose_cases_do_not_reach_all_has_cases_and_says_what() {
        let named = named();
        for row in rows().expect("rows.toml") {
            let Some(what) = &row.unproved else { continue };
            assert!(what.len() > 20 && named.contains(row.id.as_str()), "{}", row.id);
        }
    }

    #[test]
    fn untestable_rows_are_counted_apart() {
        let row = |id: &str, untestable: Option<&str>| Row {
            id: id.to_owned(),
            title: format!("title of {id}"),
            untestable: untestable.map(str::to_owned),
            unproved: None,
        };
        let rows = [row("a", None), row("b", Some("nobody can see it")), row("c", None)];
        assert_eq!(
            account(&rows, &BTreeSet::from(["a"])),
            "1 of 3 rows have a case\n1 cannot be shown by a case:\nb: nobody can see it\n1 have none:\nc: title of c\n"
        );
    }
}
