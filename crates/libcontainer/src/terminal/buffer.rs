//! What was read and is not yet written, at most so much that a reader must wait for its writer.

use hull_sys::{Errno, fd::BorrowedFd, path};

const ROOM: usize = 32 * 1024;
/// What a pipe that poll calls writable takes without waiting (PIPE_BUF).
const PIECE: usize = 4096;

/// What came of one read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    More,
    /// Nothing now.
    Dry,
    /// Nothing ever again.
    Ended,
}

/// Bytes on their way.
#[derive(Debug, Default)]
pub(super) struct Buffer(Vec<u8>);

impl Buffer {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn has_room(&self) -> bool {
        self.0.len() < ROOM
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// One read. A terminal ends with EIO: the pty's other end is closed, or the reader is in the
    /// background of its own.
    pub(super) fn fill(&mut self, from: BorrowedFd<'_>) -> Result<Source, Errno> {
        let mut piece = [0; PIECE];
        match path::read(from, &mut piece) {
            Ok(0) | Err(Errno::EIO) => Ok(Source::Ended),
            Ok(count) => {
                self.0
                    .extend_from_slice(piece.get(..count).unwrap_or_default());
                Ok(Source::More)
            }
            Err(Errno::EAGAIN) => Ok(Source::Dry),
            Err(errno) => Err(errno),
        }
    }

    /// One write, of what can be written.
    pub(super) fn pour(&mut self, into: BorrowedFd<'_>) -> Result<(), Errno> {
        let piece = self.0.get(..PIECE.min(self.0.len())).unwrap_or_default();
        match path::write(into, piece) {
            Ok(count) => {
                self.0.drain(..count.min(self.0.len()));
                Ok(())
            }
            Err(Errno::EAGAIN) => Ok(()),
            Err(errno) => Err(errno),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs::File, io::Write, os::fd::AsFd};

    #[test]
    fn what_is_filled_is_poured_in_order() {
        let (source, mut writer) = std::io::pipe().unwrap();
        let mut target = tempfile::tempfile().unwrap();
        writer.write_all(b"one").unwrap();
        let mut buffer = Buffer::default();
        assert_eq!(buffer.fill(source.as_fd()), Ok(Source::More));
        writer.write_all(b"two").unwrap();
        drop(writer);
        assert_eq!(buffer.fill(source.as_fd()), Ok(Source::More));
        assert_eq!(buffer.fill(source.as_fd()), Ok(Source::Ended));
        while !buffer.is_empty() {
            buffer.pour(target.as_fd()).unwrap();
        }
        assert_eq!(text(&mut target), "onetwo");
    }

    fn text(file: &mut File) -> String {
        use std::io::{Read, Seek};
        let mut text = String::new();
        file.rewind().unwrap();
        file.read_to_string(&mut text).unwrap();
        text
    }
}
