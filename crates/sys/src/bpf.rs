//! bpf(2): a cgroup device filter, loaded and attached.

use crate::{
    Errno,
    fd::{AsFd, AsRawFd, OwnedFd, own},
};

const BPF_PROG_LOAD: u32 = 5;
const BPF_PROG_ATTACH: u32 = 8;
const BPF_PROG_TYPE_CGROUP_DEVICE: u32 = 15;
const BPF_CGROUP_DEVICE: u32 = 6;
const BPF_F_ALLOW_MULTI: u32 = 2;

/// The first members of `union bpf_attr` for BPF_PROG_LOAD.
#[repr(C)]
struct Load {
    kind: u32,
    count: u32,
    instructions: u64,
    license: u64,
    log_level: u32,
    log_size: u32,
    log: u64,
    kernel_version: u32,
    flags: u32,
    name: [u8; 16],
}

/// The members of `union bpf_attr` for BPF_PROG_ATTACH.
#[repr(C)]
struct Attach {
    target: u32,
    program: u32,
    kind: u32,
    flags: u32,
    replaced: u32,
}

/// Loads a device filter.
pub fn load_device_filter(instructions: &[u64]) -> Result<OwnedFd, Errno> {
    let attributes = Load {
        kind: BPF_PROG_TYPE_CGROUP_DEVICE,
        count: u32::try_from(instructions.len()).map_err(|_| Errno::E2BIG)?,
        instructions: instructions.as_ptr() as u64,
        license: c"Apache-2.0".as_ptr() as u64,
        log_level: 0,
        log_size: 0,
        log: 0,
        kernel_version: 0,
        flags: 0,
        name: *b"hull_devices\0\0\0\0",
    };
    // SAFETY: the struct is a prefix of bpf_attr of the given size; the pointers in it are to the
    // borrowed instructions and a literal, both of which outlive the call.
    unsafe {
        syscall!(
            libc::SYS_bpf,
            BPF_PROG_LOAD,
            &raw const attributes,
            size_of::<Load>()
        )
    }
    .map(own)
}

/// Attaches it to a cgroup directory, beside what others attached.
pub fn attach_device_filter(program: impl AsFd, cgroup: impl AsFd) -> Result<(), Errno> {
    let attributes = Attach {
        target: cgroup.as_fd().as_raw_fd().cast_unsigned(),
        program: program.as_fd().as_raw_fd().cast_unsigned(),
        kind: BPF_CGROUP_DEVICE,
        flags: BPF_F_ALLOW_MULTI,
        replaced: 0,
    };
    // SAFETY: the struct is a prefix of bpf_attr of the given size and holds no pointer; both fds
    // are borrowed for the call.
    unsafe {
        syscall!(
            libc::SYS_bpf,
            BPF_PROG_ATTACH,
            &raw const attributes,
            size_of::<Attach>()
        )
    }
    .map(drop)
}
