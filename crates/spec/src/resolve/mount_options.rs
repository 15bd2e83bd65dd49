//! What the options of one mount add up to.
//!
//! They count in listed order: a later one undoes an earlier one that says the opposite.

use crate::plan::{FsParameter, MountAttributes, PropagationChange};

use super::mount_label::CONTEXT_TYPES;
use super::mount_words::{ATIME_FIELD, Effect, RDONLY, Reach, effect};

/// What the options of one mount add up to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Options<'a> {
    pub(super) attributes: MountAttributes,
    pub(super) recursive: MountAttributes,
    pub(super) superblock: Vec<&'static str>,
    pub(super) propagation: Vec<PropagationChange>,
    pub(super) bind: Option<Reach>,
    pub(super) remount: bool,
    pub(super) copy_up: bool,
    pub(super) copy_symlink: bool,
    pub(super) source_nofollow: bool,
    pub(super) destination_nofollow: bool,
    pub(super) id_map: Option<IdMapOption<'a>>,
    /// Words that are not ours, with their place in the list.
    pub(super) unknown: Vec<(usize, &'a str)>,
}

/// `idmap` or `ridmap`, with or without maps of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct IdMapOption<'a> {
    pub(super) reach: Reach,
    /// Behind the `=`.
    pub(super) maps: Option<&'a str>,
    /// Its place in the list.
    pub(super) index: usize,
}

impl<'a> Options<'a> {
    /// Adds up `words` in their order.
    pub(super) fn of(words: &'a [String]) -> Self {
        let mut options = Self::default();
        for (index, word) in words.iter().enumerate() {
            match effect(word) {
                Some(Effect::IdMap(reach)) => options.map_ids(reach, None, index),
                Some(effect) => options.apply(effect),
                None => options.add_unknown(index, word),
            }
        }
        options
    }

    /// Not in the table: an id map with its maps, or the filesystem's own.
    fn add_unknown(&mut self, index: usize, word: &'a str) {
        match word.split_once('=') {
            Some(("idmap", maps)) => self.map_ids(Reach::One, Some(maps), index),
            Some(("ridmap", maps)) => self.map_ids(Reach::All, Some(maps), index),
            None if word.is_empty() => {}
            _ => self.unknown.push((index, word)),
        }
    }

    fn map_ids(&mut self, reach: Reach, maps: Option<&'a str>, index: usize) {
        self.id_map = Some(IdMapOption { reach, maps, index });
    }

    fn apply(&mut self, effect: Effect) {
        match effect {
            Effect::Attribute { clear, set } => change(&mut self.attributes, clear, set),
            Effect::Recursive { clear, set } => change(&mut self.recursive, clear, set),
            Effect::Superblock(flag) if self.superblock.contains(&flag) => {}
            Effect::Superblock(flag) => self.superblock.push(flag),
            Effect::NotSuperblock(flag) => self.superblock.retain(|other| *other != flag),
            Effect::Propagation(kind, reach) => {
                let recursive = reach == Reach::All;
                self.propagation.push(PropagationChange { kind, recursive });
            }
            Effect::Bind(reach) => self.bind = Some(reach),
            Effect::Remount => self.remount = true,
            Effect::CopyUp => self.copy_up = true,
            Effect::CopySymlink => self.copy_symlink = true,
            Effect::SourceNoFollow => self.source_nofollow = true,
            Effect::DestinationNoFollow => self.destination_nofollow = true,
            // Only `of` knows where in the list it stands.
            Effect::IdMap(_) | Effect::Nothing => {}
        }
    }

    /// Is the mount itself read-only?
    pub(super) fn read_only(&self) -> bool {
        self.attributes.set & RDONLY != 0
    }

    /// The words that are not ours, as the filesystem takes them. One word may hold several, as
    /// all of them together once were one comma string.
    pub(super) fn filesystem_parameters(&self) -> Vec<FsParameter> {
        let words = self.unknown.iter().flat_map(|(_, word)| divided(word));
        words
            .filter(|word| !word.is_empty())
            .map(parameter)
            .collect()
    }
}

/// A comma divides, but in the quotes of a SELinux context.
fn divided(word: &str) -> impl Iterator<Item = &str> {
    let has_quotes = word.contains("context=\"");
    let mut quoted = false;
    word.split(move |character| {
        quoted ^= has_quotes && character == '"';
        character == ',' && !quoted
    })
}

/// The quotes of a context are for mount(2); fsconfig(2) takes it as it is.
fn parameter(word: &str) -> FsParameter {
    match word.split_once('=') {
        Some((key, value)) if CONTEXT_TYPES.contains(&key) => {
            FsParameter::Text(key.to_owned(), value.trim_matches('"').to_owned())
        }
        Some((key, value)) => FsParameter::Text(key.to_owned(), value.to_owned()),
        None => FsParameter::Flag(word.to_owned()),
    }
}

/// mount_setattr(2) wants the whole access time field cleared when any of it changes.
fn change(attributes: &mut MountAttributes, clear: u64, set: u64) {
    attributes.set = attributes.set & !clear | set;
    attributes.clear = attributes.clear & !set | clear & !ATIME_FIELD;
    if attributes.set & ATIME_FIELD != 0 || clear & ATIME_FIELD != 0 {
        attributes.clear |= ATIME_FIELD;
    }
}

#[cfg(test)]
mod tests {
    use super::super::mount_words::{
        NOATIME, NODEV, NODIRATIME, NOEXEC, NOSUID, NOSYMFOLLOW, STRICTATIME,
    };
    use super::*;
    use crate::plan::Propagation;

