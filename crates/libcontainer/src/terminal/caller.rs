//! The caller's side: standard input and output, and the terminal that they may be.

use hull_sys::{
    Errno,
    fd::{AsFd, BorrowedFd, OwnedFd, standing},
    path::{self, Open},
    terminal::{self, Settings, Size},
};

/// The caller's stdio; its terminal, if it is one, is raw until this is dropped.
#[derive(Debug)]
pub(super) struct Caller {
    stdin: Option<BorrowedFd<'static>>,
    stdout: Option<BorrowedFd<'static>>,
    /// Standard output once more, opened so that a stalled terminal does not stall us. The flag
    /// belongs to an open file, and the one on fd 1 is shared with the caller's shell.
    stdout_again: Option<OwnedFd>,
    before: Option<Settings>,
}

impl Caller {
    /// Takes stdio as it is; every key goes to the payload from here on, ctrl-c too.
    pub(super) fn take() -> Result<Self, Errno> {
        let (stdin, stdout) = (standing(0), standing(1));
        let before = stdin.and_then(|stdin| Settings::of(stdin).ok());
        let caller = Self {
            stdin,
            stdout,
            stdout_again: stdout
                .filter(|fd| terminal::size(fd).is_ok())
                .and_then(again),
            before,
        };
        if let (Some(before), Some(stdin)) = (&caller.before, stdin) {
            before.raw().apply(stdin)?;
        }
        Ok(caller)
    }

    pub(super) fn stdin(&self) -> Option<BorrowedFd<'_>> {
        self.stdin
    }

    pub(super) fn stdout(&self) -> Option<BorrowedFd<'_>> {
        self.stdout_again.as_ref().map(AsFd::as_fd).or(self.stdout)
    }

    /// The size of the first of the three that is a terminal.
    pub(super) fn size(&self) -> Option<Size> {
        (0..3)
            .filter_map(standing)
            .find_map(|fd| terminal::size(fd).ok())
    }
}

/// Another open file of the same terminal; a terminal of another user may not be opened again.
fn again(_stdout: BorrowedFd<'_>) -> Option<OwnedFd> {
    let open = Open::WRITE.and(Open::NONBLOCK).and(Open::NO_TTY);
    path::open(c"/proc/self/fd/1", open).ok()
}

impl Drop for Caller {
    fn drop(&mut self) {
        if let (Some(before), Some(stdin)) = (&self.before, self.stdin) {
            // A terminal that hung up needs no settings.
            let _gone = before.apply(stdin);
        }
    }
}
