//! uid_map and gid_map of a new user namespace, written from outside.

use super::error::LaunchError;
use hull_spec::plan::{IdMapping, IdMaps};
use hull_sys::identity;
use std::{fs, io, process::Command};

/// Writes both; setgroups is denied first where an unprivileged caller maps only itself
/// (user_namespaces(7)), as the kernel demands.
pub(super) fn write(pid: i32, maps: &IdMaps) -> Result<(), LaunchError> {
    let failed = |file| move |source| LaunchError::IdMap { file, source };
    if identity::uid() != 0 {
        if maps.gid.len() == 1 && maps.gid.iter().all(|map| map.size == 1) {
            fs::write(format!("/proc/{pid}/setgroups"), "deny").map_err(failed("setgroups"))?;
        } else {
            return by_helpers(pid, maps);
        }
    }
    fs::write(format!("/proc/{pid}/uid_map"), text(&maps.uid)).map_err(failed("uid_map"))?;
    fs::write(format!("/proc/{pid}/gid_map"), text(&maps.gid)).map_err(failed("gid_map"))
}

/// One extent per line; the kernel takes the whole text in one write.
fn text(maps: &[IdMapping]) -> String {
    maps.iter()
        .map(|map| format!("{} {} {}\n", map.container_id, map.host_id, map.size))
        .collect()
}

/// Only the setuid helpers may map ids of /etc/subuid and /etc/subgid.
fn by_helpers(pid: i32, maps: &IdMaps) -> Result<(), LaunchError> {
    for (program, file, maps) in [
        ("/usr/bin/newuidmap", "uid_map", &maps.uid),
        ("/usr/bin/newgidmap", "gid_map", &maps.gid),
    ] {
        run(program, pid, maps).map_err(|source| LaunchError::IdMap { file, source })?;
    }
    Ok(())
}

#[allow(
    clippy::disallowed_methods,
    reason = "the id-map helpers, by absolute path and clean env"
)]
fn run(program: &str, pid: i32, maps: &[IdMapping]) -> io::Result<()> {
    let mut command = Command::new(program);
    command.env_clear().arg(pid.to_string());
    for map in maps {
        command.args([map.container_id, map.host_id, map.size].map(|number| number.to_string()));
    }
    let output = command.output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(io::Error::other(format!("{program}: {said}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_is_one_extent_per_line() {
        let maps = [
            IdMapping {
                container_id: 0,
                host_id: 1000,
                size: 1,
            },
            IdMapping {
                container_id: 1,
                host_id: 100_000,
                size: 65_536,
            },
        ];
        assert_eq!(text(&maps), "0 1000 1\n1 100000 65536\n");
    }
}
