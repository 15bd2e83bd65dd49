//! A network namespace of a case's own, so that its links trouble nobody and
//! end with the worker. Links are made and looked at with iproute2.

use crate::bed::Bed;
use crate::verdict::{Check, Stop, ensure, skip};
use nix::sched::{CloneFlags, setns, unshare};
use serde_json::Value;
use std::fs::File;
use std::os::fd::AsRawFd;
use std::process::Command;

#[derive(Debug)]
pub(crate) struct Network(());

impl Network {
    /// Moves this worker, and with it the runtime it calls, into a new network namespace.
    pub(crate) fn of_its_own(bed: &Bed) -> Check<Self> {
        bed.host.needs_root()?;
        if Command::new("ip").arg("-V").output().is_err() {
            return skip("this machine has no command ip");
        }
        unshare(CloneFlags::CLONE_NEWNET).map_err(|error| Stop::Fail(format!("a network of its own: {error}")))?;
        Ok(Self(()))
    }

    /// A second network namespace, which no process is in.
    pub(crate) fn another(&self) -> Check<Another> {
        let failed = |error: nix::Error| Stop::Fail(format!("another network: {error}"));
        let own = File::open("/proc/self/ns/net")?;
        unshare(CloneFlags::CLONE_NEWNET).map_err(failed)?;
        let file = File::open("/proc/self/ns/net")?;
        setns(own, CloneFlags::CLONE_NEWNET).map_err(failed)?;
        Ok(Another { file })
    }

    /// Makes a link `name`; its other end stays when it moves.
    pub(crate) fn link(&self, name: &str) -> Check {
        self.ip(&format!("link add {name} type veth peer name {name}-end"))
    }

    /// One call of ip, words separated by blanks.
    pub(crate) fn ip(&self, words: &str) -> Check {
        finish(Command::new("ip").args(words.split_whitespace()), words).map(drop)
    }

    /// The same in the network namespace of process `pid`.
    pub(crate) fn ip_in(&self, pid: i32, words: &str) -> Check {
        finish(inside(&net_of(pid)).args(words.split_whitespace()), words).map(drop)
    }

    /// The routes by the link `name` that do not follow from an address, as ip shows them.
    pub(crate) fn routes(&self, name: &str) -> Check<Vec<String>> {
        routes(Command::new("ip"), name)
    }

    /// The same in the network namespace of process `pid`.
    pub(crate) fn routes_in(&self, pid: i32, name: &str) -> Check<Vec<String>> {
        routes(inside(&net_of(pid)), name)
    }

    /// What ip says of the link `name` here, if it is here.
    pub(crate) fn facts(&self, name: &str) -> Check<Option<Value>> {
        facts(&mut Command::new("ip"), name)
    }

    /// The same in the network namespace of process `pid`.
    pub(crate) fn facts_in(&self, pid: i32, name: &str) -> Check<Option<Value>> {
        facts(&mut inside(&net_of(pid)), name)
    }
}

/// A network namespace to be joined by its path.
#[derive(Debug)]
pub(crate) struct Another {
    file: File,
}

impl Another {
    pub(crate) fn path(&self) -> String {
        format!("/proc/{}/fd/{}", std::process::id(), self.file.as_raw_fd())
    }

    /// One call of ip in it.
    pub(crate) fn ip(&self, words: &str) -> Check {
        finish(inside(&self.path()).args(words.split_whitespace()), words).map(drop)
    }

    /// What ip says of the link `name` in it.
    pub(crate) fn facts(&self, name: &str) -> Check<Option<Value>> {
        facts(&mut inside(&self.path()), name)
    }
}

fn net_of(pid: i32) -> String {
    format!("/proc/{pid}/ns/net")
}

fn inside(path: &str) -> Command {
    let mut command = Command::new("nsenter");
    command.args([&format!("--net={path}"), "ip"]);
    command
}

fn routes(mut command: Command, name: &str) -> Check<Vec<String>> {
    let program = command.get_program().to_owned();
    let words: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
    let mut both = finish(command.args(["-4", "route", "show", "dev", name]), "route show")?;
    let mut command = Command::new(program);
    both += &finish(command.args(words).args(["-6", "route", "show", "dev", name]), "route show")?;
    let lines = both.lines().filter(|line| !line.contains("proto kernel"));
    // What a link without a carrier adds is of the moment.
    Ok(lines.map(|line| line.replace("linkdown", "").trim().to_owned()).collect())
}

fn finish(command: &mut Command, words: &str) -> Check<String> {
    let output = command.output()?;
    ensure!(output.status.success(), "ip {words}: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn facts(command: &mut Command, name: &str) -> Check<Option<Value>> {
    let links: Value = serde_json::from_str(&finish(command.args(["-json", "address", "show"]), "address show")?)?;
    let links = links.as_array().into_iter().flatten();
    Ok(links.into_iter().find(|link| link["ifname"] == name).cloned())
}
