//! Which number a syscall has on which architecture.
//!
//! One sorted list of names, and for each architecture an array of 16-bit numbers in the same
//! order: a name is searched once and its number is then one load. The arrays keep numbers
//! without the offset that mips and x32 add to all of them, and arm's private range folded down.

mod table;

use crate::arch::{ARM_PRIVATE, Arch, X32_BIT};

/// A syscall that at least one architecture has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Syscall(u16);

const ABSENT: u16 = 0xffff;
const ARM_PRIVATE_SHORT: u16 = 0xf000;

impl Syscall {
    /// How many there are.
    pub const COUNT: usize = table::COUNT;

    /// Where it stands in the list of all.
    pub(crate) fn position(self) -> usize {
        usize::from(self.0)
    }

    /// Finds a name; `None` when no architecture has it.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let (mut low, mut high) = (0, table::NAMES);
        while low < high {
            let middle = u16::midpoint(low, high);
            match Self(middle).name().cmp(name) {
                std::cmp::Ordering::Equal => return Some(Self(middle)),
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }

    /// Every syscall, by name.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..table::NAMES).map(Self)
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        let start = usize::from(table::STARTS[self.position()]);
        let end = usize::from(table::STARTS[self.position() + 1]);
        &table::TEXT[start..end]
    }

    /// Its number where the architecture has a direct entry for it.
    #[must_use]
    pub fn number(self, arch: Arch) -> Option<u32> {
        match numbers(arch)[self.position()] {
            ABSENT => None,
            short @ ARM_PRIVATE_SHORT.. => Some(u32::from(short - ARM_PRIVATE_SHORT) + ARM_PRIVATE),
            short => Some(u32::from(short) + offset(arch)),
        }
    }
}

fn numbers(arch: Arch) -> &'static [u16; table::COUNT] {
    match arch {
        Arch::X86 => &table::X86,
        Arch::X86_64 => &table::X86_64,
        Arch::X32 => &table::X32,
        Arch::Arm => &table::ARM,
        Arch::Aarch64 => &table::AARCH64,
        Arch::Mips | Arch::Mipsel => &table::MIPS,
        Arch::Mips64 | Arch::Mipsel64 => &table::MIPS64,
        Arch::Mips64N32 | Arch::Mipsel64N32 => &table::MIPS64N32,
        Arch::Ppc => &table::PPC,
        Arch::Ppc64 | Arch::Ppc64Le => &table::PPC64,
        Arch::S390 => &table::S390,
        Arch::S390X => &table::S390X,
        Arch::Parisc => &table::PARISC,
        Arch::Parisc64 => &table::PARISC64,
        Arch::Riscv64 => &table::RISCV64,
        Arch::Loongarch64 => &table::LOONGARCH64,
        Arch::M68k => &table::M68K,
        Arch::Sh | Arch::Sheb => &table::SH,
    }
}

const fn offset(arch: Arch) -> u32 {
    match arch {
        Arch::X32 => X32_BIT,
        Arch::Mips | Arch::Mipsel => 4000,
        Arch::Mips64 | Arch::Mipsel64 => 5000,
        Arch::Mips64N32 | Arch::Mipsel64N32 => 6000,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_and_each_is_found() {
        let names: Vec<_> = Syscall::all().map(Syscall::name).collect();
        assert!(names.is_sorted());
        assert!(Syscall::all().all(|call| Syscall::named(call.name()) == Some(call)));
    }

    #[test]
    fn names_of_no_architecture_are_not_found() {
        for name in ["", "zzz", "read ", "rea"] {
            assert_eq!(Syscall::named(name), None);
        }
    }

    #[test]
    fn numbers_are_those_of_the_kernel() {
        let table = [
            ("read", Arch::X86_64, Some(0)),
            ("read", Arch::X32, Some(0x4000_0000)),
            ("ptrace", Arch::X32, Some(0x4000_0209)),
            ("read", Arch::Aarch64, Some(63)),
            ("open", Arch::Aarch64, None),
            ("set_tls", Arch::Arm, Some(0xf_0005)),
            ("read", Arch::Mips, Some(4003)),
            ("openat2", Arch::Mipsel64, Some(5437)),
            ("clone3", Arch::S390X, Some(435)),
            ("socketcall", Arch::X86, Some(102)),
            ("semop", Arch::X86, None),
            ("open_tree_attr", Arch::Riscv64, Some(467)),
            ("rseq_slice_yield", Arch::Mips, Some(4471)),
        ];
        for (name, arch, number) in table {
            let found = Syscall::named(name).and_then(|call| call.number(arch));
            assert_eq!(found, number, "{name} on {arch:?}");
        }
    }

    /// `seccomp::verdicts` gives number 0 there a meaning of its own.
    #[test]
    fn no_call_of_s390_has_number_0() {
        for arch in [Arch::S390, Arch::S390X] {
            assert!(Syscall::all().all(|call| call.number(arch) != Some(0)));
        }
    }
}
