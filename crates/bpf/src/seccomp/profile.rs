//! What an OCI seccomp profile can say (config-linux.md#seccomp), as plain data.
//!
//! Flags, listener path and metadata are not here: they belong to loading. The tables give
//! the words of the config, for reading it and for `features`.

use crate::arch::Arch;

/// `SCMP_ACT_*`; `SCMP_ACT_KILL` is another word for `SCMP_ACT_KILL_THREAD`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of the runtime-spec")]
pub enum Action {
    KillProcess,
    KillThread,
    Trap,
    Errno,
    Notify,
    Trace,
    Log,
    Allow,
}

/// `SCMP_CMP_*`: how an argument is compared with `value`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of the runtime-spec")]
pub enum Op {
    NotEqual,
    Less,
    LessOrEqual,
    Equal,
    GreaterOrEqual,
    Greater,
    /// `argument & value == value_two`.
    MaskedEqual,
}

/// One entry of `syscalls[].args`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arg {
    /// Which argument, 0 to 5.
    pub index: u32,
    /// What it is compared with; the mask of `MaskedEqual`.
    pub value: u64,
    /// What remains under the mask of `MaskedEqual`; unused otherwise.
    pub value_two: u64,
    /// The comparison.
    pub op: Op,
}

/// One entry of `syscalls`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Names; those that no architecture knows are skipped.
    pub names: Vec<String>,
    /// What happens when every condition holds.
    pub action: Action,
    /// Error number of `Errno`, message of `Trace`; `EPERM` when absent.
    pub errno_ret: Option<u32>,
    /// Conditions; when two look at one argument, each stands alone, as in runc.
    pub args: Vec<Arg>,
}

/// The part of `linux.seccomp` that becomes a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// What happens to calls that no rule speaks about.
    pub default_action: Action,
    /// `defaultErrnoRet`.
    pub default_errno: Option<u32>,
    /// Architectures besides the native one, which is always filtered.
    pub architectures: Vec<Arch>,
    /// The rules, in listed order.
    pub rules: Vec<Rule>,
}

impl Profile {
    /// Whether loading must ask for a listener, even when no rule remains that notifies.
    #[must_use]
    pub fn notifies(&self) -> bool {
        self.rules.iter().any(|rule| rule.action == Action::Notify)
    }
}

impl Action {
    /// Every word of the config with its meaning.
    pub const NAMES: [(&str, Self); 9] = [
        ("SCMP_ACT_KILL", Self::KillThread),
        ("SCMP_ACT_KILL_PROCESS", Self::KillProcess),
        ("SCMP_ACT_KILL_THREAD", Self::KillThread),
        ("SCMP_ACT_TRAP", Self::Trap),
        ("SCMP_ACT_ERRNO", Self::Errno),
        ("SCMP_ACT_TRACE", Self::Trace),
        ("SCMP_ACT_ALLOW", Self::Allow),
        ("SCMP_ACT_LOG", Self::Log),
        ("SCMP_ACT_NOTIFY", Self::Notify),
    ];

    /// Reads a word of the config.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::NAMES
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, action)| *action)
    }

    /// The word of the config; for two words, the one that says more.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES
            .iter()
            .rfind(|(_, action)| *action == self)
            .map_or("", |(name, _)| name)
    }
}

impl Op {
    /// Every word of the config with its meaning.
    pub const NAMES: [(&str, Self); 7] = [
        ("SCMP_CMP_NE", Self::NotEqual),
        ("SCMP_CMP_LT", Self::Less),
        ("SCMP_CMP_LE", Self::LessOrEqual),
        ("SCMP_CMP_EQ", Self::Equal),
        ("SCMP_CMP_GE", Self::GreaterOrEqual),
        ("SCMP_CMP_GT", Self::Greater),
        ("SCMP_CMP_MASKED_EQ", Self::MaskedEqual),
    ];

    /// Reads a word of the config.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::NAMES
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, op)| *op)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_has_a_name_that_reads_back() {
        for (_, action) in Action::NAMES {
            assert_eq!(Action::parse(action.name()), Some(action));
        }
        assert_eq!(Action::parse("SCMP_ACT_KILL"), Some(Action::KillThread));
        assert_eq!(Action::KillThread.name(), "SCMP_ACT_KILL_THREAD");
        assert_eq!(Action::parse("allow"), None);
    }

    #[test]
    fn operators_are_read_by_their_word() {
        assert_eq!(Op::parse("SCMP_CMP_MASKED_EQ"), Some(Op::MaskedEqual));
        assert_eq!(Op::parse("SCMP_CMP_XX"), None);
    }
}
