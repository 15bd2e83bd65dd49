//! `hull list`: every container under the root, as a table, as JSON or by id.

use crate::invocation::Invocation;
use crate::table::{FORMAT, QUIET};
use crate::{output, single_line};
use libcontainer::ContainerState;
use std::error::Error;

const TITLES: [&str; 6] = ["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"];

/// Columns are at least this wide, and this far apart.
const WIDTH: usize = 12;
const GAP: usize = 3;

pub(super) fn list(invocation: &Invocation<'_>) -> Result<(), Box<dyn Error>> {
    let containers = libcontainer::list(&invocation.store()?)?;
    let text = match invocation.given.word(&FORMAT) {
        _ if invocation.given.switch(&QUIET) => ids(&containers),
        Some("json") => serde_json::to_string(&containers)? + "\n",
        _ => table(&rows(&containers)),
    };
    Ok(output::show(&text)?)
}

fn ids(containers: &[ContainerState]) -> String {
    containers
        .iter()
        .map(|container| format!("{}\n", container.id))
        .collect()
}

fn rows(containers: &[ContainerState]) -> Vec<[String; 6]> {
    let row = |container: &ContainerState| {
        [
            container.id.clone(),
            container.pid.to_string(),
            container.status.as_str().to_owned(),
            single_line::of(&container.bundle),
            container.created.clone(),
            container.owner.clone(),
        ]
    };
    containers.iter().map(row).collect()
}

fn table(rows: &[[String; 6]]) -> String {
    let mut text = String::new();
    let widths = widths(rows);
    append(&mut text, &TITLES, &widths);
    for row in rows {
        append(&mut text, row, &widths);
    }
    text
}

fn widths(rows: &[[String; 6]]) -> [usize; 6] {
    std::array::from_fn(|column| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        let widest = cells.chain([TITLES[column].len()]).max().unwrap_or(0);
        (widest + GAP).max(WIDTH)
    })
}

/// The last column is as wide as it is.
fn append(text: &mut String, cells: &[impl AsRef<str>; 6], widths: &[usize; 6]) {
    for (cell, width) in cells.iter().zip(widths) {
        text.push_str(&format!("{:width$}", cell.as_ref()));
    }
    text.truncate(text.trim_end_matches(' ').len());
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::table;

    #[test]
    fn a_table_has_a_title_even_without_containers() {
        let title = "ID          PID         STATUS      BUNDLE      CREATED     OWNER\n";
        assert_eq!(table(&[]), title);
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let row = ["a-long-container", "7", "running", "/b", "now", "root"].map(str::to_owned);
        let expected = "\
ID                 PID         STATUS      BUNDLE      CREATED     OWNER
a-long-container   7           running     /b          now         root
";
        assert_eq!(table(&[row]), expected);
    }
}
