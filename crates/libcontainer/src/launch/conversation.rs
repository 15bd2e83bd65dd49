//! The runtime's end of the conversation: what init says, in the phases of the protocol.

use hull_spec::protocol::{FromInit, Gate, OutOfPhase, Phase, Report, Stage, ToInit};
use hull_sys::{
    Errno,
    fd::{AsFd, OwnedFd},
    peer::Peer,
    process::Ending,
};
use std::fmt;

/// What came of init.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    #[error("{0}")]
    Reported(Told),
    #[error("container init was {how} during {stage}")]
    Died { stage: &'static str, how: String },
    #[error("make the container's first process: {call}")]
    Unborn { call: &'static str, source: Errno },
    #[error("container init is gone")]
    Silent,
    #[error(transparent)]
    OutOfPhase(#[from] OutOfPhaseError),
    #[error("talk to init")]
    Channel(#[source] Errno),
}

/// A message that does not belong where it was said.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct OutOfPhaseError(String);

impl From<OutOfPhase> for InitError {
    fn from(error: OutOfPhase) -> Self {
        Self::OutOfPhase(OutOfPhaseError(error.to_string()))
    }
}

/// Init's report as one line: the causes, then the errno's text.
#[derive(Debug)]
pub struct Told(Report);

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.causes.join(": "))?;
        match self.0.errno {
            0 => Ok(()),
            errno => write!(f, ": {}", Errno::from_raw(errno)),
        }
    }
}

impl InitError {
    /// Did a hook that init ran fail? Such a container is destroyed (runtime.md#lifecycle 5, 7).
    pub(crate) fn is_of_a_hook(&self) -> bool {
        matches!(self, Self::Reported(Told(report)) if report.stage == Stage::Hooks)
    }
}

/// The end that says `ToInit`.
#[derive(Debug)]
pub(crate) struct Conversation {
    peer: Peer<ToInit, FromInit>,
    phase: Phase,
    /// What came with the last word.
    handed: Option<OwnedFd>,
    /// `Start` was said.
    opened: bool,
}

impl Conversation {
    pub(super) fn new(peer: Peer<ToInit, FromInit>, staged: bool) -> Self {
        let phase = if staged {
            Phase::Birth
        } else {
            Phase::Assembly
        };
        Self {
            peer,
            phase,
            handed: None,
            opened: false,
        }
    }

    /// With an init that waits at its gate, over a new connection.
    pub(crate) fn at_gate(socket: OwnedFd) -> Self {
        Self {
            peer: Peer::over(socket),
            phase: Phase::Ready,
            handed: None,
            opened: false,
        }
    }

    /// The pid that the stage process names.
    pub(super) fn born(&mut self) -> Result<i32, InitError> {
        match self.hear()? {
            Some(FromInit::Born { pid }) => Ok(pid),
            Some(_) | None => Err(InitError::Silent),
        }
    }

    /// Init may go on.
    pub(super) fn go_on(&self) -> Result<(), InitError> {
        self.say(ToInit::Continue)
    }

    /// The network namespace, for init to join.
    pub(super) fn hand_network(&self, namespace: &OwnedFd) -> Result<(), InitError> {
        worth_less(self.peer.hand(&ToInit::Network, namespace.as_fd()))
    }

    /// The next word on the way to `Ready`.
    pub(super) fn next(&mut self) -> Result<FromInit, InitError> {
        self.hear()?.ok_or(InitError::Silent)
    }

    /// The fd that came with the last word.
    pub(super) fn handed(&mut self) -> Result<OwnedFd, InitError> {
        self.handed.take().ok_or(InitError::Channel(Errno::EPROTO))
    }

    /// Init no longer needs this process, and waits at `gate`.
    pub(crate) fn committed(&self, gate: Gate) -> Result<(), InitError> {
        self.say(ToInit::Committed(gate))
    }

    /// Opens the gate, before init comes to it or when it waits there.
    pub(crate) fn open_gate(&mut self) -> Result<(), InitError> {
        if !std::mem::replace(&mut self.opened, true) {
            self.say(ToInit::Start)?;
        }
        Ok(())
    }

    /// Opens the gate; returns when the payload runs, or with what stopped it.
    pub(crate) fn start(&mut self) -> Result<(), InitError> {
        self.open_gate()?;
        match self.hear()? {
            None => Ok(()),
            Some(message) => {
                let phase = self.phase;
                Err(OutOfPhase {
                    phase,
                    message: message.name(),
                }
                .into())
            }
        }
    }

    fn say(&self, message: ToInit) -> Result<(), InitError> {
        worth_less(self.peer.say(&message))
    }

    /// The next word that must be answered; notes on the way are logged.
    fn hear(&mut self) -> Result<Option<FromInit>, InitError> {
        loop {
            let Some((message, handed)) = self.peer.take().map_err(InitError::Channel)? else {
                return Ok(None);
            };
            self.handed = handed;
            self.phase = self.phase.accept(&message)?;
            match message {
                FromInit::Stage(stage) => log::debug!("init: {}", stage.name()),
                FromInit::Hook(kind, index) => log::debug!("hook {} #{index}", kind.name()),
                FromInit::Warning(text) => log::warn!("{text}"),
                FromInit::Failed(report) => return Err(InitError::Reported(Told(report))),
                other => return Ok(Some(other)),
            }
        }
    }
}

/// That init is gone is worth less than what it said before it died.
fn worth_less(said: Result<(), Errno>) -> Result<(), InitError> {
    match said {
        Err(Errno::EPIPE | Errno::ECONNRESET) => Ok(()),
        other => other.map_err(InitError::Channel),
    }
}

/// The stage in the comm of a process that is dead but not yet reaped.
pub(super) fn last_stage(pid: i32) -> &'static str {
    let comm = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    Stage::from_comm(&comm).unwrap_or(Stage::Session).name()
}

/// How a process ended, for people.
pub(super) fn describe(ending: Option<Ending>, oom: bool) -> String {
    match ending {
        Some(Ending::Signalled(signal)) if oom => {
            format!(
                "killed by {} (out of memory: memory limit too low?)",
                crate::signal::name(signal)
            )
        }
        Some(Ending::Signalled(signal)) => format!("killed by {}", crate::signal::name(signal)),
        Some(Ending::Exited(code)) => format!("ended with status {code}"),
        None => "lost".to_owned(),
    }
}
