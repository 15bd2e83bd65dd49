//! `probe launch [--umask M] [--fd N:PATH] [--groups A,B] [--oom N]
//! [--listen N] [--cwd DIR] [--nofile N] [--ignore SIGNAL] [--gid N] [--uid N]
//! [--enosys CALLS] [--eperm CALLS] -- CMD ARGS`: becomes CMD, called by an unusual caller.
//!
//! The driver has no `unsafe` and thus no pre-exec code of its own; every
//! oddity of a caller that a case needs is prepared here, outside.

use crate::{filter, kernel, signals};
use std::fs::OpenOptions;
use std::io;
use std::os::fd::IntoRawFd;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

pub(crate) fn launch(words: &[String]) -> ExitCode {
    let error = become_command(words).err().unwrap_or_else(|| io::Error::other("no command"));
    eprintln!("probe launch: {error}");
    ExitCode::from(125)
}

fn become_command(words: &[String]) -> io::Result<()> {
    let split = words.iter().position(|word| word == "--").ok_or(io::ErrorKind::InvalidInput)?;
    let (options, argv) = (&words[..split], &words[split + 1..]);
    let (program, args) = argv.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let mut command = Command::new(program);
    command.args(args);
    for pair in options.chunks(2) {
        let [option, value] = pair else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        apply(option, value, &mut command)?;
    }
    Err(command.exec())
}

fn apply(option: &str, value: &str, command: &mut Command) -> io::Result<()> {
    let invalid = |_| io::Error::from(io::ErrorKind::InvalidInput);
    match option {
        "--umask" => kernel::set_umask(u32::from_str_radix(value, 8).map_err(invalid)?),
        "--fd" => {
            let (number, path) = value.split_once(':').ok_or(io::ErrorKind::InvalidInput)?;
            let fd = OpenOptions::new().read(true).open(path)?.into_raw_fd();
            let wanted = number.parse().map_err(invalid)?;
            kernel::place_fd(fd, wanted)?;
            if fd != wanted {
                kernel::close(fd);
            }
        }
        "--groups" => {
            let groups: Result<Vec<u32>, _> = value.split(',').map(str::parse).collect();
            kernel::set_groups(&groups.map_err(invalid)?)?;
        }
        "--oom" => std::fs::write("/proc/self/oom_score_adj", value)?,
        "--listen" => {
            command.env("LISTEN_FDS", value).env("LISTEN_PID", std::process::id().to_string());
        }
        "--listen-foreign" => {
            command.env("LISTEN_FDS", value).env("LISTEN_PID", "1");
        }
        "--cwd" => std::env::set_current_dir(value)?,
        "--env" => {
            let (key, value) = value.split_once('=').ok_or(io::ErrorKind::InvalidInput)?;
            command.env(key, value);
        }
        "--nofile" => kernel::limit_descriptors(value.parse().map_err(invalid)?)?,
        "--ignore" => kernel::ignore(signals::number(value).ok_or(io::ErrorKind::InvalidInput)?)?,
        "--gid" => kernel::set_gid(value.parse().map_err(invalid)?)?,
        "--enosys" => filter::take_away(value, libc::ENOSYS)?,
        "--eperm" => filter::take_away(value, libc::EPERM)?,
        "--uid" => kernel::set_uid(value.parse().map_err(invalid)?)?,
        _ => return Err(io::Error::other(format!("unknown option {option}"))),
    }
    Ok(())
}
