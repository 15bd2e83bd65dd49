//! Text to [`Config`]: once and fast; only what fails is read again to find the place.
//!
//! The first pass is plain serde_json. When it fails, a second pass follows the path to the
//! error, so that the message has a JSON pointer. A NUL in a string is refused here for all
//! properties: the kernel would cut the string there, and one search through the text is cheaper
//! than a check at each use.

use serde_json::Value;
use serde_json::error::{Category, Error};
use serde_path_to_error::{Path, Segment};

use super::document::Config;
use super::error::ConfigError;

impl Config {
    /// Reads the text of a config.json.
    pub fn parse(text: &[u8]) -> Result<Self, ConfigError> {
        let text = readable(text)?;
        match serde_json::from_str(text) {
            Ok(config) => refuse_nul(text).map(|()| config),
            Err(error) => Err(locate(text, &error)),
        }
    }
}

/// JSON is UTF-8 without a byte order mark (RFC 8259, 8.1).
fn readable(text: &[u8]) -> Result<&str, ConfigError> {
    let wrong = |problem: String| ConfigError::Text { problem };
    let text = std::str::from_utf8(text)
        .map_err(|error| wrong(format!("not UTF-8 at byte {}", error.valid_up_to())))?;
    if text.starts_with('\u{feff}') {
        return Err(wrong("starts with a byte order mark".to_owned()));
    }
    if text.trim_ascii().is_empty() {
        return Err(wrong("empty".to_owned()));
    }
    Ok(text)
}

/// The second pass: the same error, with its place.
fn locate(text: &str, error: &Error) -> ConfigError {
    match error.classify() {
        Category::Eof => ConfigError::Text {
            problem: format!("truncated: {error}"),
        },
        Category::Syntax | Category::Io => ConfigError::Text {
            problem: error.to_string(),
        },
        Category::Data => {
            let mut input = serde_json::Deserializer::from_str(text);
            let second: Result<Config, _> = serde_path_to_error::deserialize(&mut input);
            let pointer = second
                .err()
                .map(|error| pointer(error.path()))
                .unwrap_or_default();
            ConfigError::Shape {
                pointer,
                problem: error.to_string(),
            }
        }
    }
}

fn pointer(path: &Path) -> String {
    let mut pointer = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => pointer.push_str(&format!("/{index}")),
            Segment::Map { key } => push_key(&mut pointer, key),
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    pointer
}

/// RFC 6901, 3: `~` and `/` in a key are escaped.
fn push_key(pointer: &mut String, key: &str) {
    pointer.push('/');
    pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
}

fn refuse_nul(text: &str) -> Result<(), ConfigError> {
    // JSON can write a NUL in this form only; `\\u0000` is a harmless look-alike.
    if !text.contains("\\u0000") {
        return Ok(());
    }
    let whole: Value = serde_json::from_str(text).map_err(|error| locate(text, &error))?;
    let mut pointer = String::new();
    if find_nul(&whole, &mut pointer) {
        let problem = "must not contain a NUL byte".to_owned();
        return Err(ConfigError::Shape { pointer, problem });
    }
    Ok(())
}

