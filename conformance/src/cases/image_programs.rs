//! Security tests T-A12, T-A21: libraries and programs of the image, which no
//! process with the host's privileges may load or execute.

use crate::bed::Bed;
use crate::bundle::Bundle;
use crate::case::{Check, Stop, case, ensure, safety, same, skip};
use crate::container::Container;
use serde_json::json;
use std::fs::{File, FileTimes};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

/// A library that tells whether it was read: its access time is older than its change, so reading moves it.
struct Trap(PathBuf);

impl Trap {
    fn set(path: PathBuf) -> Check<Self> {
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new("/")))?;
        std::fs::write(&path, "\x7fELF")?;
        let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        File::options().write(true).open(&path)?.set_times(FileTimes::new().set_accessed(long_ago))?;
        Ok(Self(path))
    }

    fn was_read(&self) -> Check<bool> {
        Ok(std::fs::metadata(&self.0)?.atime() != 1_000_000_000)
    }
}

/// The name services of a hostile image, in every directory where a C library looks for them.
fn evil_libraries(bundle: &Bundle) -> Check<Vec<Trap>> {
    let root = bundle.rootfs();
    std::fs::write(root.join("etc/nsswitch.conf"), "passwd: evil\ngroup: evil\nhosts: evil\n")?;
    std::fs::write(root.join("etc/passwd"), "daemon:x:33:33::/srv/www:/bin/sh\n")?;
    let mut traps = Vec::new();
    for dir in ["lib", "lib64", "usr/lib", "lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu", "usr/lib64"] {
        for name in ["libnss_evil.so.2", "libnss_files.so.2", "libc.so.6", "libgcc_s.so.1"] {
            traps.push(Trap::set(root.join(dir).join(name))?);
        }
    }
    Ok(traps)
}

case!(
    no_library_of_the_image_is_loaded,
    safety(
        &["T-A12"],
        "T-A12: nsswitch.conf names a library of the image; user 33, no HOME: no library of the image is ever read"
    ),
    |bed| {
        bed.host.needs_root()?;
        let control = Trap::set(bed.scratch.join("control"))?;
        std::fs::read(&control.0)?;
        if !control.was_read()? {
            return skip("access times are not kept where the bundles are");
        }
        let config = bed
            .config()
            .set("/process/user", json!({"uid": 33, "gid": 33}))
            .set("/process/env", json!(["PATH=/bin"]))
            .steps("say ran");
        let bundle = bed.bundle(&config)?;
        let traps = evil_libraries(&bundle)?;
        let container = Container::create(bed, &bed.id(), &bundle, &[])?;
        same("output", container.finish()?.stdout.trim(), "ran")?;
        container.delete()?;
        for trap in &traps {
            ensure!(!trap.was_read()?, "{} was read", trap.0.display());
        }
        Ok(())
    }
);

/// The types of a program's headers: 2 is a table of what to load, 3 the name of a loader.
fn header_types(program: &[u8]) -> Check<Vec<u32>> {
    let number = |at: usize, size: usize| {
        let bytes = program.get(at..at + size).ok_or_else(|| Stop::Fail("a short ELF file".to_owned()))?;
        Ok::<u64, Stop>(bytes.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte)))
    };
    ensure!(program.starts_with(b"\x7fELF\x02\x01"), "no ELF file of 64 bits, little endian");
    let (table, size, count) = (number(32, 8)?, number(54, 2)?, number(56, 2)?);
    (0..count).map(|index| Ok(u32::try_from(number(usize::try_from(table + index * size)?, 4)?)?)).collect()
}

case!(
    the_runtime_loads_no_library_at_all,
    safety(&["T-A12"], "T-A12: the runtime is static: no loader, so nothing can be loaded once it is inside"),
    |bed| {
        let types = header_types(&std::fs::read(&bed.runtime.path)?)?;
        ensure!(!types.is_empty(), "no program headers");
        ensure!(!types.contains(&3), "the program names a loader");
        Ok(())
    }
);

/// Programs that runtimes are known to call, and others that a service would.
const HELPERS: [&str; 20] = [
    "newuidmap",
    "newgidmap",
    "criu",
    "systemd-run",
    "systemctl",
    "systemd-notify",
    "iptables",
    "iptables-restore",
    "nft",
    "ip",
    "modprobe",
    "mount",
    "umount",
    "fusermount3",
    "apparmor_parser",
    "ldconfig",
    "sh",
    "ps",
    "kill",
    "runc-dmz",
];

/// The words of `verb`, traced: what it and its children executed.
fn traced(bed: &Bed, args: &[&str]) -> Check<Vec<String>> {
    let file = bed.scratch.join("trace");
    let mut strace = Command::new("strace");
    // As a grandchild, so that the runtime itself is the child that is awaited.
    strace.args(["-D", "-f", "-qq", "-e", "trace=execve,execveat", "-o"]).arg(&file).arg("--");
    bed.finish(bed.command_through(strace, args))?.succeeded(args[0])?;
    let text = std::fs::read_to_string(&file)?;
    Ok(text.lines().filter(|line| line.contains("exec")).map(str::to_owned).collect())
}

case!(
    no_program_of_the_image_is_executed_for_the_runtime,
    safety(
        &["T-A21"],
        "T-A21: the root carries every helper's name; over create, start, exec and delete no such program is executed"
    ),
    |bed| {
        bed.host.needs_root()?;
        bed.host.needs_program("strace")?;
        let bundle = bed.bundle(&bed.config().steps("tell /sync/ready + pause"))?;
        let root = bundle.rootfs();
        for dir in ["bin", "sbin", "usr/bin", "usr/sbin", "usr/local/bin"] {
            std::fs::create_dir_all(root.join(dir))?;
            for name in HELPERS {
                std::os::unix::fs::symlink("/probe", root.join(dir).join(name))?;
            }
        }
        let ready = super::Fifo::make(&root.join("sync/ready"))?;
        let id = bed.id();
        let path = bundle.path.to_string_lossy().into_owned();
        let mut executed = traced(bed, &["create", "--bundle", &path, &id])?;
        executed.extend(traced(bed, &["start", &id])?);
        ready.wait()?;
        // A runtime without exec is told so by the cases of exec.
        executed.extend(traced(bed, &["exec", &id, "/probe", "exit", "0"]).unwrap_or_default());
        executed.extend(traced(bed, &["delete", "--force", &id])?);
        ensure!(executed.iter().any(|line| line.contains("execve")), "strace saw nothing");
        for line in executed {
            // Tried counts: the path alone decides whether the image's program would have been taken.
            let tried = HELPERS.iter().find(|name| line.contains(&format!("/{name}\"")));
            ensure!(tried.is_none(), "executed: {line}");
        }
        bed.nothing_left()
    }
);
