//! The words of `mounts[].options` (config.md#mounts), in one table, and what each one does.
//!
//! The table is also what `features` shows. A word that is not in it belongs to the filesystem.

use crate::plan::{Propagation, PropagationChange};

pub(super) const RDONLY: u64 = 0x1;
pub(super) const NOSUID: u64 = 0x2;
pub(super) const NODEV: u64 = 0x4;
pub(super) const NOEXEC: u64 = 0x8;
/// The field of the three access time modes; relatime is its zero.
pub(super) const ATIME_FIELD: u64 = 0x70;
pub(super) const NOATIME: u64 = 0x10;
pub(super) const STRICTATIME: u64 = 0x20;
pub(super) const NODIRATIME: u64 = 0x80;
pub(super) const NOSYMFOLLOW: u64 = 0x20_0000;

/// What one word does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// MOUNT_ATTR_* bits taken away, then set.
    Attribute {
        clear: u64,
        set: u64,
    },
    /// The same for everything mounted below.
    Recursive {
        clear: u64,
        set: u64,
    },
    /// A flag of the superblock that fsconfig takes, and one that takes it back.
    Superblock(&'static str),
    NotSuperblock(&'static str),
    Propagation(Propagation, Reach),
    Bind(Reach),
    Remount,
    CopyUp,
    /// MOUNT_ATTR_IDMAP.
    IdMap(Reach),
    /// What a symlink at the end of a bind's source or destination means.
    CopySymlink,
    SourceNoFollow,
    DestinationNoFollow,
    /// What happens anyway, or what mount(2) knew and the kernel no longer asks.
    Nothing,
}

/// This mount, or with all below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    One,
    All,
}

const fn set(bits: u64) -> Effect {
    Effect::Attribute {
        clear: 0,
        set: bits,
    }
}

const fn clear(bits: u64) -> Effect {
    Effect::Attribute {
        clear: bits,
        set: 0,
    }
}

const fn set_all(bits: u64) -> Effect {
    Effect::Recursive {
        clear: 0,
        set: bits,
    }
}

const fn clear_all(bits: u64) -> Effect {
    Effect::Recursive {
        clear: bits,
        set: 0,
    }
}

