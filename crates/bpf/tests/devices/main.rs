//! The compiler of device rules against an interpreter of eBPF and a naive reading of the rules.

#![cfg(test)]

mod compiled;
mod interpreter;
mod naive;
mod random;