    fn attributes(set: u64, clear: u64) -> MountAttributes {
        MountAttributes { set, clear }
    }

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn attributes_add_up_in_their_order() {
        for (text, expected) in [
            ("", attributes(0, 0)),
            ("defaults", attributes(0, 0)),
            ("ro", attributes(RDONLY, 0)),
            ("rw", attributes(0, RDONLY)),
            ("ro rw", attributes(0, RDONLY)),
            ("rw ro", attributes(RDONLY, 0)),
            (
                "nosuid nodev noexec",
                attributes(NOSUID | NODEV | NOEXEC, 0),
            ),
            ("nosuid suid", attributes(0, NOSUID)),
            ("noatime", attributes(NOATIME, ATIME_FIELD)),
            ("noatime strictatime", attributes(STRICTATIME, ATIME_FIELD)),
            ("relatime", attributes(0, ATIME_FIELD)),
            ("noatime relatime", attributes(0, ATIME_FIELD)),
            ("noatime norelatime", attributes(NOATIME, ATIME_FIELD)),
            ("strictatime nostrictatime", attributes(0, ATIME_FIELD)),
            ("noatime nostrictatime", attributes(NOATIME, ATIME_FIELD)),
            ("noatime atime", attributes(0, ATIME_FIELD)),
            ("nodiratime", attributes(NODIRATIME, 0)),
            ("nosymfollow symfollow", attributes(0, NOSYMFOLLOW)),
        ] {
            let (plain, recursive) = (words(text), words(&text.replace(' ', " r")));
            assert_eq!(Options::of(&plain).attributes, expected, "{text}");
            if !matches!(text, "" | "defaults") {
                let mut recursive = recursive;
                recursive[0].insert(0, 'r');
                let options = Options::of(&recursive);
                assert_eq!(options.recursive, expected, "{recursive:?}");
                assert_eq!(options.attributes, attributes(0, 0));
            }
        }
    }

    #[test]
    fn superblock_flags_can_be_taken_back() {
        for (text, expected) in [
            (
                "sync dirsync lazytime mand",
                vec!["sync", "dirsync", "lazytime", "mand"],
            ),
            ("sync async", vec![]),
            ("sync dirsync sync", vec!["sync", "dirsync"]),
            ("lazytime nolazytime mand nomand sync", vec!["sync"]),
            ("silent loud iversion noiversion", vec![]),
            ("rsync rdirsync rmand", vec!["sync", "dirsync", "mand"]),
            ("rsync rasync rmand rnomand", vec![]),
        ] {
            assert_eq!(Options::of(&words(text)).superblock, expected, "{text}");
        }
    }

    #[test]
    fn propagation_keeps_its_order() {
        let words = words("rslave shared unbindable rprivate");
        let kinds: Vec<_> = Options::of(&words)
            .propagation
            .iter()
            .map(|p| (p.kind, p.recursive))
            .collect();
        let expected = [
            (Propagation::Slave, true),
            (Propagation::Shared, false),
            (Propagation::Unbindable, false),
            (Propagation::Private, true),
        ];
        assert_eq!(kinds, expected);
    }

    #[test]
    fn what_is_not_ours_goes_to_the_filesystem() {
        let words = words("size=64k mode=755,nr_inodes=5 newinstance context=a=b acl");
        let options = Options::of(&words);
        let text = |key: &str, value: &str| FsParameter::Text(key.into(), value.into());
        assert_eq!(
            options.filesystem_parameters(),
            [
                text("size", "64k"),
                text("mode", "755"),
                text("nr_inodes", "5"),
                FsParameter::Flag("newinstance".into()),
                text("context", "a=b"),
                FsParameter::Flag("acl".into()),
            ]
        );
    }

    #[test]
    fn a_context_may_hold_commas_between_quotes() {
        let text = |key: &str, value: &str| FsParameter::Text(key.into(), value.into());
        for (word, expected) in [
            (
                r#"size=1,fscontext="u:r:t:s0:c1,c2",mode=1"#,
                vec![
                    text("size", "1"),
                    text("fscontext", "u:r:t:s0:c1,c2"),
                    text("mode", "1"),
                ],
            ),
            (r#"rootcontext="a""#, vec![text("rootcontext", "a")]),
            (r#"x="a,y=b""#, vec![text("x", "\"a"), text("y", "b\"")]),
        ] {
            let words = [word.to_owned()];
            assert_eq!(
                Options::of(&words).filesystem_parameters(),
                expected,
                "{word}"
            );
        }
    }

    #[test]
    fn the_last_id_map_counts() {
        let id_map = |text: &str| {
            let words = words(text);
            let options = Options::of(&words);
            assert_eq!(options.unknown, [], "{text}");
            options
                .id_map
                .map(|option| (option.reach, option.maps.map(str::to_owned), option.index))
        };
        let maps = Some("uids=0-1-2;gids=@0-1-2".to_owned());
        assert_eq!(id_map("bind ro"), None);
        assert_eq!(id_map("bind idmap"), Some((Reach::One, None, 1)));
        assert_eq!(id_map("idmap ridmap"), Some((Reach::All, None, 1)));
        assert_eq!(
            id_map("ridmap idmap=uids=0-1-2;gids=@0-1-2"),
            Some((Reach::One, maps.clone(), 1))
        );
        assert_eq!(
            id_map("ridmap=uids=0-1-2;gids=@0-1-2"),
            Some((Reach::All, maps, 0))
        );
    }

    #[test]
    fn the_kind_of_mount_is_told_by_options() {
        let kind = |text: &str| {
            let words = words(text);
            let options = Options::of(&words);
            (options.bind, options.remount, options.copy_up)
        };
        assert_eq!(kind("bind"), (Some(Reach::One), false, false));
        assert_eq!(kind("rbind ro"), (Some(Reach::All), false, false));
        assert_eq!(kind("remount ro"), (None, true, false));
        assert_eq!(kind("tmpcopyup"), (None, false, true));
    }
}
