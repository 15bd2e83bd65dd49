//! The options of one mount: every word is exactly one of attribute, propagation, kind or data,
//! later ones undo earlier ones, and saying all of it twice says nothing new.

use std::sync::LazyLock;

use arbitrary::{Result, Unstructured};
use hull_spec::features::features;
use hull_spec::plan::{FsParameter, Mount, MountAttributes, MountKind, Propagation};
use serde_json::{Value, json};

use super::{promises, worlds};

/// The words of the parser's own table, as it tells them to engines.
static WORDS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let features = serde_json::to_value(features("")).expect("features are JSON");
    let words = features["mountOptions"].as_array().expect("a list");
    words
        .iter()
        .filter_map(|word| word.as_str().map(str::to_owned))
        .collect()
});

const TYPES: [&str; 8] = [
    "tmpfs", "proc", "sysfs", "devpts", "ext4", "cgroup", "bind", "",
];
/// Id mapping has rules of its own.
const WITH_RULES_OF_THEIR_OWN: [&str; 3] = ["idmap", "ridmap", "idmap="];

pub(crate) fn check(bytes: &[u8]) {
    let mut choices = Unstructured::new(bytes);
    let (Ok(fstype), Ok(words)) = (choices.choose(&TYPES).copied(), words(&mut choices)) else {
        return;
    };
    let once = mount(fstype, &words);
    let twice = mount(fstype, &[&words[..], &words].concat());
    assert_eq!(once.is_ok(), twice.is_ok(), "{words:?}");
    let (Ok(once), Ok(twice)) = (once, twice) else {
        return;
    };
    assert_eq!(once.attributes, naive_attributes(&words, ""), "{words:?}");
    assert_eq!(
        once.recursive_attributes,
        naive_attributes(&words, "r"),
        "{words:?}"
    );
    assert_eq!(once.attributes, twice.attributes, "{words:?}");
    assert_eq!(
        once.recursive_attributes, twice.recursive_attributes,
        "{words:?}"
    );
    let propagation: Vec<(Propagation, bool)> = once
        .propagation
        .iter()
        .map(|one| (one.kind, one.recursive))
        .collect();
    assert_eq!(propagation, naive_propagation(&words), "{words:?}");
    let says = |word: &str| words.iter().any(|other| other == word);
    assert_eq!(once.copy_up.is_some(), says("tmpcopyup"));
    let is_bind = matches!(once.kind, MountKind::Bind { .. });
    assert_eq!(
        is_bind,
        !says("remount") && (says("bind") || says("rbind")),
        "{words:?}"
    );
    if let MountKind::Filesystem { parameters, .. } = &once.kind {
        assert_eq!(data_of(parameters), naive_data(&words), "{words:?}");
    }
}

fn words(choices: &mut Unstructured<'_>) -> Result<Vec<String>> {
    let mut words = Vec::new();
    while !choices.is_empty() && words.len() < 40 {
        let word = match choices.int_in_range(0..=7)? {
            0 => choices.arbitrary::<&str>()?.replace('\0', ""),
            1 => format!("{}=1", choices.choose(&["size", "mode", "a,b", ""])?),
            _ => choices.choose(&WORDS)?.clone(),
        };
        if !WITH_RULES_OF_THEIR_OWN
            .iter()
            .any(|rule| word.starts_with(rule))
        {
            words.push(word);
        }
    }
    Ok(words)
}

fn mount(fstype: &str, words: &[String]) -> Result<Mount, String> {
    let config: Value = json!({
        "ociVersion": "1.3.0",
        "root": {"path": "rootfs"},
        "process": {"args": ["sh"], "cwd": "/", "user": {"uid": 0, "gid": 0}},
        "mounts": [{"destination": "/proc", "source": "/src", "type": fstype, "options": words}],
        "linux": {"namespaces": [{"type": "mount"}, {"type": "pid"}, {"type": "cgroup"}]},
    });
    let answer = worlds::first(config.to_string().as_bytes());
    promises::kept(&answer);
    answer.map(|mut plan| plan.init.rootfs.mounts.swap_remove(0))
}

/// A flag, the word that sets it, the word that clears it.
const FLAGS: [(u64, &str, &str); 6] = [
    (0x1, "ro", "rw"),
    (0x2, "nosuid", "suid"),
    (0x4, "nodev", "dev"),
    (0x8, "noexec", "exec"),
    (0x80, "nodiratime", "diratime"),
    (0x20_0000, "nosymfollow", "symfollow"),
];
const ATIME_FIELD: u64 = 0x70;

/// Word by word: the last about a flag counts; the access time is one of three modes.
fn naive_attributes(words: &[String], prefix: &str) -> MountAttributes {
    let said: Vec<&str> = words
        .iter()
        .filter_map(|word| word.strip_prefix(prefix))
        .collect();
    let mut result = MountAttributes::default();
    for (bit, sets, clears) in FLAGS {
        match said.iter().rfind(|word| [sets, clears].contains(word)) {
            Some(word) if *word == sets => result.set |= bit,
            Some(_) => result.clear |= bit,
            None => {}
        }
    }
    let mut mode = 0;
    let mut touched = false;
    for word in said {
        let (is_mode, next) = match word {
            "noatime" => (true, 0x10),
            "strictatime" => (true, 0x20),
            "relatime" => (true, 0),
            "atime" => (true, mode & !0x10),
            "nostrictatime" => (true, mode & !0x20),
            _ => (false, mode),
        };
        touched |= is_mode;
        mode = next;
    }
    result.set |= mode;
    result.clear |= if touched { ATIME_FIELD } else { 0 };
    result
}

fn naive_propagation(words: &[String]) -> Vec<(Propagation, bool)> {
    let kind = |word: &str| {
        Some(match word {
            "shared" => Propagation::Shared,
            "slave" => Propagation::Slave,
            "private" => Propagation::Private,
            "unbindable" => Propagation::Unbindable,
            _ => return None,
        })
    };
    let change = |word: &String| {
        let plain = kind(word).map(|kind| (kind, false));
        plain.or_else(|| kind(word.strip_prefix('r')?).map(|kind| (kind, true)))
    };
    words.iter().filter_map(change).collect()
}

/// What goes to the filesystem, but for the flags of the superblock that are words of ours.
fn data_of(parameters: &[FsParameter]) -> Vec<String> {
    let text = |parameter: &FsParameter| match parameter {
        FsParameter::Flag(flag) => flag.clone(),
        FsParameter::Text(key, value) => format!("{key}={value}"),
    };
    parameters
        .iter()
        .map(text)
        .filter(|text| !WORDS.contains(text))
        .collect()
}

fn naive_data(words: &[String]) -> Vec<String> {
    let unknown = words.iter().filter(|word| !WORDS.contains(word));
    let parts = unknown.flat_map(|word| word.split(','));
    parts
        .filter(|part| !part.is_empty() && !WORDS.iter().any(|word| word == part))
        .map(str::to_owned)
        .collect()
}
