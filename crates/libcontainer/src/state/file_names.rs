//! The files of a container's directory.

use std::ffi::CStr;

pub(super) const RECORD: &CStr = c"state.json";
pub(super) const INTENT: &CStr = c"intent.json";
pub(super) const TEMPORARY: &CStr = c".state.json.tmp";
pub(super) const CONFIG: &CStr = c"config.json";
/// The start gate's socket.
pub(super) const GATE: &CStr = c"gate";

/// All that hull ever puts into a container's directory, as it is removed: the intent last, so that
/// a directory without one never had more.
pub(super) const FILES: [&CStr; 5] = [RECORD, TEMPORARY, CONFIG, GATE, INTENT];
