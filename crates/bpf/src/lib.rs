//! Filters as data: device rules become an eBPF program, a seccomp profile becomes classic BPF.
//!
//! Nothing here makes a syscall, reads the environment or knows the host; the caller loads the
//! bytes. Each compiler is checked by an interpreter of its own instruction set against a naive
//! reading of the rules.

#![forbid(unsafe_code)]

pub mod arch;
pub mod devices;
pub mod seccomp;
pub mod syscalls;
