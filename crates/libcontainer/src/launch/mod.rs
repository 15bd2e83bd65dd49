//! From a plan to a process that waits at the gate.

mod conversation;
mod doors;
mod error;
mod idmap;
mod image;
mod namespaces;
mod network;
mod scheduling;
mod seccomp_agent;
mod tree_maps;
mod trees;

pub(crate) use conversation::{Conversation, InitError};
pub(crate) use doors::Doors;
pub(crate) use error::LaunchError;
pub(crate) use image::InitImage;

use crate::{
    cgroup::Cgroup,
    hooks::{self, HookError},
    net_devices::{Found, Moved},
    state::{ImageIdentity, NetworkRecord, ProcessIdentity},
    terminal::{ConsoleSocket, Pty},
};
use hull_spec::{
    hook::HookKind,
    plan::{Birth, CgroupNamespace, NamespaceKind, Network, Plan},
    protocol::FromInit,
};
use hull_sys::{
    Errno,
    exec::Strings,
    fd::{AsFd, BorrowedFd, OwnedFd},
    memfd::{self, Content},
    peer::Peer,
    process::{self, Wait},
    spawn::{self, First, Trace},
};
use std::os::fd::AsRawFd;

/// A first process that exists; killed on drop unless released.
#[derive(Debug)]
pub(crate) struct Launched {
    pub(crate) pid: i32,
    pub(crate) pidfd: OwnedFd,
    pub(crate) image: ImageIdentity,
    pub(crate) talk: Conversation,
    trace: Trace,
    /// Its terminal, where no console socket took it.
    pub(crate) terminal: Option<Pty>,
    /// Its network devices, which come back with its end.
    net_devices: Option<Moved>,
    released: bool,
}

/// Everything that the clone will need, opened before anything is made.
#[derive(Debug)]
pub(crate) struct Prepared {
    namespaces: Vec<OwnedFd>,
    net_devices: Option<Found>,
    trees: Vec<Option<OwnedFd>>,
    image: InitImage,
    plan: OwnedFd,
}

impl Prepared {
    /// What a killed create would leave to be known of network devices.
    pub(crate) fn network_record(&self) -> Option<&NetworkRecord> {
        self.net_devices.as_ref().map(Found::record)
    }

    /// Opens namespaces and mount sources: what is absent is an error with nothing to undo.
    pub(crate) fn new(plan: &Plan) -> Result<Self, LaunchError> {
        let failed = |what| move |source| LaunchError::Prepare(what, source);
        let preserved = plan.init.process.preserved_fds;
        for number in 3..3 + preserved {
            let raw = i32::try_from(number).unwrap_or(i32::MAX);
            if hull_sys::fd::standing(raw).is_none() {
                return Err(LaunchError::PreservedFd(number, Errno::EBADF));
            }
        }
        let bytes = postcard::to_allocvec(&plan.init)
            .map_err(|_| LaunchError::Prepare("encode the plan", Errno::EINVAL))?;
        let namespaces = namespaces::open_all(&plan.host.namespaces)?;
        Ok(Self {
            net_devices: Found::look(plan, &namespaces)?,
            trees: trees::open_all(&plan.host, &namespaces)?,
            namespaces,
            image: InitImage::load().map_err(failed("load the init image into memory"))?,
            plan: memfd::sealed(c"hull-plan", &bytes, Content::Data)
                .map_err(failed("seal the plan"))?,
        })
    }

    /// Gives birth and brings the process to the point where it works by itself.
    pub(crate) fn launch(
        mut self,
        plan: &Plan,
        cgroup: &Cgroup,
        doors: &Doors,
    ) -> Result<Launched, LaunchError> {
        let (ours, theirs) = Peer::pair().map_err(|e| LaunchError::Prepare("socketpair", e))?;
        trees::open_own_dirs(&plan.host.handed, &mut self.trees, (cgroup, doors))?;
        let child = self.spawn(plan, cgroup, doors.gate.as_ref(), theirs.as_fd())?;
        drop(theirs);
        log::debug!("init: spawned as pid {}", child.pid);
        let staged = matches!(plan.init.namespaces.birth, Birth::Staged { .. });
        let mut launched = Launched {
            pid: child.pid,
            pidfd: child.pidfd,
            image: self.image.identity(),
            talk: Conversation::new(ours, staged),
            trace: child.trace,
            terminal: None,
            net_devices: None,
            released: false,
        };
        if staged {
            launched.meet_first_process()?;
        }
        let made = launched.settle(plan, cgroup, staged)?;
        if let Some(found) = self.net_devices.take() {
            let namespace = self.network(plan, made, launched.pid)?;
            launched.net_devices = Some(Moved::into(&namespace, found)?);
        }
        Ok(launched)
    }

