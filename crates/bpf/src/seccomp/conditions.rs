//! Comparisons of syscall arguments, which are 64 bits wide, on a machine of 32 bits.
//!
//! The high word decides unless it is equal; the low word then does. Where a syscall takes
//! 32 bits only the low words are compared, as in libseccomp: what a register holds above
//! them never reaches the kernel's code, and a -1 in the config has all 64 bits set.

use super::assembler::{Assembler, Is, Label};
use super::profile::{Arg, Op};
use crate::arch::{Endian, Width};

/// `offsetof(struct seccomp_data, args)`.
const ARGS: u32 = 16;

/// Where to go on after a comparison.
#[derive(Clone, Copy)]
struct Ways {
    hit: Label,
    miss: Label,
}

/// How arguments are laid out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    pub(super) endian: Endian,
    pub(super) width: Width,
}

/// Code that goes to `hit` when all conditions hold, to `miss` otherwise. An operation is what
/// the first argument must be; conditions on it are then about another call's argument.
pub(super) fn all(
    code: &mut Assembler,
    layout: Layout,
    (conditions, operation): (&[Arg], Option<u8>),
    (hit, miss): (Label, Label),
) -> Label {
    let mut next = hit;
    for arg in conditions
        .iter()
        .rev()
        .filter(|arg| operation.is_none() || arg.index != 0)
    {
        next = compare(code, layout, arg, Ways { hit: next, miss });
    }
    let Some(operation) = operation else {
        return next;
    };
    let value = u64::from(operation);
    let arg = Arg {
        index: 0,
        value,
        value_two: 0,
        op: Op::Equal,
    };
    compare(code, layout, &arg, Ways { hit: next, miss })
}

fn compare(code: &mut Assembler, layout: Layout, arg: &Arg, ways: Ways) -> Label {
    let swapped = Ways {
        hit: ways.miss,
        miss: ways.hit,
    };
    let words = Words::of(layout, arg.index);
    match arg.op {
        Op::Equal => words.equal(code, arg.value, u64::MAX, ways),
        Op::NotEqual => words.equal(code, arg.value, u64::MAX, swapped),
        // Bits of the datum outside the mask are ignored, as libseccomp does.
        Op::MaskedEqual => words.equal(code, arg.value_two & arg.value, arg.value, ways),
        Op::GreaterOrEqual => words.above(code, Is::GreaterOrEqual, arg.value, ways),
        Op::Greater => words.above(code, Is::Greater, arg.value, ways),
        Op::Less => words.above(code, Is::GreaterOrEqual, arg.value, swapped),
        Op::LessOrEqual => words.above(code, Is::Greater, arg.value, swapped),
    }
}

/// Where the halves of one argument lie; no high one where it is not compared.
#[derive(Clone, Copy)]
struct Words {
    low: u32,
    high: Option<u32>,
}

impl Words {
    fn of(layout: Layout, index: u32) -> Self {
        let first = ARGS + 8 * index;
        let (low, high) = match layout.endian {
            Endian::Little => (first, first + 4),
            Endian::Big => (first + 4, first),
        };
        Self {
            low,
            high: (layout.width == Width::Bits64).then_some(high),
        }
    }

    fn equal(self, code: &mut Assembler, value: u64, mask: u64, ways: Ways) -> Label {
        let ((value_high, value_low), (mask_high, mask_low)) = (halves(value), halves(mask));
        let next = equal_word(code, self.low, value_low, mask_low, ways);
        match self.high {
            None => next,
            Some(high) => equal_word(
                code,
                high,
                value_high,
                mask_high,
                Ways { hit: next, ..ways },
            ),
        }
    }

    fn above(self, code: &mut Assembler, is: Is, value: u64, ways: Ways) -> Label {
        let (value_high, value_low) = halves(value);
        let low = code.branch(is, value_low, ways.hit, ways.miss);
        let low = code.load(self.low, low);
        let Some(high) = self.high else { return low };
        // No word is below zero: what is not above it is equal.
        let rest = match value_high {
            0 => low,
            _ => code.branch(Is::Equal, value_high, low, ways.miss),
        };
        let above = code.branch(Is::Greater, value_high, ways.hit, rest);
        code.load(high, above)
    }
}

fn equal_word(code: &mut Assembler, offset: u32, value: u32, mask: u32, ways: Ways) -> Label {
    if mask == 0 {
        return ways.hit;
    }
    let mut next = code.branch(Is::Equal, value, ways.hit, ways.miss);
    if mask != u32::MAX {
        next = code.mask(mask, next);
    }
    code.load(offset, next)
}

fn halves(value: u64) -> (u32, u32) {
    let [a, b, c, d, e, f, g, h] = value.to_be_bytes();
    (
        u32::from_be_bytes([a, b, c, d]),
        u32::from_be_bytes([e, f, g, h]),
    )
}
