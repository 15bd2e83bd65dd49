//! What the runtime and init say to each other, over one seqpacket pair.
//!
//! | phase    | init says      | runtime answers | meaning                                        |
//! |----------|----------------|-----------------|------------------------------------------------|
//! | birth    | `Born`         | `Continue`      | staged: the first process's pid; it may go on   |
//! | birth    | -              | `Continue`      | v1: init is in its cgroups now                  |
//! | assembly | -              | `Network`       | with the network namespace, made meanwhile     |
//! | assembly | `MountsDone`   | `Continue`      | network devices came, the runtime's hooks run   |
//! | terminal | `Terminal`     | `Continue`      | with the pty's master; it is in good hands     |
//! | assembly, terminal | `Listener` | `Continue` | the seccomp agent has the listener by then |
//! | any      | `Stage`, `Hook`, `Warning` | -   | told, never waited for                         |
//! | any      | `Failed`       | -               | the last word; init is gone                    |
//! | ready    | `Ready`        | `Committed`     | all but the payload's execve is done           |
//! | gate     | -              | `Start`         | from `start` over the gate, from `run` here    |
//! | start    | `Failed`       | -               | startContainer hook or execve failed           |
//! | start    | end of file    | -               | the payload runs                               |
//!
//! A message out of its phase is an error that names both ([`Phase::accept`]). End of file before
//! `Ready` means that init died; its comm names the stage.

use crate::hook::HookKind;
use alloc::{string::String, vec::Vec};
use serde::{Deserialize, Serialize};

/// From init to the runtime.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum FromInit {
    /// The stage process made the container's first process: its pid where the runtime lives.
    Born { pid: i32 },
    /// Entered this stage.
    Stage(Stage),
    /// Runs this hook, one of those that run inside.
    Hook(HookKind, u32),
    /// Something the user should know; the start goes on.
    Warning(String),
    /// Every mount stands; the old root is still in reach.
    MountsDone,
    /// The number of the payload's pty in the container's devpts; its master comes along.
    Terminal { number: u32 },
    /// The filter is loaded; init's number of its listener, which is taken by it. Said by write(2).
    Listener { fd: i32 },
    /// Nothing is left but the gate and execve.
    Ready,
    /// A step failed.
    Failed(Report),
}

/// From the runtime to init.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToInit {
    /// What was asked for is done: id maps, cgroups, hooks, the terminal.
    Continue,
    /// The network namespace was made; its fd comes along.
    Network,
    /// The state record is durable: init no longer dies with the runtime.
    Committed(Gate),
    /// Execute the payload.
    Start,
}

/// Where init waits for `Start`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Gate {
    /// On this pair: the runtime that created also starts.
    Here,
    /// On the listening socket that init holds: a later process starts.
    Listener,
}

/// A failure as it crosses the process border: never one flattened string.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    pub stage: Stage,
    /// What was being done to what, outermost first.
    pub causes: Vec<String>,
    /// 0 when the kernel was not asked.
    pub errno: i32,
}

/// The stages of init, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Stage {
    Session,
    Namespaces,
    Mounts,
    Devices,
    Enter,
    Terminal,
    Seal,
    Identity,
    Privileges,
    Gate,
    /// Not a point in the line: createContainer hooks run after Devices, startContainer hooks
    /// after Gate. A container whose hook failed is destroyed, whatever the verb.
    Hooks,
    Exec,
}

impl Stage {
    /// All stages, in order.
    pub const ALL: [Self; 12] = [
        Self::Session,
        Self::Namespaces,
        Self::Mounts,
        Self::Devices,
        Self::Enter,
        Self::Terminal,
        Self::Seal,
        Self::Identity,
        Self::Privileges,
        Self::Gate,
        Self::Hooks,
        Self::Exec,
    ];

    /// The word for people, for messages and debug lines.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Namespaces => "namespaces",
            Self::Mounts => "mounts",
            Self::Devices => "devices",
            Self::Enter => "enter",
            Self::Terminal => "terminal",
            Self::Seal => "seal",
            Self::Identity => "identity",
            Self::Privileges => "privileges",
            Self::Gate => "gate",
            Self::Hooks => "hooks",
            Self::Exec => "exec",
        }
    }

    /// The stage whose [`Stage::name`] stands behind `hull:` in a comm.
    #[must_use]
    pub fn from_comm(comm: &str) -> Option<Self> {
        let name = comm.trim_end().strip_prefix("hull:")?;
        Self::ALL.into_iter().find(|stage| stage.name() == name)
    }
}

