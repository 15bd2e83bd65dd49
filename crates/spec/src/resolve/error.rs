//! Why a config cannot become a plan, and where in the config that stands.
//!
//! Places are chains on the stack: a pointer is only written out when something is refused, so a
//! config that is right costs nothing here. The phrases that callers match are the texts below.

/// One property that cannot be applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("config.json {pointer}: {problem}")]
pub struct ResolveError {
    /// JSON pointer of the property.
    pub pointer: String,
    pub problem: Problem,
}

/// What is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// A rule that the property breaks.
    #[error("{0}")]
    Rule(&'static str),
    /// A value, and the rule that it breaks.
    #[error("{value:?} {rule}")]
    Value { value: String, rule: &'static str },
    /// Known to the specification, not yet to hull.
    #[error("not supported yet")]
    NotYet,
    #[error("namespace {0:?} does not exist")]
    UnknownNamespace(String),
    #[error("malformed spec file: duplicated ns {0:?}")]
    DuplicateNamespace(String),
    #[error("unable to set {0} without a private UTS namespace")]
    NoUtsNamespace(&'static str),
    #[error(
        "expected cgroupsPath to be of format \"slice:prefix:name\" for systemd cgroups, got {0:?} instead"
    )]
    SystemdPath(String),
    /// `kind` is `uid` or `gid`.
    #[error("cannot set{kind} to unmapped {kind} {id} in user namespace")]
    Unmapped { kind: &'static str, id: u32 },
    /// What `hull_bpf` says of the profile.
    #[error("{0}")]
    Seccomp(String),
    /// `part` is `mode`, `flag` or `node`.
    #[error("invalid memory policy {part} {value:?}: {rule}")]
    MemoryPolicy {
        part: &'static str,
        value: String,
        rule: &'static str,
    },
    #[error("the requested cgroup controller `{0}` is not available")]
    NoController(&'static str),
}

/// A place in the config.
#[derive(Debug, Clone, Copy)]
pub(super) struct At<'a> {
    above: Option<&'a At<'a>>,
    step: Step<'a>,
}

#[derive(Debug, Clone, Copy)]
enum Step<'a> {
    /// A pointer's text, such as `/linux/resources`.
    Text(&'a str),
    Index(usize),
    /// A key that is not ours: escaped.
    Key(&'a str),
}

impl<'a> At<'a> {
    /// The place with this pointer.
    pub(super) const fn new(pointer: &'a str) -> Self {
        Self {
            above: None,
            step: Step::Text(pointer),
        }
    }

    /// A member, as `/name`.
    pub(super) const fn member(&'a self, pointer: &'a str) -> Self {
        Self {
            above: Some(self),
            step: Step::Text(pointer),
        }
    }

    /// An array's element.
    pub(super) const fn index(&'a self, index: usize) -> Self {
        Self {
            above: Some(self),
            step: Step::Index(index),
        }
    }

    /// A member with a free key.
    pub(super) const fn key(&'a self, key: &'a str) -> Self {
        Self {
            above: Some(self),
            step: Step::Key(key),
        }
    }

    /// The whole pointer.
    pub(super) fn pointer(&self) -> String {
        let mut pointer = self.above.map(At::pointer).unwrap_or_default();
        match self.step {
            Step::Text(text) => pointer.push_str(text),
            Step::Index(index) => pointer.push_str(&format!("/{index}")),
            Step::Key(key) => {
                pointer.push('/');
                pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
            }
        }
        pointer
    }

    /// What stands here cannot be.
    pub(super) fn refuse(&self, problem: Problem) -> ResolveError {
        ResolveError {
            pointer: self.pointer(),
            problem,
        }
    }

    /// What stands here breaks a rule.
    pub(super) fn breaks(&self, rule: &'static str) -> ResolveError {
        self.refuse(Problem::Rule(rule))
    }

    /// This value breaks a rule.
    pub(super) fn wrong(&self, value: impl ToString, rule: &'static str) -> ResolveError {
        self.refuse(Problem::Value {
            value: value.to_string(),
            rule,
        })
    }
}

/// What the user should know although nothing fails.
#[derive(Debug, Default)]
pub(super) struct Warnings(pub(super) Vec<String>);

impl Warnings {
    /// One line with its place.
    pub(super) fn add(&mut self, at: &At<'_>, text: impl std::fmt::Display) {
        self.0.push(format!("config.json {}: {text}", at.pointer()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_written_as_a_json_pointer() {
        let mounts = At::new("/mounts");
        let third = mounts.index(3);
        assert_eq!(third.member("/type").pointer(), "/mounts/3/type");
        assert_eq!(
            At::new("/annotations").key("a/b~c").pointer(),
            "/annotations/a~1b~0c"
        );
    }

    #[test]
    fn the_phrases_are_those_that_callers_match() {
        let at = At::new("/x");
        for (problem, text) in [
            (
                Problem::UnknownNamespace("net".into()),
                "namespace \"net\" does not exist",
            ),
            (
                Problem::DuplicateNamespace("pid".into()),
                "malformed spec file: duplicated ns \"pid\"",
            ),
            (
                Problem::NoUtsNamespace("hostname"),
                "unable to set hostname without a private UTS namespace",
            ),
            (
                Problem::SystemdPath("/a".into()),
                "expected cgroupsPath to be of format \"slice:prefix:name\" for systemd cgroups, got \"/a\" instead",
            ),
            (
                Problem::Unmapped { kind: "uid", id: 7 },
                "cannot setuid to unmapped uid 7 in user namespace",
            ),
            (
                Problem::NoController("pids"),
                "the requested cgroup controller `pids` is not available",
            ),
            (Problem::NotYet, "not supported yet"),
        ] {
            assert_eq!(
                at.refuse(problem).to_string(),
                format!("config.json /x: {text}")
            );
        }
    }
}
