//! `report`: everything the probe can see of its own surroundings, as one
//! JSON object. A fact that cannot be read is null, never a guess.

use crate::kernel;
use serde_json::{Map, Value, json};
use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

pub(crate) fn everything() -> Value {
    let (sid, pgid) = kernel::session_of_self();
    json!({
        "step": "report",
        "args": std::env::args_os().map(|arg| arg.to_string_lossy().into_owned()).collect::<Vec<_>>(),
        "env": environment(),
        "cwd": std::env::current_dir().ok(),
        "umask": format!("{:04o}", kernel::umask()),
        "pid": std::process::id(),
        "ppid": std::os::unix::process::parent_id(),
        "sid": sid,
        "pgid": pgid,
        "namespaces": links("/proc/self/ns"),
        "mounts": mounts(),
        "status": status(),
        "capabilities": capabilities(),
        "rlimits": rlimits(),
        "fds": descriptors(),
        "hostname": text("/proc/sys/kernel/hostname"),
        "domainname": text("/proc/sys/kernel/domainname"),
        "cgroup": lines("/proc/self/cgroup"),
        "oom_score_adj": number("/proc/self/oom_score_adj"),
        "label": text("/proc/self/attr/current"),
        "interfaces": interfaces(),
        "personality": kernel::syscall(libc::SYS_personality, [0xffff_ffff, 0, 0, 0]).ok(),
        "scheduler": scheduler(),
        "ioprio": kernel::syscall(libc::SYS_ioprio_get, [1, 0, 0, 0]).ok(),
        "timens_offsets": lines("/proc/self/timens_offsets"),
        "devices": directory("/dev"),
        "terminal": (0..3).map(kernel::is_terminal).collect::<Vec<_>>(),
        "root": directory("/").map(|entries| entries.keys().cloned().collect::<Vec<_>>()),
    })
}

/// What procfs shows of another process.
pub(crate) fn process(pid: &str) -> Value {
    let file = |name: &str| format!("/proc/{pid}/{name}");
    let mounts: Option<Vec<Value>> =
        lines(&file("mountinfo")).map(|table| table.iter().filter_map(|line| mount(line)).collect());
    json!({
        "namespaces": links(&file("ns")),
        "cgroup": lines(&file("cgroup")),
        "uid_map": text(&file("uid_map")),
        "cmdline": text(&file("cmdline")).map(|line| line.split('\0').map(str::to_owned).collect::<Vec<_>>()),
        "mounts": mounts,
    })
}

fn text(path: &str) -> Option<String> {
    let bytes = fs::read(path).ok()?;
    Some(String::from_utf8_lossy(&bytes).trim_end_matches(['\n', '\0']).to_owned())
}

fn lines(path: &str) -> Option<Vec<String>> {
    Some(text(path)?.lines().map(str::to_owned).collect())
}

fn number(path: &str) -> Option<i64> {
    text(path)?.trim().parse().ok()
}

fn environment() -> Vec<String> {
    // std's iterator drops entries without `=`; procfs shows the block as execve got it.
    match fs::read("/proc/self/environ") {
        Ok(block) => block
            .split(|byte| *byte == 0)
            .filter(|entry| !entry.is_empty())
            .map(|entry| String::from_utf8_lossy(entry).into_owned())
            .collect(),
        Err(_) => std::env::vars_os()
            .map(|(key, value)| format!("{}={}", key.to_string_lossy(), value.to_string_lossy()))
            .collect(),
    }
}

fn links(dir: &str) -> Option<Map<String, Value>> {
    let mut found = Map::new();
    for entry in fs::read_dir(dir).ok()?.flatten() {
        if let Ok(target) = fs::read_link(entry.path()) {
            found.insert(entry.file_name().to_string_lossy().into_owned(), json!(target));
        }
    }
    Some(found)
}

fn descriptors() -> Option<Map<String, Value>> {
    let mut found = links("/proc/self/fd")?;
    // The directory being listed is a descriptor of the listing itself.
    found.retain(|_, target| {
        !target.as_str().is_some_and(|target| target.ends_with("/fd") && target.starts_with("/proc/"))
    });
    Some(found)
}

fn mounts() -> Option<Vec<Value>> {
    Some(lines("/proc/self/mountinfo")?.iter().filter_map(|line| mount(line)).collect())
}

fn mount(line: &str) -> Option<Value> {
    let (left, right) = line.split_once(" - ")?;
    let left: Vec<&str> = left.split(' ').collect();
    let right: Vec<&str> = right.split(' ').collect();
    Some(json!({
        "id": left.first()?, "parent": left.get(1)?, "device": left.get(2)?, "root": left.get(3)?,
        "point": left.get(4)?, "options": left.get(5)?.split(',').collect::<Vec<_>>(),
        "optional": &left[6..],
        "fstype": right.first()?, "source": right.get(1)?,
        "super": right.get(2).map(|options| options.split(',').collect::<Vec<_>>()),
    }))
}

