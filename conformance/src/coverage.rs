//! Which rows of the checklist (rows.toml) no case names.

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
struct Row {
    id: String,
    title: String,
}

fn rows() -> Result<Vec<Row>, String> {
    let rows: Rows = toml::from_str(include_str!("../rows.toml")).map_err(|error| format!("rows.toml: {error}"))?;
    Ok(rows.row)
}

/// Writes the rows without a case; false when a case names a row that is not there.
pub(crate) fn write(file: &Path) -> Result<bool, String> {
    let rows = rows()?;
    let named: BTreeSet<&str> = case::all().iter().flat_map(|case| case.rule.rows.iter().copied()).collect();
    let mut text = String::new();
    let missing: Vec<&Row> = rows.iter().filter(|row| !named.contains(row.id.as_str())).collect();
    writeln!(text, "{} of {} rows have a case; without one:", rows.len() - missing.len(), rows.len())
        .unwrap_or_default();
    for row in missing {
        writeln!(text, "{}: {}", row.id, row.title).unwrap_or_default();
    }
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
}
