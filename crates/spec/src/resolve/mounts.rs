//! `mounts`, in listed order: what each one is, from where, with which attributes.
//!
//! Bind sources become handed trees. A destination that would hide or replace what the runtime's
//! own safety stands on is refused by its text here, and by its fd again when it is mounted.

use oci_spec::runtime::Mount as Raw;

use crate::bundle::Bundle;
use crate::plan::{CgroupLayout, FsParameter, Mount, MountKind, Propagation, TreeSource};

use super::error::{At, ResolveError, Warnings};
use super::handed::Handed;
use super::mount_options::Options;
use super::mount_words::Reach;
use super::path;
use super::unsupported;

/// What lxcfs and the like may put below /proc, and nothing else may.
const PROC_FILES: &[&str] = &[
    "cpuinfo",
    "diskstats",
    "loadavg",
    "meminfo",
    "slabinfo",
    "stat",
    "swaps",
    "sys/crypto/fips_enabled",
    "sys/kernel/ns_last_pid",
    "uptime",
];

/// Their superblocks are the kernel's own or made for this container: `ro` is the mount's affair.
const NO_DISK: &[&str] = &[
    "cgroup", "cgroup2", "devpts", "mqueue", "proc", "sysfs", "tmpfs",
];

/// What the mounts of one container share.
#[derive(Debug, Clone, Copy)]
pub(super) struct Surroundings<'a> {
    pub(super) bundle: &'a Bundle,
    pub(super) layout: CgroupLayout,
    /// How clones of bind sources are tied to the host.
    pub(super) ties: Propagation,
}

/// All of `mounts`.
pub(super) fn resolve(
    around: Surroundings<'_>,
    handed: &mut Handed,
    warnings: &mut Warnings,
) -> Result<Vec<Mount>, ResolveError> {
    let all = At::new("/mounts");
    let raw = around.bundle.config.mounts.iter().flatten().enumerate();
    raw.map(|(index, raw)| one(raw, index, &all.index(index), around, (handed, warnings)))
        .collect()
}

fn one(
    raw: &Raw,
    index: usize,
    at: &At<'_>,
    around: Surroundings<'_>,
    (handed, warnings): (&mut Handed, &mut Warnings),
) -> Result<Mount, ResolveError> {
    unsupported::refuse_mount(raw, at)?;
    let words = raw.options().as_deref().unwrap_or_default();
    let options = Options::of(words);
    let kind = kind(raw, &options, at, around, handed)?;
    let destination = destination(raw, &kind, &at.member("/destination"), warnings)?;
    if options.copy_up && !is_filesystem(&kind, "tmpfs") {
        return Err(at.member("/options").breaks("tmpcopyup needs type tmpfs"));
    }
    Ok(Mount {
        index: u32::try_from(index).unwrap_or(u32::MAX),
        destination,
        kind,
        attributes: options.attributes,
        recursive_attributes: options.recursive,
        propagation: options.propagation,
        copy_up: options.copy_up,
    })
}

fn is_filesystem(kind: &MountKind, name: &str) -> bool {
    matches!(kind, MountKind::Filesystem { fstype, .. } if fstype == name)
}

/// Options alone make a bind; the type of one means nothing (config.md#mounts).
fn kind(
    raw: &Raw,
    options: &Options<'_>,
    at: &At<'_>,
    around: Surroundings<'_>,
    handed: &mut Handed,
) -> Result<MountKind, ResolveError> {
    if options.remount {
        refuse_unknown(options, at)?;
        return Ok(MountKind::Remount);
    }
    if let Some(reach) = options.bind {
        refuse_unknown(options, at)?;
        let place = at.member("/source");
        let source = source(raw, around.bundle, &place)?;
        let number = handed.add(
            &place,
            TreeSource::Path(source),
            reach == Reach::All,
            around.ties,
        );
        return Ok(MountKind::Bind { handed: number });
    }
    let place = at.member("/type");
    match raw.typ().as_deref() {
        None | Some("" | "none") => {
            Err(place.breaks("must name a filesystem where no option says bind or rbind"))
        }
        Some("bind") => Err(place.breaks("needs the option bind or rbind")),
        // Which hierarchies, and from where, is known once all other trees are.
        Some("cgroup") if around.layout == CgroupLayout::V1 => {
            refuse_unknown(options, at)?;
            Ok(MountKind::CgroupV1 {
                hierarchies: Vec::new(),
            })
        }
        Some("cgroup") => Ok(filesystem("cgroup2", raw, options)),
        Some(fstype) => Ok(filesystem(fstype, raw, options)),
    }
}

