//! What no file of ours names: hosts of package registries, places on one machine.

use crate::repo::{Finding, Repo};

/// In two pieces, so that this file does not name them either.
const HOSTS: &[(&str, &str)] = &[
    ("docs", "rs"),
    ("crates", "io"),
    ("lib", "rs"),
    ("deb.debian", "org"),
    ("snapshot.debian", "org"),
    ("archive.ubuntu", "com"),
    ("security.ubuntu", "com"),
    ("registry.npmjs", "org"),
    ("pypi", "org"),
    ("proxy.golang", "org"),
    ("static.rust-lang", "org"),
];
const MACHINE_PLACES: &[(&str, &str)] = &[("/wo", "rk/"), ("/tmp/target", "-")];

pub(crate) fn no_registry_hosts(repo: &Repo) -> Vec<Finding> {
    let is_url = |before: &str| {
        let host = before.rsplit("://").next().unwrap_or("");
        before.contains("://") && (host.is_empty() || is_subdomain(host))
    };
    let advice = "let cargo and apt find their registry: name the package only";
    find(repo, HOSTS, ".", is_url, advice)
}

fn is_subdomain(host: &str) -> bool {
    host.ends_with('.')
        && host
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '.' || c == '-')
}

pub(crate) fn no_machine_paths(repo: &Repo) -> Vec<Finding> {
    let part_of_path = |c: char| c.is_ascii_alphanumeric() || "_-./}".contains(c);
    let begins_here = |before: &str| !before.ends_with(part_of_path);
    find(
        repo,
        MACHINE_PLACES,
        "",
        begins_here,
        "use a path relative to the checkout",
    )
}

fn find(
    repo: &Repo,
    names: &[(&str, &str)],
    joint: &str,
    holds_after: impl Fn(&str) -> bool,
    advice: &str,
) -> Vec<Finding> {
    let names: Vec<String> = names
        .iter()
        .map(|(a, b)| format!("{a}{joint}{b}"))
        .collect();
    let mut findings = Vec::new();
    // The lock file is cargo's own and says where each crate came from.
    for file in repo
        .files()
        .filter(|file| !file.path.ends_with("Cargo.lock"))
    {
        for (index, line) in file.text.lines().enumerate() {
            let found = |name: &String| {
                line.match_indices(name.as_str())
                    .any(|(at, _)| holds_after(&line[..at]))
            };
            if names.iter().any(found) {
                findings.push(file.finding(index + 1, advice));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::{no_machine_paths, no_registry_hosts};
    use crate::repo::Repo;

    #[test]
    fn names_of_files_and_packages_are_fine() {
        let text = [
            "see docs.rs beside lib.rs, https://example.org/lib.rs, workdir=/a/wo",
            "rk/b",
        ];
        let repo = Repo::of(&[("a.md", &text.concat())]);
        assert!(no_registry_hosts(&repo).is_empty());
        assert!(no_machine_paths(&repo).is_empty());
    }

    #[test]
    fn addresses_and_places_are_not() {
        let place = ["cd /wo", "rk/main"].concat();
        let hosts = ["see https://docs.", "rs/nix and http://index.crates.", "io"].concat();
        let repo = Repo::of(&[("a.md", &hosts), ("b.sh", &place)]);
        assert_eq!(no_registry_hosts(&repo).len(), 1);
        assert_eq!(no_machine_paths(&repo).len(), 1);
    }
}
