//! The architectures a seccomp profile can name, and what the kernel tells a filter about each.
//!
//! An architecture here is a calling convention: x86_64 and x32 share one audit value and are
//! told apart by a bit of the syscall number. Numbers come from linux/audit.h and the uapi
//! headers; which name has which number is the business of `syscalls`.

/// One `SCMP_ARCH_*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of the runtime-spec")]
pub enum Arch {
    X86,
    X86_64,
    X32,
    Arm,
    Aarch64,
    Mips,
    Mips64,
    Mips64N32,
    Mipsel,
    Mipsel64,
    Mipsel64N32,
    Ppc,
    Ppc64,
    Ppc64Le,
    S390,
    S390X,
    Parisc,
    Parisc64,
    Riscv64,
    Loongarch64,
    M68k,
    Sh,
    Sheb,
}

/// The byte order in which a filter sees the two halves of an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Endian {
    Little,
    Big,
}

/// How many bits of an argument a syscall of the architecture can use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Width {
    Bits32,
    Bits64,
}

const LITTLE: u32 = 0x4000_0000;
const BITS_64: u32 = 0x8000_0000;
const MIPS_N32: u32 = 0x2000_0000;

/// The bit that marks an x32 syscall number.
pub(crate) const X32_BIT: u32 = 0x4000_0000;
/// Where arm's private syscalls (`set_tls` and others) begin.
pub(crate) const ARM_PRIVATE: u32 = 0xf_0000;

impl Arch {
    /// Every architecture with its name in the config.
    pub const NAMES: [(&str, Self); 23] = [
        ("SCMP_ARCH_X86", Self::X86),
        ("SCMP_ARCH_X86_64", Self::X86_64),
        ("SCMP_ARCH_X32", Self::X32),
        ("SCMP_ARCH_ARM", Self::Arm),
        ("SCMP_ARCH_AARCH64", Self::Aarch64),
        ("SCMP_ARCH_MIPS", Self::Mips),
        ("SCMP_ARCH_MIPS64", Self::Mips64),
        ("SCMP_ARCH_MIPS64N32", Self::Mips64N32),
        ("SCMP_ARCH_MIPSEL", Self::Mipsel),
        ("SCMP_ARCH_MIPSEL64", Self::Mipsel64),
        ("SCMP_ARCH_MIPSEL64N32", Self::Mipsel64N32),
        ("SCMP_ARCH_PPC", Self::Ppc),
        ("SCMP_ARCH_PPC64", Self::Ppc64),
        ("SCMP_ARCH_PPC64LE", Self::Ppc64Le),
        ("SCMP_ARCH_S390", Self::S390),
        ("SCMP_ARCH_S390X", Self::S390X),
        ("SCMP_ARCH_PARISC", Self::Parisc),
        ("SCMP_ARCH_PARISC64", Self::Parisc64),
        ("SCMP_ARCH_RISCV64", Self::Riscv64),
        ("SCMP_ARCH_LOONGARCH64", Self::Loongarch64),
        ("SCMP_ARCH_M68K", Self::M68k),
        ("SCMP_ARCH_SH", Self::Sh),
        ("SCMP_ARCH_SHEB", Self::Sheb),
    ];

    /// Reads a name of the config.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::NAMES
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, arch)| *arch)
    }

    /// The name in the config.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES
            .iter()
            .find(|(_, arch)| *arch == self)
            .map_or("", |(name, _)| name)
    }

    /// What this program was built for, where filters for it can be made.
    #[must_use]
    pub const fn native() -> Option<Self> {
        Some(
            if cfg!(all(target_arch = "x86_64", target_pointer_width = "64")) {
                Self::X86_64
            } else if cfg!(target_arch = "aarch64") {
                Self::Aarch64
            } else if cfg!(target_arch = "riscv64") {
                Self::Riscv64
            } else if cfg!(target_arch = "s390x") {
                Self::S390X
            } else if cfg!(all(target_arch = "powerpc64", target_endian = "little")) {
                Self::Ppc64Le
            } else if cfg!(target_arch = "loongarch64") {
                Self::Loongarch64
            } else if cfg!(target_arch = "arm") {
                Self::Arm
            } else if cfg!(target_arch = "x86") {
                Self::X86
            } else {
                return None;
            },
        )
    }

    /// The value of `seccomp_data.arch` (`AUDIT_ARCH_*`).
    #[must_use]
    pub const fn audit(self) -> u32 {
        match self {
            Self::X86 => 3 | LITTLE,
            Self::X86_64 | Self::X32 => 62 | BITS_64 | LITTLE,
            Self::Arm => 40 | LITTLE,
            Self::Aarch64 => 183 | BITS_64 | LITTLE,
            Self::Mips => 8,
            Self::Mips64 => 8 | BITS_64,
            Self::Mips64N32 => 8 | BITS_64 | MIPS_N32,
            Self::Mipsel => 8 | LITTLE,
            Self::Mipsel64 => 8 | BITS_64 | LITTLE,
            Self::Mipsel64N32 => 8 | BITS_64 | LITTLE | MIPS_N32,
            Self::Ppc => 20,
            Self::Ppc64 => 21 | BITS_64,
            Self::Ppc64Le => 21 | BITS_64 | LITTLE,
            Self::S390 => 22,
            Self::S390X => 22 | BITS_64,
            Self::Parisc => 15,
            Self::Parisc64 => 15 | BITS_64,
            Self::Riscv64 => 243 | BITS_64 | LITTLE,
            Self::Loongarch64 => 258 | BITS_64 | LITTLE,
            Self::M68k => 4,
            Self::Sh => 42 | LITTLE,
            Self::Sheb => 42,
        }
    }

    pub(crate) const fn endian(self) -> Endian {
        if self.audit() & LITTLE == 0 {
            Endian::Big
        } else {
            Endian::Little
        }
    }

    /// x32 and n32 run on 64-bit registers, but their arguments are 32 bits wide.
    pub(crate) const fn width(self) -> Width {
        let narrow = matches!(self, Self::X32 | Self::Mips64N32 | Self::Mipsel64N32);
        if narrow || self.audit() & BITS_64 == 0 {
            Width::Bits32
        } else {
            Width::Bits64
        }
    }

    /// Whether socket and System V calls can also be made through `socketcall` and `ipc`.
    pub(crate) const fn multiplexes(self) -> bool {
        matches!(
            self,
            Self::X86
                | Self::Mips
                | Self::Mipsel
                | Self::Ppc
                | Self::Ppc64
                | Self::Ppc64Le
                | Self::S390
                | Self::S390X
                | Self::M68k
                | Self::Sh
                | Self::Sheb
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back_as_itself() {
        for (name, arch) in Arch::NAMES {
            assert_eq!((Arch::parse(name), arch.name()), (Some(arch), name));
        }
        assert_eq!(Arch::parse("SCMP_ARCH_VAX"), None);
    }

    #[test]
    fn only_x32_shares_its_audit_value() {
        for (_, arch) in Arch::NAMES {
            let same = Arch::NAMES
                .iter()
                .filter(|(_, other)| other.audit() == arch.audit());
            assert_eq!(
                same.count(),
                if arch.audit() == Arch::X32.audit() {
                    2
                } else {
                    1
                }
            );
        }
    }

    #[test]
    fn narrow_arguments_are_those_of_32_bit_conventions() {
        assert_eq!(Arch::X32.width(), Width::Bits32);
        assert_eq!(Arch::X86.width(), Width::Bits32);
        assert_eq!(Arch::S390X.width(), Width::Bits64);
    }
}
