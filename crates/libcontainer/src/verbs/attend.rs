//! The foreground: signals forwarded, children reaped, a terminal proxied, until the payload ends.

use crate::{
    launch::Launched,
    notify::{Main, Readiness},
    terminal::{Proxy, ProxyError, Woken},
};
use hull_spec::plan::Terminal;
use hull_sys::{
    Errno,
    fd::{AsFd, BorrowedFd, OwnedFd},
    poll::{self, Interest},
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
    (mut proxy, mut readiness): (Option<Proxy>, Option<Readiness>),
) -> Result<Ending, AttendError> {
    loop {
        if let Some(ending) = reap_all(init.pid)? {
            hear_the_last(readiness);
            if let Some(proxy) = proxy {
                proxy.drain(signals.as_fd())?;
            }
            return Ok(ending);
        }
        match wait(signals.as_fd(), &mut proxy, readiness.as_ref())? {
            Woken::BySignal => heed(init, signals, proxy.as_ref())?,
            Woken::ByOther => readiness = still_waiting(readiness),
        }
    }
}

/// A read of the signals waits by itself where there is nothing else to wait for.
fn wait(
    signals: BorrowedFd<'_>,
    proxy: &mut Option<Proxy>,
    readiness: Option<&Readiness>,
) -> Result<Woken, AttendError> {
    let socket = readiness.map(Readiness::socket);
    match (proxy, socket) {
        (Some(proxy), socket) => Ok(proxy.wait(signals, socket)?),
        (None, None) => Ok(Woken::BySignal),
        (None, Some(socket)) => {
            let [signal, _] = poll::wait([signals, socket].map(Interest::reading))
                .map_err(|errno| AttendError::Wait("wait for signals", errno))?;
            Ok(Woken::by(signal.read, true).unwrap_or(Woken::ByOther))
        }
    }
}

fn heed(init: &Launched, signals: &OwnedFd, proxy: Option<&Proxy>) -> Result<(), AttendError> {
    let failed = |errno| AttendError::Wait("wait for signals", errno);
    match (signal::next(signals).map_err(failed)?, proxy) {
        (SIGWINCH, Some(proxy)) => proxy.copy_size(),
        (SIGCHLD | SIGWINCH, _) => {}
        (other, _) => forward(init, other),
    }
    Ok(())
}

/// The caller stays the service's main process: it ends with the payload.
fn still_waiting(readiness: Option<Readiness>) -> Option<Readiness> {
    let readiness = readiness?;
    if !readiness.hears() {
        return Some(readiness);
    }
    readiness.pass_on(Main::Caller);
    None
}

/// It may have been ready for a moment only.
fn hear_the_last(mut readiness: Option<Readiness>) {
    while let Some(waiting) = &readiness
        && process::wait_readable(waiting.socket(), Some(0)) == Ok(true)
    {
        readiness = still_waiting(readiness);
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
