//! Takes system calls away from a program: they answer ENOSYS, as an older
//! kernel does, or EPERM, as the filter of an outer container does.
//!
//! The filter is inherited by all that the program starts, payloads included.

use crate::kernel;
use std::io;

/// Too new for libc; the same on every architecture.
const SYS_STATMOUNT: libc::c_long = 457;
const SYS_LISTMOUNT: libc::c_long = 458;

const CALLS: [(&str, libc::c_long); 18] = [
    ("clone3", libc::SYS_clone3),
    ("close_range", libc::SYS_close_range),
    ("execveat", libc::SYS_execveat),
    ("faccessat2", libc::SYS_faccessat2),
    ("fsconfig", libc::SYS_fsconfig),
    ("fsmount", libc::SYS_fsmount),
    ("fsopen", libc::SYS_fsopen),
    ("keyctl", libc::SYS_keyctl),
    ("listmount", SYS_LISTMOUNT),
    ("memfd_create", libc::SYS_memfd_create),
    ("mount_setattr", libc::SYS_mount_setattr),
    ("move_mount", libc::SYS_move_mount),
    ("name_to_handle_at", libc::SYS_name_to_handle_at),
    ("open_tree", libc::SYS_open_tree),
    ("openat2", libc::SYS_openat2),
    ("pidfd_open", libc::SYS_pidfd_open),
    ("pidfd_send_signal", libc::SYS_pidfd_send_signal),
    ("statmount", SYS_STATMOUNT),
];

/// Words of classic BPF: load the number, jump if equal, return.
const LOAD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
const JUMP_IF_EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;

/// From here on each of `names`, separated by commas, answers `errno`.
pub(crate) fn take_away(names: &str, errno: i32) -> io::Result<()> {
    let numbers = names.split(',').map(number).collect::<io::Result<Vec<u32>>>()?;
    let step = |code, jt, jf, k| libc::sock_filter { code, jt, jf, k };
    // The number is the first word of seccomp_data.
    let mut program = vec![step(LOAD, 0, 0, 0)];
    for number in numbers {
        program.push(step(JUMP_IF_EQUAL, 0, 1, number));
        program.push(step(RETURN, 0, 0, libc::SECCOMP_RET_ERRNO | errno as u32));
    }
    program.push(step(RETURN, 0, 0, libc::SECCOMP_RET_ALLOW));
    kernel::install_filter(&program)
}

fn number(name: &str) -> io::Result<u32> {
    let known = CALLS.iter().find(|(known, _)| *known == name);
    let (_, number) = known.ok_or_else(|| io::Error::other(format!("no call that can be taken away: {name}")))?;
    u32::try_from(*number).map_err(io::Error::other)
}
