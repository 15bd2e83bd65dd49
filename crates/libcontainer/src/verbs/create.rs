//! create: everything up to the gate. docs/create.md tells the same story at length.

use crate::{
    cgroup::{Cgroup, CgroupError, Placement},
    hooks,
    host::{self, HostError},
    launch::{Doors, LaunchError, Launched, Prepared},
    notify::Readiness,
    pid_file::{PidFile, PidFileError},
    rdt::{Rdt, RdtError},
    state::{Intent, Record, Recorded, Reservation, Store, StoreError, VERSION},
    terminal::{ConsoleError, ConsoleSocket},
    timestamp,
};
use hull_spec::{
    Activation, Bundle, ConfigError, Request, ResolveError, RootChange, Rootless, SessionKeyring,
    id::ContainerId,
    modules_asked,
    plan::{CgroupManager, NamespaceKind, Plan, Verbosity},
    protocol::Gate,
    resolve,
};
use std::{cell::Cell, path::PathBuf};

/// What one create or run is asked for.
#[derive(Debug, Clone)]
pub struct CreateRequest {
    pub id: ContainerId,
    /// Absolute.
    pub bundle: PathBuf,
    /// Relative to the bundle, or absolute.
    pub config: PathBuf,
    /// Absolute.
    pub pid_file: Option<PathBuf>,
    /// Absolute.
    pub console_socket: Option<PathBuf>,
    pub entering: RootChange,
    pub keyring: SessionKeyring,
    /// `--preserve-fds`.
    pub preserved_fds: u32,
    pub sockets: Sockets,
    /// NOTIFY_SOCKET: whom to tell that the payload is ready.
    pub notify: Option<PathBuf>,
    pub manager: CgroupManager,
    pub rootless: Rootless,
}

/// Listening sockets for the payload, from fd 3 on: LISTEN_FDS and LISTEN_FDNAMES.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sockets {
    pub count: u32,
    pub names: Option<String>,
}

