//! The program as a whole: which architecture, then a binary search over syscall numbers.
//!
//! The native architecture is asked for first. Each leaf of the search is an answer or the
//! checks of one syscall's arguments. An architecture that the profile does not list kills the
//! thread, which is libseccomp's choice where nobody makes one, and runc makes none.

use super::assembler::{Assembler, Is, Label, SockFilter};
use super::conditions::{self, Layout};
use super::profile::Profile;
use super::rules::{Answer, Clauses, RuleError};
use super::verdicts::{Range, Section, Verdict, sections};
use crate::arch::Arch;

/// The kernel's limit (`BPF_MAXINSNS`).
const MAX_INSNS: usize = 4096;

/// Offsets in `struct seccomp_data`.
const NUMBER: u32 = 0;
const ARCH: u32 = 4;

/// Why a profile cannot become a program.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum CompileError {
    /// The profile contradicts itself or the specification.
    #[error(transparent)]
    Rule(#[from] RuleError),
    /// No process of this host can run code of that architecture.
    #[error("seccomp architecture {arch} has not the byte order of {native}")]
    ByteOrder {
        /// Asked for.
        arch: &'static str,
        /// What the host is.
        native: &'static str,
    },
    /// The profile needs more instructions than the kernel takes.
    #[error("compile seccomp profile: {insns} instructions, the kernel takes {MAX_INSNS}")]
    TooLong {
        /// Instructions needed.
        insns: usize,
    },
}

/// The program for this profile on a host of this architecture.
pub fn compile(profile: &Profile, native: Arch) -> Result<Vec<SockFilter>, CompileError> {
    let clauses = Clauses::of(profile)?;
    let architectures = architectures(profile, native)?;
    let sections = sections(&clauses, &architectures);
    let program = assemble(&sections, &clauses);
    match program.len() {
        0..=MAX_INSNS => Ok(program),
        insns => Err(CompileError::TooLong { insns }),
    }
}

fn architectures(profile: &Profile, native: Arch) -> Result<Vec<Arch>, CompileError> {
    let mut architectures = vec![native];
    for arch in &profile.architectures {
        if arch.endian() != native.endian() {
            let (arch, native) = (arch.name(), native.name());
            return Err(CompileError::ByteOrder { arch, native });
        }
        if !architectures.contains(arch) {
            architectures.push(*arch);
        }
    }
    Ok(architectures)
}

fn assemble(sections: &[Section], clauses: &Clauses<'_>) -> Vec<SockFilter> {
    let mut code = Assembler::new();
    let mut next = code.answer(Answer::KILL_THREAD);
    for section in sections.iter().rev() {
        let search = Search { section, clauses }.among(&mut code, &section.ranges);
        let body = code.load(NUMBER, search);
        next = code.branch(Is::Equal, section.audit, body, next);
    }
    code.load(ARCH, next);
    code.finish()
}

struct Search<'a> {
    section: &'a Section,
    clauses: &'a Clauses<'a>,
}

impl Search<'_> {
    fn among(&self, code: &mut Assembler, ranges: &[Range]) -> Label {
        match ranges {
            [only] => self.leaf(code, only.verdict),
            [around, inside, again] if is_hole(around, inside, again) => {
                let otherwise = self.leaf(code, again.verdict);
                let then = self.leaf(code, inside.verdict);
                code.branch(Is::Equal, inside.first, then, otherwise)
            }
            _ => {
                let (below, from) = ranges.split_at(ranges.len() / 2);
                let then = self.among(code, from);
                let otherwise = self.among(code, below);
                code.branch(Is::GreaterOrEqual, from[0].first, then, otherwise)
            }
        }
    }

    fn leaf(&self, code: &mut Assembler, verdict: Verdict) -> Label {
        let (width, first, last) = match verdict {
            Verdict::Always(answer) => return code.answer(answer),
            Verdict::Checks { width, first, last } => (width, first, last),
        };
        let layout = Layout {
            endian: self.section.endian,
            width,
        };
        let mut next = code.answer(self.clauses.default);
        for check in self.section.checks[first..last].iter().rev() {
            let clause = self.clauses.at(check.clause);
            let hit = code.answer(clause.answer);
            let what = (clause.conditions, check.operation);
            next = conditions::all(code, layout, what, (hit, next));
        }
        next
    }
}

/// One number between two ranges of one answer: a single comparison tells it apart.
fn is_hole(around: &Range, inside: &Range, again: &Range) -> bool {
    let same = again.verdict.always();
    same.is_some() && around.verdict.always() == same && again.first - inside.first == 1
}
