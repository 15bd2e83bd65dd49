//! Help as text, from the table.
//!
//! The first two lines are what callers and their tests look for; the rest is for people.

use crate::grammar::{Command, Flag};
use crate::table::{COMMANDS, GLOBALS};

pub(crate) const TITLE: &str = "Open Container Initiative runtime";

/// What `hull --help` prints.
pub(crate) fn of_hull() -> String {
    let mut page = format!("NAME:\n   hull - {TITLE}\n");
    section(
        &mut page,
        "USAGE",
        "hull [global options] command [options] [arguments]",
    );
    let rows = COMMANDS
        .iter()
        .map(|(_, command)| (command.name.to_owned(), command.about));
    columns(&mut page, "COMMANDS", rows.collect());
    columns(&mut page, "GLOBAL OPTIONS", rows_of(GLOBALS));
    let examples = [
        (
            "hull spec".to_owned(),
            "write a config.json for the bundle in this directory",
        ),
        ("hull run web".to_owned(), "run it as the container web"),
        ("hull help run".to_owned(), "show what run takes"),
    ];
    columns(&mut page, "EXAMPLES", examples.into());
    page
}

/// What `hull COMMAND --help` prints.
pub(crate) fn of(command: &Command) -> String {
    let mut page = format!("NAME:\n   hull {} - {}\n", command.name, command.about);
    let usage = format!(
        "hull {} [options] {}",
        command.name, command.arguments.shown
    );
    section(&mut page, "USAGE", usage.trim_end());
    section(&mut page, "DESCRIPTION", command.description);
    columns(&mut page, "OPTIONS", rows_of(command.flags));
    let examples = command
        .examples
        .iter()
        .map(|example| (example.line.to_owned(), example.does));
    columns(&mut page, "EXAMPLES", examples.collect());
    page
}

fn section(page: &mut String, title: &str, text: &str) {
    page.push_str(&format!("\n{title}:\n"));
    for line in text.lines() {
        page.push_str(&format!("   {line}\n"));
    }
}

fn columns(page: &mut String, title: &str, rows: Vec<(String, &str)>) {
    page.push_str(&format!("\n{title}:\n"));
    let width = rows.iter().map(|(left, _)| left.len()).max().unwrap_or(0);
    for (left, right) in rows {
        page.push_str(&format!("   {left:width$}  {right}\n"));
    }
}

fn rows_of(flags: &[&'static Flag]) -> Vec<(String, &'static str)> {
    flags.iter().map(|flag| (names(flag), flag.about)).collect()
}

/// `-b, --bundle DIR`
pub(crate) fn names(flag: &Flag) -> String {
    let shorts = flag
        .shorts
        .chars()
        .map(|short| format!("-{short}, "))
        .collect::<String>();
    let value = flag.shown_value();
    let gap = if value.is_empty() { "" } else { " " };
    format!("{shorts}--{}{gap}{value}", flag.long)
}

#[cfg(test)]
mod tests {
    use super::{of, of_hull};
    use crate::table::{COMMANDS, GLOBALS};

    #[test]
    fn the_first_lines_are_what_callers_know() {
        let page = of_hull();
        assert!(page.starts_with("NAME:\n   hull - Open Container Initiative runtime\n"));
        for (_, command) in COMMANDS {
            let second = format!("   hull {} - {}", command.name, command.about);
            assert_eq!(of(command).lines().nth(1), Some(second.as_str()));
        }
    }

    #[test]
    fn every_flag_and_every_command_is_shown() {
        let page = of_hull();
        for flag in GLOBALS {
            assert!(page.contains(&format!("--{}", flag.long)), "{}", flag.long);
        }
        for (_, command) in COMMANDS {
            assert!(
                page.contains(&format!("   {} ", command.name)),
                "{}",
                command.name
            );
            let own = of(command);
            assert!(
                command
                    .flags
                    .iter()
                    .all(|flag| own.contains(&format!("--{}", flag.long)))
            );
            assert!(
                command
                    .examples
                    .iter()
                    .all(|example| own.contains(example.line))
            );
        }
    }

    #[test]
    fn lines_fit_a_terminal_of_a_hundred_and_twenty() {
        let pages = COMMANDS
            .iter()
            .map(|(_, command)| of(command))
            .chain([of_hull()]);
        for page in pages {
            for line in page.lines() {
                assert!(line.len() <= 120, "{line}");
            }
        }
    }
}
