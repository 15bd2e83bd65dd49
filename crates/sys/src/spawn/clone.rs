//! clone3 itself: the arguments, the table that the child walks, and the walk in assembly.

use crate::{
    Errno,
    fd::{AsRawFd, BorrowedFd, OwnedFd, own},
    signal,
};
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
    pub(super) number: usize,
    arguments: [usize; 6],
    /// The call failed when it returns less.
    pub(super) at_least: isize,
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

/// Where the child leaves word of the step that failed. The asm below knows this layout.
#[repr(C)]
pub(super) struct Failure {
    pub(super) step: UnsafeCell<usize>,
    pub(super) result: UnsafeCell<isize>,
}

/// Gives birth and goes on while the child walks: what it reads and writes lives for ever.
pub(super) fn clone(
    namespaces: u32,
    cgroup: Option<BorrowedFd<'_>>,
    steps: &'static [Step],
    failure: &'static Failure,
) -> Result<(i32, OwnedFd), Errno> {
    give_birth(u64::from(namespaces), cgroup, steps, failure)
}

/// Gives birth and sleeps until the child reached its exec or failed.
pub(super) fn clone_and_wait(steps: &[Step], failure: &Failure) -> Result<(i32, OwnedFd), Errno> {
    give_birth(CLONE_VFORK, None, steps, failure)
}

/// Only for the two above: with CLONE_VFORK, or with what lives for ever.
fn give_birth(
    flags: u64,
    cgroup: Option<BorrowedFd<'_>>,
    steps: &[Step],
    failure: &Failure,
) -> Result<(i32, OwnedFd), Errno> {
    signal::keep_children()?;
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
    // registers: it reads the steps and writes two words of the failure, which live until its
    // exec (CLONE_VFORK) or for ever (the two callers above), runs no Rust, touches no stack, and
    // ends by exec or exit_group.
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
