//! The files of a container's directory.

use hull_sys::path::Remove;
use std::ffi::CStr;

pub(super) const RECORD: &CStr = c"state.json";
pub(super) const INTENT: &CStr = c"intent.json";
pub(super) const TEMPORARY: &CStr = c".state.json.tmp";
pub(super) const CONFIG: &CStr = c"config.json";
/// The start gate's socket.
pub(super) const GATE: &CStr = c"gate";

/// Bound into the container, so nothing but the socket is in it.
pub(super) const NOTIFY: &CStr = c"notify";
/// In that directory: where the payload tells that it is ready.
pub(super) const NOTIFY_SOCKET: &CStr = c"notify.sock";
const NOTIFY_SOCKET_INSIDE: &CStr = c"notify/notify.sock";

/// All that hull ever puts into a container's directory, as it is removed: the intent last, so that
/// a directory without one never had more.
pub(super) const FILES: [(&CStr, Remove); 7] = [
    (RECORD, Remove::File),
    (TEMPORARY, Remove::File),
    (CONFIG, Remove::File),
    (GATE, Remove::File),
    (NOTIFY_SOCKET_INSIDE, Remove::File),
    (NOTIFY, Remove::Directory),
    (INTENT, Remove::File),
];
