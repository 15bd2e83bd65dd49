//! The steps: each does one thing and prints one line of JSON with `ok`,
//! and either `value` or `errno`. A step that ends the probe returns a code.

use crate::{errno, kernel, pry, report, signals};
use serde_json::{Value, json};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixDatagram;
use std::path::Path;

/// Carries out one step; `Some(code)` ends the probe with that exit code.
pub(crate) fn carry_out(name: &str, args: &[String]) -> Option<u8> {
    let arg = |index: usize| args.get(index).map_or("", String::as_str);
    match name {
        "exit" => return Some(arg(0).parse().unwrap_or(125)),
        "say" => print_line(arg(0)),
        "complain" => eprintln!("{}", arg(0)),
        "report" => print_line(&report::everything().to_string()),
        "pause" => loop {
            kernel::pause();
        },
        _ => {
            let outcome = act(name, args);
            let mut line = json!({"step": name, "args": args, "ok": outcome.is_ok()});
            match outcome {
                Ok(value) => line["value"] = value,
                Err(error) => line["errno"] = json!(errno::name(&error)),
            }
            print_line(&line.to_string());
        }
    }
    None
}

fn print_line(line: &str) {
    let mut out = io::stdout().lock();
    // One write per line; a closed stdout must not end the probe.
    if out.write_all(format!("{line}\n").as_bytes()).is_ok() {
        out.flush().unwrap_or_default();
    }
}

fn number(text: &str) -> io::Result<u32> {
    text.parse().map_err(|_| io::ErrorKind::InvalidInput.into())
}

fn signal(text: &str) -> io::Result<i32> {
    signals::number(text).ok_or_else(|| io::ErrorKind::InvalidInput.into())
}

fn act(name: &str, args: &[String]) -> io::Result<Value> {
    let arg = |index: usize| args.get(index).map_or("", String::as_str);
    let path = Path::new(arg(0));
    match name {
        "read" => read(&mut File::open(path)?),
        "stdin" => read(&mut io::stdin()),
        "line" => line(&mut io::stdin()),
        "write" => write(OpenOptions::new().write(true).create(true).truncate(true), path, arg(1)),
        "append" => write(OpenOptions::new().append(true), path, arg(1)),
        "record" => record(path, &args[1..]),
        "poke" => write(OpenOptions::new().write(true), path, arg(1)),
        "open" => open(path, arg(1)),
        "stat" => Ok(report::facts(&fs::metadata(path)?)),
        "lstat" => report::facts_of(path),
        "statfd" => {
            let fd = fs::read_link(format!("/proc/self/fd/{}", arg(0)));
            let meta = fs::metadata(format!("/proc/self/fd/{}", arg(0)))?;
            let mut facts = report::facts(&meta);
            facts["link"] = json!(fd.ok());
            Ok(facts)
        }
        "readfd" => read(&mut File::open(format!("/proc/self/fd/{}", arg(0)))?),
        "list" => list(path),
        "xattr" => kernel::xattr(path, arg(1)).map(|value| json!(value)),
        "mkdir" => fs::create_dir(path).map(|()| Value::Null),
        "rmdir" => fs::remove_dir(path).map(|()| Value::Null),
        "unlink" => fs::remove_file(path).map(|()| Value::Null),
        "symlink" => symlink(arg(0), arg(1)).map(|()| Value::Null),
        "flip" => loop {
            kernel::exchange(path, Path::new(arg(1)))?;
        },
        "rename" => fs::rename(arg(0), arg(1)).map(|()| Value::Null),
        "chmod" => {
            let mode = u32::from_str_radix(arg(1), 8).map_err(|_| io::ErrorKind::InvalidInput)?;
            fs::set_permissions(path, PermissionsExt::from_mode(mode)).map(|()| Value::Null)
        }
        "mknod" => mknod(path, arg(1), number(arg(2))?, number(arg(3))?),
        "mount" => kernel::mount(arg(0), Path::new(arg(1)), arg(2)).map(|()| Value::Null),
        "remount-rw" => kernel::remount_bind(path, 0).map(|()| Value::Null),
        "umount" => kernel::umount(path).map(|()| Value::Null),
        "chdir" => std::env::set_current_dir(path).map(|()| Value::Null),
        "setuid" => kernel::set_uid(number(arg(0))?).map(|()| Value::Null),
        "run" => run(args),
        _ => act_on_processes(name, args),
    }
}

