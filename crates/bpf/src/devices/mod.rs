//! OCI device rules -> one eBPF program of type `BPF_PROG_TYPE_CGROUP_DEVICE`.
//!
//! Meaning (config-linux.md#allowed-device-list): rules apply in listed order and the last one
//! that speaks about a device and an access bit decides that bit; what no rule speaks about is
//! denied; a request passes when every bit it asks for is allowed. A rule for everything
//! therefore resets the list, as in the v1 devices cgroup, and a rule that denies only `w`
//! refuses an open for `rw` but not one for `r`. Every field of a rule filters, also under
//! `a`: v1 ignores numbers and access there, which would widen what the config asked for.

mod emit;
mod simplify;

pub use emit::{DevicesError, Insn, compile};

/// Which kind of device node a rule speaks about (`type` in the config, `a` when absent).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceKind {
    /// Character and block devices.
    All,
    /// Character devices (`c`, `u`).
    Char,
    /// Block devices (`b`).
    Block,
}

/// A set of the three device operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access(u8);

impl Access {
    /// No operation at all; a rule with it decides nothing.
    pub const NONE: Self = Self(0);
    /// `mknod(2)`.
    pub const MKNOD: Self = Self(1);
    /// Opening for reading.
    pub const READ: Self = Self(2);
    /// Opening for writing.
    pub const WRITE: Self = Self(4);
    /// All three.
    pub const ALL: Self = Self(7);

    /// Both sets together.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Reads a set of the letters `r`, `w` and `m`; another letter, or none, has no meaning.
    #[must_use]
    pub fn parse(letters: &str) -> Option<Self> {
        let mut set = Self::NONE;
        for letter in letters.bytes() {
            set = set.with(match letter {
                b'r' => Self::READ,
                b'w' => Self::WRITE,
                b'm' => Self::MKNOD,
                _ => return None,
            });
        }
        (set != Self::NONE).then_some(set)
    }

    /// The kernel's bits (`BPF_DEVCG_ACC_*`).
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }

    const fn covers(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// One entry of `linux.resources.devices`; `None` stands for any number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceRule {
    /// Grant the access, or take it away.
    pub allow: bool,
    /// Node kinds meant.
    pub kind: DeviceKind,
    /// Major number, or any.
    pub major: Option<u32>,
    /// Minor number, or any.
    pub minor: Option<u32>,
    /// Operations meant.
    pub access: Access,
}

impl DeviceRule {
    /// The rule that speaks about every device and every access.
    #[must_use]
    pub const fn everything(allow: bool) -> Self {
        Self {
            allow,
            kind: DeviceKind::All,
            major: None,
            minor: None,
            access: Access::ALL,
        }
    }
}
