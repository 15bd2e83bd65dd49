//! Security labels in the plan: what init writes to attributes of its own process
//! (/proc/PID/attr), so that the kernel labels what comes after.

use alloc::{string::String, vec::Vec};
use serde::{Deserialize, Serialize};

/// One label, as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    pub of: Labelled,
    /// JSON pointer of the property.
    pub pointer: String,
    /// Names below /proc/self/attr; the first that the kernel has is written to.
    pub attributes: Vec<String>,
    /// What is written; the next one where the kernel does not permit the one before.
    pub texts: Vec<String>,
}

/// What has a label, which says when it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Labelled {
    /// The session keyring: before it is joined.
    Keyring,
    /// What execve makes of the process: last, since each program that init starts would have it.
    Payload,
}