/// Where the conversation stands, as the runtime sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Waiting for the stage process to name the first process.
    Birth,
    /// Namespaces, mounts, devices.
    Assembly,
    /// The terminal was handed over.
    Terminal,
    /// The filter is loaded.
    Filtered,
    /// `Ready` was said.
    Ready,
    /// `Failed` was said.
    Over,
}

/// A message that does not belong to the phase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutOfPhase {
    pub phase: Phase,
    pub message: &'static str,
}

impl core::fmt::Display for OutOfPhase {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "init said {} in phase {:?}", self.message, self.phase)
    }
}

impl FromInit {
    /// The message's name, as in the table.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Born { .. } => "Born",
            Self::Stage(_) => "Stage",
            Self::Warning(_) => "Warning",
            Self::MountsDone => "MountsDone",
            Self::Terminal { .. } => "Terminal",
            Self::Listener { .. } => "Listener",
            Self::Hook(..) => "Hook",
            Self::Ready => "Ready",
            Self::Failed(_) => "Failed",
        }
    }
}

impl Phase {
    /// The phase after `message`, or why it may not be said now.
    pub fn accept(self, message: &FromInit) -> Result<Self, OutOfPhase> {
        match (self, message) {
            (Self::Over, _) => Err(self.refuse(message)),
            (_, FromInit::Stage(_) | FromInit::Hook(..) | FromInit::Warning(_)) => Ok(self),
            (_, FromInit::Failed(_)) => Ok(Self::Over),
            (Self::Birth, FromInit::Born { .. }) => Ok(Self::Assembly),
            (Self::Assembly, FromInit::MountsDone) => Ok(Self::Assembly),
            (Self::Assembly, FromInit::Terminal { .. }) => Ok(Self::Terminal),
            (Self::Assembly | Self::Terminal, FromInit::Listener { .. }) => Ok(Self::Filtered),
            (Self::Assembly | Self::Terminal | Self::Filtered, FromInit::Ready) => Ok(Self::Ready),
            _ => Err(self.refuse(message)),
        }
    }

    fn refuse(self, message: &FromInit) -> OutOfPhase {
        OutOfPhase {
            phase: self,
            message: message.name(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn failed() -> FromInit {
        FromInit::Failed(Report {
            stage: Stage::Mounts,
            causes: vec![],
            errno: 2,
        })
    }

    #[test]
    fn the_phases_follow_the_table() {
        let born = FromInit::Born { pid: 7 };
        let stage = FromInit::Stage(Stage::Enter);
        let terminal = FromInit::Terminal { number: 0 };
        let listener = FromInit::Listener { fd: 7 };
        for (from, message, to) in [
            (Phase::Birth, &born, Some(Phase::Assembly)),
            (Phase::Birth, &FromInit::Ready, None),
            (Phase::Assembly, &born, None),
            (
                Phase::Assembly,
                &FromInit::MountsDone,
                Some(Phase::Assembly),
            ),
            (Phase::Assembly, &FromInit::Ready, Some(Phase::Ready)),
            (Phase::Birth, &terminal, None),
            (Phase::Assembly, &terminal, Some(Phase::Terminal)),
            (Phase::Terminal, &terminal, None),
            (Phase::Terminal, &FromInit::MountsDone, None),
            (Phase::Terminal, &FromInit::Ready, Some(Phase::Ready)),
            (Phase::Assembly, &listener, Some(Phase::Filtered)),
            (Phase::Terminal, &listener, Some(Phase::Filtered)),
            (Phase::Filtered, &listener, None),
            (Phase::Filtered, &terminal, None),
            (Phase::Filtered, &FromInit::Ready, Some(Phase::Ready)),
            (Phase::Ready, &listener, None),
            (Phase::Ready, &FromInit::MountsDone, None),
            (Phase::Ready, &terminal, None),
            (Phase::Ready, &FromInit::Ready, None),
            (Phase::Ready, &failed(), Some(Phase::Over)),
            (Phase::Assembly, &stage, Some(Phase::Assembly)),
            (Phase::Over, &stage, None),
            (Phase::Over, &failed(), None),
        ] {
            assert_eq!(from.accept(message).ok(), to, "{from:?} {message:?}");
        }
    }

    #[test]
    fn a_comm_names_its_stage() {
        for stage in Stage::ALL {
            let comm = alloc::format!("hull:{}", stage.name());
            assert!(comm.len() <= 15, "{comm} is cut by the kernel");
            assert_eq!(Stage::from_comm(&comm), Some(stage));
        }
        assert_eq!(Stage::from_comm("sh"), None);
    }
}
