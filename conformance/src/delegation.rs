//! What an ordinary user is given: a cgroup of its own and subordinate ids.
//!
//! systemd delegates a cgroup to a service that asks for it. No process may be in a cgroup whose
//! children have controllers, so the driver moves to a leaf of it; containers are made beside.

use crate::bundle::Config;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

const MOUNTED: &str = "/sys/fs/cgroup";
const LEAF: &str = "driver";

/// Moves this process to a leaf of its cgroup, if that is delegated to its user.
pub(crate) fn settle() {
    let Some(own) = own_cgroup() else { return };
    let leaf = own.join(LEAF);
    // Without delegation the first step fails, and no case finds controllers.
    if fs::create_dir(&leaf).is_ok() {
        fs::write(leaf.join("cgroup.procs"), "0").unwrap_or_default();
    }
}

/// The delegated cgroup that `settle` left, below the mount point: `/user.slice/...`.
pub(crate) fn cgroup() -> Option<PathBuf> {
    if rustix::process::getuid().is_root() {
        return None;
    }
    let own = own_cgroup()?;
    let given = (own.file_name()? == LEAF).then(|| own.parent())??;
    Some(Path::new("/").join(given.strip_prefix(MOUNTED).ok()?))
}

fn own_cgroup() -> Option<PathBuf> {
    let membership = fs::read_to_string("/proc/self/cgroup").ok()?;
    let path = membership.lines().find_map(|line| line.strip_prefix("0::"))?;
    Some(Path::new(MOUNTED).join(path.trim_start_matches('/')))
}

/// The ids that an ordinary user can give to a container.
#[derive(Debug)]
pub(crate) struct OwnIds {
    users: Range,
    groups: Range,
}

/// An id of the user, and first and count of the subordinate ones.
type Range = (u32, Option<(u32, u32)>);

impl OwnIds {
    pub(crate) fn look() -> Self {
        let (uid, gid) = (rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw());
        // Only these programs may write a map of more than one's own id.
        let can_map = ["newuidmap", "newgidmap"].iter().all(|name| Path::new("/usr/bin").join(name).exists());
        let more = |file| subordinate_ids(file, uid).filter(|_| can_map);
        Self { users: (uid, more("/etc/subuid")), groups: (gid, more("/etc/subgid")) }
    }

    /// A user namespace whose root is the user, and whose other ids are the subordinate ones.
    pub(crate) fn user_namespace(&self, config: Config) -> Config {
        let config = config.namespace("user");
        config.set("/linux/uidMappings", mappings(self.users)).set("/linux/gidMappings", mappings(self.groups))
    }
}

/// `config` as an ordinary user can have it: in a user namespace a file system can be mounted only
/// where the namespace that it shows is new too, so the host's is bound in place of one that is not.
pub(crate) fn for_a_user(mut config: Config) -> Config {
    for (namespace, fstype) in [("pid", "proc"), ("ipc", "mqueue"), ("network", "sysfs")] {
        if config.has_namespace(namespace) {
            continue;
        }
        for mount in config.0["mounts"].as_array_mut().into_iter().flatten().filter(|mount| mount["type"] == fstype) {
            let options = mount["options"].as_array().cloned().unwrap_or_default();
            mount["source"] = mount["destination"].clone();
            mount["type"] = json!("none");
            mount["options"] = std::iter::once(json!("rbind")).chain(options).collect();
        }
    }
    if config.0["linux"]["namespaces"].as_array().is_some_and(|all| all.iter().any(is_joined_user_namespace)) {
        return config.remove("/linux/uidMappings").remove("/linux/gidMappings");
    }
    config
}

fn is_joined_user_namespace(namespace: &Value) -> bool {
    namespace["type"] == "user" && namespace["path"].is_string()
}

fn mappings((own, more): Range) -> Value {
    let mut list = vec![json!({"containerID": 0, "hostID": own, "size": 1})];
    list.extend(more.map(|(first, count)| json!({"containerID": 1, "hostID": first, "size": count})));
    Value::Array(list)
}

fn subordinate_ids(file: &str, uid: u32) -> Option<(u32, u32)> {
    let users = fs::read_to_string("/etc/passwd").ok()?;
    let name = name_of(&users, uid)?;
    let ranges = fs::read_to_string(file).ok()?;
    range_of(&ranges, &name).or_else(|| range_of(&ranges, &uid.to_string()))
}

fn name_of(users: &str, uid: u32) -> Option<String> {
    let fields = users.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let found = fields.into_iter().find(|fields| fields.get(2).is_some_and(|field| *field == uid.to_string()));
    found.map(|fields| fields[0].to_owned())
}

fn range_of(ranges: &str, name: &str) -> Option<(u32, u32)> {
    let line = ranges.lines().find(|line| line.split(':').next() == Some(name))?;
    let mut numbers = line.split(':').skip(1).map(|number| number.trim().parse().ok());
    Some((numbers.next()??, numbers.next()??))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_users_id_is_root_inside() {
        let wanted = json!([
            {"containerID": 0, "hostID": 1000, "size": 1},
            {"containerID": 1, "hostID": 100_000, "size": 65_536},
        ]);
        assert_eq!(mappings((1000, Some((100_000, 65_536)))), wanted);
        assert_eq!(mappings((1000, None)).as_array().map(Vec::len), Some(1));
    }

    #[test]
    fn proc_is_bound_when_the_pid_namespace_is_the_hosts() {
        let config = for_a_user(Config::new("/x").without_namespace("pid"));
        let mounts = config.0["mounts"].as_array().expect("mounts");
        assert_eq!(mounts[0], json!({"destination": "/proc", "type": "none", "source": "/proc", "options": ["rbind"]}));
        assert!(mounts.iter().any(|mount| mount["type"] == "mqueue"));
    }

    #[test]
    fn a_joined_user_namespace_has_its_mappings_already() {
        let config = for_a_user(Config::new("/x").user_namespace(1000, 1).namespace_path("user", "/proc/1/ns/user"));
        assert_eq!(config.0["linux"].get("uidMappings"), None);
    }

    #[test]
    fn a_user_has_the_range_beside_its_name() {
        let users = "root:x:0:0::/root:/bin/sh\nann:x:1000:1000::/home/ann:/bin/sh\n";
        assert_eq!(name_of(users, 1000).as_deref(), Some("ann"));
        assert_eq!(name_of(users, 7), None);
        assert_eq!(range_of("bob:1:2\nann:100000:65536\n", "ann"), Some((100_000, 65_536)));
        assert_eq!(range_of("ann:many:65536\n", "ann"), None);
    }
}
