//! The one clone3 of hull: a child that does nothing but a table of syscalls, the last an execve.
//!
//! The child shares the runtime's memory (CLONE_VM), so it may touch neither stack nor heap: it
//! walks the table in registers, in one asm block, and stops at the first call that returns less
//! than its entry demands. No Rust runs between clone and exec. At a container's birth the parent
//! does not wait for the exec (no CLONE_VFORK, which only [`walk`] uses): it has work of its own to do meanwhile, and a child in a new user
//! namespace waits for it. What the child still reads is therefore never freed.

mod clone;
mod holder;
mod numbers;

pub use clone::{Side, fork};
pub use holder::Holder;

use crate::{
    Errno,
    exec::Strings,
    fd::{BorrowedFd, OwnedFd},
    process,
};
use alloc::{boxed::Box, vec::Vec};
use clone::{Failure, clone, clone_and_wait};
pub(crate) use clone::{Step, step, word};
use core::cell::UnsafeCell;
use numbers::Safe;

/// What the child does before anything else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum First {
    /// Nothing.
    Go,
    /// It waits for one byte on this fd number of the parent's, then becomes root of its user
    /// namespace: maps are written in between, so that the exec keeps capabilities.
    AwaitMaps { byte_from: i32 },
}

/// What is to be born.
#[derive(Debug)]
pub struct Birth<'a> {
    /// CLONE_NEW* bits.
    pub namespaces: u32,
    /// The cgroup2 directory to be born into.
    pub cgroup: Option<BorrowedFd<'a>>,
    /// The program, by fd.
    pub program: BorrowedFd<'a>,
    pub arguments: &'static Strings,
    /// The child finds these at `first_fd`, `first_fd + 1`, ...; all above is closed by the exec.
    pub fds: &'a [BorrowedFd<'a>],
    pub first_fd: i32,
    pub first: First,
}

/// A child just born.
#[derive(Debug)]
pub struct Child {
    pub pid: i32,
    pub pidfd: OwnedFd,
    pub trace: Trace,
}

/// What the child left behind, should it have failed before its exec.
#[derive(Debug, Clone, Copy)]
pub struct Trace(&'static Held);

/// What must outlive the child's walk.
struct Held {
    steps: Vec<Step>,
    failure: Failure,
}

impl core::fmt::Debug for Held {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Held")
            .field("steps", &self.steps.len())
            .finish_non_exhaustive()
    }
}

impl Trace {
    /// The step that failed; `None` where the program was reached. Only for a child that is dead:
    /// a living one may be about to write here.
    #[must_use]
    pub fn of_the_dead(self, _ending: process::Ending) -> Option<SpawnError> {
        // SAFETY: an aligned word that only the child wrote, and it is dead: `_ending` shows it.
        let result = unsafe { self.0.failure.result.get().read_volatile() };
        // SAFETY: as above.
        let step = unsafe { self.0.failure.step.get().read_volatile() };
        (result != 0).then(|| explain(step, &self.0.steps, result))
    }
}

/// A birth that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpawnError {
    /// The call that failed.
    pub call: &'static str,
    pub errno: Errno,
}

/// Gives birth. The child may not have reached its program yet when this returns.
pub fn spawn(birth: &Birth<'_>) -> Result<Child, SpawnError> {
    let failed = |call| move |errno| SpawnError { call, errno };
    let end = end_of_fds(birth);
    let (moves, _safe) = numbers::moves(birth.fds, birth.first_fd, end).map_err(failed("dup"))?;
    let program = Safe::throughout(birth.program, birth.first_fd, end).map_err(failed("dup"))?;
    let steps = table(birth, moves, &program);
    let failure = Failure {
        step: UnsafeCell::new(0),
        result: UnsafeCell::new(0),
    };
    // The fds it names are another matter: the child has its own copies of those.
    let held: &'static Held = Box::leak(Box::new(Held { steps, failure }));
    let (pid, pidfd) = clone(birth.namespaces, birth.cgroup, &held.steps, &held.failure)
        .map_err(failed("clone3"))?;
    Ok(Child {
        pid,
        pidfd,
        trace: Trace(held),
    })
}

