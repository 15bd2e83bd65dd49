//! Sealed memory files: the init image and the plan travel in them.

use crate::{
    Errno,
    call::check,
    fd::{AsFd, AsRawFd, OwnedFd, own},
};
use core::ffi::CStr;

const MFD_NOEXEC_SEAL: u32 = 8;
const MFD_EXEC: u32 = 16;
const F_SEAL_EXEC: i32 = 32;

/// Not readable by anyone: a process that runs it stays non-dumpable for unmapped ids.
pub const PROGRAM_MODE: u32 = 0o511;

/// May the file be executed?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    Program,
    Data,
}

/// A memory file with this content that can no longer change.
pub fn sealed(name: &CStr, bytes: &[u8], content: Content) -> Result<OwnedFd, Errno> {
    let file = create(name, content)?;
    crate::path::write_all(&file, bytes)?;
    if content == Content::Program {
        // SAFETY: the fd is ours; takes no pointer.
        check(unsafe { libc::fchmod(file.as_raw_fd(), PROGRAM_MODE) }.into())?;
    }
    seal(&file, content)?;
    Ok(file)
}

/// Kernels before 6.3 know neither MFD_EXEC nor MFD_NOEXEC_SEAL and refuse them with EINVAL;
/// what they make is executable.
fn create(name: &CStr, content: Content) -> Result<OwnedFd, Errno> {
    let basic = libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING;
    let kind = if content == Content::Program {
        MFD_EXEC
    } else {
        MFD_NOEXEC_SEAL
    };
    match memfd_create(name, basic | kind) {
        Err(Errno::EINVAL) => memfd_create(name, basic),
        other => other,
    }
}

fn memfd_create(name: &CStr, flags: u32) -> Result<OwnedFd, Errno> {
    // SAFETY: the name is NUL-terminated and copied by the kernel.
    check(unsafe { libc::memfd_create(name.as_ptr(), flags) }.into()).map(own)
}

/// The seal is on future writes: F_SEAL_WRITE, for the sake of writers that are under way, gives up
/// with EBUSY where anything in the kernel holds one of the pages for a moment. Here nobody else
/// has the fd and nothing is mapped, so that all writes are future ones.
fn seal(file: impl AsFd, content: Content) -> Result<(), Errno> {
    let fixed =
        libc::F_SEAL_SEAL | libc::F_SEAL_SHRINK | libc::F_SEAL_GROW | libc::F_SEAL_FUTURE_WRITE;
    let exec = if content == Content::Program {
        F_SEAL_EXEC
    } else {
        0
    };
    match add_seals(&file, fixed | exec) {
        Err(Errno::EINVAL) if exec != 0 => add_seals(&file, fixed),
        other => other,
    }
}

fn add_seals(file: impl AsFd, seals: i32) -> Result<(), Errno> {
    // SAFETY: the fd is borrowed; takes an integer.
    check(unsafe { libc::fcntl(file.as_fd().as_raw_fd(), libc::F_ADD_SEALS, seals) }.into())
        .map(drop)
}

#[cfg(feature = "std")]
#[cfg(test)]
mod tests {
    use super::*;
    use crate::path;
    use core::ptr;

    fn in_a_pipe(file: &OwnedFd) -> (std::io::PipeReader, std::io::PipeWriter) {
        let pipe = std::io::pipe().unwrap();
        let mut offset = 0i64;
        // SAFETY: both fds are open for the call; the offset is a writable word.
        let moved = unsafe {
            libc::splice(
                file.as_raw_fd(),
                &raw mut offset,
                pipe.1.as_raw_fd(),
                ptr::null_mut(),
                4096,
                0,
            )
        };
        assert_eq!(moved, 4096);
        pipe
    }

    fn map_shared(file: &OwnedFd) -> Result<(), Errno> {
        let access = libc::PROT_READ | libc::PROT_WRITE;
        let (length, flags) = (4096, libc::MAP_SHARED);
        // SAFETY: a new mapping at a place of the kernel's choice; nothing refers to it.
        let at = unsafe { libc::mmap(ptr::null_mut(), length, access, flags, file.as_raw_fd(), 0) };
        if at == libc::MAP_FAILED {
            Err(Errno::last())
        } else {
            Ok(())
        }
    }

    #[test]
    fn a_page_that_the_kernel_holds_for_a_moment_does_not_stop_the_seal() {
        let file = create(c"hull-test", Content::Data).unwrap();
        path::write_all(&file, &[7; 8192]).unwrap();
        let _held = in_a_pipe(&file);
        seal(&file, Content::Data).unwrap();
    }

    #[test]
    fn what_is_sealed_changes_no_more() {
        for content in [Content::Program, Content::Data] {
            let file = sealed(c"hull-test", &[7; 4096], content).unwrap();
            assert_eq!(path::write_all(&file, b"x"), Err(Errno::EPERM));
            assert_eq!(map_shared(&file), Err(Errno::EPERM));
            for length in [0, 8192] {
                // SAFETY: the fd is open; takes an integer.
                let changed = check(unsafe { libc::ftruncate(file.as_raw_fd(), length) }.into());
                assert_eq!(changed.map(drop), Err(Errno::EPERM));
            }
            assert_eq!(add_seals(&file, libc::F_SEAL_WRITE), Err(Errno::EPERM));
            assert_eq!(path::read_from_start(&file).unwrap(), [7; 4096]);
        }
    }
}
