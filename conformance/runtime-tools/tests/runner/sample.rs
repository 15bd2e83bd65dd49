//! The runner from end to end: programs that drive a real runtime, as those
//! of runtime-tools do. hack/test does the same with hull.

use crate::fake;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let usual = ["/usr/sbin", "/usr/bin"].map(PathBuf::from);
    std::env::split_paths(&path).chain(usual).map(|dir| dir.join(name)).find(|file| file.exists())
}

#[test]
fn the_sample_passes_on_runc_and_leaves_nothing() {
    let (Some(runc), Some(_)) = (on_path("runc"), on_path("busybox")) else {
        eprintln!("SKIPPED: the sample needs runc and a static busybox");
        return;
    };
    if !fake::is_root() {
        return;
    }
    let dir = TempDir::new().expect("directory");
    let lay = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample/lay");
    assert!(Command::new(lay).arg(dir.path()).status().expect("lay starts").success());
    let scratch = TempDir::with_prefix_in("rts", "/var/tmp").expect("directory");
    let said = fake::run(dir.path(), &runc, scratch.path(), &["--verbose"]);
    let lines = [
        "ok     abandon/abandon.t: 1 passed, 0 failed, 0 skipped",
        "ok     inside/inside.t: 11 passed, 0 failed, 0 skipped",
        "ok     lifecycle/lifecycle.t: 10 passed, 0 failed, 0 skipped",
    ];
    said.expect(0, &lines);
    let id = said.word_after("left behind: container ");
    assert!(!Path::new("/run/runc").join(id).exists());
    assert_eq!(fs::read_dir(scratch.path()).expect("scratch").count(), 0);
}
