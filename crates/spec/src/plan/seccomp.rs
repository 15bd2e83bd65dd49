//! The seccomp filter in the plan: compiled outside, loaded inside.

use alloc::{string::String, vec::Vec};
use core::fmt;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// What init loads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeccompFilter {
    pub program: BpfProgram,
    /// SECCOMP_FILTER_FLAG_*, but for that of the listener.
    pub flags: u32,
    pub moment: LoadMoment,
    /// Capabilities that init keeps until then beside the payload's: what seccomp(2) asks of who
    /// has no no_new_privs.
    pub keeps: u64,
}

/// When the filter is loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum LoadMoment {
    /// As the last thing before execve: of the runtime's own calls the filter sees that one alone.
    BeforeExec,
    /// Before the gate, so that the agent has the listener when the container is created.
    WithListener,
}

/// Who gets the listener, and is told what (config-linux.md#containerprocessstate).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeccompAgent {
    /// Absolute.
    pub path: String,
    pub metadata: Option<String>,
}

/// Classic BPF, 8 bytes an instruction. On its way it is bytes, not a list of numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BpfProgram(pub Vec<u8>);

impl Serialize for BpfProgram {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for BpfProgram {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_bytes(Bytes)
    }
}

struct Bytes;

impl de::Visitor<'_> for Bytes {
    type Value = BpfProgram;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("bytes")
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<BpfProgram, E> {
        Ok(BpfProgram(bytes.into()))
    }
}
