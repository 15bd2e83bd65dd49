//! Checks a profile and turns it into clauses: one answer, the conditions that all must hold,
//! the syscalls it is about.
//!
//! Rules that answer as the default does are dropped, and so are names that no architecture
//! knows. Nothing here depends on an architecture; `verdicts` looks the numbers up.

use super::profile::{Action, Arg, Profile, Rule};
use crate::syscalls::Syscall;

const EPERM: u32 = 1;
/// The kernel would lower a greater one to this (`MAX_ERRNO`).
const MAX_ERRNO: u32 = 4095;
/// The low half of a filter's answer carries the number.
const MAX_DATA: u32 = 0xffff;
const ARGUMENTS: u32 = 6;

/// What is wrong with a profile.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// `defaultAction` is `SCMP_ACT_NOTIFY`: loading itself would wait for the listener.
    #[error("SCMP_ACT_NOTIFY cannot be used as default action")]
    NotifyByDefault,
    /// The listener's fd is handed over with `write(2)`.
    #[error("SCMP_ACT_NOTIFY cannot be used for the write syscall")]
    NotifyOnWrite,
    /// An action that carries no number was given one.
    #[error("seccomp action {action} takes no errno, but {errno} is given")]
    UnwantedErrno {
        /// Word of the config.
        action: &'static str,
        /// Number given.
        errno: u32,
    },
    /// The number does not fit the action.
    #[error("seccomp action {action} with errno {errno}: {highest} is the highest")]
    ErrnoTooHigh {
        /// Word of the config.
        action: &'static str,
        /// Number given.
        errno: u32,
        /// Highest that fits.
        highest: u32,
    },
    /// `syscalls[].names` is empty.
    #[error("seccomp rule {rule} names no syscall")]
    NoNames {
        /// Position in `syscalls`.
        rule: usize,
    },
    /// `syscalls[].args[].index` is past the sixth argument.
    #[error("seccomp rule {rule}: argument index {index} is above 5")]
    NoSuchArgument {
        /// Position in `syscalls`.
        rule: usize,
        /// Index given.
        index: u32,
    },
}

/// The answer of a filter, as the kernel takes it (`SECCOMP_RET_*`, number in the low half).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Answer(pub(super) u32);

impl Answer {
    pub(super) const KILL_THREAD: Self = Self(0);
    pub(super) const ENOSYS: Self = Self(0x0005_0000 | 38);

    fn of(action: Action, errno: Option<u32>) -> Result<Self, RuleError> {
        let number = number(action, errno)?;
        Ok(Self(match action {
            Action::KillProcess => 0x8000_0000,
            Action::KillThread => Self::KILL_THREAD.0,
            Action::Trap => 0x0003_0000,
            Action::Errno => 0x0005_0000 | number,
            Action::Notify => 0x7fc0_0000,
            Action::Trace => 0x7ff0_0000 | number,
            Action::Log => 0x7ffc_0000,
            Action::Allow => 0x7fff_0000,
        }))
    }

    /// Order in which the kernel prefers actions: the lowest wins.
    pub(super) fn strictness(self) -> i32 {
        (self.0 & 0xffff_0000).cast_signed()
    }
}

fn number(action: Action, errno: Option<u32>) -> Result<u32, RuleError> {
    let highest = match action {
        Action::Errno => MAX_ERRNO,
        Action::Trace => MAX_DATA,
        _ => {
            return match errno {
                None => Ok(0),
                Some(errno) => Err(RuleError::UnwantedErrno {
                    action: action.name(),
                    errno,
                }),
            };
        }
    };
    let errno = errno.unwrap_or(EPERM);
    if errno > highest {
        return Err(RuleError::ErrnoTooHigh {
            action: action.name(),
            errno,
            highest,
        });
    }
    Ok(errno)
}

/// One answer and what must hold for it; no condition means always.
#[derive(Debug)]
pub(super) struct Clause<'a> {
    pub(super) answer: Answer,
    pub(super) conditions: &'a [Arg],
    calls: std::ops::Range<usize>,
}

/// A checked profile.
#[derive(Debug)]
pub(super) struct Clauses<'a> {
    pub(super) default: Answer,
    /// Whether calls newer than the profile are answered `ENOSYS`. Not when the default lets
    /// calls through: then the kernel itself, or the tracer, says so.
    pub(super) newer_are_unknown: bool,
    /// Every syscall the profile names, in dropped rules too: they tell how new it is.
    pub(super) named: Vec<Syscall>,
    clauses: Vec<Clause<'a>>,
}

impl<'a> Clauses<'a> {
    pub(super) fn of(profile: &'a Profile) -> Result<Self, RuleError> {
        if profile.default_action == Action::Notify {
            return Err(RuleError::NotifyByDefault);
        }
        let passes = matches!(
            profile.default_action,
            Action::Allow | Action::Log | Action::Trace
        );
        let mut clauses = Clauses {
            default: Answer::of(profile.default_action, profile.default_errno)?,
            newer_are_unknown: !passes,
            named: Vec::with_capacity(400),
            clauses: Vec::with_capacity(profile.rules.len()),
        };
        for (position, rule) in profile.rules.iter().enumerate() {
            check(position, rule)?;
            clauses.add(rule)?;
        }
        Ok(clauses)
    }

    /// In listed order, each syscall with the position of the clause about it.
    pub(super) fn each(&self) -> impl Iterator<Item = (Syscall, usize)> {
        self.clauses.iter().enumerate().flat_map(|(at, clause)| {
            let calls = self.named[clause.calls.clone()].iter();
            calls.map(move |call| (*call, at))
        })
    }

    pub(super) fn at(&self, position: usize) -> &Clause<'a> {
        &self.clauses[position]
    }

    fn add(&mut self, rule: &'a Rule) -> Result<(), RuleError> {
        let answer = Answer::of(rule.action, rule.errno_ret)?;
        let first = self.named.len();
        self.named
            .extend(rule.names.iter().filter_map(|name| Syscall::named(name)));
        if answer == self.default {
            return Ok(());
        }
        let calls = first..self.named.len();
        if alternatives(&rule.args) {
            let each = rule.args.chunks(1);
            self.clauses.extend(each.map(|one| Clause {
                answer,
                conditions: one,
                calls: calls.clone(),
            }));
        } else {
            self.clauses.push(Clause {
                answer,
                conditions: &rule.args,
                calls,
            });
        }
        Ok(())
    }
}

fn check(position: usize, rule: &Rule) -> Result<(), RuleError> {
    if rule.names.is_empty() {
        return Err(RuleError::NoNames { rule: position });
    }
    if rule.action == Action::Notify && rule.names.iter().any(|name| name == "write") {
        return Err(RuleError::NotifyOnWrite);
    }
    match rule.args.iter().find(|arg| arg.index >= ARGUMENTS) {
        Some(arg) => Err(RuleError::NoSuchArgument {
            rule: position,
            index: arg.index,
        }),
        None => Ok(()),
    }
}

/// Two conditions on one argument mean "or", and then all of the rule does, as in runc.
fn alternatives(args: &[Arg]) -> bool {
    args.iter()
        .enumerate()
        .any(|(i, arg)| args[..i].iter().any(|other| other.index == arg.index))
}