/// A child that reached its program.
pub(crate) struct Walker {
    pub(crate) pid: i32,
    pub(crate) pidfd: OwnedFd,
}

/// A child that walks this table, the last entry an execve; returns once that is done.
pub(crate) fn walk(steps: &[Step]) -> Result<Walker, SpawnError> {
    let failure = Failure {
        step: UnsafeCell::new(0),
        result: UnsafeCell::new(0),
    };
    let (pid, pidfd) = clone_and_wait(steps, &failure).map_err(|errno| SpawnError {
        call: "clone3",
        errno,
    })?;
    // SAFETY: the child has execed or exited, so it writes no more.
    let result = unsafe { *failure.result.get() };
    if result == 0 {
        return Ok(Walker { pid, pidfd });
    }
    let _reaped = process::reap(pid, process::Wait::ForExit);
    // SAFETY: as above.
    Err(explain(unsafe { *failure.step.get() }, steps, result))
}

/// The first number above everything that the child will be given.
fn end_of_fds(birth: &Birth<'_>) -> i32 {
    birth.first_fd + i32::try_from(birth.fds.len()).unwrap_or(i32::MAX / 2)
}

fn table(birth: &Birth<'_>, moves: Vec<Step>, program: &Safe<'_>) -> Vec<Step> {
    let mut steps = Vec::with_capacity(moves.len() + 8);
    if let First::AwaitMaps { byte_from } = birth.first {
        steps.extend(become_root_of_user_namespace(byte_from));
    }
    steps.extend(moves);
    let end = i64::from(end_of_fds(birth));
    let cloexec = libc::CLOSE_RANGE_CLOEXEC as usize;
    steps.push(step(
        libc::SYS_close_range,
        &[word(end), u32::MAX as usize, cloexec],
    ));
    steps.push(step(
        libc::SYS_execveat,
        &[
            program.number(),
            c"".as_ptr() as usize,
            birth.arguments.as_ptr() as usize,
            NO_ENVIRONMENT.as_ptr() as usize,
            word(libc::AT_EMPTY_PATH.into()),
        ],
    ));
    steps
}

/// An envp without a string.
static NO_ENVIRONMENT: [usize; 1] = [0];

/// End of file in place of the byte means that the runtime died: 0 is less than 1.
fn become_root_of_user_namespace(byte_from: i32) -> [Step; 3] {
    static SCRATCH: Scratch = Scratch(UnsafeCell::new(0));
    let byte = SCRATCH.0.get() as usize;
    let mut read = step(libc::SYS_read, &[word(byte_from.into()), byte, 1]);
    read.at_least = 1;
    [
        read,
        step(libc::SYS_setresgid, &[0, 0, 0]),
        step(libc::SYS_setresuid, &[0, 0, 0]),
    ]
}

/// One byte that nobody reads.
struct Scratch(UnsafeCell<u8>);

// SAFETY: only the kernel writes it, on behalf of a child; no Rust code ever reads it.
unsafe impl Sync for Scratch {}

fn explain(at: usize, steps: &[Step], result: isize) -> SpawnError {
    let index = at.wrapping_sub(steps.as_ptr() as usize) / size_of::<Step>();
    let call = steps
        .get(index)
        .map_or("clone3", |step| match step.number.cast_signed() as i64 {
            libc::SYS_read => "read",
            libc::SYS_setresgid => "setresgid",
            libc::SYS_setresuid => "setresuid",
            libc::SYS_dup3 => "dup3",
            libc::SYS_fcntl => "fcntl",
            libc::SYS_setsid => "setsid",
            libc::SYS_execve => "execve",
            libc::SYS_close_range => "close_range",
            _ => "execveat",
        });
    let errno = i32::try_from(-result).unwrap_or(libc::EIO);
    SpawnError {
        call,
        errno: Errno::from_raw(errno),
    }
}

#[cfg(all(test, feature = "std"))]
mod tests {
    use super::*;
    use crate::{
        fd::{AsFd, AsRawFd},
        path, process,
    };

