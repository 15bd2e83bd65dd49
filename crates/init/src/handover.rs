//! The last step: find the program, give its signals back, execve.
//!
//! The program is looked up at create, so that a typo fails there, and executed at start by path,
//! as execvp would; what execve itself refuses is reported through the gate.

use crate::{
    failure::{Context, Failure},
    home,
    root::c_string,
    seccomp,
};
use alloc::{ffi::CString, format, string::String, vec::Vec};
use core::convert::Infallible;
use hull_spec::plan::Process;
use hull_sys::{
    Errno,
    exec::{self, Strings},
    path::{self, Open},
    signal, stat,
};

/// Everything execve needs, made while there is still time to fail.
#[derive(Debug)]
pub(crate) struct Payload {
    path: CString,
    arguments: Strings,
    environment: Strings,
}

/// `None` where the config has no process: such a container can be created, not started.
pub(crate) fn prepare(plan: &Process) -> Result<Option<Payload>, Failure> {
    let Some(program) = plan.args.first() else {
        return Ok(None);
    };
    let mut environment: Vec<&str> = plan.env.iter().map(String::as_str).collect();
    let home = if plan.home_from_passwd {
        home::of(plan.uid)
    } else {
        None
    };
    environment.extend(home.as_deref());
    let arguments = plan.args.iter().map(String::as_str);
    Ok(Some(Payload {
        path: find(program, &environment)?,
        arguments: Strings::new(arguments).context("args")?,
        environment: Strings::new(environment).context("env")?,
    }))
}

/// Becomes the payload.
pub(crate) fn exec(plan: &Process, payload: Option<Payload>) -> Result<Infallible, Failure> {
    let Some(payload) = payload else {
        return Err(Failure::new("cannot start a container without process"));
    };
    signal::reset().context("reset signals")?;
    seccomp::load(plan)?;
    let errno = exec::exec(&payload.path, &payload.arguments, &payload.environment);
    let program = plan.args.first().map_or("", String::as_str);
    Err(errno).with_context(|| format!("exec: {program:?}"))
}

/// As execvp(3) looks: a name with a slash as it is, another along PATH.
fn find(program: &str, environment: &[&str]) -> Result<CString, Failure> {
    if program.contains('/') {
        return executable(program).with_context(|| format!("exec: {program:?}: stat {program}"));
    }
    let path = environment
        .iter()
        .rev()
        .find_map(|entry| entry.strip_prefix("PATH="));
    let mut denied = None;
    for directory in path.unwrap_or("").split(':') {
        let directory = if directory.is_empty() { "." } else { directory };
        match executable(&format!("{directory}/{program}")) {
            Ok(found) => return Ok(found),
            Err(Errno::EACCES) => denied = Some(Errno::EACCES),
            Err(_) => {}
        }
    }
    match denied {
        Some(errno) => Err(errno).with_context(|| format!("exec: {program:?}")),
        None => Err(Failure::new(&format!(
            "exec: {program:?}: executable file not found in $PATH"
        ))),
    }
}

fn executable(path: &str) -> Result<CString, Errno> {
    let path = c_string(path)?;
    let file = path::open(&path, Open::PATH)?;
    let stat = stat::fstat(&file)?;
    if stat.is_dir() {
        return Err(Errno::EISDIR);
    }
    // A file nobody may execute is refused even to root, as execve does.
    if stat.mode & 0o111 == 0 {
        return Err(Errno::EACCES);
    }
    match path::may_execute(&file) {
        // Kernels before 5.8 lack faccessat2: execve itself will tell.
        Ok(()) | Err(Errno::ENOSYS | Errno::EINVAL) => Ok(path),
        Err(errno) => Err(errno),
    }
}