fn status() -> Option<Map<String, Value>> {
    let pairs = lines("/proc/self/status")?;
    Some(
        pairs
            .iter()
            .filter_map(|line| line.split_once(':'))
            .map(|(key, value)| (key.to_owned(), json!(value.trim())))
            .collect(),
    )
}

fn capabilities() -> Option<Value> {
    let status = status()?;
    let set = |key: &str| {
        let bits = u64::from_str_radix(status.get(key)?.as_str()?, 16).ok()?;
        Some((0..64).filter(|bit| bits & (1 << bit) != 0).collect::<Vec<u32>>())
    };
    Some(json!({
        "inheritable": set("CapInh"), "permitted": set("CapPrm"), "effective": set("CapEff"),
        "bounding": set("CapBnd"), "ambient": set("CapAmb"),
    }))
}

fn rlimits() -> Value {
    const NAMES: [(&str, u32); 16] = [
        ("RLIMIT_CPU", 0),
        ("RLIMIT_FSIZE", 1),
        ("RLIMIT_DATA", 2),
        ("RLIMIT_STACK", 3),
        ("RLIMIT_CORE", 4),
        ("RLIMIT_RSS", 5),
        ("RLIMIT_NPROC", 6),
        ("RLIMIT_NOFILE", 7),
        ("RLIMIT_MEMLOCK", 8),
        ("RLIMIT_AS", 9),
        ("RLIMIT_LOCKS", 10),
        ("RLIMIT_SIGPENDING", 11),
        ("RLIMIT_MSGQUEUE", 12),
        ("RLIMIT_NICE", 13),
        ("RLIMIT_RTPRIO", 14),
        ("RLIMIT_RTTIME", 15),
    ];
    let all = NAMES.iter().map(|(name, resource)| {
        let limit = kernel::rlimit(*resource).ok();
        ((*name).to_owned(), json!(limit.map(|(soft, hard)| json!({"soft": soft, "hard": hard}))))
    });
    Value::Object(all.collect())
}

fn interfaces() -> Value {
    let Ok(found) = kernel::interfaces() else {
        return Value::Null;
    };
    let mut named: Map<String, Value> = Map::new();
    for (name, flags, address) in found {
        let entry = named
            .entry(name)
            .or_insert_with(|| json!({"up": flags & 1 != 0, "running": flags & 0x40 != 0, "ipv4": []}));
        if let (Some(address), Some(list)) = (address, entry["ipv4"].as_array_mut()) {
            list.push(json!(address));
        }
    }
    Value::Object(named)
}

/// What sched_getattr(2) tells.
fn scheduler() -> Value {
    let Ok(words) = kernel::scheduler() else {
        return Value::Null;
    };
    let long = |at: usize| u64::from(words[at]) | u64::from(words[at + 1]) << 32;
    json!({
        "policy": words[1],
        "flags": long(2),
        "nice": words[4] as i32,
        "priority": words[5],
        "runtime": long(6),
        "deadline": long(8),
        "period": long(10),
    })
}

fn directory(dir: &str) -> Option<Map<String, Value>> {
    let mut found = Map::new();
    for entry in fs::read_dir(dir).ok()?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        found.insert(name, facts_of(&entry.path()).unwrap_or(Value::Null));
    }
    Some(found)
}

/// What lstat says about a path, and where it points if it is a link.
pub(crate) fn facts_of(path: &Path) -> std::io::Result<Value> {
    let meta = fs::symlink_metadata(path)?;
    let mut facts = facts(&meta);
    if let (Ok(target), Some(facts)) = (fs::read_link(path), facts.as_object_mut()) {
        facts.insert("target".to_owned(), json!(target));
    }
    Ok(facts)
}

pub(crate) fn facts(meta: &fs::Metadata) -> Value {
    let kind = meta.file_type();
    let kind = match () {
        () if kind.is_symlink() => "link",
        () if kind.is_dir() => "dir",
        () if kind.is_char_device() => "char",
        () if kind.is_block_device() => "block",
        () if kind.is_fifo() => "fifo",
        () if kind.is_socket() => "socket",
        () => "file",
    };
    json!({
        "type": kind, "mode": format!("{:04o}", meta.mode() & 0o7777), "uid": meta.uid(), "gid": meta.gid(),
        "major": libc::major(meta.rdev()), "minor": libc::minor(meta.rdev()), "size": meta.size(),
        "dev": meta.dev(), "ino": meta.ino(), "nlink": meta.nlink(),
    })
}
