//! The pure edges of hull as functions from bytes to nothing, which panic when a promise is
//! broken: each is fuzzed by `make fuzz`, and replays its seeds in `cargo test`.
//!
//! Bytes are either what hull itself would read, or choices from which an input is made that is
//! nearly right, so that what lies behind the first checks is reached too.

#![forbid(unsafe_code)]

mod config;
mod cpu_list;
mod devices;
mod idmaps;
mod mount_options;
mod promises;
mod properties;
mod protocol;
mod seccomp;
mod worlds;

/// One edge.
#[derive(Debug, Clone, Copy)]
pub struct Edge {
    pub name: &'static str,
    pub check: fn(&[u8]),
}

/// All edges, in the order they are fuzzed in.
pub const EDGES: [Edge; 8] = [
    edge("config", config::check),
    edge("properties", properties::check),
    edge("mount_options", mount_options::check),
    edge("idmaps", idmaps::check),
    edge("cpu_list", cpu_list::check),
    edge("seccomp", seccomp::check),
    edge("devices", devices::check),
    edge("protocol", protocol::check),
];

const fn edge(name: &'static str, check: fn(&[u8])) -> Edge {
    Edge { name, check }
}

impl Edge {
    /// The edge of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        EDGES.into_iter().find(|edge| edge.name == name)
    }
}
