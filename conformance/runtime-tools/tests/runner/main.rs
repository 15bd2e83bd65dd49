//! The runner as a user starts it, on checkouts that are made here: real ones cannot be built
//! without what they depend on.

mod fake;
mod programs;
mod sample;
