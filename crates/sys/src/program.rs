//! A program run from outside of the container's story, to its end or its time limit: a hook.
//!
//! It leads a session of its own, has clean signals and the fds 0, 1 and 2 alone. Its input is a
//! memory file, so that nobody has to feed it; its stderr is drained without blocking, and the
//! last 64 KiB are kept. What it leaves behind, a daemon that holds its stderr say, is not waited
//! for. Serves the runtime and the image alike.

use crate::{
    Errno,
    call::check,
    exec::Strings,
    fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, own},
    memfd::{self, Content},
    path,
    process::{self, Ending, Wait},
    spawn::{self, SpawnError, Step, Walker, step, word},
};
use alloc::vec::Vec;
use core::ffi::CStr;

/// How much of stderr is kept.
const TAIL: usize = 64 << 10;
/// How long a killed program may take to die before we go on without it.
const DEATH_MS: i32 = 50;

/// What is run.
#[derive(Debug)]
pub struct Program<'a> {
    pub path: &'a CStr,
    pub arguments: &'a Strings,
    pub environment: &'a Strings,
    pub input: &'a [u8],
    /// Its stdout: /dev/null, opened by the caller where one can be trusted.
    pub output: BorrowedFd<'a>,
    pub timeout_ms: Option<u64>,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// `None`: it was killed when its time was over.
    pub ending: Option<Ending>,
    /// The last of what it wrote to stderr.
    pub complaint: Vec<u8>,
}

/// Runs it; returns at its end, or a moment after its time is over.
pub fn run(program: &Program<'_>) -> Result<Outcome, SpawnError> {
    let failed = |call| move |errno| SpawnError { call, errno };
    let deadline = program.timeout_ms.map(|time| now_ms() + time);
    let (reader, writer) = pipe().map_err(failed("pipe"))?;
    let child = start(program, &writer)?;
    drop(writer);
    let mut stderr = Stderr {
        reader: Some(reader),
        kept: Vec::new(),
    };
    let ended = stderr
        .drain_until_end(&child.pidfd, deadline)
        .map_err(failed("poll"))?;
    let ending = match ended {
        true => process::reap(child.pid, Wait::ForExit).map_err(failed("wait"))?,
        false => {
            kill(&child);
            // Stuck in the kernel, it stays a zombie-to-be: the deadline is worth more.
            process::wait_readable(&child.pidfd, Some(DEATH_MS))
                .and_then(|_| process::reap(child.pid, Wait::Return))
                .map_err(failed("wait"))?;
            None
        }
    };
    stderr.drain_rest();
    Ok(Outcome {
        ending: ending.map(|(_, ending)| ending),
        complaint: stderr.kept,
    })
}

fn start(program: &Program<'_>, stderr: &OwnedFd) -> Result<Walker, SpawnError> {
    let failed = |call| move |errno| SpawnError { call, errno };
    let input = memfd::sealed(c"hull-hook-state", program.input, Content::Data)
        .and_then(|file| rewind(&file).map(|()| file))
        .map_err(failed("memfd_create"))?;
    let stdio = [input.as_fd(), program.output, stderr.as_fd()];
    // Away from the numbers that the child's dup3 calls write to.
    let stdio = stdio.map(|fd| process::duplicate_above(fd, 3));
    let mut steps = Vec::with_capacity(10);
    steps.push(step(libc::SYS_setsid, &[]));
    steps.extend(clean_signals());
    let mut held = Vec::with_capacity(3);
    for (number, fd) in stdio.into_iter().enumerate() {
        let fd = fd.map_err(failed("dup"))?;
        let from = word(fd.as_raw_fd().into());
        steps.push(step(libc::SYS_dup3, &[from, number, 0]));
        held.push(fd);
    }
    let cloexec = libc::CLOSE_RANGE_CLOEXEC as usize;
    steps.push(step(
        libc::SYS_close_range,
        &[3, u32::MAX as usize, cloexec],
    ));
    steps.push(step(
        libc::SYS_execve,
        &[
            program.path.as_ptr() as usize,
            program.arguments.as_ptr() as usize,
            program.environment.as_ptr() as usize,
        ],
    ));
    spawn::walk(&steps)
}

/// clone3 resets handlers only: SIGPIPE, which std ignores, and the mask are left to us.
fn clean_signals() -> [Step; 2] {
    /// The kernel's sigaction and sigset: all zero is the default and the empty set.
    static ZERO: [u64; 4] = [0; 4];
    let zero = ZERO.as_ptr() as usize;
    let set = libc::SIG_SETMASK.unsigned_abs() as usize;
    let pipe = libc::SIGPIPE.unsigned_abs() as usize;
    [
        step(libc::SYS_rt_sigaction, &[pipe, zero, 0, 8]),
        step(libc::SYS_rt_sigprocmask, &[set, zero, 0, 8]),
    ]
}

/// The whole process group; the leader by handle as well, whatever group it is in.
fn kill(child: &Walker) {
    // SAFETY: takes integers; the pid is our unreaped child's, so the group is its own.
    let _gone = unsafe { libc::kill(-child.pid, libc::SIGKILL) };
    let _dead = process::signal(&child.pidfd, libc::SIGKILL);
}

/// Our end of the pipe, until its end of file, and what was read.
struct Stderr {
    reader: Option<OwnedFd>,
    kept: Vec<u8>,
}

impl Stderr {
    /// True when the process ended, false when the time is over.
    fn drain_until_end(&mut self, pidfd: &OwnedFd, deadline: Option<u64>) -> Result<bool, Errno> {
        loop {
            let left = match deadline.map(|deadline| deadline.saturating_sub(now_ms())) {
                None => -1,
                Some(0) => return Ok(false),
                Some(left) => i32::try_from(left).unwrap_or(i32::MAX),
            };
            let reader = self.reader.as_ref().map_or(-1, AsRawFd::as_raw_fd);
            let [ended, said] = match poll([pidfd.as_raw_fd(), reader], left) {
                Err(Errno::EINTR) => continue,
                other => other?,
            };
            if said {
                self.read_once();
            }
            if ended {
                return Ok(true);
            }
        }
    }

