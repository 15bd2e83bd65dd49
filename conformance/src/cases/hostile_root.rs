//! Security tests T-A01..T-A09: images that plant links, files and fifos
//! where the runtime will mount or make devices. Every target outside is a
//! decoy of the scratch directory.

use crate::bed::Bed;
use crate::bundle::{Bundle, Config};
use crate::case::{Check, case, ensure, safety, same};
use crate::facts::worked;
use serde_json::json;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// A decoy directory with one marked file; it must stay as it is.
pub(super) struct Decoy(PathBuf);

impl Decoy {
    pub(super) fn make(bed: &Bed) -> Check<Self> {
        let dir = bed.directory("out")?;
        std::fs::write(dir.join("ptmx"), "marker")?;
        Ok(Self(dir))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    pub(super) fn is_untouched(&self) -> Check {
        let mut names: Vec<String> = std::fs::read_dir(&self.0)?
            .flatten()
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        same("entries of the decoy", names, vec!["ptmx".to_owned()])?;
        same("content of the decoy", std::fs::read_to_string(self.0.join("ptmx"))?, "marker")
    }
}

/// Runs; the outcome must be success or a clean failure, and the decoy untouched.
fn fine_or_clean(bed: &Bed, bundle: &Bundle, decoy: &Decoy) -> Check {
    fine_or_clean_by(bed, &[], bundle, decoy)
}

/// The same with an unusual caller.
pub(super) fn fine_or_clean_by(bed: &Bed, caller: &[&str], bundle: &Bundle, decoy: &Decoy) -> Check {
    let path = bundle.path.to_string_lossy().into_owned();
    let output = bed.finish(bed.command_from(caller, &["run", "--bundle", &path, &bed.id()]))?;
    decoy.is_untouched()?;
    if output.code == 0 { bed.nothing_left() } else { bed.is_clean_refusal(&output) }
}

/// Replaces what is at `path` in the root by a link.
pub(super) fn plant(bundle: &Bundle, path: &str, target: &Path) -> Check {
    let place = bundle.rootfs().join(path);
    if place.is_dir() {
        std::fs::remove_dir(&place)?;
    }
    Ok(symlink(target, place)?)
}

pub(super) fn fresh(bed: &Bed, config: &Config) -> Check<Bundle> {
    let path = bed.scratch.join("bundle");
    if path.exists() {
        std::fs::remove_dir_all(&path)?;
    }
    bed.bundle(config)
}

pub(super) fn without_dev(config: Config) -> Config {
    ["/dev", "/dev/pts", "/dev/shm", "/dev/mqueue"].iter().fold(config, |config, mount| config.without_mount(mount))
}

case!(
    a_dev_that_is_a_link_leads_nowhere_outside,
    safety(
        &["T-A01"],
        "T-A01: rootfs/dev is a link to outside, absolute and relative: its target is byte-identical after"
    ),
    |bed| {
        bed.host.needs_root()?;
        let decoy = Decoy::make(bed)?;
        for target in [decoy.0.clone(), PathBuf::from("../../out"), PathBuf::from("/proc/self/cwd/../out")] {
            let bundle = fresh(bed, &without_dev(bed.config()).steps("exit 0"))?;
            plant(&bundle, "dev", &target)?;
            fine_or_clean(bed, &bundle, &decoy)?;
        }
        Ok(())
    }
);

case!(
    a_dev_pts_that_is_a_link_leads_nowhere_outside,
    safety(&["T-A01"], "T-A01: rootfs/dev/pts -> outside; rootfs/dev -> /proc/self/cwd"),
    |bed| {
        bed.host.needs_root()?;
        let decoy = Decoy::make(bed)?;
        let bundle = fresh(
            bed,
            &bed.config().without_mount("/dev").without_mount("/dev/shm").without_mount("/dev/mqueue").steps("exit 0"),
        )?;
        plant(&bundle, "dev/pts", &decoy.0)?;
        fine_or_clean(bed, &bundle, &decoy)?;
        let bundle = fresh(bed, &without_dev(bed.config()).steps("exit 0"))?;
        plant(&bundle, "dev", Path::new("/proc/self/cwd"))?;
        fine_or_clean(bed, &bundle, &decoy)
    }
);

case!(
    a_device_below_a_link_is_not_made_outside,
    safety(&["T-A01"], "T-A01: every parent of a linux.devices path is a link to outside"),
    |bed| {
        bed.host.needs_root()?;
        let decoy = Decoy::make(bed)?;
        let device = json!([{"type": "c", "path": "/etc/deep/device", "major": 1, "minor": 3}]);
        let config = bed.config().set("/linux/devices", device).steps("exit 0");
        let bundle = fresh(bed, &config)?;
        plant(&bundle, "etc/deep", &decoy.0)?;
        fine_or_clean(bed, &bundle, &decoy)?;
        let bundle = fresh(bed, &config)?;
        plant(&bundle, "etc", &decoy.0)?;
        fine_or_clean(bed, &bundle, &decoy)
    }
);

case!(
    a_dev_null_that_is_a_link_changes_nothing_outside,
    safety(
        &["T-A02"],
        "T-A02b: rootfs/dev/null -> a host file of another owner; stdin is /dev/null: fd 0 is chr 1:3 or clean; the owner stays"
    ),
    |bed| {
        use std::os::unix::fs::{MetadataExt, chown};
        bed.host.needs_root()?;
        let file = bed.file("hostfile", "decoy")?;
        chown(&file, Some(1234), Some(1234))?;
        std::fs::write(bed.scratch.join("decoy"), "decoy")?;
        for target in [file.clone(), PathBuf::from("/decoy")] {
            let config =
                without_dev(bed.config()).set("/process/user", json!({"uid": 4321, "gid": 4321})).steps("statfd 0");
            let bundle = fresh(bed, &config)?;
            std::fs::write(bundle.rootfs().join("decoy"), "decoy")?;
            plant(&bundle, "dev/null", &target)?;
            // Detached, because a foreground run may put pipes of its own in the place of stdin.
            match crate::container::Container::create(bed, &bed.id(), &bundle, &[]) {
                Ok(container) => {
                    let facts = container.finish()?.step("statfd")?["value"].clone();
                    let seen = (&facts["type"], &facts["major"], &facts["minor"]);
                    same("fd 0", seen, (&json!("char"), &json!(1), &json!(3)))?;
                    container.delete()?;
                }
                Err(_) => bed.nothing_left()?,
            }
            let null = std::fs::metadata(bed.scratch.join("null"))?;
            same("owner of the caller's null device", (null.uid(), null.gid()), (0, 0))?;
            let meta = std::fs::metadata(&file)?;
            same("owner of the host file", (meta.uid(), meta.gid()), (1234, 1234))?;
            same("content of the host file", std::fs::read_to_string(&file)?, "decoy")?;
        }
        Ok(())
    }
);

case!(
    a_false_dev_null_masks_nothing_falsely,
    safety(
        &["T-A03"],
        "T-A03: /dev is a bind whose null is a link, missing, a fifo, a file, another device: masked files never show the decoy"
    ),
    |bed| {
        use rustix::fs::{CWD, FileType, Mode, makedev, mknodat};
        bed.host.needs_root()?;
        for kind in ["link", "missing", "fifo", "file", "zero"] {
            let dev = bed.directory(&format!("dev-{kind}"))?;
            let null = dev.join("null");
            let node = |kind, number| mknodat(CWD, &null, kind, Mode::from_raw_mode(0o666), number);
            match kind {
                "link" => symlink("/decoy", &null)?,
                "fifo" => node(FileType::Fifo, 0)?,
                "file" => std::fs::write(&null, "DECOY")?,
                "zero" => node(FileType::CharacterDevice, makedev(1, 5))?,
                _ => {}
            }
            let config = without_dev(bed.config())
                .bind(&dev, "/dev", &["rbind"])
                .set("/linux/maskedPaths", json!(["/proc/keys", "/proc/timer_list"]));
            let bundle = fresh(bed, &config.steps("open /proc/keys r + read /proc/timer_list"))?;
            std::fs::write(bundle.rootfs().join("decoy"), "DECOY")?;
            let output = bed.run_bundle(&bundle)?;
            ensure!(!output.stdout.contains("DECOY"), "{kind}: the decoy was read");
            if output.code == 0 {
                let value = worked(&output.steps(), "read", "/proc/timer_list").unwrap_or_default();
                ensure!(value.as_str().unwrap_or_default().is_empty(), "{kind}: a masked file shows {value}");
            } else {
                bed.is_clean_refusal(&output)?;
            }
        }
        Ok(())
    }
);

case!(
    proc_and_sys_are_mounted_on_directories_only,
    safety(
        &["T-A05", "c8.must-be-mounted-on-ordinary"],
        "T-A05: rootfs/proc, then /sys, is a link, a file or a fifo: refused, nothing made in the targets"
    ),
    |bed| {
        use rustix::fs::{CWD, FileType, Mode, mknodat};
        bed.host.needs_root()?;
        let decoy = Decoy::make(bed)?;
        for name in ["proc", "sys"] {
            for target in ["/bad", "..", "OUT", "/proc/self/root", "FILE", "FIFO"] {
                let bundle = fresh(bed, &bed.config().steps("exit 0"))?;
                let place = bundle.rootfs().join(name);
                match target {
                    "FILE" => {
                        std::fs::remove_dir(&place)?;
                        std::fs::write(&place, "")?;
                    }
                    "FIFO" => {
                        std::fs::remove_dir(&place)?;
                        mknodat(CWD, &place, FileType::Fifo, Mode::from_raw_mode(0o666), 0)?;
                    }
                    "OUT" => plant(&bundle, name, &decoy.0)?,
                    _ => plant(&bundle, name, Path::new(target))?,
                }
                let output = bed.run_bundle(&bundle)?;
                ensure!(output.code != 0, "{name} -> {target} was accepted");
                bed.is_clean_refusal(&output)?;
                decoy.is_untouched()?;
                ensure!(!bundle.rootfs().join("bad").exists(), "/bad was made");
            }
        }
        Ok(())
    }
);

case!(
    mount_destinations_stay_inside,
    safety(
        &["T-A09"],
        "T-A09: leaf, parent or dangling link in a destination, absolute or relative, leaving the root: nothing on the host"
    ),
    |bed| {
        bed.host.needs_root()?;
        let decoy = Decoy::make(bed)?;
        let file = bed.file("file", "text")?;
        let absent = bed.scratch.join("absent");
        for target in [
            decoy.0.clone(),
            absent.clone(),
            PathBuf::from("../../../out"),
            PathBuf::from("../../../../../../../../../absent"),
            PathBuf::from("/../../absent"),
        ] {
            for destination in ["/link", "/link/below", "/link/deep/below"] {
                for config in [
                    bed.config().bind(&file, destination, &["bind"]),
                    bed.config().mount(destination, "tmpfs", "tmpfs", &[]),
                ] {
                    let bundle = fresh(bed, &config.steps("exit 0"))?;
                    symlink(&target, bundle.rootfs().join("link"))?;
                    fine_or_clean(bed, &bundle, &decoy)?;
                    ensure!(
                        !absent.exists() && !Path::new("/absent").exists(),
                        "made on the host: link -> {}",
                        target.display()
                    );
                }
            }
        }
        Ok(())
    }
);

case!(
    a_legitimate_link_of_an_image_still_works,
    safety(&["T-A05", "T-A09"], "T-A05: must still work: image links in parents (/var/run -> /run)"),
    |bed| {
        let bundle =
            bed.bundle(&bed.config().mount("/var/run/secrets", "tmpfs", "tmpfs", &[]).steps("write /run/secrets/x y"))?;
        std::fs::create_dir(bundle.rootfs().join("var"))?;
        symlink("/run", bundle.rootfs().join("var/run"))?;
        worked(&bed.run_bundle(&bundle)?.succeeded("run")?.steps(), "write", "/run/secrets/x").map(drop)
    }
);