/// Leaves in `pointer` the place of the first string with a NUL. The depth is bounded by
/// serde_json's own limit.
fn find_nul(value: &Value, pointer: &mut String) -> bool {
    let outside = pointer.len();
    let found = match value {
        Value::String(text) => return text.contains('\0'),
        Value::Array(items) => items.iter().enumerate().any(|(index, item)| {
            pointer.truncate(outside);
            pointer.push_str(&format!("/{index}"));
            find_nul(item, pointer)
        }),
        Value::Object(members) => members.iter().any(|(key, member)| {
            pointer.truncate(outside);
            push_key(pointer, &key.replace('\0', "\u{fffd}"));
            key.contains('\0') || find_nul(member, pointer)
        }),
        _ => false,
    };
    if !found {
        pointer.truncate(outside);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    macro_rules! user {
        ($uid:literal, $gid:literal) => {
            concat!(
                r#""process": {"cwd": "/", "user": {"uid": "#,
                $uid,
                r#", "gid": "#,
                $gid,
                "}}"
            )
        };
    }

    macro_rules! linux {
        ($member:literal) => {
            concat!(r#""linux": {"#, $member, "}")
        };
    }

    fn refusal(text: impl AsRef<[u8]>) -> String {
        Config::parse(text.as_ref()).unwrap_err().to_string()
    }

    #[test]
    fn what_is_no_json_is_named_in_one_line() {
        let deep = format!("{{\"mounts\":{}", "[".repeat(100_000));
        for (text, expected) in [
            (&b""[..], "config.json: empty"),
            (b" \n", "config.json: empty"),
            (
                b"\xef\xbb\xbf{}",
                "config.json: starts with a byte order mark",
            ),
            (b"{\"a\": \"\xff\"}", "config.json: not UTF-8 at byte 7"),
            (
                b"{\"ociVersion\": \"1.0",
                "config.json: truncated: EOF while parsing a string",
            ),
            (
                b"{\"ociVersion\": \"1.0.0\"",
                "config.json: truncated: EOF while parsing an object",
            ),
            (
                b"{,}",
                "config.json: key must be a string at line 1 column 2",
            ),
            (
                b"{\"ociVersion\": \"1.0.0\"} x",
                "config.json: trailing characters at line 1",
            ),
            (
                deep.as_bytes(),
                "config.json /mounts/0/0: invalid type: sequence",
            ),
            (b"[]", "config.json: "),
        ] {
            let refusal = refusal(text);
            assert!(refusal.starts_with(expected), "{refusal}");
            assert!(!refusal.contains('\n'));
        }
    }

    /// A member, and where and why it is refused.
    const MISSHAPEN: &[(&str, &str)] = &[
        (r#""root": 1"#, " /root: invalid type: integer `1`"),
        (
            r#""mounts": [{"destination": "/a"}, {"destination": "/b", "type": 3}]"#,
            " /mounts/1/type: invalid type",
        ),
        (
            r#""mounts": [{}]"#,
            " /mounts/0: missing field `destination`",
        ),
        (
            r#""process": {"args": []}"#,
            " /process: missing field `cwd`",
        ),
        (
            r#""process": {"cwd": "/", "user": {"uid": 1}}"#,
            " /process/user: missing field `gid`",
        ),
        (user!("-1", "0"), " /process/user/uid: invalid value"),
        (
            user!("0", "4294967296"),
            " /process/user/gid: invalid value",
        ),
        (user!("0.5", "0"), " /process/user/uid: invalid type"),
        (
            r#""annotations": {"a/b": 1}"#,
            " /annotations/a~1b: invalid type",
        ),
        (
            r#""annotations": {"a": "1", "a": "2"}"#,
            " /annotations: duplicate field `a`",
        ),
        (
            r#""hostname": "a", "hostname": "b""#,
            ": duplicate field `hostname`",
        ),
        (
            linux!(r#""sysctl": {"k": "1", "k": "1"}"#),
            " /linux/sysctl: duplicate field `k`",
        ),
        (
            linux!(r#""uidMappings": [{"containerID": 0, "hostID": 1}]"#),
            " /linux/uidMappings/0: missing field `size`",
        ),
        (
            linux!(r#""resources": {"rdma": {"m": {"hcaHandles": "x"}}}"#),
            " /linux/resources/rdma/m/hcaHandles: invalid type",
        ),
        (
            linux!(r#""netDevices": {"eth0": {"name": 23}}"#),
            " /linux/netDevices/eth0/name: invalid type",
        ),
        (
            linux!(r#""resources": {"devices": [{"access": "rwm"}]}"#),
            " /linux/resources/devices/0: missing field `allow`",
        ),
        (
            r#""hostname": "a\u0000b""#,
            " /hostname: must not contain a NUL byte",
        ),
        (
            r#""mounts": [{"destination": "/a"}, {"destination": "/\u0000"}]"#,
            " /mounts/1/destination: must not contain",
        ),
    ];

    #[test]
    fn what_is_no_config_is_named_with_its_pointer() {
        for (member, expected) in MISSHAPEN {
            let refusal = refusal(format!(r#"{{"ociVersion": "1.0.0", {member}}}"#));
            let expected = format!("config.json{expected}");
            assert!(refusal.starts_with(&expected), "{refusal}");
        }
        assert!(refusal("{}").starts_with("config.json: missing field `ociVersion`"));
    }

    #[test]
    fn unknown_properties_and_null_are_no_error() {
        let text = r#"{"ociVersion": "1.0.0", "new": {"a": [1]}, "root": null, "mounts": null,
            "hostname": "a\\u0000", "vm": null, "process": {"cwd": "/", "terminal": null,
            "user": {"uid": 0, "gid": 0, "username": "x"}, "capabilities": {"bounding": ["CAP_NEW"]},
            "execCPUAffinity": {"initial": ""}}, "linux": {"resources": {"pids": {"limit": null}}}}"#;
        let config = Config::parse(text.as_bytes()).unwrap();
        assert!(config.root.is_none() && config.mounts.is_none() && config.vm.is_none());
        assert_eq!(config.hostname.unwrap(), "a\\u0000");
        let caps = config.process.unwrap().capabilities.unwrap();
        assert_eq!(caps.bounding.unwrap(), ["CAP_NEW"]);
        assert!(
            config
                .linux
                .unwrap()
                .resources
                .unwrap()
                .pids
                .unwrap()
                .limit
                .is_none()
        );
    }
}
