//! What was made in directories meanwhile, even if it is gone again.

use crate::verdict::{Check, Stop};
use rustix::fd::OwnedFd;
use rustix::fs::inotify::{CreateFlags, Reader, WatchFlags, add_watch, init};
use rustix::io::Errno;
use std::mem::MaybeUninit;
use std::path::Path;

#[derive(Debug)]
pub(crate) struct Watch(OwnedFd);

impl Watch {
    pub(crate) fn over<'p>(directories: impl IntoIterator<Item = &'p Path>) -> Check<Self> {
        let watch = init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
        for directory in directories {
            add_watch(&watch, directory, WatchFlags::CREATE | WatchFlags::MOVED_TO)
                .map_err(|error| Stop::Fail(format!("watch {}: {error}", directory.display())))?;
        }
        Ok(Self(watch))
    }

    /// The names that contain `token` and were made since the last look.
    pub(crate) fn made(&self, token: &str) -> Check<Vec<String>> {
        let mut space = [MaybeUninit::uninit(); 4096];
        let mut reader = Reader::new(&self.0, &mut space);
        let mut names = Vec::new();
        loop {
            match reader.next() {
                Ok(event) => names.extend(event.file_name().map(|name| name.to_string_lossy().into_owned())),
                Err(Errno::WOULDBLOCK) => break,
                Err(error) => return Err(error.into()),
            }
        }
        names.retain(|name| name.contains(token));
        Ok(names)
    }
}