    /// What lies in the pipe now; a descendant that goes on writing is not listened to.
    fn drain_rest(&mut self) {
        for _ in 0..TAIL / 4096 {
            let Some(reader) = &self.reader else { return };
            match poll([reader.as_raw_fd(), -1], 0) {
                Ok([true, _]) => self.read_once(),
                _ => return,
            }
        }
    }

    fn read_once(&mut self) {
        let mut chunk = [0u8; 4096];
        match self.reader.as_ref().map(|fd| path::read(fd, &mut chunk)) {
            Some(Ok(count)) if count > 0 => {
                self.kept
                    .extend_from_slice(chunk.get(..count).unwrap_or_default());
                let surplus = self.kept.len().saturating_sub(TAIL);
                self.kept.drain(..surplus);
            }
            _ => self.reader = None,
        }
    }
}

fn poll(fds: [i32; 2], timeout_ms: i32) -> Result<[bool; 2], Errno> {
    let mut entries = fds.map(|fd| libc::pollfd {
        fd,
        events: libc::POLLIN,
        revents: 0,
    });
    // SAFETY: two complete pollfds, writable for the call; the kernel skips a negative fd.
    check(unsafe { libc::poll(entries.as_mut_ptr(), 2, timeout_ms) }.into())?;
    Ok(entries.map(|entry| entry.revents != 0))
}

fn pipe() -> Result<(OwnedFd, OwnedFd), Errno> {
    let mut ends = [-1i32; 2];
    // SAFETY: two writable words, which the kernel fills with new fds.
    check(unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) }.into())?;
    let [reader, writer] = ends.map(|end| usize::try_from(end).map_err(|_| Errno::EBADF));
    Ok((own(reader?), own(writer?)))
}

fn rewind(file: &OwnedFd) -> Result<(), Errno> {
    // SAFETY: the fd is borrowed; takes integers.
    let offset = unsafe { libc::lseek(file.as_raw_fd(), 0, libc::SEEK_SET) };
    usize::try_from(offset).map(drop).map_err(|_| Errno::last())
}

fn now_ms() -> u64 {
    let mut now = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the struct is writable; CLOCK_MONOTONIC always exists.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut now) };
    let milliseconds = now.tv_sec * 1000 + now.tv_nsec / 1_000_000;
    u64::try_from(milliseconds).unwrap_or(0)
}

#[cfg(feature = "std")]
#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    fn shell(script: &str, input: &[u8], timeout_ms: Option<u64>) -> Outcome {
        let null = path::open(c"/dev/null", path::Open::WRITE).unwrap();
        run(&Program {
            path: c"/bin/sh",
            arguments: &Strings::new(["sh", "-c", script]).unwrap(),
            environment: &Strings::new(["A=1"]).unwrap(),
            input,
            output: null.as_fd(),
            timeout_ms,
        })
        .unwrap()
    }

    #[test]
    fn it_gets_its_input_environment_session_and_three_fds() {
        let script = "cat >&2; echo $A >&2; cut -d' ' -f6 /proc/$$/stat >&2; \
                      echo $$ >&2; echo /proc/self/fd/* >&2; exit 3";
        let outcome = shell(script, b"hello ", Some(5000));
        assert_eq!(outcome.ending, Some(Ending::Exited(3)));
        let text = String::from_utf8(outcome.complaint).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "hello 1");
        assert_eq!(lines[1], lines[2], "leads its session");
        // The glob's own directory is the one beyond 0, 1 and 2.
        assert_eq!(lines[3].split_whitespace().count(), 4, "{}", lines[3]);
    }

    #[test]
    fn unread_input_and_endless_output_hold_nobody_up() {
        let input = vec![b'x'; 300 << 10];
        assert_eq!(
            shell("exit 0", &input, None).ending,
            Some(Ending::Exited(0))
        );
        let outcome = shell("yes | head -c 10000000 >&2; echo end >&2", &input, None);
        assert_eq!(outcome.complaint.len(), TAIL);
        assert!(outcome.complaint.ends_with(b"end\n"));
    }

    #[test]
    fn no_descendant_extends_the_time() {
        for script in [
            "sleep 30",
            "trap '' TERM; while :; do sleep 1; done",
            "kill -STOP $$",
            "sleep 30 & wait",
            "setsid sleep 3 & sleep 30",
            "yes >&2",
        ] {
            let began = Instant::now();
            assert_eq!(shell(script, b"", Some(300)).ending, None, "{script}");
            let took = began.elapsed();
            assert!(took < Duration::from_millis(400), "{script}: {took:?}");
        }
    }

    #[test]
    fn a_daemon_that_keeps_stderr_is_not_waited_for() {
        let began = Instant::now();
        let outcome = shell("setsid sleep 3 & echo said >&2", b"", None);
        assert_eq!(outcome.ending, Some(Ending::Exited(0)));
        assert_eq!(outcome.complaint, b"said\n");
        assert!(began.elapsed() < Duration::from_secs(2));
    }

    #[test]
    fn an_absent_program_is_execves_error() {
        let null = path::open(c"/dev/null", path::Open::WRITE).unwrap();
        let none = Strings::new([]).unwrap();
        let error = run(&Program {
            path: c"/nonexistent",
            arguments: &none,
            environment: &none,
            input: b"",
            output: null.as_fd(),
            timeout_ms: None,
        });
        assert_eq!(error.unwrap_err().errno, Errno::ENOENT);
    }
}
