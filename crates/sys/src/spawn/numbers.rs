//! How the child's fds get their numbers, each by one dup3, although a number may be that of another
//! fd which still has to move.
//!
//! From the highest number down, nothing is overwritten that lies below its own number; then from the
//! lowest up, nothing that lies above. What the way down would overwrite is copied first, and what has
//! its number already is only kept open over the exec.

use super::clone::{Step, step, word};
use crate::{
    Errno,
    fd::{AsRawFd, BorrowedFd, OwnedFd},
    process,
};
use alloc::vec::Vec;
use core::cmp::Ordering;

/// Without a flag, FD_CLOEXEC for one.
const KEEP_OVER_EXEC: usize = libc::F_SETFD as usize;

/// When an fd moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// On the way down.
    Down,
    /// On the way up, after all of those.
    Up,
    /// Not at all.
    Stays,
    /// Copied first; the copy on the way up.
    Copied,
}

/// An fd of the parent's that no dup3 call of the child overwrites before its turn.
pub(super) enum Safe<'a> {
    AsItIs(BorrowedFd<'a>),
    Copy(OwnedFd),
}

impl<'a> Safe<'a> {
    /// A copy at or above `end`.
    fn copy(fd: BorrowedFd<'a>, end: i32) -> Result<Self, Errno> {
        process::duplicate_above(fd, end).map(Self::Copy)
    }

    /// One that has no number to get, but must be there when all others have theirs.
    pub(super) fn throughout(fd: BorrowedFd<'a>, first: i32, end: i32) -> Result<Self, Errno> {
        match (first..end).contains(&fd.as_raw_fd()) {
            true => Self::copy(fd, end),
            false => Ok(Self::AsItIs(fd)),
        }
    }

    pub(super) fn number(&self) -> usize {
        let number = match self {
            Self::AsItIs(fd) => fd.as_raw_fd(),
            Self::Copy(fd) => fd.as_raw_fd(),
        };
        word(number.into())
    }
}

/// The calls that bring each fd to its number, and what must stay open until they were made.
pub(super) fn moves<'a>(
    fds: &[BorrowedFd<'a>],
    first: i32,
    end: i32,
) -> Result<(Vec<Step>, Vec<Safe<'a>>), Errno> {
    let sources: Vec<i32> = fds.iter().map(AsRawFd::as_raw_fd).collect();
    let turns = turns(&sources, first);
    let safe: Vec<Safe<'a>> = fds
        .iter()
        .zip(&turns)
        .map(|(fd, turn)| match turn {
            Turn::Copied => Safe::copy(*fd, end),
            Turn::Down | Turn::Up | Turn::Stays => Ok(Safe::AsItIs(*fd)),
        })
        .collect::<Result<_, _>>()?;
    let all = (i64::from(first)..).zip(safe.iter().zip(&turns));
    let (mut steps, mut up) = (Vec::with_capacity(fds.len()), Vec::new());
    for (number, (fd, turn)) in all {
        let dup = step(libc::SYS_dup3, &[fd.number(), word(number), 0]);
        match turn {
            Turn::Down => steps.push(dup),
            Turn::Up | Turn::Copied => up.push(dup),
            Turn::Stays => up.push(step(libc::SYS_fcntl, &[word(number), KEEP_OVER_EXEC, 0])),
        }
    }
    steps.reverse();
    steps.extend(up);
    Ok((steps, safe))
}

fn turns(sources: &[i32], first: i32) -> Vec<Turn> {
    let goes_down = |index: usize| {
        let number = i32::try_from(index).ok().map(|index| first + index);
        sources
            .get(index)
            .zip(number)
            .is_some_and(|(source, number)| *source < number)
    };
    let overwritten = |source: i32| usize::try_from(source - first).is_ok_and(goes_down);
    (first..)
        .zip(sources)
        .map(|(number, source)| match source.cmp(&number) {
            Ordering::Less => Turn::Down,
            Ordering::Equal => Turn::Stays,
            Ordering::Greater if overwritten(*source) => Turn::Copied,
            Ordering::Greater => Turn::Up,
        })
        .collect()
}

#[cfg(all(test, feature = "std"))]
mod tests {
    use super::*;

    /// What stands at each number after all moves, where every source holds itself at first.
    fn after(sources: &[i32], first: usize) -> Vec<i32> {
        const COPIES: usize = 100;
        let mut table: Vec<i32> = (0..200).collect();
        let turns = turns(sources, i32::try_from(first).unwrap_or_default());
        let from = |index: usize| match turns[index] {
            Turn::Copied => COPIES + index,
            _ => usize::try_from(sources[index]).unwrap_or_default(),
        };
        table[COPIES..COPIES + sources.len()].copy_from_slice(sources);
        let down = (0..sources.len()).filter(|index| turns[*index] == Turn::Down);
        let up = (0..sources.len()).filter(|index| turns[*index] != Turn::Down);
        for index in down.rev().chain(up) {
            table[first + index] = table[from(index)];
        }
        table[first..first + sources.len()].to_vec()
    }

    #[test]
    fn each_fd_arrives_however_they_lay() {
        // Every order of six fds, below, across and above the six numbers.
        for lowest in [0, 3, 4, 5, 6, 7, 8, 10, 20] {
            for mut code in 0..720_usize {
                let mut left: Vec<i32> = (lowest..lowest + 6).collect();
                let mut sources = Vec::new();
                for choices in (1..=6).rev() {
                    sources.push(left.remove(code % choices));
                    code /= choices;
                }
                assert_eq!(after(&sources, 5), sources);
            }
        }
    }

    #[test]
    fn what_lies_in_order_is_not_copied() {
        // Three that were opened last get the lowest numbers: the socket, the plan, the gate.
        let late = [40, 12, 41].into_iter().chain(4..12).collect::<Vec<_>>();
        let copied = turns(&late, 3)
            .iter()
            .filter(|turn| **turn == Turn::Copied)
            .count();
        assert_eq!(copied, 1);
        for lowest in [0, 4, 6, 40] {
            let sources: Vec<i32> = (lowest..lowest + 10).collect();
            assert!(!turns(&sources, 5).contains(&Turn::Copied), "{lowest}");
        }
    }
}
