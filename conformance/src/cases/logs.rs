//! contracts.md 1 and 6.2: the log file, its formats, and stderr.

use crate::bed::Bed;
use crate::case::{Check, caller, case, ensure, same};
use crate::command::Output;
use serde_json::{Value, json};

/// A call with a log file: its output and what is in the log.
fn logged(bed: &Bed, options: &[&str], args: &[&str]) -> Check<(Output, String)> {
    let log = bed.scratch.join("the.log");
    let root = bed.root();
    let (log_path, root) = (log.to_string_lossy(), root.to_string_lossy());
    let mut words = vec!["--root", &root, "--log", &log_path];
    words.extend_from_slice(options);
    words.extend_from_slice(args);
    let output = bed.call_without_root(&words)?;
    Ok((output, std::fs::read_to_string(&log).unwrap_or_default()))
}

case!(
    a_json_log_record_is_as_callers_decode_it,
    caller(&["c1.1", "c6.2-log-json"], "contracts 1#1: one line {\"level\":\"error\",\"msg\":...,\"time\":RFC3339}"),
    |bed| {
        let (output, log) = logged(bed, &["--log-format", "json"], &["state", "no-such-container"])?;
        same("exit code", output.code, 1)?;
        let last: Value = serde_json::from_str(log.lines().last().unwrap_or_default())?;
        same("level", &last["level"], &json!("error"))?;
        ensure!(
            last["msg"].as_str().is_some_and(|msg| msg.contains("does not exist") && !msg.contains('\n')),
            "{last}"
        );
        let time = last["time"].as_str().unwrap_or_default();
        ensure!(
            time.len() >= 20
                && time.as_bytes()[10] == b'T'
                && (time.ends_with('Z') || time.contains('+') || time[11..].contains('-')),
            "time {time:?}"
        );
        Ok(())
    }
);

case!(
    a_failure_is_exactly_one_json_record,
    caller(
        &["c1.3", "c6.warnings"],
        "contracts 1#3: a failing command writes exactly one JSON object, a succeeding one none"
    ),
    |bed| {
        let bundle = bed.bundle(&bed.config().args(&["/no/such/program"]))?;
        let (output, log) =
            logged(bed, &["--log-format=json"], &["create", "--bundle", &bundle.path.to_string_lossy(), &bed.id()])?;
        if output.code == 0 {
            bed.call(&["delete", "--force", &bed.id()])?;
        }
        same("exit code", output.code, 1)?;
        same("records", log.lines().count(), 1)?;
        serde_json::from_str::<Value>(&log)?;
        Ok(())
    }
);

case!(a_success_logs_nothing, caller(&["c1.3"], "contracts 1#3: a succeeding command writes no record"), |bed| {
    let bundle = bed.bundle(&bed.config().steps("exit 0"))?;
    let (output, log) =
        logged(bed, &["--log-format", "json"], &["run", "--bundle", &bundle.path.to_string_lossy(), &bed.id()])?;
    same("exit code", output.code, 0)?;
    same("log", log, "")
});

case!(
    the_error_is_on_stderr_too,
    caller(
        &["c1.4", "c6.log-text-stderr"],
        "contracts 1#4: on failure the full error also goes to stderr, even with --log"
    ),
    |bed| {
        let (output, log) = logged(bed, &["--log-format", "json"], &["state", "no-such-container"])?;
        ensure!(!log.is_empty(), "nothing in the log");
        ensure!(output.stderr.contains("does not exist"), "stderr: {}", output.stderr);
        bed.is_one_clear_line(&output.stderr)
    }
);

case!(
    the_log_is_appended_to,
    caller(&["c1.2", "c2.log-FILE"], "contracts 1#2: opened O_APPEND; every later command of the container shares it"),
    |bed| {
        std::fs::write(bed.scratch.join("the.log"), "first\n")?;
        logged(bed, &["--log-format", "json"], &["state", "one"])?;
        let (_, log) = logged(bed, &["--log-format", "json"], &["state", "two"])?;
        same("lines", log.lines().count(), 3)?;
        same("first line", log.lines().next(), Some("first"))
    }
);

case!(
    a_text_log_has_level_and_message,
    caller(&["c6.log-text-stderr", "c2.log-format-text-json"], "contracts 6.2: time=\"...\" level=error msg=\"...\""),
    |bed| {
        let (_, log) = logged(bed, &[], &["state", "no-such-container"])?;
        let line = log.lines().last().unwrap_or_default();
        ensure!(line.contains("level=error msg=\"") && line.starts_with("time=\""), "{line}");
        Ok(())
    }
);

case!(
    an_unknown_log_format_is_refused,
    caller(&["c2.log-format-text-json"], "contracts 2: `invalid log-format: X`"),
    |bed| {
        let output = bed.call_without_root(&["--log-format", "xml", "list"])?;
        ensure!(output.code == 1, "exit code {}", output.code);
        ensure!(
            output.stderr.contains("invalid log-format") || output.stderr.contains("unknown log-format"),
            "{}",
            output.stderr
        );
        Ok(())
    }
);

case!(
    a_log_that_cannot_be_opened_is_an_error,
    caller(&["c2.log-FILE"], "contracts 2: cannot be opened: error on stderr, exit 1"),
    |bed| {
        let output = bed.call_without_root(&["--log", "/no/such/directory/log", "list"])?;
        ensure!(output.code == 1 && !output.stderr.trim().is_empty(), "{} {}", output.code, output.stderr);
        Ok(())
    }
);

case!(
    debug_lines_are_at_debug_level,
    caller(
        &["c2.debug", "c2.log-level-error-warning-info"],
        "contracts 2: --debug: lines with level=debug; the payload runs as ever"
    ),
    |bed| {
        let bundle = bed.bundle(&bed.config().steps("say ran"))?;
        let (output, log) = logged(bed, &["--debug"], &["run", "--bundle", &bundle.path.to_string_lossy(), &bed.id()])?;
        same("stdout", output.succeeded("run")?.stdout.trim(), "ran")?;
        ensure!(log.lines().any(|line| line.contains("level=debug")), "no debug line: {log:?}");
        Ok(())
    }
);

case!(
    the_log_level_can_be_chosen,
    caller(&["c2.log-level-error-warning-info"], "contracts 2: --log-level error|warning|info|debug"),
    |bed| {
        for level in ["error", "warning", "info", "debug"] {
            let root = bed.root();
            bed.call_without_root(&["--log-level", level, "--root", &root.to_string_lossy(), "list"])?
                .succeeded(level)?;
        }
        Ok(())
    }
);

case!(
    a_message_is_one_line_whatever_the_names,
    caller(&["c6.2-log-json", "c1.4"], "contracts 6.2: msg is a single line of valid UTF-8"),
    |bed| {
        let config = bed.config().set("/linux/rootfsPropagation", json!("two\nlines \u{1b}[31m"));
        let bundle = bed.bundle(&config)?;
        let (output, log) =
            logged(bed, &["--log-format", "json"], &["create", "--bundle", &bundle.path.to_string_lossy(), &bed.id()])?;
        if output.code == 0 {
            bed.call(&["delete", "--force", &bed.id()])?;
        }
        same("exit code", output.code, 1)?;
        same("records", log.lines().count(), 1)?;
        ensure!(!output.stderr.contains('\u{1b}'), "an escape sequence on stderr");
        bed.is_one_clear_line(&output.stderr)
    }
);
