//! The seccomp compiler against an interpreter of classic BPF: the engines' own profiles, a
//! naive reading of random ones, and, with `--features differential`, libseccomp.

#![cfg(test)]

#[cfg(feature = "differential")]
mod differential;
mod engines;
mod interpreter;
mod naive;
mod profiles;
mod random;
mod refused;