/// A create that failed; nothing of it is left.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Host(#[from] HostError),
    #[error(transparent)]
    Resolve(#[from] ResolveError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Cgroup(#[from] CgroupError),
    #[error(transparent)]
    Rdt(#[from] RdtError),
    #[error(transparent)]
    Launch(#[from] LaunchError),
    #[error(transparent)]
    PidFile(#[from] PidFileError),
    #[error(transparent)]
    Console(#[from] ConsoleError),
}

/// Creates a container that waits for [`start`](crate::start).
pub fn create(store: &Store, request: &CreateRequest) -> Result<(), CreateError> {
    let draft = Draft::new(request, Attached::No)?;
    draft.bring_up(store, Gate::Listener)?.init.release();
    Ok(())
}

/// Does the caller stay for the payload's whole life?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attached {
    Yes,
    No,
}

/// A container that was made, as its maker holds it.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) init: Launched,
    pub(super) record: Record,
    /// Its directory; no longer locked.
    pub(super) place: Reservation,
    pub(super) readiness: Option<Readiness>,
}

/// A request that was found good: the plan, and nothing done yet.
#[derive(Debug)]
pub(super) struct Draft<'a> {
    request: &'a CreateRequest,
    bundle: Bundle,
    plan: Plan,
    placement: Placement,
    /// RFC 3339.
    created: String,
    /// A process of the container was there: what fails from then on ends a container.
    born: Cell<bool>,
}

impl<'a> Draft<'a> {
    /// Reads and decides.
    pub(super) fn new(request: &'a CreateRequest, attached: Attached) -> Result<Self, CreateError> {
        log::debug!("read {}", request.bundle.join(&request.config).display());
        let bundle = Bundle::load(&request.bundle, &request.config)?;
        log::debug!("config: read");
        let host = host::facts(modules_asked(&bundle.config))?;
        log::debug!("host: looked at");
        let mut plan = resolve(
            &bundle,
            &host,
            &Request {
                id: &request.id,
                manager: request.manager,
                rootless: request.rootless,
                root_change: request.entering,
                keyring: request.keyring,
                preserved_fds: request.preserved_fds,
                activation: Activation {
                    sockets: request.sockets.count,
                    names: request.sockets.names.as_deref(),
                    notify: request.notify.is_some(),
                },
                verbosity: verbosity(),
                console: request.console_socket.is_some(),
                detached: attached == Attached::No,
            },
        )?;
        for hook in &mut plan.init.hooks.create_container {
            hook.env.get_or_insert_with(hooks::own_environment);
        }
        for warning in &plan.warnings {
            log::warn!("{warning}");
        }
        let placement = Placement::of(&plan.host.cgroup, &host)?;
        log::debug!("plan: resolved");
        Ok(Self {
            request,
            bundle,
            plan,
            placement,
            created: timestamp::now(),
            born: Cell::new(false),
        })
    }

    pub(super) fn request(&self) -> &CreateRequest {
        self.request
    }

    pub(super) fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Acts: at the end the container is recorded, and waits at its gate or goes through it. A failure
    /// after its birth is followed by the poststop hooks, once all is undone (runtime.md#lifecycle).
    pub(super) fn bring_up(&self, store: &Store, gate: Gate) -> Result<Made, CreateError> {
        let result = self.assemble(store, gate);
        if result.is_err() && self.born.get() {
            let poststop = &self.plan.host.hooks.poststop;
            hooks::run_poststop(poststop, &self.plan.init.hooks.state);
        }
        result
    }

    fn assemble(&self, store: &Store, gate: Gate) -> Result<Made, CreateError> {
        let plan = &self.plan;
        let console = self.request.console_socket.as_deref();
        let console = console.map(ConsoleSocket::connect).transpose()?;
        let prepared = Prepared::new(plan)?;
        log::debug!("sources: opened");
        let mut rdt = Rdt::find(plan.host.rdt.as_ref())?;
        let mut reservation = store.reserve(&self.request.id)?;
        reservation.declare(&self.intent(&prepared, &rdt))?;
        log::debug!("state: reserved {}", self.request.id.as_str());
        let cgroup = Cgroup::make(&self.placement, &plan.host.cgroup)?;
        log::debug!("cgroup: made");
        rdt.make()?;
        let doors = self.open_doors(&reservation, gate)?;
        let readiness = self.readiness(&reservation, gate)?;
        let mut init = prepared.launch(plan, &cgroup, &doors)?;
        self.born.set(true);
        rdt.attach(init.pid)?;
        let recorded = match gate {
            Gate::Here if !plan.asks_for_more() => Recorded::Ahead,
            Gate::Here | Gate::Listener => Recorded::Ready,
        };
        let record = self.record(&init, (&cgroup, &rdt), recorded)?;
        reservation.prepare(&record, &self.bundle.text)?;
        let pid_file = match recorded {
            Recorded::Ahead => self.go_ahead(&mut init, &mut reservation, &cgroup),
            Recorded::Ready => self
                .until_ready(&mut init, &mut reservation, &cgroup, console.as_ref())
                .and_then(|()| self.publish(&init, &reservation, gate)),
        };
        // Deleted meanwhile: what stands at the cgroup's place is somebody else's by now.
        if let Err(CreateError::Store(StoreError::NotFound)) = pid_file {
            cgroup.keep();
            rdt.keep();
            return Err(StoreError::NotFound.into());
        }
        if let Some(file) = pid_file? {
            file.keep();
        }
        reservation.commit();
        cgroup.keep();
        rdt.keep();
        Ok(Made {
            init,
            record,
            place: reservation,
            readiness,
        })
    }

    fn open_doors(&self, reservation: &Reservation, gate: Gate) -> Result<Doors, StoreError> {
        let notifies = self.plan.host.notifies();
        let waits = gate == Gate::Listener;
        Ok(Doors {
            gate: waits.then(|| reservation.open_gate()).transpose()?,
            notify: notifies
                .then(|| reservation.make_notify_directory())
                .transpose()?,
        })
    }

    /// Who starts what it makes hears it too.
    fn readiness(
        &self,
        reservation: &Reservation,
        gate: Gate,
    ) -> Result<Option<Readiness>, StoreError> {
        match (&self.request.notify, gate) {
            (Some(manager), Gate::Here) => Readiness::listen(reservation.entry(), manager),
            _ => Ok(None),
        }
    }

    /// The payload may run before init's `Ready` is heard, and with it whatever calls hull on this
    /// container: the lock is given up before that.
    fn go_ahead(
        &self,
        init: &mut Launched,
        reservation: &mut Reservation,
        cgroup: &Cgroup,
    ) -> Result<Option<PidFile>, CreateError> {
        let pid_file = self.publish(init, reservation, Gate::Here)?;
        reservation.unlock();
        init.talk.open_gate().map_err(LaunchError::from)?;
        let ready = init.until_ready(&self.plan, cgroup, None);
        if ready.is_err() {
            reservation.relock()?;
        }
        ready?;
        Ok(pid_file)
    }

    /// Hooks of this container may call hull on it: they do not run under its lock.
    fn until_ready(
        &self,
        init: &mut Launched,
        reservation: &mut Reservation,
        cgroup: &Cgroup,
        console: Option<&ConsoleSocket>,
    ) -> Result<(), CreateError> {
        if !self.plan.host.hooks.any_at_create() {
            return Ok(init.until_ready(&self.plan, cgroup, console)?);
        }
        reservation.unlock();
        let ready = init.until_ready(&self.plan, cgroup, console);
        reservation.relock()?;
        Ok(ready?)
    }

    fn intent(&self, prepared: &Prepared, rdt: &Rdt) -> Intent {
        Intent {
            version: VERSION,
            id: self.request.id.as_str().to_owned(),
            bundle: self.bundle.directory.to_string_lossy().into_owned(),
            oci_version: self.plan.host.oci_version.clone(),
            created: self.created.clone(),
            cgroup: self.placement.record(Vec::new()),
            rdt: rdt.of_container(),
            network: prepared.network_record().cloned(),
        }
    }

    fn record(
        &self,
        init: &Launched,
        (cgroup, rdt): (&Cgroup, &Rdt),
        recorded: Recorded,
    ) -> Result<Record, CreateError> {
        let host = &self.plan.host;
        Ok(Record {
            version: VERSION,
            id: self.request.id.as_str().to_owned(),
            oci_version: host.oci_version.clone(),
            bundle: self.bundle.directory.to_string_lossy().into_owned(),
            rootfs: host.rootfs.clone(),
            created: self.created.clone(),
            recorded,
            annotations: host.annotations.clone(),
            init: init.identity()?,
            image: init.image,
            cgroup: cgroup.record(),
            rdt: rdt.of_container(),
            own_pid_namespace: host.namespaces.is_new(NamespaceKind::Pid),
            hooks: host.hooks.clone(),
        })
    }

    /// The record first, then the pid file; only then does init outlive us.
    fn publish(
        &self,
        init: &Launched,
        reservation: &Reservation,
        gate: Gate,
    ) -> Result<Option<PidFile>, CreateError> {
        reservation.publish()?;
        log::debug!("state: recorded");
        let pid_file = match &self.request.pid_file {
            Some(path) => Some(PidFile::write(path, init.pid)?),
            None => None,
        };
        init.talk.committed(gate).map_err(LaunchError::from)?;
        Ok(pid_file)
    }
}

/// Init tells its stages when somebody reads them.
fn verbosity() -> Verbosity {
    if log::log_enabled!(log::Level::Debug) {
        Verbosity::Stages
    } else {
        Verbosity::Quiet
    }
}
