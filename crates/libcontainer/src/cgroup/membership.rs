//! Which hierarchies there are and where this process stands in them: /proc/self/cgroup.

use hull_spec::V1Hierarchy;
use hull_sys::{
    Errno,
    path::{self, Open},
};

/// One line of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Membership {
    /// Directory below /sys/fs/cgroup; `unified` for the line of cgroup2.
    pub(crate) name: String,
    pub(crate) controllers: Vec<String>,
    pub(crate) path: String,
}

/// Reads them all.
pub(crate) fn own() -> Result<Vec<Membership>, Errno> {
    let file = path::open(c"/proc/self/cgroup", Open::READ)?;
    let text = path::read_all(file, 1 << 16)?;
    Ok(parse(&String::from_utf8_lossy(&text)))
}

/// The v1 hierarchies, and whether cgroup2 stands beside them.
pub(crate) fn v1_hierarchies() -> Result<(Vec<V1Hierarchy>, bool), Errno> {
    let unified = path::open(c"/sys/fs/cgroup/unified", Open::PATH).is_ok();
    let v1 = own()?
        .into_iter()
        .filter(|line| line.name != UNIFIED)
        .map(|line| V1Hierarchy {
            name: line.name,
            controllers: line.controllers,
        })
        .collect();
    Ok((v1, unified))
}

pub(crate) const UNIFIED: &str = "unified";

fn parse(text: &str) -> Vec<Membership> {
    text.lines().filter_map(parse_line).collect()
}

fn parse_line(line: &str) -> Option<Membership> {
    let mut fields = line.splitn(3, ':');
    let (_, controllers, path) = (fields.next()?, fields.next()?, fields.next()?);
    let named = controllers.strip_prefix("name=");
    let name = match (controllers, named) {
        ("", _) => UNIFIED,
        (_, Some(name)) => name,
        (joined, None) => joined,
    };
    let is_v1 = named.is_none() && !controllers.is_empty();
    let controllers = controllers
        .split(',')
        .filter(|_| is_v1)
        .map(str::to_owned)
        .collect();
    Some(Membership {
        name: name.to_owned(),
        controllers,
        path: path.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_line_is_read() {
        let text = "3:cpu,cpuacct:/a:b\n2:name=systemd:/user.slice\n0::/init.scope\nbroken\n";
        let lines = parse(text);
        let shown: Vec<_> = lines
            .iter()
            .map(|line| {
                (
                    line.name.as_str(),
                    line.controllers.len(),
                    line.path.as_str(),
                )
            })
            .collect();
        assert_eq!(
            shown,
            [
                ("cpu,cpuacct", 2, "/a:b"),
                ("systemd", 0, "/user.slice"),
                ("unified", 0, "/init.scope")
            ]
        );
    }
}
