//! The man pages, written from the table: a test keeps docs/man as it says, `make man` writes it.

use crate::grammar::{Command, Flag};
use crate::help;
use crate::table::{COMMANDS, GLOBALS, Verb};
use std::fmt::Write;
use std::path::Path;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/man");
/// Set by `make man`.
const WRITE: &str = "HULL_WRITE_MAN";

const ABOUT: &str = "\
hull makes and runs containers as the runtime specification of the Open Container Initiative says. \
A container comes from a bundle: a directory with a root filesystem and a config.json. \
containerd, CRI-O, Podman and Docker call hull as they call runc, and it can be called by hand.
.PP
A command that succeeds prints nothing but what was asked for. One that fails says why in one line on standard error: \
the command with its container, the step, the object with its place in config.json, and what the kernel said.";

const STATUS: &[(&str, &str)] = &[
    ("0", "success"),
    ("1", "failure, told in one line"),
    (
        "any",
        "run in the foreground: the exit code of the container's process, or 128 and the number of the signal \
         that ended it",
    ),
];

const FILES: &[(&str, &str)] = &[
    (
        "/run/hull",
        "where containers are recorded when root asks, a directory for each",
    ),
    ("$XDG_RUNTIME_DIR/hull", "the same for everyone else"),
    (
        "config.json",
        "the configuration in a bundle; read once, by create and run",
    ),
];

const ENVIRONMENT: &[(&str, &str)] = &[
    ("XDG_RUNTIME_DIR", "see FILES"),
    (
        "LISTEN_FDS, LISTEN_PID, LISTEN_FDNAMES",
        "sockets from 3 on that the payload gets, as sd_listen_fds(3) has it",
    ),
];

fn of_hull() -> String {
    let mut page = head("hull", help::TITLE);
    line(&mut page, ".SH SYNOPSIS");
    line(&mut page, ".B hull");
    line(
        &mut page,
        r"[global options] \fIcommand\fR [options] [arguments]",
    );
    line(&mut page, ".SH DESCRIPTION");
    line(&mut page, ABOUT);
    let commands = COMMANDS
        .iter()
        .map(|(_, command)| (command.name.to_owned(), command.about));
    list(&mut page, "COMMANDS", commands);
    list(&mut page, "GLOBAL OPTIONS", options(GLOBALS));
    for (title, rows) in [
        ("EXIT STATUS", STATUS),
        ("FILES", FILES),
        ("ENVIRONMENT", ENVIRONMENT),
    ] {
        list(
            &mut page,
            title,
            rows.iter()
                .map(|(left, right)| ((*left).to_owned(), *right)),
        );
    }
    let others: Vec<String> = paged()
        .map(|(_, command)| format!(r"\fBhull\-{}\fR(8)", command.name))
        .collect();
    line(&mut page, ".SH SEE ALSO");
    line(&mut page, &format!("{},", others.join(",\n")));
    line(
        &mut page,
        r"\fBrunc\fR(8), \fBcrun\fR(1), \fBnamespaces\fR(7), \fBcgroups\fR(7), \fBcapabilities\fR(7)",
    );
    page
}

fn of(command: &Command) -> String {
    let mut page = head(&format!("hull-{}", command.name), command.about);
    line(&mut page, ".SH SYNOPSIS");
    line(&mut page, &format!(".B hull {}", command.name));
    line(
        &mut page,
        format!("[options] {}", escaped(command.arguments.shown)).trim_end(),
    );
    line(&mut page, ".SH DESCRIPTION");
    for sentence in command.description.lines() {
        line(&mut page, &escaped(sentence));
    }
    list(&mut page, "OPTIONS", options(command.flags));
    let examples = command
        .examples
        .iter()
        .map(|example| (example.line.to_owned(), example.does));
    list(&mut page, "EXAMPLES", examples);
    line(&mut page, ".SH SEE ALSO");
    line(
        &mut page,
        r"\fBhull\fR(8) for the options before the command, the exit status and the files",
    );
    page
}

/// `help` explains the others and needs no page.
fn paged() -> impl Iterator<Item = &'static (Verb, Command)> {
    COMMANDS.iter().filter(|(verb, _)| *verb != Verb::Help)
}

fn head(name: &str, about: &str) -> String {
    let version = env!("CARGO_PKG_VERSION");
    format!(
        ".\\\" Written by `make man` from the table of commands.\n\
         .TH {} 8 \"\" \"hull {version}\" \"System Administration\"\n\
         .SH NAME\n{} \\- {}\n",
        name.to_uppercase(),
        escaped(name),
        escaped(about)
    )
}

fn options(flags: &[&'static Flag]) -> impl Iterator<Item = (String, &'static str)> {
    flags.iter().map(|flag| (help::names(flag), flag.about))
}

fn list(page: &mut String, title: &str, rows: impl Iterator<Item = (String, &'static str)>) {
    line(page, &format!(".SH {title}"));
    for (left, right) in rows {
        line(page, ".TP");
        line(page, &format!(r"\fB{}\fR", escaped(&left)));
        line(page, &escaped(right));
    }
}

fn line(page: &mut String, text: &str) {
    writeln!(page, "{text}").unwrap_or_default();
}

/// A minus that can be copied, no escapes, no requests.
fn escaped(text: &str) -> String {
    let text = text.replace('\\', r"\e").replace('-', r"\-");
    match text.starts_with(['.', '\'']) {
        true => format!(r"\&{text}"),
        false => text,
    }
}

#[test]
fn the_pages_in_docs_say_what_the_table_says() {
    let mut pages = vec![("hull.8".to_owned(), of_hull())];
    pages.extend(paged().map(|(_, command)| (format!("hull-{}.8", command.name), of(command))));
    let write = std::env::var_os(WRITE).is_some();
    for (name, page) in &pages {
        let file = Path::new(FOLDER).join(name);
        if write {
            std::fs::write(&file, page).unwrap();
        }
        let there = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(there == *page, "docs/man/{name} is stale: run `make man`");
    }
    let files = std::fs::read_dir(FOLDER).unwrap().count();
    assert_eq!(files, pages.len(), "docs/man holds a page of no command");
}

#[test]
fn text_stays_text_in_a_page() {
    assert_eq!(escaped(r"--a \ b"), r"\-\-a \e b");
    assert_eq!(escaped(".SH not"), r"\&.SH not");
}