fn act_on_processes(name: &str, args: &[String]) -> io::Result<Value> {
    let arg = |index: usize| args.get(index).map_or("", String::as_str);
    match name {
        "tell" => write(OpenOptions::new().write(true), Path::new(arg(0)), "."),
        "await" => {
            let mut byte = [0];
            File::open(arg(0))?.read_exact(&mut byte).map(|()| Value::Null)
        }
        "trap" => kernel::exit_on(signal(arg(0))?, number(arg(1))? as i32).map(|()| Value::Null),
        "block" => kernel::block(&all_signals(args)?).map(|()| Value::Null),
        "receive" => Ok(json!(signals::name(kernel::next_signal(&all_signals(args)?)?))),
        "kill" => kernel::kill(std::process::id() as i32, signal(arg(0))?).map(|()| Value::Null),
        "kill-pid" => kernel::kill(number(arg(1))? as i32, signal(arg(0))?).map(|()| Value::Null),
        "spawn" => kernel::fork_sleeper().map(|pid| json!(pid)),
        "orphan" => kernel::fork_orphan().map(|pid| json!(pid)),
        "pry" => Ok(pry::into_others(Path::new(arg(0)))),
        "notify" => notify(arg(0)),
        "forks" => forks(number(arg(0))?),
        "memory" => touch_memory(number(arg(0))? as usize),
        "isatty" => Ok(json!(kernel::is_terminal(number(arg(0))? as i32))),
        "window" => kernel::window_size(number(arg(0))? as i32).map(|(rows, columns)| json!([rows, columns])),
        "tiocsti" => kernel::push_terminal_input(0, b'x').map(|()| Value::Null),
        "fill" => fill(Path::new(arg(0)), number(arg(1))?),
        "call" => call(arg(0)),
        _ => Err(io::Error::other(format!("unknown step {name}"))),
    }
}

fn read(from: &mut dyn Read) -> io::Result<Value> {
    let mut bytes = Vec::new();
    from.take(1 << 16).read_to_end(&mut bytes)?;
    Ok(json!(String::from_utf8_lossy(&bytes)))
}

/// What a hook was given, its surroundings, the container's process and these paths, kept in a file.
fn record(file: &Path, paths: &[String]) -> io::Result<Value> {
    let mut facts = report::everything();
    facts["stdin"] = read(&mut io::stdin())?;
    let state: Value = serde_json::from_str(facts["stdin"].as_str().unwrap_or_default()).unwrap_or_default();
    facts["container"] = report::process(&state["pid"].to_string());
    facts["paths"] = paths.iter().map(|path| (path.clone(), json!(report::facts_of(Path::new(path)).ok()))).collect();
    fs::write(file, facts.to_string()).map(|()| Value::Null)
}

/// Up to the end of one line, and no further: a terminal has no end of file to wait for.
fn line(from: &mut dyn Read) -> io::Result<Value> {
    let mut bytes = Vec::new();
    while bytes.last() != Some(&b'\n') {
        let mut byte = [0];
        from.read_exact(&mut byte)?;
        bytes.push(byte[0]);
    }
    Ok(json!(String::from_utf8_lossy(&bytes)))
}

fn write(options: &OpenOptions, path: &Path, text: &str) -> io::Result<Value> {
    options.open(path)?.write_all(text.as_bytes()).map(|()| Value::Null)
}

