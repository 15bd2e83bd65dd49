//! Facts about this machine that decide whether a case can run here.
//!
//! Each `needs_...` skips the case with the reason; none of them guesses.

use crate::cgroups::Hierarchies;
use crate::runtime::version_in;
use crate::verdict::{Check, skip};
use std::fs;
use std::path::Path;

#[derive(Debug)]
pub(crate) struct Host {
    pub(crate) cgroups: Hierarchies,
    capabilities: u64,
    pub(crate) uid: u32,
}

/// Numbers of capabilities that cases ask about.
pub(crate) const CAP_SYS_RESOURCE: u32 = 24;

impl Host {
    pub(crate) fn look() -> Self {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let bits = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
        Self {
            cgroups: Hierarchies::find(),
            capabilities: bits.and_then(|bits| u64::from_str_radix(bits.trim(), 16).ok()).unwrap_or(0),
            uid: rustix::process::getuid().as_raw(),
        }
    }

    pub(crate) fn has_capability(&self, number: u32) -> bool {
        self.capabilities & (1 << number) != 0
    }

    pub(crate) fn needs_capability(&self, number: u32, name: &str) -> Check {
        if self.has_capability(number) { Ok(()) } else { skip(format!("this machine's root lacks {name}")) }
    }

    pub(crate) fn needs_root(&self) -> Check {
        if self.uid == 0 { Ok(()) } else { skip("needs to run as root") }
    }

    pub(crate) fn needs_controller(&self, name: &str) -> Check {
        if self.cgroups.has_controller(name) {
            Ok(())
        } else {
            skip(format!("no usable cgroup controller {name} in this view"))
        }
    }

    pub(crate) fn needs_path(&self, path: &str) -> Check {
        if Path::new(path).exists() { Ok(()) } else { skip(format!("this machine has no {path}")) }
    }

    pub(crate) fn needs_kernel(&self, major: u32, minor: u32) -> Check {
        let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        if version_in(&release) >= vec![major, minor] {
            return Ok(());
        }
        skip(format!("needs Linux {major}.{minor}, this is {}", release.trim()))
    }

    pub(crate) fn needs_program(&self, name: &str) -> Check {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let found = std::env::split_paths(&path).any(|dir| dir.join(name).exists());
        if found { Ok(()) } else { skip(format!("this machine has no {name}")) }
    }

    pub(crate) fn needs_unified_cgroups(&self) -> Check {
        if self.cgroups.is_unified() { Ok(()) } else { skip("needs cgroup v2 alone") }
    }

    pub(crate) fn needs_cgroup_v1(&self) -> Check {
        if self.cgroups.is_unified() { skip("needs cgroup v1") } else { Ok(()) }
    }

    pub(crate) fn has_apparmor(&self) -> bool {
        fs::read_to_string("/sys/module/apparmor/parameters/enabled").is_ok_and(|word| word.starts_with('Y'))
    }

    pub(crate) fn needs_namespace(&self, name: &str) -> Check {
        self.needs_path(&format!("/proc/self/ns/{name}"))
    }
}

/// The inode text of one of this process's namespaces, e.g. `pid:[4026531836]`.
pub(crate) fn namespace_of(pid: &str, kind: &str) -> Check<String> {
    Ok(fs::read_link(format!("/proc/{pid}/ns/{kind}"))?.to_string_lossy().into_owned())
}