    /// The container's network namespace: joined, made here, or made by the clone.
    fn network(
        &mut self,
        plan: &Plan,
        made: Option<OwnedFd>,
        pid: i32,
    ) -> Result<OwnedFd, LaunchError> {
        let mut joined = plan.host.namespaces.joined.iter();
        match (
            joined.position(|(kind, _)| *kind == NamespaceKind::Network),
            made,
        ) {
            (Some(index), _) => Ok(self.namespaces.swap_remove(index)),
            (None, Some(made)) => Ok(made),
            (None, None) => network::of(pid),
        }
    }

    fn spawn(
        &self,
        plan: &Plan,
        cgroup: &Cgroup,
        gate: Option<&OwnedFd>,
        socket: BorrowedFd<'_>,
    ) -> Result<spawn::Child, LaunchError> {
        let first_fd = i32::try_from(3 + plan.init.process.preserved_fds).unwrap_or(i32::MAX / 2);
        let gate = gate.map_or(socket, AsFd::as_fd);
        let mut fds = vec![socket, self.plan.as_fd(), gate];
        fds.extend(self.namespaces.iter().map(AsFd::as_fd));
        fds.extend(self.trees.iter().flatten().map(AsFd::as_fd));
        let base = first_fd.to_string();
        // The child reads its argv after we went on: it is never freed, once per process.
        let arguments = Strings::new(["hull-init", &base])
            .map(|arguments| Box::leak(Box::new(arguments)))
            .map_err(|source| LaunchError::Prepare("argv of init", source))?;
        let staged = matches!(plan.init.namespaces.birth, Birth::Staged { .. });
        let new = &plan.host.namespaces;
        let mut namespaces = if staged { 0 } else { new.clone_flags() };
        let inside = &plan.init.namespaces;
        if inside.cgroup == CgroupNamespace::AfterAttach {
            namespaces &= !NamespaceKind::Cgroup.clone_flag();
        }
        if matches!(inside.network, Network::Handed { .. }) {
            namespaces &= !NamespaceKind::Network.clone_flag();
        }
        let waits_for_maps = !staged && new.is_new(NamespaceKind::User);
        let first = match waits_for_maps {
            true => First::AwaitMaps {
                byte_from: socket.as_raw_fd(),
            },
            false => First::Go,
        };
        let birth = spawn::Birth {
            namespaces,
            cgroup: cgroup.birthplace(),
            program: self.image.as_fd(),
            arguments,
            fds: &fds,
            first_fd,
            first,
        };
        spawn::spawn(&birth).map_err(|error| LaunchError::Spawn {
            call: error.call,
            source: error.errno,
        })
    }
}

impl Launched {
    /// Staged: the process that was spawned names the first one and ends.
    fn meet_first_process(&mut self) -> Result<(), LaunchError> {
        let stage = self.pid;
        let pid = self.talk.born()?;
        let failed = |what| move |source| LaunchError::Prepare(what, source);
        self.pidfd = process::open_pidfd(pid).map_err(failed("open the first process"))?;
        self.pid = pid;
        process::reap(stage, Wait::ForExit).map_err(failed("reap the stage process"))?;
        Ok(())
    }

    /// What the host does for it: id maps, cgroups, OOM score, network, device filter. In this
    /// order, since a process without ids can do nothing, one outside of its cgroup must not go on,
    /// and the network is what it waits for next.
    /// Gives the network namespace if it was made here.
    fn settle(
        &mut self,
        plan: &Plan,
        cgroup: &Cgroup,
        staged: bool,
    ) -> Result<Option<OwnedFd>, LaunchError> {
        let own_user = plan.host.namespaces.is_new(NamespaceKind::User);
        if own_user {
            idmap::write(self.pid, &plan.host.id_maps)?;
        }
        cgroup.attach(self.pid)?;
        if staged || own_user {
            self.talk.go_on()?;
        }
        if plan.init.namespaces.cgroup == CgroupNamespace::AfterAttach {
            self.talk.go_on()?;
        }
        if let Some(value) = plan.host.oom_score_adj {
            std::fs::write(
                format!("/proc/{}/oom_score_adj", self.pid),
                value.to_string(),
            )
            .map_err(|source| LaunchError::OomScore { value, source })?;
        }
        let mut made = None;
        if matches!(plan.init.namespaces.network, Network::Handed { .. }) {
            made = Some(network::make(&self.talk)?);
            log::debug!("network: made");
        }
        cgroup.filter_devices(&plan.host.cgroup)?;
        log::debug!("cgroup: device filter in place");
        Ok(made)
    }

