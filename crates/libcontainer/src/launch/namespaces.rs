//! Namespaces to join: opened and checked for their type before anything is made.

use super::error::LaunchError;
use hull_spec::plan::Namespaces;
use hull_sys::{
    Errno, namespace,
    path::{self, Open},
};
use std::{ffi::CString, os::fd::OwnedFd};

/// In joining order.
pub(super) fn open_all(plan: &Namespaces) -> Result<Vec<OwnedFd>, LaunchError> {
    plan.joined
        .iter()
        .map(|(kind, path)| {
            let pointer = format!("/linux/namespaces ({})", kind.name());
            let failed = |source| LaunchError::Namespace {
                pointer: pointer.clone(),
                path: path.clone(),
                source,
            };
            let name = CString::new(path.as_str()).map_err(|_| failed(Errno::EINVAL))?;
            let fd = path::open(&name, Open::READ.and(Open::NONBLOCK)).map_err(failed)?;
            match namespace::kind_of(&fd) {
                Ok(found) if found == kind.clone_flag() => Ok(fd),
                _ => Err(LaunchError::NamespaceType {
                    pointer: pointer.clone(),
                    path: path.clone(),
                    wanted: kind.name(),
                }),
            }
        })
        .collect()
}
