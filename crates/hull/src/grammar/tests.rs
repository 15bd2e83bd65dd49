//! The grammar as tables: a command line, and what is understood of it.

use super::{Arguments, Flag, Matches, Order, Takes, UsageError, check_count, read};
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

static BUNDLE: Flag = Flag::text("bundle", "DIR", "").short("b");
static PROCESS: Flag = Flag::text("process", "FILE", "").short("p");
static DETACH: Flag = Flag::switch("detach", "").short("d");
static TTY: Flag = Flag::switch("tty", "").short("t");
static NO_SUBREAPER: Flag = Flag::switch("no-subreaper", "");
static FDS: Flag = Flag {
    long: "preserve-fds",
    shorts: "",
    takes: Takes::Number {
        shown: "N",
        most: 100,
    },
    about: "",
};
static FORMAT: Flag = Flag {
    long: "format",
    shorts: "f",
    takes: Takes::Word {
        words: &["table", "json"],
        refusal: "invalid format option",
    },
    about: "",
};
static FLAGS: &[&Flag] = &[
    &BUNDLE,
    &PROCESS,
    &DETACH,
    &TTY,
    &NO_SUBREAPER,
    &FDS,
    &FORMAT,
];

fn read_words(order: Order, line: &str) -> (Matches, Result<(), UsageError>) {
    read(FLAGS, order, line.split_whitespace().map(OsString::from))
}

/// What was understood, in one line.
fn shown(order: Order, line: &str) -> String {
    let (matches, outcome) = read_words(order, line);
    if let Err(why) = outcome {
        return why.to_string();
    }
    let mut words = Vec::new();
    for flag in [&BUNDLE, &PROCESS] {
        words.extend(
            matches
                .text(flag)
                .map(|v| format!("{}:{}", flag.long, v.display())),
        );
    }
    for flag in [&DETACH, &TTY, &NO_SUBREAPER] {
        words.extend(matches.switch(flag).then(|| flag.long.to_owned()));
    }
    words.extend(matches.number(&FDS).map(|number| format!("fds:{number}")));
    words.extend(matches.word(&FORMAT).map(|word| format!("format:{word}")));
    words.extend(
        matches
            .positionals()
            .iter()
            .map(|word| format!("<{}>", word.display())),
    );
    words.join(" ")
}

#[test]
fn every_form_of_a_flag_is_understood() {
    let table = [
        ("--bundle /b web", "bundle:/b <web>"),
        ("--bundle=/b web", "bundle:/b <web>"),
        ("--bundle=a=b web", "bundle:a=b <web>"),
        ("-bundle /b web", "bundle:/b <web>"),
        ("-bundle=/b web", "bundle:/b <web>"),
        ("-b /b web", "bundle:/b <web>"),
        ("-b=/b web", "bundle:/b <web>"),
        ("-b/b web", "bundle:/b <web>"),
        ("web -b /b", "bundle:/b <web>"),
        ("web --bundle=/b --detach", "bundle:/b detach <web>"),
        ("-td web", "detach tty <web>"),
        ("-dtp=F web", "process:F detach tty <web>"),
        ("-dpF web", "process:F detach <web>"),
        ("-td=true web", "detach tty <web>"),
        ("-td=false web", "tty <web>"),
        ("-p -d web", "process:-d <web>"),
        ("--bundle --detach web", "bundle:--detach <web>"),
        ("--bundle -no-subreaper web", "bundle:-no-subreaper <web>"),
        ("-no-subreaper web", "no-subreaper <web>"),
        ("--no-subreaper web", "no-subreaper <web>"),
        ("-no-subreaper=false web", "<web>"),
        ("--detach=true web", "detach <web>"),
        ("--detach=false web", "<web>"),
        ("-d=false web", "<web>"),
        ("-d=true -t web", "detach tty <web>"),
        ("--detach --detach=false web", "<web>"),
        ("--detach true", "detach <true>"),
        ("--bundle /a --bundle /b", "bundle:/b"),
        ("--bundle /a,/b", "bundle:/a,/b"),
        ("--bundle= web", "<web>"),
        ("--preserve-fds 0", "fds:0"),
        ("--preserve-fds=100", "fds:100"),
        ("-f json", "format:json"),
        ("--format=table", "format:table"),
        ("-- --detach", "<--detach>"),
        ("web -- -d -bundle", "<web> <-d> <-bundle>"),
        ("- web", "<-> <web>"),
        ("", ""),
    ];
    for (line, understood) in table {
        assert_eq!(shown(Order::AnyOrder, line), understood, "{line}");
    }
}

#[test]
fn the_first_positional_ends_the_flags_where_argv_follows() {
    let table = [
        ("web sh -c -d", "<web> <sh> <-c> <-d>"),
        ("-d web -t", "detach <web> <-t>"),
        ("-d web --nope", "detach <web> <--nope>"),
        ("web -- sh", "<web> <--> <sh>"),
        ("-d -- web -t", "detach <web> <-t>"),
        ("-- -web", "<-web>"),
    ];
    for (line, understood) in table {
        assert_eq!(shown(Order::FlagsFirst, line), understood, "{line}");
    }
}

