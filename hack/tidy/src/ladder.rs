//! The crates stand on a ladder: each uses only what stands below it.

use crate::manifest;
use crate::repo::{Finding, Repo};

struct Rung {
    folder: &'static str,
    package: &'static str,
    may_use: &'static [&'static str],
}

/// docs/architecture.md explains the layers; this table is what is enforced.
const LADDER: &[Rung] = &[
    Rung {
        folder: "sys",
        package: "hull-sys",
        may_use: &[],
    },
    Rung {
        folder: "bpf",
        package: "hull-bpf",
        may_use: &[],
    },
    Rung {
        folder: "spec",
        package: "hull-spec",
        may_use: &["hull-bpf"],
    },
    Rung {
        folder: "init",
        package: "hull-init",
        may_use: &["hull-sys", "hull-spec"],
    },
    Rung {
        folder: "libcontainer",
        package: "libcontainer",
        may_use: &["hull-sys", "hull-bpf", "hull-spec"],
    },
    Rung {
        folder: "hull",
        package: "hull",
        may_use: &["libcontainer", "hull-spec"],
    },
];

pub(crate) fn crates_use_only_lower_layers(repo: &Repo) -> Vec<Finding> {
    let mut findings = Vec::new();
    for manifest in repo.matching("crates/", "/Cargo.toml") {
        let folder = manifest.path.split('/').nth(1).unwrap_or("");
        let Some(rung) = LADDER.iter().find(|rung| rung.folder == folder) else {
            findings.push(manifest.finding(1, "give this crate a rung in hack/tidy/src/ladder.rs"));
            continue;
        };
        for dependency in manifest::dependencies(&manifest.text) {
            let package = dependency.package.as_str();
            if is_ours(package) && !dependency.for_tests && !rung.may_use.contains(&package) {
                let allowed = rung.may_use.join(", ");
                findings.push(manifest.finding(
                    dependency.line,
                    format!("{folder} may use [{allowed}] only: move what needs {package} up"),
                ));
            }
        }
    }
    findings
}

/// The suite judges a binary from outside, so that it can judge any runtime.
pub(crate) fn the_suite_links_none_of_ours(repo: &Repo) -> Vec<Finding> {
    let mut findings = Vec::new();
    for manifest in repo.matching("conformance/", "Cargo.toml") {
        for dependency in manifest::dependencies(&manifest.text) {
            if is_ours(&dependency.package) {
                findings.push(manifest.finding(
                    dependency.line,
                    format!("test through the binary, without {}", dependency.package),
                ));
            }
        }
    }
    findings
}

fn is_ours(package: &str) -> bool {
    LADDER.iter().any(|rung| rung.package == package)
}

#[cfg(test)]
mod tests {
    use super::{crates_use_only_lower_layers, the_suite_links_none_of_ours};
    use crate::repo::Repo;

    #[test]
    fn a_crate_may_use_what_is_below() {
        let good = "[dependencies]\nhull-sys.workspace = true\nnix = \"1\"\n\
                    [dev-dependencies]\nhull-bpf.workspace = true\n";
        let repo = Repo::of(&[("crates/init/Cargo.toml", good)]);
        assert!(crates_use_only_lower_layers(&repo).is_empty());
    }

    #[test]
    fn a_crate_may_not_use_what_is_above_or_beside() {
        for (folder, package) in [
            ("sys", "hull-spec"),
            ("bpf", "hull-sys"),
            ("init", "libcontainer"),
            ("hull", "hull-sys"),
        ] {
            let bad = format!("[dependencies]\n{package}.workspace = true\n");
            let repo = Repo::of(&[(&format!("crates/{folder}/Cargo.toml"), &bad)]);
            assert_eq!(
                crates_use_only_lower_layers(&repo)[0].line,
                2,
                "{folder} -> {package}"
            );
        }
    }

    #[test]
    fn an_unknown_crate_needs_a_rung() {
        let repo = Repo::of(&[("crates/extra/Cargo.toml", "[package]")]);
        assert_eq!(crates_use_only_lower_layers(&repo).len(), 1);
    }

    #[test]
    fn the_suite_stays_outside() {
        let good = Repo::of(&[("conformance/Cargo.toml", "[dependencies]\nserde = \"1\"\n")]);
        assert!(the_suite_links_none_of_ours(&good).is_empty());
        let bad = "[dev-dependencies]\nlibcontainer = \"1\"\n";
        let bad = Repo::of(&[("conformance/probe/Cargo.toml", bad)]);
        assert_eq!(the_suite_links_none_of_ours(&bad).len(), 1);
    }
}
