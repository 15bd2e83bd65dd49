//! How long the engines' profiles take to compile: `cargo bench -p hull-bpf`.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "prints its result, runs by hand"
)]

use hull_bpf::arch::Arch;
use hull_bpf::seccomp::compile;
use std::hint::black_box;
use std::time::Instant;

#[path = "../tests/seccomp/profiles.rs"]
mod profiles;

const ROUNDS: u32 = 2000;

fn main() {
    for (name, _) in profiles::ENGINES {
        let profile = profiles::engine(name);
        let first = Instant::now();
        black_box(compile(black_box(&profile), Arch::X86_64).unwrap());
        let cold = first.elapsed();
        let start = Instant::now();
        for _ in 0..ROUNDS {
            black_box(compile(black_box(&profile), Arch::X86_64).unwrap());
        }
        println!(
            "{name}: first {cold:?}, then {:?}",
            start.elapsed() / ROUNDS
        );
    }
}
