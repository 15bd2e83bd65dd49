//! The glue of a program without std: entry point, panic handler, allocator.
//!
//! `sys::image_main!(run)` makes `run(base: i32) -> u8` the program: `base` is the number of the
//! first fd that the runtime handed over, the only argument there is.

/// Declares the program.
#[macro_export]
macro_rules! image_main {
    ($run:path) => {
        #[global_allocator]
        static ALLOCATOR: $crate::allocator::Bump = $crate::allocator::Bump::new();

        #[unsafe(no_mangle)]
        extern "C" fn main(
            count: core::ffi::c_int,
            arguments: *const *const core::ffi::c_char,
        ) -> core::ffi::c_int {
            // The kernel's own vector, as crt1 passes it on.
            core::ffi::c_int::from($run($crate::image::base(count, arguments)))
        }

        // The prebuilt alloc crate names these two; with panic=abort nothing ever calls them.
        #[unsafe(no_mangle)]
        extern "C" fn rust_eh_personality() {}

        #[unsafe(no_mangle)]
        extern "C" fn _Unwind_Resume() -> ! {
            $crate::image::die()
        }

        #[panic_handler]
        fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
            $crate::image::die()
        }
    };
}

/// The number in the program's one argument; -1 where it is missing or no number.
#[must_use]
#[allow(
    clippy::not_unsafe_ptr_arg_deref,
    reason = "called by image_main! alone, with what crt1 gave to main"
)]
pub fn base(count: core::ffi::c_int, arguments: *const *const core::ffi::c_char) -> i32 {
    if count != 2 {
        return -1;
    }
    // SAFETY: argc is 2, so argv has two string pointers and the terminator.
    let argument = unsafe { *arguments.add(1) };
    // SAFETY: an element of argv below argc is a NUL-terminated string of the process's stack.
    let text = unsafe { core::ffi::CStr::from_ptr(argument) };
    text.to_str()
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(-1)
}

/// Ends the program as a panic does: by SIGABRT, which the runtime reports with the stage.
pub fn die() -> ! {
    // SAFETY: takes nothing and does not return.
    unsafe { libc::abort() }
}

#[link(name = "c", kind = "static", modifiers = "-bundle")]
unsafe extern "C" {}
