//! The one clone3 of hull: a child that does nothing but a table of syscalls, the last an execve.
//!
//! The child shares the runtime's memory (CLONE_VM), so it may touch neither stack nor heap: it
//! walks the table in registers, in one asm block, and stops at the first call that returns less
//! than its entry demands. No Rust runs between clone and exec. With `Fork::Wait` the parent
//! sleeps until the exec (CLONE_VFORK); with `Fork::Continue` it goes on, for a child whose first
//! entry waits for id maps.

use crate::{
    Errno,
    exec::Strings,
    fd::{AsRawFd, BorrowedFd, OwnedFd, own},
};
use alloc::{boxed::Box, vec::Vec};
use core::{arch::asm, cell::UnsafeCell};

const CLONE_PIDFD: u64 = 0x1000;
const CLONE_VM: u64 = 0x100;
const CLONE_VFORK: u64 = 0x4000;
const CLONE_PARENT: u64 = 0x8000;
const CLONE_CLEAR_SIGHAND: u64 = 0x1_0000_0000;
const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;

/// `struct clone_args` of clone3(2), version 2.
#[derive(Default)]
#[repr(C)]
struct CloneArgs {
    flags: u64,
    pidfd: u64,
    child_tid: u64,
    parent_tid: u64,
    exit_signal: u64,
    stack: u64,
    stack_size: u64,
    tls: u64,
    set_tid: u64,
    set_tid_size: u64,
    cgroup: u64,
}

/// One syscall of the child. The asm below knows this layout.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub(crate) struct Step {
    number: usize,
    arguments: [usize; 6],
    /// The call failed when it returns less.
    at_least: isize,
}

/// Where the child leaves word of the step that failed. The asm below knows this layout.
#[repr(C)]
struct Failure {
    step: UnsafeCell<usize>,
    result: UnsafeCell<isize>,
}

/// Does the parent sleep until the child's exec?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fork {
    Wait,
    /// The child first waits for one byte on this fd number of the parent's, then becomes root of
    /// its user namespace: maps are written in between, so that the exec keeps capabilities.
    Continue {
        byte_from: i32,
    },
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
    pub arguments: &'a Strings,
    /// The child finds these at `first_fd`, `first_fd + 1`, ...; all above is closed by the exec.
    pub fds: &'a [BorrowedFd<'a>],
    pub first_fd: i32,
    pub fork: Fork,
}

/// A child just born.
#[derive(Debug)]
pub struct Child {
    pub pid: i32,
    pub pidfd: OwnedFd,
}

/// A birth that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpawnError {
    /// The call that failed.
    pub call: &'static str,
    pub errno: Errno,
}

/// Gives birth. With `Fork::Wait`, returns once the program runs or its exec failed.
pub fn spawn(birth: &Birth<'_>) -> Result<Child, SpawnError> {
    let failed = |call| move |errno| SpawnError { call, errno };
    let moved = above(birth.fds, birth.first_fd).map_err(failed("dup"))?;
    let program =
        crate::process::duplicate_above(birth.program, last_fd(birth)).map_err(failed("dup"))?;
    let no_environment = Strings::new([]).map_err(failed("execve"))?;
    let steps = table(birth, &moved, &program, &no_environment);
    let failure = Failure {
        step: UnsafeCell::new(0),
        result: UnsafeCell::new(0),
    };
    match birth.fork {
        Fork::Wait => await_exec(birth.flags(), birth.cgroup, &steps, &failure),
        Fork::Continue { .. } => {
            // The child reads the table after we return: it is never freed. One per process.
            // The fds it names are another matter: the child has its own copies of those.
            let held: &'static _ = Box::leak(Box::new((steps, failure, no_environment)));
            let (pid, pidfd) =
                clone(birth.flags(), birth.cgroup, &held.0, &held.1).map_err(failed("clone3"))?;
            Ok(Child { pid, pidfd })
        }
    }
}

/// A child that walks this table, the last entry an execve; returns once that is done.
pub(crate) fn walk(steps: &[Step]) -> Result<Child, SpawnError> {
    let failure = Failure {
        step: UnsafeCell::new(0),
        result: UnsafeCell::new(0),
    };
    await_exec(CLONE_VFORK, None, steps, &failure)
}

/// `flags` has CLONE_VFORK.
fn await_exec(
    flags: u64,
    cgroup: Option<BorrowedFd<'_>>,
    steps: &[Step],
    failure: &Failure,
) -> Result<Child, SpawnError> {
    let (pid, pidfd) = clone(flags, cgroup, steps, failure).map_err(|errno| SpawnError {
        call: "clone3",
        errno,
    })?;
    // SAFETY: with CLONE_VFORK the child has execed or exited, so it writes no more.
    let result = unsafe { *failure.result.get() };
    if result == 0 {
        return Ok(Child { pid, pidfd });
    }
    let _reaped = crate::process::reap(pid, crate::process::Wait::ForExit);
    // SAFETY: as above.
    Err(explain(unsafe { *failure.step.get() }, steps, result))
}

