//! Security labels: of the session keyring, and of the payload.
//!
//! The attributes are opened while nothing of the container is in reach, which is also when every
//! user namespace still may have a procfs. They can be written by this process alone, wherever it
//! stands by then.

use crate::{
    failure::{Context, Failure},
    procfs::Procfs,
};
use alloc::{format, string::String, vec::Vec};
use hull_spec::plan::{Label, Labelled};
use hull_sys::{
    Errno,
    fd::OwnedFd,
    path::{self, Open},
};

/// Labels that are still to be written.
#[derive(Debug, Default)]
pub(crate) struct Labels<'p>(Vec<Attribute<'p>>);

impl<'p> Labels<'p> {
    /// Opens what they will be written to.
    pub(crate) fn open(labels: &'p [Label]) -> Result<Self, Failure> {
        let mut opened = Vec::new();
        if !labels.is_empty() {
            let procfs = Procfs::own().context("procfs for security labels")?;
            let own = procfs.own_directory()?;
            for label in labels {
                opened.push(Attribute::open(label, &procfs, &own)?);
            }
        }
        Ok(Self(opened))
    }

    /// Writes those of this.
    pub(crate) fn set(&self, of: Labelled) -> Result<(), Failure> {
        for attribute in self.0.iter().filter(|attribute| attribute.label.of == of) {
            attribute.set().context(&attribute.label.pointer)?;
        }
        Ok(())
    }
}

/// One attribute of this process, and what it shall be.
#[derive(Debug)]
struct Attribute<'p> {
    label: &'p Label,
    /// As it is called for people, and for Podman, which looks for the quotes.
    name: String,
    file: OwnedFd,
}

impl<'p> Attribute<'p> {
    /// The first of the label's attributes that the kernel has.
    fn open(label: &'p Label, procfs: &Procfs, own: &str) -> Result<Self, Failure> {
        let mut attributes = label.attributes.iter().peekable();
        while let Some(attribute) = attributes.next() {
            let opened = procfs.open(&format!("{own}/attr/{attribute}"), Open::READ_WRITE);
            if opened.as_ref().err() == Some(&Errno::ENOENT) && attributes.peek().is_some() {
                continue;
            }
            let name = format!("`/proc/self/attr/{attribute}`");
            let file = opened.with_context(|| format!("{}: open {name}", label.pointer))?;
            return Ok(Self { label, name, file });
        }
        Err(Failure::new(&label.pointer))
    }

    fn set(&self) -> Result<(), Failure> {
        self.write()?;
        self.confirm()
    }

    /// The first refusal is the one that is told.
    fn write(&self) -> Result<(), Failure> {
        let mut refused = Ok(());
        for text in &self.label.texts {
            let written = path::write(&self.file, text.as_bytes());
            let tell = || format!("write {text:?} to {}", self.name);
            match written {
                Ok(count) if count == text.len() => return Ok(()),
                Ok(_) => return Err(Errno::E2BIG).with_context(tell),
                Err(errno @ (Errno::EPERM | Errno::EACCES)) => {
                    refused = refused.and_then(|()| Err(errno).with_context(tell));
                }
                Err(errno) => return Err(errno).with_context(tell),
            }
        }
        refused
    }

    /// It was empty since the execve that made init; whatever took the write, now it is not.
    fn confirm(&self) -> Result<(), Failure> {
        match path::read(&self.file, &mut [0]) {
            Ok(1..) => Ok(()),
            Ok(0) | Err(Errno::EINVAL) => Err(Failure::new(&format!(
                "{} is empty after the write",
                self.name
            ))),
            Err(errno) => Err(errno).with_context(|| format!("read {} again", self.name)),
        }
    }
}
