//! A network namespace of a case's own, so that its links trouble nobody and
//! end with the worker. Links are made and looked at with iproute2.

use crate::bed::Bed;
use crate::verdict::{Check, Stop, ensure, skip};
use nix::sched::{CloneFlags, unshare};
use serde_json::Value;
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
        finish(inside(pid).args(words.split_whitespace()), words).map(drop)
    }

    /// What ip says of the link `name` here, if it is here.
    pub(crate) fn facts(&self, name: &str) -> Check<Option<Value>> {
        facts(&mut Command::new("ip"), name)
    }

    /// The same in the network namespace of process `pid`.
    pub(crate) fn facts_in(&self, pid: i32, name: &str) -> Check<Option<Value>> {
        facts(&mut inside(pid), name)
    }
}

fn inside(pid: i32) -> Command {
    let mut command = Command::new("nsenter");
    command.args([&format!("--net=/proc/{pid}/ns/net"), "ip"]);
    command
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
