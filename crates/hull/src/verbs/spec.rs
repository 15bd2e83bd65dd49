//! `hull spec`: a config.json to begin with, never over one that is there.

use crate::invocation::Invocation;
use crate::reason::Reason;
use crate::request;
use crate::table::{FOR_ROOTLESS, SPEC_FILE};
use hull_spec::template;
use std::error::Error;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// A configuration that could not be put into the bundle.
#[derive(Debug, thiserror::Error)]
enum SpecError {
    #[error("File {} exists. Remove it first", name.display())]
    Exists { name: PathBuf },
    #[error("create {}", path.display())]
    Create { path: PathBuf, source: Reason },
    #[error("write {}", path.display())]
    Write { path: PathBuf, source: Reason },
    #[error("find out your ids in /proc/self")]
    Ids { source: Reason },
}

pub(super) fn spec(invocation: &Invocation<'_>) -> Result<(), Box<dyn Error>> {
    let name = Path::new(
        invocation
            .given
            .text(&SPEC_FILE)
            .unwrap_or("config.json".as_ref()),
    );
    let path = request::bundle(invocation)?.join(name);
    let text = text(invocation)?;
    let file = create(&path, name)?;
    Ok(fill(file, &text, &path)?)
}

fn text(invocation: &Invocation<'_>) -> Result<String, SpecError> {
    if !invocation.given.switch(&FOR_ROOTLESS) {
        return Ok(template::default_config());
    }
    // The owner of /proc/self is whoever runs this.
    let me =
        std::fs::metadata("/proc/self").map_err(|why| SpecError::Ids { source: why.into() })?;
    Ok(template::rootless_config(me.uid(), me.gid()))
}

/// Exclusively: a file that appears in between is not overwritten either.
fn create(path: &Path, name: &Path) -> Result<File, SpecError> {
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    file.map_err(|why| match why.kind() {
        io::ErrorKind::AlreadyExists => SpecError::Exists {
            name: name.to_owned(),
        },
        _ => SpecError::Create {
            path: path.to_owned(),
            source: why.into(),
        },
    })
}

/// Half a configuration is worse than none.
fn fill(mut file: File, text: &str, path: &Path) -> Result<(), SpecError> {
    file.write_all(text.as_bytes()).map_err(|why| {
        std::fs::remove_file(path).ok();
        SpecError::Write {
            path: path.to_owned(),
            source: why.into(),
        }
    })
}
