//! Tells the program which commit it was built from.
//!
//! `HULL_COMMIT` in the environment wins, for builds from an archive. Otherwise git is asked about
//! this workspace's own repository and no other one around it. Without an answer it is "unknown".

#![allow(
    clippy::disallowed_methods,
    reason = "a build script is not the runtime"
)]

use std::path::Path;
use std::process::Command;

const REPOSITORY: &str = "../../.git";

fn main() {
    println!("cargo::rerun-if-env-changed=HULL_COMMIT");
    for changed_by_a_commit in ["build.rs", "../../.git/HEAD", "../../.git/logs/HEAD"] {
        if Path::new(changed_by_a_commit).exists() {
            println!("cargo::rerun-if-changed={changed_by_a_commit}");
        }
    }
    let commit = std::env::var("HULL_COMMIT")
        .ok()
        .or_else(described)
        .filter(|name| is_plain(name));
    println!(
        "cargo::rustc-env=HULL_COMMIT={}",
        commit.as_deref().unwrap_or("unknown")
    );
}

fn described() -> Option<String> {
    let git = [
        "--git-dir",
        REPOSITORY,
        "describe",
        "--always",
        "--abbrev=12",
    ];
    let answer = Command::new("git")
        .args(git)
        .output()
        .ok()
        .filter(|answer| answer.status.success())?;
    Some(String::from_utf8(answer.stdout).ok()?.trim().to_owned())
}

/// Callers split the version text at spaces and line ends.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic())
}