    fn birth<'a>(
        program: BorrowedFd<'a>,
        arguments: Strings,
        fds: &'a [BorrowedFd<'a>],
    ) -> Birth<'a> {
        Birth {
            namespaces: 0,
            cgroup: None,
            program,
            arguments: Box::leak(Box::new(arguments)),
            fds,
            first_fd: 3,
            first: First::Go,
        }
    }

    fn end_of(child: &Child) -> Option<process::Ending> {
        process::reap(child.pid, process::Wait::ForExit)
            .ok()
            .flatten()
            .map(|(_, ending)| ending)
    }

    #[test]
    fn the_child_runs_the_program_with_just_the_fds_it_is_given() {
        let shell = path::open(c"/bin/sh", path::Open::PATH).unwrap();
        let (reader, writer) = std::io::pipe().unwrap();
        // The glob's own directory is the one fd beyond 0, 1, 2 and what was given.
        let script = "echo /proc/self/fd/* >&3; exit 7";
        let arguments = Strings::new(["sh", "-c", script]).unwrap();
        let child = spawn(&birth(shell.as_fd(), arguments, &[writer.as_fd()])).unwrap();
        drop(writer);
        let ending = end_of(&child).unwrap();
        assert_eq!(ending, process::Ending::Exited(7));
        assert_eq!(child.trace.of_the_dead(ending), None);
        let text = path::read_all(&reader, 4096).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert_eq!(text.split_whitespace().count(), 5, "{text}");
    }

    #[test]
    fn each_fd_gets_its_number_whatever_it_had_before() {
        let shell = path::open(c"/bin/sh", path::Open::PATH).unwrap();
        let files: Vec<_> = (0..8)
            .map(|index| {
                let text = alloc::format!("{index} ");
                crate::memfd::sealed(c"text", text.as_bytes(), crate::memfd::Content::Data)
            })
            .collect::<Result<_, _>>()
            .unwrap();
        // Below their numbers, above them, at them, and mixed.
        for order in [
            [0, 1, 2, 3, 4, 5, 6, 7],
            [7, 6, 5, 4, 3, 2, 1, 0],
            [3, 0, 7, 1, 6, 2, 5, 4],
        ] {
            for first_fd in [3, 4, files[2].as_raw_fd(), files[7].as_raw_fd()] {
                let (reader, writer) = std::io::pipe().unwrap();
                let mut fds: Vec<_> = order.iter().map(|index| files[*index].as_fd()).collect();
                fds.push(writer.as_fd());
                let numbers: Vec<_> = (first_fd..first_fd + 8)
                    .map(|fd| alloc::format!("/proc/self/fd/{fd}"))
                    .collect();
                let script =
                    alloc::format!("cat {} >/proc/self/fd/{}", numbers.join(" "), first_fd + 8);
                let arguments = Strings::new(["sh", "-c", &script]).unwrap();
                let birth = Birth {
                    first_fd,
                    ..birth(shell.as_fd(), arguments, &fds)
                };
                let child = spawn(&birth).unwrap();
                drop(writer);
                assert_eq!(end_of(&child), Some(process::Ending::Exited(0)));
                let text = path::read_all(&reader, 4096).unwrap();
                let expected: String = order
                    .iter()
                    .map(|index| alloc::format!("{index} "))
                    .collect();
                assert_eq!(
                    String::from_utf8(text).unwrap(),
                    expected,
                    "{first_fd} {order:?}"
                );
            }
        }
    }

    #[test]
    fn a_failed_step_is_named() {
        let directory = path::open(c"/", path::Open::PATH).unwrap();
        let arguments = Strings::new(["x"]).unwrap();
        let child = spawn(&birth(directory.as_fd(), arguments, &[])).unwrap();
        let ending = end_of(&child).unwrap();
        let error = SpawnError {
            call: "execveat",
            errno: Errno::EACCES,
        };
        assert_eq!(child.trace.of_the_dead(ending), Some(error));
    }
}
