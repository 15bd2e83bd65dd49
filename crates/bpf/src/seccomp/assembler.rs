//! Writes classic BPF from its end to its beginning.
//!
//! A filter jumps only forwards, so when code is written backwards every target is known when
//! the jump to it is written. Conditional jumps reach 255 instructions; past that a plain jump
//! is put in between, or a `return` repeated, which costs the same room and no step.

use super::rules::Answer;

/// One instruction, as `struct sock_filter` has it.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SockFilter {
    /// Operation.
    pub code: u16,
    /// How far to jump when the condition holds.
    pub jt: u8,
    /// How far to jump when it does not.
    pub jf: u8,
    /// Operand.
    pub k: u32,
}

const LOAD: u16 = 0x20;
const AND: u16 = 0x54;
const JUMP: u16 = 0x05;
const RETURN: u16 = 0x06;

/// What a conditional jump asks of the accumulator.
#[derive(Clone, Copy, Debug)]
#[repr(u16)]
pub(super) enum Is {
    Equal = 0x15,
    Greater = 0x25,
    GreaterOrEqual = 0x35,
}

/// An instruction written before, counted from the end of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Label(usize);

/// A conditional jump reaches 255; two jumps put in between may push its targets away.
const REACH: usize = 250;

#[derive(Debug)]
pub(super) struct Assembler {
    reversed: Vec<SockFilter>,
    answers: Vec<(Answer, Label)>,
}

impl Assembler {
    pub(super) fn new() -> Self {
        Self {
            reversed: Vec::with_capacity(512),
            answers: Vec::new(),
        }
    }

    /// The program, first instruction first.
    pub(super) fn finish(mut self) -> Vec<SockFilter> {
        self.reversed.reverse();
        self.reversed
    }

    /// A `return`, an old one where it is near.
    pub(super) fn answer(&mut self, answer: Answer) -> Label {
        let known = self.answers.iter().position(|(known, _)| *known == answer);
        if let Some(at) = known
            && self.is_near(self.answers[at].1)
        {
            return self.answers[at].1;
        }
        let label = self.write(RETURN, answer.0, 0, 0);
        match known {
            Some(at) => self.answers[at].1 = label,
            None => self.answers.push((answer, label)),
        }
        label
    }

    /// Loads a word of `seccomp_data`, then goes on at `next`.
    pub(super) fn load(&mut self, offset: u32, next: Label) -> Label {
        self.fall_to(next);
        self.write(LOAD, offset, 0, 0)
    }

    /// Keeps the bits of the mask, then goes on at `next`.
    pub(super) fn mask(&mut self, mask: u32, next: Label) -> Label {
        self.fall_to(next);
        self.write(AND, mask, 0, 0)
    }

    /// Goes on at one of two places.
    pub(super) fn branch(&mut self, is: Is, k: u32, then: Label, otherwise: Label) -> Label {
        if then == otherwise {
            return then;
        }
        let (then, otherwise) = (self.bring_near(then), self.bring_near(otherwise));
        let (jt, jf) = (self.distance(then), self.distance(otherwise));
        self.write(is as u16, k, jt, jf)
    }

    fn fall_to(&mut self, next: Label) {
        if next.0 + 1 != self.reversed.len() {
            self.jump(next);
        }
    }

    fn bring_near(&mut self, label: Label) -> Label {
        if self.is_near(label) {
            label
        } else {
            self.jump(label)
        }
    }

    fn jump(&mut self, to: Label) -> Label {
        let distance = self.reversed.len() - to.0 - 1;
        self.write(JUMP, u32::try_from(distance).unwrap_or(u32::MAX), 0, 0)
    }

    fn is_near(&self, label: Label) -> bool {
        self.reversed.len() - label.0 <= REACH
    }

    fn distance(&self, to: Label) -> u8 {
        u8::try_from(self.reversed.len() - to.0 - 1).unwrap_or(u8::MAX)
    }

    fn write(&mut self, code: u16, k: u32, jt: u8, jf: u8) -> Label {
        self.reversed.push(SockFilter { code, jt, jf, k });
        Label(self.reversed.len() - 1)
    }
}
