//! config.json as it is written: every property that hull knows, nothing decided yet.
//!
//! Types of oci-spec where they are right, own ones where the specification asks for more: a
//! property that is absent must be told from one that is null or empty, required members must be
//! there, no key may stand twice, names that only deserve a warning stay strings. What a value
//! means is decided by `resolve`.

mod document;
mod entries;
mod error;
mod linux;
mod mount;
mod parse;
mod process;
mod resources;

pub use document::Config;
pub use entries::Entries;
pub use error::ConfigError;
pub use linux::{Device, IdMapping, IntelRdt, Linux, MemoryPolicy, Namespace};
pub use mount::Mount;
pub use process::{
    Capabilities, ConsoleSize, CpuAffinity, IoPriority, Process, Rlimit, Scheduler, User,
};
pub use resources::{
    BlockIo, DeviceRule, HugepageLimit, InterfacePriority, Network, Pids, Resources,
    ThrottleDevice, WeightDevice,
};
