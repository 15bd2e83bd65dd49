//! Fds with owners: std's types where std is, the same names without it.
//!
//! The no_std half is the least that lets one code base serve both: an owned fd closes on drop, a
//! borrowed one lives no longer than its owner.

#[cfg(feature = "std")]
pub use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};

#[cfg(not(feature = "std"))]
pub use bare::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};

/// Takes the fd that a syscall just returned.
pub(crate) fn own(value: usize) -> OwnedFd {
    let raw = RawFd::try_from(value).unwrap_or(-1);
    debug_assert!(raw >= 0, "the kernel's fds fit");
    // SAFETY: `value` comes straight from a successful syscall that made a new fd; nobody else
    // has seen it, so this is its only owner.
    unsafe { OwnedFd::from_raw_fd(raw) }
}

/// Takes the fd of this number, which the process was born with.
///
/// The caller says that it is open and that nobody else in this process owns it: true for the
/// numbers that an exec handed over, once each.
#[must_use]
pub fn inherited(number: RawFd) -> Option<OwnedFd> {
    // SAFETY: F_GETFD takes no pointer; an unused number is an error, not undefined.
    let open = unsafe { libc::fcntl(number, libc::F_GETFD) } >= 0;
    // SAFETY: the fd is open, as just asked; exclusive ownership is the caller's word above.
    open.then(|| unsafe { OwnedFd::from_raw_fd(number) })
}

/// A borrow of an fd whose owner is this process as a whole: 0, 1, 2 and what callers preserve.
#[must_use]
pub fn standing(number: RawFd) -> Option<BorrowedFd<'static>> {
    // SAFETY: F_GETFD takes no pointer; an unused number is an error, not undefined.
    let open = unsafe { libc::fcntl(number, libc::F_GETFD) } >= 0;
    // SAFETY: open as just asked; fds of the caller's own numbers are never closed by hull.
    open.then(|| unsafe { BorrowedFd::borrow_raw(number) })
}

/// The directory that relative paths start from.
pub const CWD: RawFd = libc::AT_FDCWD;

#[cfg(not(feature = "std"))]
mod bare {
    use core::{marker::PhantomData, mem};

    /// A file descriptor's number.
    pub type RawFd = i32;

    /// An fd that closes on drop.
    #[derive(Debug)]
    #[repr(transparent)]
    pub struct OwnedFd(RawFd);

    /// An fd that someone else owns for at least `'fd`.
    #[derive(Debug, Clone, Copy)]
    #[repr(transparent)]
    pub struct BorrowedFd<'fd>(RawFd, PhantomData<&'fd OwnedFd>);

    /// Anything that holds an fd.
    pub trait AsFd {
        /// Borrows it.
        fn as_fd(&self) -> BorrowedFd<'_>;
    }

    /// The number, for a syscall.
    pub trait AsRawFd {
        /// The number; it owns nothing.
        fn as_raw_fd(&self) -> RawFd;
    }

    /// Takes ownership of a number.
    pub trait FromRawFd {
        /// # Safety
        /// The fd must be open and owned by nobody else.
        unsafe fn from_raw_fd(fd: RawFd) -> Self;
    }

    /// Gives ownership away.
    pub trait IntoRawFd {
        /// The number, to be closed by whoever takes it.
        fn into_raw_fd(self) -> RawFd;
    }

    impl BorrowedFd<'_> {
        /// # Safety
        /// The fd must stay open for the whole lifetime.
        #[must_use]
        pub const unsafe fn borrow_raw(fd: RawFd) -> Self {
            Self(fd, PhantomData)
        }
    }

    impl Drop for OwnedFd {
        fn drop(&mut self) {
            // SAFETY: this is the fd's only owner, so the number is open and used by no one else.
            unsafe { libc::close(self.0) };
        }
    }

    impl AsFd for OwnedFd {
        fn as_fd(&self) -> BorrowedFd<'_> {
            BorrowedFd(self.0, PhantomData)
        }
    }

    impl AsFd for BorrowedFd<'_> {
        fn as_fd(&self) -> BorrowedFd<'_> {
            *self
        }
    }

    impl<T: AsFd> AsFd for &T {
        fn as_fd(&self) -> BorrowedFd<'_> {
            T::as_fd(self)
        }
    }

    impl AsRawFd for OwnedFd {
        fn as_raw_fd(&self) -> RawFd {
            self.0
        }
    }

    impl AsRawFd for BorrowedFd<'_> {
        fn as_raw_fd(&self) -> RawFd {
            self.0
        }
    }

    impl FromRawFd for OwnedFd {
        unsafe fn from_raw_fd(fd: RawFd) -> Self {
            Self(fd)
        }
    }

    impl IntoRawFd for OwnedFd {
        fn into_raw_fd(self) -> RawFd {
            let fd = self.0;
            mem::forget(self);
            fd
        }
    }
}
