//! The container's class and monitoring group in resctrl (config-linux.md#intelrdt).
//!
//! [`Rdt::find`] looks and changes nothing, [`Rdt::make`] makes directories, which are removed on
//! drop unless kept. Every directory is reached by fd beneath the mounted resctrl.

mod schemata;

use crate::kernel_file::{c_string, read, write};
use hull_spec::plan::{RdtClass, RdtPlan};
use hull_sys::{
    Errno,
    path::{self, Open, Resolve},
};
use std::os::fd::OwnedFd;

/// A step in resctrl that failed.
#[derive(Debug, thiserror::Error)]
pub enum RdtError {
    #[error("/linux/intelRdt: read the mounts of this process")]
    Mounts(#[source] Errno),
    #[error("/linux/intelRdt: no resctrl is mounted (`mount -t resctrl resctrl /sys/fs/resctrl`)")]
    NotMounted,
    #[error("/linux/intelRdt{member}: {step} {path}")]
    Step {
        member: &'static str,
        step: &'static str,
        path: String,
        source: Errno,
    },
    #[error("/linux/intelRdt: {path} is there already and not of this container")]
    Taken { path: String },
    #[error("/linux/intelRdt: {path} is there already and has no {share}")]
    Different { path: String, share: String },
    #[error("/linux/intelRdt: write {text:?} to {path}/schemata ({said})")]
    Schemata {
        text: String,
        path: String,
        /// The kernel's own words, of info/last_cmd_status.
        said: String,
        source: Errno,
    },
}

/// The class of a container that may have none.
#[derive(Debug)]
pub(crate) struct Rdt {
    class: Option<Class>,
    /// Directories made, the innermost last.
    made: Vec<String>,
    kept: bool,
}

#[derive(Debug)]
struct Class {
    plan: RdtPlan,
    root: OwnedFd,
    /// Where resctrl is mounted.
    mount_point: String,
    /// Absent until it is made.
    directory: Option<OwnedFd>,
    monitor: Option<OwnedFd>,
}

impl Rdt {
    /// Opens what is there, and says why it cannot be.
    pub(crate) fn find(plan: Option<&RdtPlan>) -> Result<Self, RdtError> {
        let Some(plan) = plan else {
            return Ok(Self::of(None));
        };
        let process = path::open(c"/proc/self", Open::PATH).map_err(RdtError::Mounts)?;
        let mounts = read(&process, "mountinfo").map_err(RdtError::Mounts)?;
        let mount_point = mount_point(&mounts).ok_or(RdtError::NotMounted)?;
        Class::find(plan, mount_point).map(|class| Self::of(Some(class)))
    }

    fn of(class: Option<Class>) -> Self {
        Self {
            class,
            made: Vec::new(),
            kept: false,
        }
    }

    /// The directories that end with the container, the innermost last.
    pub(crate) fn of_container(&self) -> Vec<String> {
        self.class
            .as_ref()
            .map_or_else(Vec::new, Class::of_container)
    }

    /// Makes what is missing, and writes the schemata of a new class.
    pub(crate) fn make(&mut self) -> Result<(), RdtError> {
        match &mut self.class {
            Some(class) => class.make(&mut self.made),
            None => Ok(()),
        }
    }

    /// Puts a process into it, and with it all that it will fork.
    pub(crate) fn attach(&self, pid: i32) -> Result<(), RdtError> {
        self.class
            .as_ref()
            .map_or(Ok(()), |class| class.attach(pid))
    }

    pub(crate) fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for Rdt {
    fn drop(&mut self) {
        if !self.kept
            && let Err(error) = remove(&self.made)
        {
            log::warn!("{error}");
        }
    }
}

/// Removes directories of a container that has no process any more; absent ones are no error.
pub(crate) fn remove(made: &[String]) -> Result<(), RdtError> {
    for path in made.iter().rev() {
        match std::fs::remove_dir(path).map_err(Errno::from) {
            Ok(()) | Err(Errno::ENOENT) => {}
            Err(source) => return Err(step("", "remove", path)(source)),
        }
    }
    Ok(())
}

impl Class {
    fn find(plan: &RdtPlan, mount_point: String) -> Result<Self, RdtError> {
        let root = c_string(&mount_point)
            .and_then(|path| path::open(&path, Open::PATH.and(Open::DIRECTORY)))
            .map_err(step("", "open", &mount_point))?;
        let mut class = Self {
            plan: plan.clone(),
            root,
            mount_point,
            directory: None,
            monitor: None,
        };
        let found = match class.name() {
            None => open(&class.root, "."),
            Some(name) => open(&class.root, name),
        };
        class.directory = match (&plan.class, found) {
            (RdtClass::OfContainer(_), Ok(_)) => {
                return Err(RdtError::Taken { path: class.path() });
            }
            (RdtClass::OfContainer(_) | RdtClass::Shared(_), Err(Errno::ENOENT)) => None,
            (_, found) => Some(found.map_err(step("/closID", "open", &class.path()))?),
        };
        class.compare()?;
        Ok(class)
    }

