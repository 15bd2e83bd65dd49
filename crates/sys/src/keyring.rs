//! The session keyring (keyctl(2)).

use crate::Errno;
use core::ffi::CStr;

const KEYCTL_JOIN_SESSION_KEYRING: u32 = 1;
const KEYCTL_SETPERM: u32 = 5;
const KEYCTL_DESCRIBE: u32 = 6;
/// KEY_USR_SEARCH: the owner may find keys in it, as its processes expect after a change of uid.
const OWNER_SEARCH: u32 = 0x0008_0000;

/// Joins a new session keyring of this name.
pub fn join_session(name: &CStr) -> Result<i32, Errno> {
    // SAFETY: the name is NUL-terminated and copied by the kernel.
    let id = unsafe { syscall!(libc::SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name.as_ptr()) }?;
    i32::try_from(id).map_err(|_| Errno::EOVERFLOW)
}

/// Adds the owner's search right to what the keyring allows.
pub fn allow_owner_search(keyring: i32) -> Result<(), Errno> {
    let permissions = permissions(keyring)? | OWNER_SEARCH;
    // SAFETY: takes integers only.
    unsafe { syscall!(libc::SYS_keyctl, KEYCTL_SETPERM, keyring, permissions) }.map(drop)
}

/// The mask from `type;uid;gid;perm;description`.
fn permissions(keyring: i32) -> Result<u32, Errno> {
    let mut buffer = [0u8; 512];
    // SAFETY: the buffer is writable for its whole length.
    unsafe {
        syscall!(
            libc::SYS_keyctl,
            KEYCTL_DESCRIBE,
            keyring,
            buffer.as_mut_ptr(),
            buffer.len()
        )
    }?;
    let text = CStr::from_bytes_until_nul(&buffer)
        .ok()
        .and_then(|text| text.to_str().ok());
    text.and_then(|text| text.split(';').nth(3))
        .and_then(|mask| u32::from_str_radix(mask, 16).ok())
        .ok_or(Errno::EINVAL)
}
