//! Reading a bundle: its config.json, once, whole, and only if it is a regular file of sane size.
//!
//! The text is kept beside what it says, since the state of a container holds a copy. Whether the
//! root filesystem exists is found out by whoever opens it.

use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::config::{Config, ConfigError};

/// More than any engine ever wrote, and little enough to hold in memory.
const LARGEST: u64 = 16 << 20;

/// O_NONBLOCK | O_NOCTTY: opening a fifo or a terminal must neither wait nor have an effect.
const WITHOUT_WAITING: i32 = 0o4000 | 0o400;

/// A bundle that was read.
#[derive(Debug, Clone)]
pub struct Bundle {
    /// Absolute.
    pub directory: PathBuf,
    pub config: Config,
    /// The config as it was read.
    pub text: Vec<u8>,
}

impl Bundle {
    /// Reads `config` (relative to `directory`, or absolute) of the bundle in `directory`, which
    /// must be absolute, since relative sources and the root are taken from it.
    pub fn load(directory: &Path, config: &Path) -> Result<Self, ConfigError> {
        if !directory.is_absolute() {
            return Err(ConfigError::Directory {
                path: directory.to_owned(),
            });
        }
        let text = read(&directory.join(config))?;
        let config = Config::parse(&text)?;
        Ok(Self {
            directory: directory.to_owned(),
            config,
            text,
        })
    }
}

fn read(path: &Path) -> Result<Vec<u8>, ConfigError> {
    let open = |source| ConfigError::Open {
        path: path.to_owned(),
        source,
    };
    let read = |source| ConfigError::Read {
        path: path.to_owned(),
        source,
    };
    let file: File = OpenOptions::new()
        .read(true)
        .custom_flags(WITHOUT_WAITING)
        .open(path)
        .map_err(open)?;
    let about = file.metadata().map_err(read)?;
    if !about.is_file() {
        return Err(ConfigError::NotAFile {
            path: path.to_owned(),
        });
    }
    // The file may grow meanwhile: the limit holds for what is read, not for what was promised.
    let mut text = Vec::with_capacity(usize::try_from(about.len().min(LARGEST)).unwrap_or(0) + 1);
    file.take(LARGEST + 1)
        .read_to_end(&mut text)
        .map_err(read)?;
    if u64::try_from(text.len()).unwrap_or(u64::MAX) > LARGEST {
        return Err(ConfigError::TooLarge {
            path: path.to_owned(),
            mebibytes: LARGEST >> 20,
        });
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    const MINIMAL: &str = r#"{"ociVersion": "1.0.0"}"#;

    #[test]
    fn a_bundle_keeps_the_text_it_was_read_from() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("config.json"), MINIMAL).unwrap();
        let bundle = Bundle::load(dir.path(), Path::new("config.json")).unwrap();
        assert_eq!(bundle.text, MINIMAL.as_bytes());
        assert_eq!(bundle.directory, dir.path());
        assert_eq!(bundle.config.oci_version, "1.0.0");
    }

    #[test]
    fn the_config_may_have_another_name_or_place() {
        let dir = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::tempdir().unwrap().keep().join("other.json");
        fs::write(&elsewhere, MINIMAL).unwrap();
        assert!(Bundle::load(dir.path(), &elsewhere).is_ok());
    }

    #[test]
    fn what_is_no_regular_file_is_refused_without_waiting() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("folder")).unwrap();
        let text = |name: &str| {
            Bundle::load(dir.path(), Path::new(name))
                .unwrap_err()
                .to_string()
        };
        assert!(text("folder").ends_with("folder: not a regular file"));
        assert!(text("/dev/null").ends_with("not a regular file"));
        assert!(text("none.json").ends_with("none.json: no such file or directory"));
        assert!(text("none.json").starts_with("open /"));
    }

    #[test]
    fn a_huge_config_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.json");
        File::create(&path).unwrap().set_len(LARGEST + 1).unwrap();
        let error = Bundle::load(dir.path(), Path::new("config.json")).unwrap_err();
        assert!(error.to_string().ends_with("larger than 16 MiB"), "{error}");
    }

    #[test]
    fn a_relative_bundle_directory_is_refused() {
        let error = Bundle::load(Path::new("here"), Path::new("config.json")).unwrap_err();
        assert_eq!(error.to_string(), "bundle here: not an absolute path");
    }
}
