//! Where containers are recorded: `--root`, or a default by who is asking.
//!
//! Root uses /run/hull. Anyone else, and the root of a user namespace who is somebody else outside,
//! has a directory of the session in `$XDG_RUNTIME_DIR`.

use crate::grammar::Matches;
use crate::reason::Reason;
use crate::table;
use libcontainer::Store;
use std::ffi::{OsStr, OsString};
use std::fs::{DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Component, Path, PathBuf};

const OF_ROOT: &str = "/run/hull";
const NAME: &str = "hull";

/// Session directories are swept of old entries, but not of sticky ones.
const KEPT_FROM_SWEEPING: u32 = 0o1700;

/// An absolute path, not yet made.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum StateRoot {
    Chosen(PathBuf),
    OfSession(PathBuf),
}

/// No place for records.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RootError {
    #[error("Option --root argument should not be set to /")]
    IsSlash,
    #[error("give --root or set XDG_RUNTIME_DIR: without root there is no other place for state")]
    NoSession,
    #[error("make --root {} absolute", path.display())]
    NotAbsolute { path: PathBuf, source: Reason },
    #[error("find out the effective user in /proc/self")]
    NoUser { source: Reason },
}

/// Who asks, as far as it decides the default.
#[derive(Debug, Clone)]
struct Asker {
    uid: u32,
    in_user_namespace: bool,
    user: Option<OsString>,
    session: Option<OsString>,
}

impl StateRoot {
    pub(crate) fn from(globals: &Matches) -> Result<StateRoot, RootError> {
        match globals.text(&table::ROOT) {
            Some(text) => chosen(Path::new(text)),
            None => default_for(&Asker::of_this_process()?),
        }
    }

    pub(crate) fn store(&self) -> Store {
        Store::at(self.path().to_owned())
    }

    fn path(&self) -> &Path {
        match self {
            StateRoot::Chosen(path) | StateRoot::OfSession(path) => path,
        }
    }

    /// Sees to it that a session's clean-up leaves the records alone.
    ///
    /// Without it the records may vanish after days; no reason to refuse a container now.
    pub(crate) fn keep_from_sweeping(&self) {
        if let StateRoot::OfSession(path) = self
            && let Err(why) = make_sticky(path)
        {
            log::warn!(
                "keep {} from being swept: {}",
                path.display(),
                Reason::of(&why)
            );
        }
    }
}

fn chosen(path: &Path) -> Result<StateRoot, RootError> {
    let absolute = std::path::absolute(path).map_err(|source| RootError::NotAbsolute {
        path: path.to_owned(),
        source: source.into(),
    })?;
    // Each `..` of / is / again.
    let is_slash = |part| matches!(part, Component::RootDir | Component::ParentDir);
    if absolute.components().all(is_slash) {
        return Err(RootError::IsSlash);
    }
    Ok(StateRoot::Chosen(absolute))
}

fn default_for(asker: &Asker) -> Result<StateRoot, RootError> {
    let root_outside = asker.user.as_deref() == Some(OsStr::new("root"));
    let own_session = asker.uid != 0 || (asker.in_user_namespace && !root_outside);
    match &asker.session {
        Some(session) if own_session => Ok(StateRoot::OfSession(Path::new(session).join(NAME))),
        None if asker.uid != 0 => Err(RootError::NoSession),
        _ => Ok(StateRoot::Chosen(PathBuf::from(OF_ROOT))),
    }
}

impl Asker {
    fn of_this_process() -> Result<Asker, RootError> {
        // The owner of /proc/self is the effective uid, for this directory even when the process
        // may not be dumped (proc_pid_make_inode in the kernel).
        let uid = std::fs::metadata("/proc/self")
            .map_err(|why| RootError::NoUser { source: why.into() })?
            .uid();
        let session = std::env::var_os("XDG_RUNTIME_DIR").filter(|dir| !dir.is_empty());
        Ok(Asker {
            uid,
            in_user_namespace: uid == 0 && session.is_some() && in_user_namespace(),
            user: std::env::var_os("USER"),
            session,
        })
    }
}

/// The first user namespace maps every id to itself.
fn in_user_namespace() -> bool {
    let map = std::fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    !map.is_empty() && !map.split_whitespace().eq(["0", "0", "4294967295"])
}

fn make_sticky(path: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(KEPT_FROM_SWEEPING).create(path) {
        Err(why) if why.kind() == io::ErrorKind::AlreadyExists => {}
        outcome => return outcome,
    }
    let mode = std::fs::symlink_metadata(path)?.mode() & 0o7777;
    if mode == KEPT_FROM_SWEEPING {
        return Ok(());
    }
    std::fs::set_permissions(path, Permissions::from_mode(KEPT_FROM_SWEEPING))
}

#[cfg(test)]
mod tests {
    use super::{Asker, RootError, StateRoot, chosen, default_for};
    use std::ffi::OsString;
    use std::path::{Path, PathBuf};

    #[test]
    fn the_default_depends_on_who_asks() {
        let run = || Ok(StateRoot::Chosen(PathBuf::from("/run/hull")));
        let session = || Ok(StateRoot::OfSession(PathBuf::from("/run/user/7/hull")));
        let table = [
            (0, false, Some("root"), None, run()),
            (0, false, None, Some("/run/user/7"), run()),
            (0, false, Some("me"), Some("/run/user/7"), run()),
            (0, true, Some("me"), Some("/run/user/7"), session()),
            (0, true, None, Some("/run/user/7"), session()),
            (0, true, Some("root"), Some("/run/user/7"), run()),
            (0, true, Some("me"), None, run()),
            (7, false, Some("me"), Some("/run/user/7"), session()),
            (7, false, Some("root"), Some("/run/user/7"), session()),
            (7, false, Some("me"), None, Err(RootError::NoSession)),
        ];
        for (uid, in_user_namespace, user, session, expected) in table {
            let asker = Asker {
                uid,
                in_user_namespace,
                user: user.map(OsString::from),
                session: session.map(OsString::from),
            };
            assert_eq!(default_for(&asker), expected, "{asker:?}");
        }
    }

    #[test]
    fn a_chosen_root_is_absolute_and_not_slash() {
        for path in ["/", "//", "/.", "/..", "/../.", "/./"] {
            assert_eq!(chosen(Path::new(path)), Err(RootError::IsSlash), "{path}");
        }
        assert_eq!(
            chosen(Path::new("/a/b")),
            Ok(StateRoot::Chosen(PathBuf::from("/a/b")))
        );
        let relative = chosen(Path::new("state")).unwrap();
        assert!(relative.path().is_absolute() && relative.path().ends_with("state"));
    }

    #[test]
    fn a_missing_place_names_both_ways_out() {
        let text = RootError::NoSession.to_string();
        assert!(text.contains("--root") && text.contains("XDG_RUNTIME_DIR"));
    }
}
