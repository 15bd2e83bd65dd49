//! The program: all of it is in the library, so that tests and lints see it too.

#![no_std]
#![no_main]
#![forbid(unsafe_code)]

hull_sys::image_main!(hull_init::run);