/// The kernel drops data for a bind without a word; the caller meant something by it.
fn refuse_unknown(options: &Options<'_>, at: &At<'_>) -> Result<(), ResolveError> {
    match options.unknown.first() {
        None => Ok(()),
        Some((index, word)) => Err(at
            .member("/options")
            .index(*index)
            .wrong(word, "is an invalid mount option here")),
    }
}

fn source(raw: &Raw, bundle: &Bundle, at: &At<'_>) -> Result<String, ResolveError> {
    match raw.source() {
        Some(source) if !source.as_os_str().is_empty() => {
            Ok(path::below(&bundle.directory, source))
        }
        _ => Err(at.breaks("must be given for a bind")),
    }
}

fn filesystem(fstype: &str, raw: &Raw, options: &Options<'_>) -> MountKind {
    let mut parameters: Vec<FsParameter> = options
        .superblock
        .iter()
        .map(|flag| FsParameter::Flag((*flag).to_owned()))
        .collect();
    if options.read_only() && !NO_DISK.contains(&fstype) {
        parameters.push(FsParameter::Flag("ro".to_owned()));
    }
    parameters.extend(options.filesystem_parameters());
    let source = raw
        .source()
        .as_ref()
        .map(|source| source.to_string_lossy().into_owned());
    MountKind::Filesystem {
        fstype: fstype.to_owned(),
        source: source
            .filter(|source| !source.is_empty())
            .unwrap_or_else(|| fstype.to_owned()),
        parameters,
    }
}

fn destination(
    raw: &Raw,
    kind: &MountKind,
    at: &At<'_>,
    warnings: &mut Warnings,
) -> Result<String, ResolveError> {
    let written = raw.destination().to_string_lossy();
    if written.is_empty() {
        return Err(at.breaks("must not be empty"));
    }
    refuse_place(&path::clean(&written), raw, kind, at)?;
    if written.starts_with('/') {
        return Ok(written.into_owned());
    }
    warnings.add(
        at,
        format_args!("{written:?} is relative, taken as \"/{written}\""),
    );
    Ok(format!("/{written}"))
}

/// The root itself; /proc by anything but a procfs; what stands below it; the securityfs.
fn refuse_place(place: &str, raw: &Raw, kind: &MountKind, at: &At<'_>) -> Result<(), ResolveError> {
    if place == "/" {
        return Err(at.wrong(place, "must not be the root"));
    }
    if place == "/proc" && !is_procfs(raw, kind) {
        return Err(at.wrong(place, "can only be a procfs"));
    }
    if place
        .strip_prefix("/proc/")
        .is_some_and(|file| !PROC_FILES.contains(&file))
    {
        return Err(at.wrong(place, "must not be below /proc"));
    }
    if place == "/sys/kernel/security" || place.starts_with("/sys/kernel/security/") {
        return Err(at.wrong(place, "must not be mounted on"));
    }
    Ok(())
}

/// A new one, the host's (rootless with the host's pid namespace), or one that stands there.
fn is_procfs(raw: &Raw, kind: &MountKind) -> bool {
    let from_proc = || {
        raw.source()
            .as_ref()
            .is_some_and(|path| path.as_os_str() == "/proc")
    };
    match kind {
        MountKind::Bind { .. } => from_proc(),
        MountKind::Remount => true,
        kind => is_filesystem(kind, "proc"),
    }
}