/// Sorted by name.
const TABLE: &[(&str, Effect)] = &[
    ("async", Effect::NotSuperblock("sync")),
    ("atime", clear(NOATIME)),
    ("bind", Effect::Bind(Reach::One)),
    ("copy-symlink", Effect::CopySymlink),
    ("defaults", Effect::Nothing),
    ("dest-nofollow", Effect::DestinationNoFollow),
    ("dev", clear(NODEV)),
    ("diratime", clear(NODIRATIME)),
    ("dirsync", Effect::Superblock("dirsync")),
    ("exec", clear(NOEXEC)),
    ("idmap", Effect::IdMap(Reach::One)),
    ("iversion", Effect::Nothing),
    ("lazytime", Effect::Superblock("lazytime")),
    ("loud", Effect::Nothing),
    ("mand", Effect::Superblock("mand")),
    (
        "noatime",
        Effect::Attribute {
            clear: ATIME_FIELD,
            set: NOATIME,
        },
    ),
    ("nodev", set(NODEV)),
    ("nodiratime", set(NODIRATIME)),
    ("noexec", set(NOEXEC)),
    ("noiversion", Effect::Nothing),
    ("nolazytime", Effect::NotSuperblock("lazytime")),
    ("nomand", Effect::NotSuperblock("mand")),
    ("norelatime", Effect::Nothing),
    ("nostrictatime", clear(STRICTATIME)),
    ("nosuid", set(NOSUID)),
    ("nosymfollow", set(NOSYMFOLLOW)),
    (
        "private",
        Effect::Propagation(Propagation::Private, Reach::One),
    ),
    // Of the superblock: as far as it reaches.
    ("rasync", Effect::NotSuperblock("sync")),
    ("ratime", clear_all(NOATIME)),
    ("rbind", Effect::Bind(Reach::All)),
    ("rdev", clear_all(NODEV)),
    ("rdiratime", clear_all(NODIRATIME)),
    ("rdirsync", Effect::Superblock("dirsync")),
    ("relatime", clear(ATIME_FIELD)),
    ("remount", Effect::Remount),
    ("rexec", clear_all(NOEXEC)),
    ("ridmap", Effect::IdMap(Reach::All)),
    ("rmand", Effect::Superblock("mand")),
    (
        "rnoatime",
        Effect::Recursive {
            clear: ATIME_FIELD,
            set: NOATIME,
        },
    ),
    ("rnodev", set_all(NODEV)),
    ("rnodiratime", set_all(NODIRATIME)),
    ("rnoexec", set_all(NOEXEC)),
    ("rnomand", Effect::NotSuperblock("mand")),
    ("rnorelatime", Effect::Nothing),
    ("rnostrictatime", clear_all(STRICTATIME)),
    ("rnosuid", set_all(NOSUID)),
    ("rnosymfollow", set_all(NOSYMFOLLOW)),
    ("ro", set(RDONLY)),
    (
        "rprivate",
        Effect::Propagation(Propagation::Private, Reach::All),
    ),
    ("rrelatime", clear_all(ATIME_FIELD)),
    ("rro", set_all(RDONLY)),
    ("rrw", clear_all(RDONLY)),
    (
        "rshared",
        Effect::Propagation(Propagation::Shared, Reach::All),
    ),
    (
        "rslave",
        Effect::Propagation(Propagation::Slave, Reach::All),
    ),
    (
        "rstrictatime",
        Effect::Recursive {
            clear: ATIME_FIELD,
            set: STRICTATIME,
        },
    ),
    ("rsuid", clear_all(NOSUID)),
    ("rsymfollow", clear_all(NOSYMFOLLOW)),
    ("rsync", Effect::Superblock("sync")),
    (
        "runbindable",
        Effect::Propagation(Propagation::Unbindable, Reach::All),
    ),
    ("rw", clear(RDONLY)),
    (
        "shared",
        Effect::Propagation(Propagation::Shared, Reach::One),
    ),
    ("silent", Effect::Nothing),
    ("slave", Effect::Propagation(Propagation::Slave, Reach::One)),
    ("src-nofollow", Effect::SourceNoFollow),
    (
        "strictatime",
        Effect::Attribute {
            clear: ATIME_FIELD,
            set: STRICTATIME,
        },
    ),
    ("suid", clear(NOSUID)),
    ("symfollow", clear(NOSYMFOLLOW)),
    ("sync", Effect::Superblock("sync")),
    ("tmpcopyup", Effect::CopyUp),
    (
        "unbindable",
        Effect::Propagation(Propagation::Unbindable, Reach::One),
    ),
];

/// Every word that is understood, sorted.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|(name, _)| *name)
}

/// `linux.rootfsPropagation` knows the words of the same table.
pub(super) fn propagation(word: &str) -> Option<PropagationChange> {
    match effect(word)? {
        Effect::Propagation(kind, reach) => Some(PropagationChange {
            kind,
            recursive: reach == Reach::All,
        }),
        _ => None,
    }
}

/// What `word` does, if it is ours.
pub(super) fn effect(word: &str) -> Option<Effect> {
    let index = TABLE.binary_search_by_key(&word, |(name, _)| name).ok()?;
    Some(TABLE[index].1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_whole() {
        assert!(TABLE.is_sorted_by(|a, b| a.0 < b.0));
        let demanded = "async atime bind copy-symlink defaults dest-nofollow dev diratime dirsync exec \
            idmap iversion lazytime loud mand noatime nodev nodiratime noexec noiversion \
            nolazytime nomand norelatime nostrictatime nosuid nosymfollow private rasync \
            ratime rbind rdev rdiratime rdirsync relatime remount rexec ridmap rmand \
            rnoatime rnodev rnodiratime rnoexec rnomand rnorelatime rnostrictatime rnosuid \
            rnosymfollow ro rprivate rrelatime rro rrw rshared rslave rstrictatime rsuid \
            rsymfollow rsync runbindable rw shared silent slave src-nofollow strictatime \
            suid symfollow sync tmpcopyup unbindable";
        assert_eq!(
            names().collect::<Vec<_>>(),
            demanded.split_whitespace().collect::<Vec<_>>()
        );
    }

    #[test]
    fn propagation_has_eight_words() {
        let change = |kind, recursive| Some(PropagationChange { kind, recursive });
        assert_eq!(propagation("rslave"), change(Propagation::Slave, true));
        assert_eq!(
            propagation("unbindable"),
            change(Propagation::Unbindable, false)
        );
        assert_eq!(
            names().filter(|name| propagation(name).is_some()).count(),
            8
        );
        assert_eq!(propagation("nothing"), None);
    }
}