impl Birth<'_> {
    /// What the birth adds to the flags of every clone.
    fn flags(&self) -> u64 {
        let wait = match self.fork {
            Fork::Wait => CLONE_VFORK,
            Fork::Continue { .. } => 0,
        };
        wait | u64::from(self.namespaces)
    }
}

/// The first number above everything that the child will be given.
fn last_fd(birth: &Birth<'_>) -> i32 {
    birth.first_fd + i32::try_from(birth.fds.len()).unwrap_or(i32::MAX / 2)
}

/// Copies of fds that lie where the child's dup3 calls will write; the others as they are.
fn above(fds: &[BorrowedFd<'_>], first: i32) -> Result<Vec<OwnedFd>, Errno> {
    let end = first + i32::try_from(fds.len()).map_err(|_| Errno::EMFILE)?;
    fds.iter()
        .map(|fd| crate::process::duplicate_above(fd, end))
        .collect()
}

/// A syscall number or argument as a register holds it.
pub(crate) const fn word(value: i64) -> usize {
    #[allow(
        clippy::cast_sign_loss,
        clippy::cast_possible_truncation,
        reason = "a register's bit pattern; targets are 64-bit"
    )]
    let word = value as usize;
    word
}

pub(crate) fn step(number: i64, arguments: &[usize]) -> Step {
    let mut all = [0; 6];
    for (slot, argument) in all.iter_mut().zip(arguments) {
        *slot = *argument;
    }
    Step {
        number: word(number),
        arguments: all,
        at_least: 0,
    }
}

fn table(
    birth: &Birth<'_>,
    fds: &[OwnedFd],
    program: &OwnedFd,
    environment: &Strings,
) -> Vec<Step> {
    let mut steps = Vec::with_capacity(fds.len() + 8);
    if let Fork::Continue { byte_from } = birth.fork {
        steps.extend(become_root_of_user_namespace(byte_from));
    }
    let mut number = i64::from(birth.first_fd);
    for fd in fds {
        steps.push(step(
            libc::SYS_dup3,
            &[word(fd.as_raw_fd().into()), word(number), 0],
        ));
        number += 1;
    }
    let cloexec = libc::CLOSE_RANGE_CLOEXEC as usize;
    steps.push(step(
        libc::SYS_close_range,
        &[word(number), u32::MAX as usize, cloexec],
    ));
    steps.push(step(
        libc::SYS_execveat,
        &[
            word(program.as_raw_fd().into()),
            c"".as_ptr() as usize,
            birth.arguments.as_ptr() as usize,
            environment.as_ptr() as usize,
            word(libc::AT_EMPTY_PATH.into()),
        ],
    ));
    steps
}

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

fn clone(
    flags: u64,
    cgroup: Option<BorrowedFd<'_>>,
    steps: &[Step],
    failure: &Failure,
) -> Result<(i32, OwnedFd), Errno> {
    let mut pidfd = -1i32;
    let mut flags = CLONE_PIDFD | CLONE_VM | CLONE_CLEAR_SIGHAND | flags;
    let mut arguments = CloneArgs {
        pidfd: &raw mut pidfd as u64,
        exit_signal: libc::SIGCHLD as u64,
        ..CloneArgs::default()
    };
    if let Some(cgroup) = cgroup {
        flags |= CLONE_INTO_CGROUP;
        arguments.cgroup = u64::from(cgroup.as_raw_fd().cast_unsigned());
    }
    arguments.flags = flags;
    let range = steps.as_ptr_range();
    // SAFETY: `arguments` is a complete clone_args. The child shares our memory but uses only
    // registers: it reads `steps` (alive until it execs: VFORK, or leaked), writes two words of
    // `failure` (alive as long), runs no Rust, touches no stack, and ends by exec or exit_group.
    let result = unsafe { clone_and_walk(&raw const arguments, range.start, range.end, failure) };
    if result < 0 {
        return Err(Errno::from_raw(i32::try_from(-result).unwrap_or(libc::EIO)));
    }
    let pid = i32::try_from(result).map_err(|_| Errno::EOVERFLOW)?;
    Ok((pid, own(usize::try_from(pidfd).map_err(|_| Errno::EBADF)?)))
}

/// The call's number on x86_64, as its register holds it.
#[cfg(target_arch = "x86_64")]
const CLONE3: isize = 435;

