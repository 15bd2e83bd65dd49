//! Foreground without a console socket: bytes between the caller's stdio and the payload's pty.
//!
//! One thread, one poll: [`Proxy::wait`] moves what can be moved until a signal is there, and
//! leaves signals to its caller. Whoever is slow is waited for by poll, never in a read or write.

use super::{
    buffer::{Buffer, Source},
    caller::Caller,
    pty::Pty,
};
use hull_spec::plan::TerminalSize;
use hull_sys::{
    Errno,
    fd::{AsFd, BorrowedFd, OwnedFd},
    poll::{self, Interest},
    signal, terminal,
};

const SIGCHLD: i32 = 17;
const SIGWINCH: i32 = 28;
/// More reads than it takes to empty a pty (640 KiB).
const MOST_LEFT: usize = 256;

/// The proxy cannot work.
#[derive(Debug, thiserror::Error)]
#[error("{step}")]
pub struct ProxyError {
    step: &'static str,
    source: Errno,
}

fn failed(step: &'static str) -> impl Fn(Errno) -> ProxyError {
    move |source| ProxyError { step, source }
}

/// Who ended a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Woken {
    BySignal,
    ByOther,
}

impl Woken {
    /// Signals first.
    pub(crate) fn by(signal: bool, other: bool) -> Option<Self> {
        match (signal, other) {
            (true, _) => Some(Self::BySignal),
            (false, true) => Some(Self::ByOther),
            (false, false) => None,
        }
    }
}

/// The two directions.
#[derive(Debug)]
pub(crate) struct Proxy {
    caller: Caller,
    master: OwnedFd,
    input: Buffer,
    output: Buffer,
    stdin: Source,
    payload: Source,
    /// The caller reads no more; what the payload says is dropped, or it would wait for ever.
    deaf: bool,
}

impl Proxy {
    /// Makes the caller's terminal raw, and the payload's as large, unless the config says how
    /// large. Undone on drop.
    pub(crate) fn new(pty: Pty, size: TerminalSize) -> Result<Self, ProxyError> {
        poll::never_wait(&pty.master).map_err(failed("prepare the terminal"))?;
        let caller = Caller::take().map_err(failed("make the caller's terminal raw"))?;
        let deaf = caller.stdout().is_none();
        let proxy = Self {
            caller,
            master: pty.master,
            input: Buffer::default(),
            output: Buffer::default(),
            stdin: Source::More,
            payload: Source::More,
            deaf,
        };
        if size == TerminalSize::Caller {
            proxy.copy_size();
        }
        Ok(proxy)
    }

    /// The payload's terminal becomes as large as the caller's.
    pub(crate) fn copy_size(&self) {
        if let Some(size) = self.caller.size()
            && let Err(errno) = terminal::set_size(&self.master, size)
        {
            log::warn!("resize the terminal: {errno}");
        }
    }

    /// Moves bytes until one of these can be read.
    pub(crate) fn wait(
        &mut self,
        signals: BorrowedFd<'_>,
        other: Option<BorrowedFd<'_>>,
    ) -> Result<Woken, ProxyError> {
        loop {
            if let Some(woken) = self.turn(signals, other)? {
                return Ok(woken);
            }
        }
    }

    /// One poll and what it allows.
    fn turn(
        &mut self,
        signals: BorrowedFd<'_>,
        other: Option<BorrowedFd<'_>>,
    ) -> Result<Option<Woken>, ProxyError> {
        let stdin = Interest {
            fd: self.caller.stdin(),
            read: self.stdin != Source::Ended && self.input.has_room(),
            write: false,
        };
        let open = self.payload != Source::Ended;
        let master = Interest {
            fd: Some(self.master.as_fd()),
            read: open && self.output.has_room(),
            write: open && !self.input.is_empty(),
        };
        let stdout = Interest {
            fd: self.caller.stdout(),
            read: false,
            write: !self.output.is_empty(),
        };
        let other = Interest {
            fd: other,
            read: true,
            write: false,
        };
        let signals = Interest::reading(signals);
        let [stdin, master, stdout, signals, other] =
            poll::wait([stdin, master, stdout, signals, other])
                .map_err(failed("wait for the terminal"))?;
        if stdin.read {
            self.read_caller();
        }
        if master.read {
            self.read_payload();
        }
        if master.write {
            self.write_payload();
        }
        if stdout.write {
            self.write_caller();
        }
        Ok(Woken::by(signals.read, other.read))
    }

    /// The end of our input is not the end of the pty: the payload may have more to say.
    fn read_caller(&mut self) {
        let Some(stdin) = self.caller.stdin() else {
            return;
        };
        self.stdin = self.input.fill(stdin).unwrap_or_else(|errno| {
            log::warn!("read standard input: {errno}");
            Source::Ended
        });
    }

    fn read_payload(&mut self) {
        let read = self.output.fill(self.master.as_fd());
        self.payload = read.unwrap_or_else(|errno| {
            log::warn!("read the terminal: {errno}");
            Source::Ended
        });
        if self.deaf {
            self.output.clear();
        }
    }

    /// Nobody has the other end open: what was typed is for nobody.
    fn write_payload(&mut self) {
        if self.input.pour(self.master.as_fd()).is_err() {
            self.input.clear();
        }
    }

    fn write_caller(&mut self) {
        let Some(stdout) = self.caller.stdout() else {
            return;
        };
        if let Err(errno) = self.output.pour(stdout) {
            // The SIGPIPE of a pipe that broke is forwarded like any other.
            log::debug!("write standard output: {errno}");
            self.deaf = true;
            self.output.clear();
        }
    }

    /// After the payload's end: what it said and nobody read yet. Who else has the pty open is not
    /// waited for, and a signal to us ends even this.
    pub(crate) fn drain(mut self, signals: BorrowedFd<'_>) -> Result<(), ProxyError> {
        self.stdin = Source::Ended;
        for _ in 0..MOST_LEFT {
            self.read_payload();
            if self.payload != Source::More {
                break;
            }
        }
        self.payload = Source::Ended;
        while !self.output.is_empty() {
            let woken = self.turn(signals, None)?;
            if woken.is_some() && !matches!(signal::next(signals), Ok(SIGCHLD | SIGWINCH)) {
                return Ok(());
            }
        }
        Ok(())
    }
}
