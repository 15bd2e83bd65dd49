//! The flags that `create` and `run` share, as the request that libcontainer takes.
//!
//! Paths become absolute here, once, from the directory hull was called in.

use crate::invocation::Invocation;
use crate::settings::Settings;
use crate::table::{
    BUNDLE, CONFIG, CONSOLE_SOCKET, NO_NEW_KEYRING, NO_PIVOT, PID_FILE, PRESERVE_FDS,
};
use crate::{listen_fds, reason::Reason};
use libcontainer::{CreateRequest, RootChange, SessionKeyring};
use std::error::Error;
use std::path::PathBuf;

const CONFIG_NAME: &str = "config.json";

/// The working directory is gone, and a path was relative to it.
#[derive(Debug, thiserror::Error)]
#[error("find the current directory")]
struct NoDirectory {
    source: Reason,
}

pub(crate) fn of(invocation: &Invocation<'_>) -> Result<CreateRequest, Box<dyn Error>> {
    let (given, settings) = (invocation.given, Settings::from(invocation.globals)?);
    let path = |flag| {
        given
            .path(flag)
            .map_err(|why| NoDirectory { source: why.into() })
    };
    let entering = if given.switch(&NO_PIVOT) {
        RootChange::Chroot
    } else {
        RootChange::PivotRoot
    };
    let keyring = if given.switch(&NO_NEW_KEYRING) {
        SessionKeyring::Inherit
    } else {
        SessionKeyring::New
    };
    Ok(CreateRequest {
        id: invocation.container()?,
        bundle: bundle(invocation)?,
        config: given.text(&CONFIG).unwrap_or(CONFIG_NAME.as_ref()).into(),
        pid_file: path(&PID_FILE)?,
        console_socket: path(&CONSOLE_SOCKET)?,
        entering,
        keyring,
        preserved_fds: given.number(&PRESERVE_FDS).unwrap_or(0),
        sockets: listen_fds::handed_down(),
        notify: notify_socket(),
        manager: settings.manager,
        rootless: settings.rootless,
    })
}

/// Where our caller's service manager wants to be told (sd_notify(3)): a path, or `@` and a name.
pub(crate) fn notify_socket() -> Option<PathBuf> {
    let socket = std::env::var_os("NOTIFY_SOCKET")?;
    let is_address = matches!(socket.as_encoded_bytes().first(), Some(b'/' | b'@'));
    is_address.then(|| socket.into())
}

/// The directory of `--bundle`, or the current one.
pub(crate) fn bundle(invocation: &Invocation<'_>) -> Result<PathBuf, Box<dyn Error>> {
    let found = match invocation.given.path(&BUNDLE) {
        Ok(None) => std::env::current_dir(),
        given => given.map(Option::unwrap_or_default),
    };
    Ok(found.map_err(|why| NoDirectory { source: why.into() })?)
}
