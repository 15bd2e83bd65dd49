//! seccomp(2): a filter for the calling thread.

use crate::{
    Errno,
    fd::{OwnedFd, own},
};

const SECCOMP_SET_MODE_FILTER: u32 = 1;
const SECCOMP_FILTER_FLAG_NEW_LISTENER: u32 = 8;
/// The size of a `struct sock_filter`.
const INSTRUCTION: usize = 8;

/// `struct sock_fprog`.
#[repr(C)]
struct Program {
    count: u16,
    instructions: *const u8,
}

/// Does this kernel know these flags, with a listener or without? EINVAL where it does not.
pub fn knows(flags: u32, listens: bool) -> Result<(), Errno> {
    let flags = match listens {
        true => flags | SECCOMP_FILTER_FLAG_NEW_LISTENER,
        false => flags,
    };
    // SAFETY: a null program is what is asked with: the kernel looks at the flags, and reads it then.
    let answer = unsafe {
        syscall!(
            libc::SYS_seccomp,
            SECCOMP_SET_MODE_FILTER,
            flags,
            core::ptr::null::<Program>()
        )
    };
    match answer {
        Ok(_) | Err(Errno::EFAULT) => Ok(()),
        Err(errno) => Err(errno),
    }
}

/// Puts the calling thread, and what it executes, under a filter of classic BPF: instructions of 8
/// bytes as `struct sock_filter` has them. Needs no_new_privs, or CAP_SYS_ADMIN in the own user
/// namespace: EACCES without.
pub fn load(program: &[u8], flags: u32) -> Result<(), Errno> {
    set(program, flags).map(drop)
}

/// The same, with the fd on which the calls that the filter asks about are told.
pub fn load_with_listener(program: &[u8], flags: u32) -> Result<OwnedFd, Errno> {
    set(program, flags | SECCOMP_FILTER_FLAG_NEW_LISTENER).map(own)
}

fn set(program: &[u8], flags: u32) -> Result<usize, Errno> {
    let (instructions, rest) = program.as_chunks::<INSTRUCTION>();
    if !rest.is_empty() {
        return Err(Errno::EINVAL);
    }
    let program = Program {
        count: u16::try_from(instructions.len()).map_err(|_| Errno::E2BIG)?,
        instructions: program.as_ptr(),
    };
    // SAFETY: the struct says how many whole instructions lie behind its pointer, all of them
    // borrowed across the call; the kernel copies both, at any alignment.
    unsafe {
        syscall!(
            libc::SYS_seccomp,
            SECCOMP_SET_MODE_FILTER,
            flags,
            &raw const program
        )
    }
}

#[cfg(all(test, feature = "std"))]
mod tests {
    use super::*;
    use crate::process;

    /// `ret SECCOMP_RET_ALLOW`.
    const ALLOW: [u8; 8] = [6, 0, 0, 0, 0, 0, 0xff, 0x7f];

    /// Filters are of one thread, and each test has its own.
    #[test]
    fn a_filter_is_loaded_and_a_broken_one_is_not() {
        process::set_no_new_privileges().unwrap();
        assert_eq!(knows(0, true), Ok(()));
        assert_eq!(knows(1 << 30, false), Err(Errno::EINVAL));
        assert_eq!(load(&ALLOW[..7], 0), Err(Errno::EINVAL));
        assert_eq!(load(&[], 0), Err(Errno::EINVAL));
        assert_eq!(load(&[0xff; 8], 0), Err(Errno::EINVAL));
        assert_eq!(load(&ALLOW, 0), Ok(()));
        let listener = load_with_listener(&ALLOW, 0).unwrap();
        drop(listener);
        let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
        assert!(status.contains("Seccomp:\t2"), "{status}");
    }
}
