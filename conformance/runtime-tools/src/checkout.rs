//! A built checkout of runtime-tools: its programs, the `runtimetest` that
//! they put into each bundle, and the root file systems that they unpack.
//!
//! Everything that a checkout can lack is said here, with what mends it.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

const BUILD: &str = "make runtimetest validation-executables";

#[derive(Debug)]
pub(crate) struct Checkout {
    pub(crate) dir: PathBuf,
    /// Below `validation`, in order.
    pub(crate) programs: Vec<String>,
    /// What the programs find in their working directory.
    pub(crate) files: Vec<String>,
    /// Sources whose program is not there.
    pub(crate) unbuilt: Vec<String>,
}

impl Checkout {
    pub(crate) fn open(dir: &Path) -> Result<Self, String> {
        let shown = dir.display();
        let dir = fs::canonicalize(dir).map_err(|error| format!("{shown}: {error}"))?;
        let validation = dir.join("validation");
        if !validation.is_dir() {
            return Err(format!("{shown} is no checkout of runtime-tools: it has no validation folder"));
        }
        let mut programs = Vec::new();
        let mut sources = Vec::new();
        collect(&validation, &validation, &mut programs, &mut sources)?;
        if programs.is_empty() {
            return Err(format!("{shown} has no programs validation/**/*.t: build them there by `{BUILD}`"));
        }
        let executable = |file: &Path| fs::metadata(file).is_ok_and(|facts| facts.permissions().mode() & 0o111 != 0);
        if let Some(program) = programs.iter().find(|program| !executable(&validation.join(program))) {
            return Err(format!("{shown}/validation/{program} is not executable: build it there by `{BUILD}`"));
        }
        if !executable(&dir.join("runtimetest")) {
            return Err(format!("{shown} has no runtimetest: build it there by `make runtimetest`"));
        }
        let root = format!("rootfs-{}.tar.gz", go_architecture());
        if !dir.join(&root).is_file() {
            return Err(format!(
                "{shown} has no {root}, the root of every bundle: make one from any small root file system \
                 (contrib/rootfs-builder there does)"
            ));
        }
        programs.sort();
        let unbuilt = sources.into_iter().filter(|source| !programs.contains(source)).collect();
        Ok(Self { dir, programs, files: vec!["runtimetest".to_owned(), root], unbuilt })
    }
}

/// Adds the programs below `dir`, and those its sources would be built into.
fn collect(top: &Path, dir: &Path, programs: &mut Vec<String>, sources: &mut Vec<String>) -> Result<(), String> {
    let entries = fs::read_dir(dir).map_err(|error| format!("{}: {error}", dir.display()))?;
    for path in entries.flatten().map(|entry| entry.path()) {
        // The names are ours to print and to match: those that are no text are none of its programs.
        let Some(name) = path.strip_prefix(top).ok().and_then(Path::to_str) else { continue };
        if path.is_dir() {
            collect(top, &path, programs, sources)?;
        } else if path.extension() == Some(OsStr::new("t")) {
            programs.push(name.to_owned());
        } else if let Some(stem) = name.strip_suffix(".go")
            && !name.starts_with("util")
        {
            sources.push(format!("{stem}.t"));
        }
    }
    Ok(())
}

/// This architecture, as the names of root file systems spell it.
fn go_architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "x86" => "386",
        "aarch64" => "arm64",
        "powerpc64" if cfg!(target_endian = "little") => "ppc64le",
        "powerpc64" => "ppc64",
        "loongarch64" => "loong64",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::{Checkout, go_architecture};
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;
    use tempfile::TempDir;

    fn put(dir: &Path, name: &str, mode: u32) {
        let file = dir.join(name);
        fs::create_dir_all(file.parent().expect("below dir")).expect("folder");
        fs::write(&file, "").expect("file");
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).expect("mode");
    }

    fn root() -> String {
        format!("rootfs-{}.tar.gz", go_architecture())
    }

    fn built() -> TempDir {
        let dir = TempDir::new().expect("directory");
        for program in ["validation/b/b.t", "validation/a.t", "runtimetest"] {
            put(dir.path(), program, 0o755);
        }
        for source in ["validation/b/b.go", "validation/c/c.go", "validation/util/test.go", &root()] {
            put(dir.path(), source, 0o644);
        }
        dir
    }

    #[test]
    fn programs_come_in_order_and_unbuilt_ones_are_known() {
        let dir = built();
        let checkout = Checkout::open(dir.path()).expect("complete");
        assert_eq!(checkout.programs, ["a.t", "b/b.t"]);
        assert_eq!(checkout.unbuilt, ["c/c.t"]);
        assert_eq!(checkout.files, ["runtimetest".to_owned(), root()]);
    }

    #[test]
    fn what_is_lacking_is_said_with_what_mends_it() {
        let said = |spoil: &dyn Fn(&Path)| {
            let dir = built();
            spoil(dir.path());
            Checkout::open(dir.path()).expect_err("incomplete")
        };
        let remove = |name: &str| {
            let name = name.to_owned();
            said(&move |dir: &Path| {
                let path = dir.join(&name);
                if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }.expect("removed");
            })
        };
        assert!(remove("validation").contains("no validation folder"));
        assert!(remove("runtimetest").contains("`make runtimetest`"));
        assert!(remove(&root()).contains("contrib/rootfs-builder"));
        let programs = said(&|dir| {
            fs::remove_file(dir.join("validation/a.t")).expect("removed");
            fs::remove_file(dir.join("validation/b/b.t")).expect("removed");
        });
        assert!(programs.contains("`make runtimetest validation-executables`"));
        assert!(said(&|dir| put(dir, "validation/a.t", 0o644)).contains("validation/a.t is not executable"));
        assert!(Checkout::open(Path::new("/nonexistent")).expect_err("absent").starts_with("/nonexistent: "));
    }
}
