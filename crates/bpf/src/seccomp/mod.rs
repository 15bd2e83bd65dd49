//! OCI seccomp profile -> classic BPF, with the verdicts of runc and libseccomp.
//!
//! `profile` is what a profile can say, `rules` checks it and turns it into clauses,
//! `verdicts` decides for each architecture which numbers share an answer, `program` makes
//! a binary search over them. Loading the result and its flags are left to the caller.

mod assembler;
mod conditions;
mod multiplex;
mod profile;
mod program;
mod rules;
mod verdicts;

pub use assembler::SockFilter;
pub use profile::{Action, Arg, Op, Profile, Rule};
pub use program::{CompileError, compile};
pub use rules::RuleError;