/// # Safety
/// `arguments` must be complete; the table and `failure` must outlive the child's exec.
#[cfg(target_arch = "x86_64")]
unsafe fn clone_and_walk(
    arguments: *const CloneArgs,
    first: *const Step,
    end: *const Step,
    failure: *const Failure,
) -> isize {
    let result: isize;
    // SAFETY: the parent's path through the block clobbers what a syscall clobbers (rax, rcx,
    // r11); the child's path never leaves it.
    unsafe {
        asm!(
            "syscall",
            "test rax, rax",
            "jnz 5f",
            "2: cmp r12, r13",
            "je 4f",
            "mov rax, [r12]",
            "mov rdi, [r12 + 8]",
            "mov rsi, [r12 + 16]",
            "mov rdx, [r12 + 24]",
            "mov r10, [r12 + 32]",
            "mov r8, [r12 + 40]",
            "mov r9, [r12 + 48]",
            "syscall",
            "cmp rax, [r12 + 56]",
            "jl 3f",
            "add r12, 64",
            "jmp 2b",
            "3: mov [r14], r12",
            "mov [r14 + 8], rax",
            "4: mov edi, 127",
            "mov eax, 231",
            "syscall",
            "ud2",
            "5:",
            inlateout("rax") CLONE3 => result,
            in("rdi") arguments,
            in("rsi") size_of::<CloneArgs>(),
            in("r12") first,
            in("r13") end,
            in("r14") failure,
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
    }
    result
}

/// # Safety
/// `arguments` must be complete; the table and `failure` must outlive the child's exec.
#[cfg(target_arch = "aarch64")]
unsafe fn clone_and_walk(
    arguments: *const CloneArgs,
    first: *const Step,
    end: *const Step,
    failure: *const Failure,
) -> isize {
    let result: isize;
    // SAFETY: the parent's path through the block clobbers only x0; the child's never leaves it.
    unsafe {
        asm!(
            "svc #0",
            "cbnz x0, 5f",
            "2: cmp x20, x21",
            "b.eq 4f",
            "ldr x8, [x20]",
            "ldp x0, x1, [x20, #8]",
            "ldp x2, x3, [x20, #24]",
            "ldp x4, x5, [x20, #40]",
            "svc #0",
            "ldr x9, [x20, #56]",
            "cmp x0, x9",
            "b.lt 3f",
            "add x20, x20, #64",
            "b 2b",
            "3: stp x20, x0, [x22]",
            "4: mov x0, #127",
            "mov x8, #94",
            "svc #0",
            "brk #1",
            "5:",
            inlateout("x0") arguments => result,
            in("x1") size_of::<CloneArgs>(),
            in("x8") libc::SYS_clone3,
            in("x20") first,
            in("x21") end,
            in("x22") failure,
            options(nostack),
        );
    }
    result
}

/// Which side of [`fork`] this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Parent { child: i32 },
    Child,
}

/// A plain copy of this small process, as a child of its parent, with these CLONE_NEW* bits: for
/// the image alone, where namespaces must be entered before the container's first process.
pub fn fork(namespaces: u32) -> Result<Side, Errno> {
    let arguments = CloneArgs {
        flags: CLONE_PARENT | u64::from(namespaces),
        ..CloneArgs::default()
    };
    // SAFETY: no CLONE_VM: the child has its own copy of everything; the process has one thread.
    let result = unsafe {
        syscall!(
            libc::SYS_clone3,
            &raw const arguments,
            size_of::<CloneArgs>()
        )
    }?;
    match i32::try_from(result) {
        Ok(0) => Ok(Side::Child),
        Ok(child) => Ok(Side::Parent { child }),
        Err(_) => Err(Errno::EOVERFLOW),
    }
}

#[cfg(all(test, feature = "std"))]
mod tests {
    use super::*;
    use crate::{fd::AsFd, path, process};

    fn birth<'a>(
        program: BorrowedFd<'a>,
        arguments: &'a Strings,
        fds: &'a [BorrowedFd<'a>],
    ) -> Birth<'a> {
        Birth {
            namespaces: 0,
            cgroup: None,
            program,
            arguments,
            fds,
            first_fd: 3,
            fork: Fork::Wait,
        }
    }

    #[test]
    fn the_child_runs_the_program_with_just_the_fds_it_is_given() {
        let shell = path::open(c"/bin/sh", path::Open::PATH).unwrap();
        let (reader, writer) = std::io::pipe().unwrap();
        // The glob's own directory is the one fd beyond 0, 1, 2 and what was given.
        let script = "echo /proc/self/fd/* >&3; exit 7";
        let arguments = Strings::new(["sh", "-c", script]).unwrap();
        let child = spawn(&birth(shell.as_fd(), &arguments, &[writer.as_fd()])).unwrap();
        drop(writer);
        let ending = process::reap(child.pid, process::Wait::ForExit).unwrap();
        assert_eq!(ending, Some((child.pid, process::Ending::Exited(7))));
        let text = path::read_all(&reader, 4096).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert_eq!(text.split_whitespace().count(), 5, "{text}");
    }

    #[test]
    fn a_failed_step_is_named() {
        let directory = path::open(c"/", path::Open::PATH).unwrap();
        let arguments = Strings::new(["x"]).unwrap();
        let error = spawn(&birth(directory.as_fd(), &arguments, &[])).unwrap_err();
        assert_eq!(
            error,
            SpawnError {
                call: "execveat",
                errno: Errno::EACCES
            }
        );
    }
}
