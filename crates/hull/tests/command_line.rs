//! The built program as a caller sees it: what goes where, in which words, with which exit code.
//!
//! Nothing here makes a container; the suite in conformance/ does.

#![allow(
    clippy::disallowed_methods,
    reason = "a test runs the program it tests"
)]
#![allow(
    clippy::unwrap_used,
    reason = "a test may stop at what it does not expect"
)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

const TITLE: &str = "NAME:\n   hull - Open Container Initiative runtime\n";

fn hull(arguments: &[&str]) -> Output {
    hull_in(Path::new("/"), arguments)
}

fn hull_in(directory: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hull"));
    command
        .args(arguments)
        .current_dir(directory)
        .env_clear()
        .stdin(Stdio::null());
    command.output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// What a success prints; it says nothing else.
fn success(arguments: &[&str]) -> String {
    let output = hull(arguments);
    assert_eq!(stderr(&output), "", "{arguments:?}");
    assert_eq!(output.status.code(), Some(0), "{arguments:?}");
    stdout(&output)
}

/// The one line of a failure, without its end.
fn failure(arguments: &[&str]) -> String {
    let output = hull(arguments);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}");
    assert_eq!(stdout(&output), "", "{arguments:?}");
    let line = stderr(&output);
    assert_eq!(line.matches('\n').count(), 1, "{line:?}");
    assert!(line.ends_with('\n'), "{line:?}");
    line.trim_end().to_owned()
}

#[test]
fn the_version_is_three_lines() {
    for arguments in [
        &["--version"][..],
        &["-v"],
        &["-V"],
        &["-version"],
        &["--debug", "-v"],
    ] {
        let text = success(arguments);
        let lines: Vec<&str> = text.lines().collect();
        let first = concat!("hull version ", env!("CARGO_PKG_VERSION"));
        assert_eq!((lines[0], lines[2], lines.len()), (first, "spec: 1.3.0", 3));
        assert!(lines[1].starts_with("commit: "));
    }
}

#[test]
fn help_is_shown_for_hull_and_for_each_command() {
    for arguments in [
        &[][..],
        &["--help"],
        &["-h"],
        &["-help"],
        &["help"],
        &["--debug"],
    ] {
        assert!(success(arguments).starts_with(TITLE), "{arguments:?}");
    }
    let commands = [
        "create", "start", "state", "kill", "delete", "run", "list", "spec", "features",
    ];
    for command in commands {
        for arguments in [[command, "--help"], [command, "-h"], ["help", command]] {
            let page = success(&arguments);
            let begin = format!("NAME:\n   hull {command} - ");
            assert!(page.starts_with(&begin), "{page}");
        }
    }
}

#[test]
fn what_is_not_understood_is_one_line_in_known_words() {
    let table: [(&[&str], &str); 14] = [
        (&["nope"], "hull: No help topic for 'nope'"),
        (
            &["help", "nope"],
            "hull: help nope: No help topic for 'nope'",
        ),
        (&["exec", "web", "sh"], "hull: No help topic for 'exec'"),
        (
            &["--nope", "state"],
            "hull: flag provided but not defined: -nope",
        ),
        (
            &["state", "--nope", "web"],
            "hull: state: flag provided but not defined: -nope",
        ),
        (
            &["create", "--bundle"],
            "hull: create: flag needs an argument: --bundle",
        ),
        (&["--root"], "hull: flag needs an argument: --root"),
        (
            &["create"],
            "hull: \"create\" requires exactly 1 argument(s)",
        ),
        (
            &["kill"],
            "hull: \"kill\" requires a minimum of 1 argument(s)",
        ),
        (
            &["kill", "a", "b", "c"],
            "hull: \"kill\" requires a maximum of 2 argument(s)",
        ),
        (
            &["list", "a"],
            "hull: \"list\" requires exactly 0 argument(s)",
        ),
        (
            &["list", "-f", "yaml"],
            "hull: list: invalid format option: yaml (one of table, json)",
        ),
        (
            &["--log-format", "xml", "list"],
            "hull: invalid log-format: xml (one of text, json)",
        ),
        (&["no\npe"], "hull: No help topic for 'no\\npe'"),
    ];
    for (arguments, line) in table {
        assert_eq!(failure(arguments), line);
    }
}

