//! The pid file: decimal digits, no newline, there whole or not at all (contracts 6.1).

use hull_sys::{
    Errno,
    path::{self, Open, Remove},
};
use std::{
    ffi::CString,
    os::{fd::OwnedFd, unix::ffi::OsStrExt},
    path::{Path, PathBuf},
};

/// The file could not be written.
#[derive(Debug, thiserror::Error)]
#[error("write pid file {}", path.display())]
pub struct PidFileError {
    path: PathBuf,
    source: Errno,
}

/// Written; removed again on drop unless kept.
#[derive(Debug)]
pub(crate) struct PidFile {
    directory: OwnedFd,
    name: CString,
    kept: bool,
}

impl PidFile {
    pub(crate) fn write(path: &Path, pid: i32) -> Result<Self, PidFileError> {
        let failed = |source| PidFileError {
            path: path.to_owned(),
            source,
        };
        let (directory, name) = split(path).map_err(failed)?;
        let temporary = [b".", name.as_bytes()].concat();
        let temporary = CString::new(temporary).map_err(|_| failed(Errno::EINVAL))?;
        let open = Open::WRITE.and(Open::EXCLUSIVE);
        let file = match path::create_at(&directory, &temporary, open, 0o666) {
            // Left by a writer that was killed.
            Err(Errno::EEXIST) => path::unlink(&directory, &temporary, Remove::File)
                .and_then(|()| path::create_at(&directory, &temporary, open, 0o666)),
            other => other,
        }
        .map_err(failed)?;
        path::write_all(&file, pid.to_string().as_bytes())
            .and_then(|()| path::rename(&directory, &temporary, &name))
            .inspect_err(|_| {
                let _gone = path::unlink(&directory, &temporary, Remove::File);
            })
            .map_err(failed)?;
        Ok(Self {
            directory,
            name,
            kept: false,
        })
    }

    pub(crate) fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        if !self.kept {
            let _gone = path::unlink(&self.directory, &self.name, Remove::File);
        }
    }
}

fn split(path: &Path) -> Result<(OwnedFd, CString), Errno> {
    let name = path.file_name().ok_or(Errno::EINVAL)?;
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new(".")).as_os_str().as_bytes();
    let parent = CString::new(parent).map_err(|_| Errno::EINVAL)?;
    let name = CString::new(name.as_bytes()).map_err(|_| Errno::EINVAL)?;
    Ok((path::open(&parent, Open::PATH.and(Open::DIRECTORY))?, name))
}
