//! Init's end of the conversation, and the stage it is in.
//!
//! The stage is always in the comm, where a runtime whose init died without a word still reads it
//! from the zombie; it is said aloud only when the plan asks.

use crate::failure::{Context, Failure};
use alloc::{ffi::CString, format, string::String};
use core::cell::Cell;
use hull_spec::{
    plan::Verbosity,
    protocol::{FromInit, Report, Stage, ToInit},
};
use hull_sys::{
    fd::{AsFd, BorrowedFd, OwnedFd},
    peer::Peer,
    process,
};

/// The end that says `FromInit`.
#[derive(Debug)]
pub(crate) struct Conversation {
    peer: Peer<FromInit, ToInit>,
    stage: Cell<Stage>,
    verbosity: Cell<Verbosity>,
}

impl Conversation {
    pub(crate) fn over(peer: Peer<FromInit, ToInit>) -> Self {
        Self {
            peer,
            stage: Cell::new(Stage::Session),
            verbosity: Cell::new(Verbosity::Quiet),
        }
    }

    pub(crate) fn speak(&self, verbosity: Verbosity) {
        self.verbosity.set(verbosity);
    }

    /// Enters a stage.
    pub(crate) fn enter(&self, stage: Stage) -> Result<(), Failure> {
        self.stage.set(stage);
        if let Ok(comm) = CString::new(format!("hull:{}", stage.name())) {
            process::set_name(&comm).context("name the process")?;
        }
        match self.verbosity.get() {
            Verbosity::Stages => self.say(&FromInit::Stage(stage)),
            Verbosity::Quiet => Ok(()),
        }
    }

    pub(crate) fn say(&self, message: &FromInit) -> Result<(), Failure> {
        self.peer
            .say(message)
            .with_context(|| format!("tell the runtime {}", message.name()))
    }

    /// The same by write(2), which a filter must leave to init.
    pub(crate) fn write(&self, message: &FromInit) -> Result<(), Failure> {
        self.peer
            .write(message)
            .with_context(|| format!("tell the runtime {}", message.name()))
    }

    /// The same, with an fd.
    pub(crate) fn hand(&self, message: &FromInit, fd: BorrowedFd<'_>) -> Result<(), Failure> {
        self.peer
            .hand(message, fd)
            .with_context(|| format!("hand the runtime {}", message.name()))
    }

    pub(crate) fn warn(&self, text: String) -> Result<(), Failure> {
        self.say(&FromInit::Warning(text))
    }

    /// The next message; a runtime that is gone is a failure.
    pub(crate) fn hear(&self) -> Result<ToInit, Failure> {
        match self.peer.hear().context("hear the runtime")? {
            Some(message) => Ok(message),
            None => Err(gone()),
        }
    }

    /// Waits for exactly this word.
    pub(crate) fn expect(&self, wanted: ToInit) -> Result<(), Failure> {
        match self.hear()? {
            message if message == wanted => Ok(()),
            other => Err(out_of_order(other, wanted)),
        }
    }

    /// Waits for exactly this word, and takes the fd that comes with it.
    pub(crate) fn receive(&self, wanted: ToInit) -> Result<OwnedFd, Failure> {
        match self.peer.take().context("hear the runtime")? {
            Some((message, Some(fd))) if message == wanted => Ok(fd),
            Some((other, _)) => Err(out_of_order(other, wanted)),
            None => Err(gone()),
        }
    }

    /// A starter that hung up right after `Start` does not stop the payload.
    pub(crate) fn keep(&self, failure: Failure) -> Result<(), Failure> {
        if failure.errno() == Some(hull_sys::Errno::EPIPE) {
            Ok(())
        } else {
            Err(failure)
        }
    }

    /// The last word. Long causes are cut so that the report fits one message.
    pub(crate) fn fail(&self, failure: Failure) {
        let errno = failure.errno().map_or(0, hull_sys::Errno::raw);
        let mut causes = failure.into_causes();
        causes.truncate(8);
        for cause in &mut causes {
            let mut end = cause.len().min(800);
            while !cause.is_char_boundary(end) {
                end -= 1;
            }
            cause.truncate(end);
        }
        let report = Report {
            stage: self.stage.get(),
            causes,
            errno,
        };
        // By write(2): the filter may stand already. Nobody is left to tell when this fails: the
        // runtime sees the end of file.
        let _told = self.peer.write(&FromInit::Failed(report));
    }
}

impl AsFd for Conversation {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.peer.as_fd()
    }
}

fn gone() -> Failure {
    Failure::new("the runtime is gone")
}

fn out_of_order(heard: ToInit, wanted: ToInit) -> Failure {
    Failure::new(&format!("heard {heard:?} in place of {wanted:?}"))
}
