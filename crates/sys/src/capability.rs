//! The five capability sets of the calling thread: one capset and a loop over the bounding set.

use crate::Errno;

const VERSION_3: u32 = 0x2008_0522;

#[repr(C)]
struct Header {
    version: u32,
    pid: i32,
}

#[repr(C)]
#[derive(Default)]
struct Data {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

/// The low and high words of a set, as capset takes them.
#[allow(
    clippy::cast_possible_truncation,
    reason = "the two words of a 64-bit set"
)]
const fn words(set: u64) -> [u32; 2] {
    [set as u32, (set >> 32) as u32]
}

/// Effective, permitted and inheritable at once.
pub fn set(effective: u64, permitted: u64, inheritable: u64) -> Result<(), Errno> {
    let header = Header {
        version: VERSION_3,
        pid: 0,
    };
    let ([e0, e1], [p0, p1], [i0, i1]) = (words(effective), words(permitted), words(inheritable));
    let data = [
        Data {
            effective: e0,
            permitted: p0,
            inheritable: i0,
        },
        Data {
            effective: e1,
            permitted: p1,
            inheritable: i1,
        },
    ];
    // SAFETY: header and both data words are complete and live across the call.
    unsafe { syscall!(libc::SYS_capset, &raw const header, data.as_ptr()) }.map(drop)
}

/// Effective and permitted as they are.
pub fn current() -> Result<(u64, u64), Errno> {
    let header = Header {
        version: VERSION_3,
        pid: 0,
    };
    let mut data = [Data::default(), Data::default()];
    // SAFETY: header is readable, both data words are writable for the call.
    unsafe { syscall!(libc::SYS_capget, &raw const header, data.as_mut_ptr()) }?;
    let [low, high] = data;
    Ok((
        u64::from(low.effective) | u64::from(high.effective) << 32,
        u64::from(low.permitted) | u64::from(high.permitted) << 32,
    ))
}

/// Takes one capability out of the bounding set; EINVAL past the kernel's last one.
pub fn drop_bounding(capability: u32) -> Result<(), Errno> {
    prctl(libc::PR_CAPBSET_DROP, capability.into(), 0)
}

/// Is the capability in the bounding set? EINVAL past the kernel's last one.
pub fn in_bounding(capability: u32) -> Result<bool, Errno> {
    // SAFETY: takes no pointer.
    unsafe {
        syscall!(
            libc::SYS_prctl,
            libc::PR_CAPBSET_READ,
            u64::from(capability),
            0,
            0,
            0
        )
    }
    .map(|set| set == 1)
}

/// Empties the ambient set.
pub fn clear_ambient() -> Result<(), Errno> {
    prctl(
        libc::PR_CAP_AMBIENT,
        libc::PR_CAP_AMBIENT_CLEAR_ALL as u64,
        0,
    )
}

/// Adds to the ambient set what is permitted and inheritable.
pub fn raise_ambient(capability: u32) -> Result<(), Errno> {
    prctl(
        libc::PR_CAP_AMBIENT,
        libc::PR_CAP_AMBIENT_RAISE as u64,
        capability.into(),
    )
}

/// Permitted capabilities survive the next change of uid.
pub fn keep_over_setuid() -> Result<(), Errno> {
    prctl(libc::PR_SET_KEEPCAPS, 1, 0)
}

fn prctl(option: i32, second: u64, third: u64) -> Result<(), Errno> {
    // SAFETY: the options above take integers, no pointer.
    unsafe { syscall!(libc::SYS_prctl, option, second, third, 0, 0) }.map(drop)
}
