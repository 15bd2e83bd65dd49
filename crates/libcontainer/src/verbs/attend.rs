//! The foreground: signals forwarded, children reaped, a terminal proxied, until the payload ends.

use crate::{
    launch::Launched,
    terminal::{Proxy, ProxyError},
};
use hull_spec::plan::Terminal;
use hull_sys::{
    Errno,
    fd::{AsFd, OwnedFd},
    process::{self, Ending, Wait},
    signal,
};

const SIGCHLD: i32 = 17;
const SIGWINCH: i32 = 28;

/// The container cannot be waited for.
#[derive(Debug, thiserror::Error)]
pub enum AttendError {
    #[error("{0}")]
    Wait(&'static str, #[source] Errno),
    #[error(transparent)]
    Proxy(#[from] ProxyError),
}

/// Takes the payload's terminal to the caller's stdio, where it has one.
pub(super) fn proxy(init: &mut Launched, plan: Terminal) -> Result<Option<Proxy>, AttendError> {
    match (plan, init.terminal.take()) {
        (Terminal::Pty { size, .. }, Some(pty)) => Ok(Some(Proxy::new(pty, size)?)),
        _ => Ok(None),
    }
}

/// Forwards what comes until the container's first process ends; reaps whoever else does.
pub(super) fn until_the_end(
    init: &Launched,
    signals: &OwnedFd,
    mut proxy: Option<Proxy>,
) -> Result<Ending, AttendError> {
    loop {
        if let Some(ending) = reap_all(init.pid)? {
            if let Some(proxy) = proxy {
                proxy.drain(signals.as_fd())?;
            }
            return Ok(ending);
        }
        if let Some(proxy) = &mut proxy {
            proxy.wait(signals.as_fd())?;
        }
        let failed = |errno| AttendError::Wait("wait for signals", errno);
        match (signal::next(signals).map_err(failed)?, &proxy) {
            (SIGWINCH, Some(proxy)) => proxy.copy_size(),
            (SIGCHLD | SIGWINCH, _) => {}
            (other, _) => forward(init, other),
        }
    }
}

/// Those who ended together with the container: no zombie is left to our caller.
pub(super) fn reap_orphans() {
    while let Ok(Some(_)) = process::reap(-1, Wait::Return) {}
}

fn forward(init: &Launched, number: i32) {
    match process::signal(&init.pidfd, number) {
        Ok(()) | Err(Errno::ESRCH) => {}
        Err(errno) => log::warn!("forward signal {number}: {errno}"),
    }
}

fn reap_all(init: i32) -> Result<Option<Ending>, AttendError> {
    loop {
        match process::reap(-1, Wait::Return) {
            Ok(Some((pid, ending))) if pid == init => return Ok(Some(ending)),
            Ok(Some(_)) => {}
            Ok(None) | Err(Errno::ECHILD) => return Ok(None),
            Err(errno) => return Err(AttendError::Wait("reap", errno)),
        }
    }
}