fn open(path: &Path, mode: &str) -> io::Result<Value> {
    OpenOptions::new().read(mode.contains('r')).write(mode.contains('w')).open(path).map(|_| Value::Null)
}

fn list(path: &Path) -> io::Result<Value> {
    let names: io::Result<Vec<String>> =
        fs::read_dir(path)?.map(|entry| entry.map(|entry| entry.file_name().to_string_lossy().into_owned())).collect();
    let mut names = names?;
    names.sort();
    Ok(json!(names))
}

fn mknod(path: &Path, kind: &str, major: u32, minor: u32) -> io::Result<Value> {
    let kind = if kind == "b" { libc::S_IFBLK } else { libc::S_IFCHR };
    kernel::mknod(path, kind | 0o600, major, minor).map(|()| Value::Null)
}

fn run(argv: &[String]) -> io::Result<Value> {
    let (program, args) = argv.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let status = std::process::Command::new(program).args(args).status()?;
    Ok(json!(status.code()))
}

/// One datagram to the service manager's socket, as sd_notify sends it.
fn notify(text: &str) -> io::Result<Value> {
    let socket = std::env::var_os("NOTIFY_SOCKET").ok_or(io::ErrorKind::NotFound)?;
    UnixDatagram::unbound()?.send_to(text.as_bytes(), socket).map(|count| json!(count))
}

fn all_signals(names: &[String]) -> io::Result<Vec<i32>> {
    names.iter().map(|name| signal(name)).collect()
}

/// How many children can live at once, up to `wanted`; all are ended again.
fn forks(wanted: u32) -> io::Result<Value> {
    let mut children = Vec::new();
    let mut stopped_by = Value::Null;
    for _ in 0..wanted {
        match kernel::fork_sleeper() {
            Ok(pid) => children.push(pid),
            Err(error) => {
                stopped_by = json!(errno::name(&error));
                break;
            }
        }
    }
    for pid in &children {
        kernel::kill(*pid, libc::SIGKILL)?;
        kernel::wait(*pid)?;
    }
    Ok(json!({"made": children.len(), "errno": stopped_by}))
}

fn touch_memory(megabytes: usize) -> io::Result<Value> {
    let mut block = vec![0_u8; megabytes << 20];
    for page in block.chunks_mut(4096) {
        page[0] = 1;
    }
    Ok(json!(std::hint::black_box(&block).len()))
}

fn fill(path: &Path, kilobytes: u32) -> io::Result<Value> {
    let mut file = File::create(path)?;
    for _ in 0..kilobytes {
        file.write_all(&[7; 1024])?;
    }
    Ok(Value::Null)
}

/// System calls for seccomp cases, with arguments that are harmless when they pass.
fn call(name: &str) -> io::Result<Value> {
    let result = match name {
        "mkdir" => return fs::create_dir("/nowhere/at/all").map(|()| Value::Null),
        "getcwd" => return std::env::current_dir().map(|_| Value::Null),
        "chmod" => {
            return fs::set_permissions("/nowhere", PermissionsExt::from_mode(0o000)).map(|()| Value::Null);
        }
        "personality" => kernel::syscall(libc::SYS_personality, [0xffff_ffff, 0, 0, 0]),
        "personality-linux" => kernel::syscall(libc::SYS_personality, [0, 0, 0, 0]),
        "getpriority" => kernel::syscall(libc::SYS_getpriority, [0, 0, 0, 0]),
        "unshare" => kernel::syscall(libc::SYS_unshare, [0, 0, 0, 0]),
        "ptrace" => kernel::syscall(libc::SYS_ptrace, [-1, 0, 0, 0]),
        "newest" => kernel::syscall(i64::from(u16::MAX) + 1, [0, 0, 0, 0]),
        "keyctl" => kernel::syscall(libc::SYS_keyctl, [0, -3, 0, 0]),
        _ => return Err(io::Error::other(format!("unknown call {name}"))),
    };
    result.map(|value| json!(value))
}
