//! What is said to hooks and about them: the State on their stdin, and the text of a failure.
//!
//! Both the runtime and the init image run hooks; what they say must be the same. The State has
//! the members of runtime.md#state and nothing else. All but status and pid is known at create,
//! so it is rendered there, once, and travels as text.

use alloc::{format, string::String};
use serde::{Deserialize, Serialize};

/// The moment a hook runs at, named as in the config.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum HookKind {
    Prestart,
    CreateRuntime,
    CreateContainer,
    StartContainer,
    Poststart,
    Poststop,
}

impl HookKind {
    /// The config's word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Prestart => "prestart",
            Self::CreateRuntime => "createRuntime",
            Self::CreateContainer => "createContainer",
            Self::StartContainer => "startContainer",
            Self::Poststart => "poststart",
            Self::Poststop => "poststop",
        }
    }

    /// The container's status while hooks of this kind run (runtime.md#lifecycle).
    #[must_use]
    pub const fn status(self) -> &'static str {
        match self {
            Self::Prestart | Self::CreateRuntime | Self::CreateContainer => "creating",
            Self::StartContainer => "created",
            Self::Poststart => "running",
            Self::Poststop => "stopped",
        }
    }
}

/// The State of one container, but for status and pid: a JSON object without its closing brace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HookState(String);

impl HookState {
    /// From what is known at create.
    #[cfg(feature = "resolve")]
    #[must_use]
    pub fn new(
        oci_version: &str,
        id: &str,
        bundle: &str,
        annotations: &alloc::collections::BTreeMap<String, String>,
    ) -> Self {
        let mut facts = serde_json::json!({"ociVersion": oci_version, "id": id, "bundle": bundle});
        if !annotations.is_empty() {
            facts["annotations"] = serde_json::json!(annotations);
        }
        let mut text = facts.to_string();
        text.pop();
        Self(text)
    }

    /// The whole, for a hook of this kind; `pid` as the hook's pid namespace sees it.
    #[must_use]
    pub fn json(&self, kind: HookKind, pid: i32) -> String {
        self.at(kind.status(), pid)
    }

    /// The whole, at this status.
    fn at(&self, status: &str, pid: i32) -> String {
        format!(r#"{},"status":"{status}","pid":{pid}}}"#, self.0)
    }

    /// What comes with the listener of its first process's filter
    /// (config-linux.md#containerprocessstate); `metadata` is the config's, for the agent alone.
    #[cfg(feature = "resolve")]
    #[must_use]
    pub fn with_listener(&self, metadata: Option<&str>, pid: i32) -> String {
        let version = crate::resolve::NEWEST;
        let metadata = metadata.map(serde_json::Value::from);
        let metadata = metadata.map(|text| format!(r#""metadata":{text},"#));
        format!(
            r#"{{"ociVersion":"{version}","fds":["seccompFd"],"pid":{pid},{}"state":{}}}"#,
            metadata.unwrap_or_default(),
            self.at("creating", pid)
        )
    }
}

/// How a hook failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HookFailure {
    Exited(u8),
    /// The signal's number.
    Signalled(i32),
    /// Seconds.
    TimedOut(u32),
}

/// `exit status 1: what it wrote to stderr, on one line`; at most `most` bytes of the latter.
#[must_use]
pub fn describe(failure: &HookFailure, complaint: &[u8], most: usize) -> String {
    let mut text = match failure {
        HookFailure::Exited(code) => format!("exit status {code}"),
        HookFailure::Signalled(signal) => format!("signal {signal}"),
        HookFailure::TimedOut(seconds) => {
            format!("hook ran past specified timeout of {seconds}.0s")
        }
    };
    let tail = complaint.len().saturating_sub(most);
    let complaint = String::from_utf8_lossy(complaint.get(tail..).unwrap_or_default());
    for (index, word) in complaint.split_ascii_whitespace().enumerate() {
        text.push_str(if index == 0 { ": " } else { " " });
        text.extend(word.chars().filter(|char| !char.is_control()));
    }
    text
}

/// The words that callers match, before the hook's path and what [`describe`] says.
#[must_use]
pub fn heading(kind: HookKind, index: u32) -> String {
    format!("error running {} hook #{index}", kind.name())
}

#[cfg(all(test, feature = "resolve"))]
mod tests {
    use super::*;

    #[test]
    fn the_state_has_what_the_specification_names() {
        let annotations = [("a\"b".to_owned(), "c".to_owned())].into();
        let state = HookState::new("1.3.0", "web", "/b", &annotations);
        let value: serde_json::Value =
            serde_json::from_str(&state.json(HookKind::StartContainer, 7)).unwrap();
        let expected = serde_json::json!({
            "ociVersion": "1.3.0", "id": "web", "bundle": "/b", "annotations": {"a\"b": "c"},
            "status": "created", "pid": 7,
        });
        assert_eq!(value, expected);
        let bare = HookState::new("1.3.0", "web", "/b", &[].into());
        assert!(!bare.json(HookKind::Poststop, 0).contains("annotations"));
    }

    #[test]
    fn a_seccomp_agent_is_told_of_the_process_and_its_container() {
        let state = HookState::new("1.2.0", "web", "/b", &[].into());
        let mut expected = serde_json::json!({
            "ociVersion": "1.3.0", "fds": ["seccompFd"], "pid": 7, "metadata": "a\"b",
            "state": {"ociVersion": "1.2.0", "id": "web", "bundle": "/b", "status": "creating", "pid": 7},
        });
        let said = |metadata| -> serde_json::Value {
            serde_json::from_str(&state.with_listener(metadata, 7)).unwrap()
        };
        assert_eq!(said(Some("a\"b")), expected);
        expected.as_object_mut().unwrap().remove("metadata");
        assert_eq!(said(None), expected);
    }

    #[test]
    fn a_failure_is_one_line() {
        for (failure, complaint, text) in [
            (HookFailure::Exited(1), "", "exit status 1"),
            (HookFailure::Exited(3), "a\nb\t c\n", "exit status 3: a b c"),
            (HookFailure::Signalled(9), "\x1b[1m", "signal 9: [1m"),
            (
                HookFailure::TimedOut(2),
                "",
                "hook ran past specified timeout of 2.0s",
            ),
            (
                HookFailure::Exited(1),
                "0123456789abc",
                "exit status 1: 3456789abc",
            ),
        ] {
            assert_eq!(describe(&failure, complaint.as_bytes(), 10), text);
        }
        assert_eq!(
            heading(HookKind::CreateRuntime, 1),
            "error running createRuntime hook #1"
        );
    }
}