    /// Waits until nothing is left but the gate, then sets what could hinder init.
    pub(crate) fn until_ready(
        &mut self,
        plan: &Plan,
        cgroup: &Cgroup,
        console: Option<&ConsoleSocket>,
    ) -> Result<(), LaunchError> {
        loop {
            match self.talk.next() {
                Ok(FromInit::Ready) => {
                    log::debug!("init: ready");
                    break;
                }
                Ok(FromInit::MountsDone) => after_mounts(plan, self.pid)?,
                Ok(FromInit::Terminal { number }) => self.seat(number, console)?,
                Ok(FromInit::Listener { fd }) => self.hand_listener(plan, fd)?,
                Ok(_) => {}
                Err(error) => return Err(self.explain(error, cgroup).into()),
            }
            self.talk.go_on()?;
        }
        for (index, limit) in plan.host.rlimits.iter().enumerate() {
            process::set_rlimit(self.pid, limit.resource, limit.soft, limit.hard)
                .map_err(|source| LaunchError::Rlimit { index, source })?;
        }
        scheduling::apply(self.pid, &plan.host.scheduling)
    }

    /// The terminal goes to whoever asked for it, or stays here.
    fn seat(&mut self, number: u32, console: Option<&ConsoleSocket>) -> Result<(), LaunchError> {
        let master = self.talk.handed()?;
        let pty = Pty { master, number };
        match console {
            Some(socket) => socket.send(&pty)?,
            None => self.terminal = Some(pty),
        }
        Ok(())
    }

    /// The filter's listener goes to the agent, before init does anything more.
    fn hand_listener(&self, plan: &Plan, number: i32) -> Result<(), LaunchError> {
        let Some(agent) = &plan.host.seccomp_agent else {
            return Err(LaunchError::Prepare(
                "a listener nobody wants",
                Errno::EPROTO,
            ));
        };
        let state = &plan.init.hooks.state;
        seccomp_agent::hand_over(agent, state, (self.pid, &self.pidfd), number)
    }

    /// An init that died without a word: its comm names the stage, its end tells the rest.
    fn explain(&mut self, error: InitError, cgroup: &Cgroup) -> InitError {
        if !matches!(error, InitError::Silent) {
            return error;
        }
        let stage = conversation::last_stage(self.pid);
        let ending = process::reap(self.pid, Wait::ForExit).ok().flatten();
        self.released = true;
        if let Some(failure) = ending.and_then(|(_, ending)| self.trace.of_the_dead(ending)) {
            return InitError::Unborn {
                call: failure.call,
                source: failure.errno,
            };
        }
        InitError::Died {
            stage,
            how: conversation::describe(ending.map(|(_, ending)| ending), cgroup.saw_oom_kill()),
        }
    }

    /// The process, as the record will name it.
    pub(crate) fn identity(&self) -> Result<ProcessIdentity, LaunchError> {
        ProcessIdentity::of(self.pid, &self.pidfd)
            .map_err(|source| LaunchError::Prepare("identify the first process", source))
    }

    /// It lives on without us.
    pub(crate) fn release(&mut self) {
        self.released = true;
        if let Some(moved) = self.net_devices.take() {
            moved.keep();
        }
    }
}

/// runtime.md#lifecycle 3, 4: the deprecated kind first.
fn after_mounts(plan: &Plan, pid: i32) -> Result<(), HookError> {
    let (hooks, state) = (&plan.host.hooks, &plan.init.hooks.state);
    hooks::run_all(HookKind::Prestart, &hooks.prestart, state, pid)?;
    hooks::run_all(HookKind::CreateRuntime, &hooks.create_runtime, state, pid)
}

impl Launched {
    /// Kills and reaps it, once; then its network devices come back.
    pub(crate) fn end(&mut self) {
        const SIGKILL: i32 = 9;
        if !std::mem::replace(&mut self.released, true) {
            let _dead_already = process::signal(&self.pidfd, SIGKILL);
            let _reaped = process::reap(self.pid, Wait::ForExit);
        }
        drop(self.net_devices.take());
    }
}

impl Drop for Launched {
    fn drop(&mut self) {
        self.end();
    }
}