#[test]
fn settings_that_cannot_be_are_refused() {
    let table: [(&[&str], &str); 4] = [
        (
            &["--root", "/", "state", "web"],
            "Option --root argument should not be set to /",
        ),
        (
            &["--log", "journald:web", "list"],
            "journald is not supported yet",
        ),
        (
            &["--log", "/nowhere/log", "list"],
            "open the log /nowhere/log: no such file or directory",
        ),
        (
            &[
                "--systemd-cgroup",
                "--cgroup-manager",
                "disabled",
                "create",
                "web",
            ],
            "--systemd-cgroup contradicts --cgroup-manager disabled",
        ),
    ];
    for (arguments, words) in table {
        let line = failure(arguments);
        assert!(line.contains(words), "{line}");
    }
}

#[test]
fn an_unknown_container_does_not_exist() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("none");
    let root = root.to_str().unwrap();
    assert!(failure(&["--root", root, "state", "web"]).ends_with(": container does not exist"));
    assert!(failure(&["--root", root, "state", "a/b"]).contains("invalid container ID format"));
    assert!(failure(&["--root", root, "kill", "web", "NOPE"]).contains("unknown signal \"NOPE\""));
    assert!(!Path::new(root).exists());
}

#[test]
fn without_containers_a_list_is_empty() {
    let root = "/nowhere/at/all";
    let title = "ID          PID         STATUS      BUNDLE      CREATED     OWNER\n";
    assert_eq!(success(&["--root", root, "list"]), title);
    assert_eq!(success(&["--root", root, "list", "--format=json"]), "[]\n");
    assert_eq!(success(&["--root", root, "list", "-q"]), "");
}

#[test]
fn a_json_log_gets_exactly_one_object_of_a_failure_and_none_of_a_success() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log.json");
    let log_text = log.to_str().unwrap();
    let global = [
        "--root",
        "/nowhere/at/all",
        "--log",
        log_text,
        "--log-format",
        "json",
    ];
    success(&[&global[..], &["list"]].concat());
    assert_eq!(fs::read_to_string(&log).unwrap(), "");
    let line = failure(&[&global[..], &["state", "web"]].concat());
    let record: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(&log).unwrap()).unwrap();
    assert_eq!(record["level"], "error");
    assert_eq!(format!("hull: {}", record["msg"].as_str().unwrap()), line);
    failure(&[&global[..], &["state", "--nope"]].concat());
    let lines = fs::read_to_string(&log).unwrap();
    assert_eq!(lines.lines().count(), 2, "appended: {lines}");
    assert!(
        lines
            .lines()
            .all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok())
    );
}

#[test]
fn a_text_log_has_the_form_of_a_text_log() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    failure(&["--log", &format!("file:{}", log.display()), "kill"]);
    let text = fs::read_to_string(&log).unwrap();
    assert!(text.starts_with("time=\"20"), "{text}");
    let end = "Z\" level=error msg=\"\\\"kill\\\" requires a minimum of 1 argument(s)\"\n";
    assert!(text.ends_with(end), "{text}");
}

#[test]
fn features_are_a_document_with_the_versions_that_callers_ask_for() {
    let text = success(&["features"]);
    assert!(text.starts_with("{\n    \""), "{text}");
    let features: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (&features["ociVersionMin"], &features["ociVersionMax"]),
        (&"1.0.0".into(), &"1.3.0".into())
    );
}

#[test]
fn a_configuration_is_written_once() {
    for extra in [&[][..], &["--rootless"], &["-f", "other.json"]] {
        let folder = tempfile::tempdir().unwrap();
        let arguments = [&["spec"][..], extra].concat();
        let name = if extra.contains(&"-f") {
            "other.json"
        } else {
            "config.json"
        };
        let output = hull_in(folder.path(), &arguments);
        assert_eq!(
            (stderr(&output), stdout(&output)),
            (String::new(), String::new())
        );
        let written = fs::read(folder.path().join(name)).unwrap();
        let config: serde_json::Value = serde_json::from_slice(&written).unwrap();
        assert!(config["ociVersion"].is_string());
        let bundle = folder.path().to_str().unwrap();
        let line = failure(&[&arguments[..], &["--bundle", bundle]].concat());
        assert_eq!(
            line,
            format!("hull: spec: File {name} exists. Remove it first")
        );
        assert_eq!(fs::read(folder.path().join(name)).unwrap(), written);
    }
}

#[test]
fn a_configuration_needs_its_directory() {
    let line = failure(&["spec", "-b", "/nowhere"]);
    assert_eq!(
        line,
        "hull: spec: create /nowhere/config.json: no such file or directory"
    );
}

#[test]
fn output_that_nobody_takes_is_a_failure() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hull"));
    let full = fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let output = command.arg("--version").stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        stderr(&output),
        "hull: write to standard output: no space left on device\n"
    );
}