    /// A class that is there must have what is asked for.
    fn compare(&self) -> Result<(), RdtError> {
        let Some(directory) = &self.directory else {
            return Ok(());
        };
        if self.plan.schemata.is_empty() {
            return Ok(());
        }
        let path = self.path();
        let present = read(directory, "schemata").map_err(step("", "read schemata of", &path))?;
        match schemata::missing(&self.plan.schemata, &present) {
            Some(share) => Err(RdtError::Different { path, share }),
            None => Ok(()),
        }
    }

    fn make(&mut self, made: &mut Vec<String>) -> Result<(), RdtError> {
        let path = self.path();
        if let (None, Some(name)) = (&self.directory, self.name()) {
            let directory = make_in(&self.root, name, ("/closID", &path), made)?;
            for text in &self.plan.schemata {
                self.write_schemata(&directory, text)?;
            }
            self.directory = Some(directory);
        }
        let (Some(directory), Some(name)) = (&self.directory, &self.plan.monitoring) else {
            return Ok(());
        };
        let member = "/enableMonitoring";
        let groups = open(directory, "mon_groups").map_err(step(
            member,
            "open",
            &format!("{path}/mon_groups"),
        ))?;
        let path = format!("{path}/mon_groups/{name}");
        self.monitor = Some(make_in(&groups, name, (member, &path), made)?);
        Ok(())
    }

    fn write_schemata(&self, directory: &OwnedFd, text: &str) -> Result<(), RdtError> {
        write(directory, "schemata", text).map_err(|source| RdtError::Schemata {
            text: text.trim_end().to_owned(),
            path: self.path(),
            said: self.last_status(),
            source,
        })
    }

    /// What the kernel says of its last refusal.
    fn last_status(&self) -> String {
        let said = open(&self.root, "info").and_then(|info| read(&info, "last_cmd_status"));
        said.map_or_else(|errno| errno.to_string(), |text| text.trim().to_owned())
    }

    /// The class first: a monitoring group takes only processes of its class.
    fn attach(&self, pid: i32) -> Result<(), RdtError> {
        for directory in [&self.directory, &self.monitor].into_iter().flatten() {
            write(directory, "tasks", &pid.to_string()).map_err(step(
                "",
                "add the container's process to",
                &self.path(),
            ))?;
        }
        Ok(())
    }

    fn name(&self) -> Option<&str> {
        match &self.plan.class {
            RdtClass::Default => None,
            RdtClass::OfContainer(name) | RdtClass::Existing(name) | RdtClass::Shared(name) => {
                Some(name)
            }
        }
    }

    fn path(&self) -> String {
        match self.name() {
            None => self.mount_point.clone(),
            Some(name) => format!("{}/{name}", self.mount_point),
        }
    }

    fn of_container(&self) -> Vec<String> {
        let path = self.path();
        let monitor = self.plan.monitoring.iter();
        let monitor = monitor.map(|name| format!("{path}/mon_groups/{name}"));
        let own = matches!(self.plan.class, RdtClass::OfContainer(_));
        own.then(|| path.clone())
            .into_iter()
            .chain(monitor)
            .collect()
    }
}

fn step(
    member: &'static str,
    step: &'static str,
    path: &str,
) -> impl FnOnce(Errno) -> RdtError + use<> {
    let path = path.to_owned();
    move |source| RdtError::Step {
        member,
        step,
        path,
        source,
    }
}

fn open(directory: &OwnedFd, name: &str) -> Result<OwnedFd, Errno> {
    let open = Open::PATH.and(Open::DIRECTORY);
    path::open_confined(directory, &c_string(name)?, open, Resolve::BENEATH)
}

/// Makes a directory that must not be there yet, and opens it.
fn make_in(
    above: &OwnedFd,
    name: &str,
    (member, path): (&'static str, &str),
    made: &mut Vec<String>,
) -> Result<OwnedFd, RdtError> {
    c_string(name)
        .and_then(|name| path::make_dir(above, &name, 0o755))
        .map_err(step(member, "make", path))?;
    made.push(path.to_owned());
    open(above, name).map_err(step(member, "open", path))
}

/// Where resctrl is mounted, by a text of proc_pid_mountinfo(5).
fn mount_point(mounts: &str) -> Option<String> {
    let line = mounts.lines().find(|line| line.contains(" - resctrl "))?;
    line.split(' ').nth(4).map(str::to_owned)
}

#[cfg(test)]
mod tests;