#[test]
fn what_is_wrong_is_named_in_the_words_callers_know() {
    let table = [
        ("--nope web", "flag provided but not defined: -nope"),
        ("--nope=3 web", "flag provided but not defined: -nope"),
        ("-nope web", "flag provided but not defined: -nope"),
        ("-x web", "flag provided but not defined: -x"),
        ("-dx web", "flag provided but not defined: -x"),
        ("--bund /b", "flag provided but not defined: -bund"),
        ("-tdx=true", "flag provided but not defined: -x"),
        ("web --bundle", "flag needs an argument: --bundle"),
        ("web -bundle", "flag needs an argument: --bundle"),
        ("web -b", "flag needs an argument: --bundle"),
        (
            "--detach=maybe",
            "invalid boolean value \"maybe\" for --detach",
        ),
        ("-d=", "invalid boolean value \"\" for --detach"),
        (
            "--preserve-fds 101",
            "invalid value \"101\" for --preserve-fds: not an integer from 0 to 100",
        ),
        (
            "--preserve-fds -1",
            "invalid value \"-1\" for --preserve-fds: not an integer from 0 to 100",
        ),
        (
            "--preserve-fds=+1",
            "invalid value \"+1\" for --preserve-fds: not an integer from 0 to 100",
        ),
        (
            "--preserve-fds=",
            "invalid value \"\" for --preserve-fds: not an integer from 0 to 100",
        ),
        (
            "--preserve-fds 4294967296",
            "invalid value \"4294967296\" for --preserve-fds: not an integer from 0 to 100",
        ),
        (
            "--format yaml",
            "invalid format option: yaml (one of table, json)",
        ),
    ];
    for (line, message) in table {
        assert_eq!(shown(Order::AnyOrder, line), message, "{line}");
    }
}

#[test]
fn the_number_of_arguments_is_checked_in_the_words_callers_know() {
    let table = [
        (1, 1, "", "\"kill\" requires exactly 1 argument(s)"),
        (1, 1, "a b", "\"kill\" requires exactly 1 argument(s)"),
        (1, 2, "", "\"kill\" requires a minimum of 1 argument(s)"),
        (
            1,
            2,
            "a b c",
            "\"kill\" requires a maximum of 2 argument(s)",
        ),
        (0, 0, "a", "\"kill\" requires exactly 0 argument(s)"),
    ];
    for (least, most, line, message) in table {
        let (matches, _) = read_words(Order::AnyOrder, line);
        let takes = Arguments {
            shown: "",
            least,
            most,
        };
        let why = check_count("kill", &takes, &matches).unwrap_err();
        assert_eq!(why.to_string(), message);
    }
    let (matches, _) = read_words(Order::AnyOrder, "a");
    assert!(
        check_count(
            "kill",
            &Arguments {
                shown: "",
                least: 1,
                most: 2
            },
            &matches
        )
        .is_ok()
    );
}

#[test]
fn bytes_that_are_not_text_stay_bytes_in_values_and_end_flags_with_an_error() {
    let odd = |bytes: &[u8]| OsString::from_vec(bytes.to_vec());
    let (matches, outcome) = read(FLAGS, Order::AnyOrder, [odd(b"--bundle=/\xff")]);
    assert_eq!(outcome, Ok(()));
    assert_eq!(matches.text(&BUNDLE), Some(odd(b"/\xff").as_os_str()));
    for word in [&b"-\xff"[..], b"--\xff", b"-d\xff"] {
        let (_, outcome) = read(FLAGS, Order::AnyOrder, [odd(word)]);
        assert!(matches!(outcome, Err(UsageError::Undefined(_))), "{word:?}");
    }
}

#[test]
fn what_came_before_an_error_is_kept() {
    let (matches, outcome) = read_words(Order::AnyOrder, "--bundle /b --nope");
    assert!(outcome.is_err());
    assert!(matches.text(&BUNDLE).is_some());
}

#[test]
fn no_three_words_are_too_odd_to_be_read() {
    let words = [
        "--",
        "-",
        "",
        "-=",
        "--=",
        "-=x",
        "-d",
        "-d=",
        "-dd=",
        "-td=true",
        "-b",
        "-b=",
        "-bd",
        "--bundle",
        "--detach=",
        "-no-subreaper=x",
        "web",
        "-é",
        "-dé=",
    ];
    for first in words {
        for second in words {
            for third in words {
                for order in [Order::AnyOrder, Order::FlagsFirst] {
                    let line = [first, second, third].map(OsString::from);
                    let (matches, outcome) = read(FLAGS, order, line);
                    assert!(outcome.is_err() || matches.positionals().len() <= 3);
                }
            }
        }
    }
}
