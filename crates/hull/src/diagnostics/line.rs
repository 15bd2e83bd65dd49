//! One record of the log as one line, in the two forms that callers parse.
//!
//! containerd and Podman decode `{"level":"error","msg":"…","time":"…"}` and take a failure of the
//! decoding for an unknown error, so these keys, their order and the words for levels are fixed.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The form of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Text,
    Json,
}

/// `message` is already one line.
pub(super) fn line(form: Form, level: log::Level, message: &str, moment: SystemTime) -> Vec<u8> {
    let (level, time) = (word(level), shown(moment));
    let text = match form {
        Form::Text => format!(
            "time=\"{time}\" level={level} msg=\"{}\"\n",
            quoted(message)
        ),
        Form::Json => {
            let message = serde_json::Value::from(message);
            format!("{{\"level\":\"{level}\",\"msg\":{message},\"time\":\"{time}\"}}\n")
        }
    };
    text.into_bytes()
}

fn word(level: log::Level) -> &'static str {
    match level {
        log::Level::Error => "error",
        log::Level::Warn => "warning",
        log::Level::Info => "info",
        log::Level::Debug | log::Level::Trace => "debug",
    }
}

/// A clock before 1970 shows 1970: a log line is no place to fail.
fn shown(moment: SystemTime) -> String {
    let since = moment.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    let seconds = i64::try_from(since.as_secs()).unwrap_or(0);
    libcontainer::rfc3339(seconds, since.subsec_nanos())
}

fn quoted(message: &str) -> String {
    message.replace('\\', "\\\\").replace('"', "\\\"")
}

#[cfg(test)]
mod tests {
    use super::{Form, line, shown};
    use log::Level;
    use std::time::{Duration, UNIX_EPOCH};

    const START: &str = "1970-01-01T00:00:00.000000000Z";

    #[test]
    fn both_forms_are_what_callers_parse() {
        let table = [
            (
                Form::Json,
                Level::Error,
                "no",
                r#"{"level":"error","msg":"no","time":"T"}"#,
            ),
            (
                Form::Json,
                Level::Warn,
                r#"a "b" \"#,
                r#"{"level":"warning","msg":"a \"b\" \\","time":"T"}"#,
            ),
            (
                Form::Json,
                Level::Debug,
                "é",
                r#"{"level":"debug","msg":"é","time":"T"}"#,
            ),
            (
                Form::Text,
                Level::Error,
                "no",
                r#"time="T" level=error msg="no""#,
            ),
            (
                Form::Text,
                Level::Warn,
                r#"a "b" \"#,
                r#"time="T" level=warning msg="a \"b\" \\""#,
            ),
            (
                Form::Text,
                Level::Info,
                "hi",
                r#"time="T" level=info msg="hi""#,
            ),
            (
                Form::Text,
                Level::Trace,
                "",
                r#"time="T" level=debug msg="""#,
            ),
        ];
        for (form, level, message, expected) in table {
            let written = line(form, level, message, UNIX_EPOCH);
            let expected = expected.replace("=\"T\"", &format!("=\"{START}\""));
            let expected = expected.replace(":\"T\"", &format!(":\"{START}\"")) + "\n";
            assert_eq!(String::from_utf8(written).unwrap(), expected);
        }
    }

    #[test]
    fn a_moment_has_nanoseconds_and_is_never_refused() {
        let moment = UNIX_EPOCH + Duration::new(1_795_481_419, 123_456_789);
        assert_eq!(shown(moment), "2026-11-24T00:50:19.123456789Z");
        assert_eq!(shown(UNIX_EPOCH - Duration::from_secs(9)), START);
    }

    #[test]
    fn a_json_line_is_one_object_with_three_keys() {
        let written = line(Form::Json, Level::Error, "say \"hi\" \u{1}", UNIX_EPOCH);
        let value: serde_json::Value = serde_json::from_slice(&written).unwrap();
        assert_eq!(value["msg"], "say \"hi\" \u{1}");
        assert_eq!(value.as_object().unwrap().len(), 3);
        assert_eq!(written.iter().filter(|byte| **byte == b'\n').count(), 1);
    }
}
