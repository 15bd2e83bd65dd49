//! crun's mount options about symlinks: copy-symlink, src-nofollow, dest-nofollow.
//!
//! The first case of copy-symlink is in `mount_options`.

use crate::bed::Bed;
use crate::case::{Check, caller, case, ensure, safety, same};
use crate::facts::worked;
use serde_json::json;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

/// A file, and a link to it.
fn link_to_file(bed: &Bed) -> Check<(PathBuf, PathBuf)> {
    let file = bed.file("file", "text")?;
    let link = bed.scratch.join("link");
    symlink("file", &link)?;
    Ok((file, link))
}

case!(
    copy_symlink_binds_what_is_no_link,
    caller(
        &["3.custom-options-also-acl-noacl"],
        "contracts 12: copy-symlink: a source that is no link is bound as without it"
    ),
    |bed| {
        let (file, _) = link_to_file(bed)?;
        let config = bed.config().bind(&file, "/etc/zone", &["bind", "copy-symlink"]);
        let steps = bed.steps(&config.steps("lstat /etc/zone + read /etc/zone"))?;
        same("type", &worked(&steps, "lstat", "/etc/zone")?["type"], &json!("file"))?;
        same("content", worked(&steps, "read", "/etc/zone")?, json!("text"))
    }
);

case!(
    a_copied_link_may_be_there_already,
    caller(
        &["3.custom-options-also-acl-noacl"],
        "contracts 12: copy-symlink: the same link there already is no error, anything else is"
    ),
    |bed| {
        let (_, link) = link_to_file(bed)?;
        let config = bed.config().bind(&link, "/etc/zone", &["bind", "copy-symlink"]).steps("lstat /etc/zone");
        let bundle = bed.bundle(&config)?;
        symlink("file", bundle.rootfs().join("etc/zone"))?;
        let facts = worked(&bed.run_bundle(&bundle)?.succeeded("run")?.steps(), "lstat", "/etc/zone")?;
        same("target", &facts["target"], &json!("file"))?;
        std::fs::remove_file(bundle.rootfs().join("etc/zone"))?;
        symlink("other", bundle.rootfs().join("etc/zone"))?;
        let output = bed.run_bundle(&bundle)?;
        bed.is_clean_refusal(&output)?;
        ensure!(output.stderr.contains("exist"), "{}", output.stderr);
        Ok(())
    }
);

case!(
    a_copied_link_stays_in_the_root,
    safety(
        &["3.custom-options-also-acl-noacl", "T-A09"],
        "T-A09: copy-symlink below a link of the image that leads out makes nothing on the host"
    ),
    |bed| {
        let (_, link) = link_to_file(bed)?;
        let outside = bed.directory("outside")?;
        let config = bed.config().bind(&link, "/lead/zone", &["bind", "copy-symlink"]).steps("exit 0");
        for target in [outside.clone(), PathBuf::from("../../outside")] {
            let bundle = bed.bundle(&config)?;
            let lead = bundle.rootfs().join("lead");
            symlink(&target, &lead)?;
            let output = bed.run_bundle(&bundle)?;
            if output.code != 0 {
                bed.is_clean_refusal(&output)?;
            }
            same("entries made outside", std::fs::read_dir(&outside)?.count(), 0)?;
            std::fs::remove_file(&lead)?;
        }
        Ok(())
    }
);

case!(
    src_nofollow_binds_the_link_itself,
    caller(
        &["3.custom-options-also-acl-noacl"],
        "contracts 12: src-nofollow: the link is mounted, not what it leads to"
    ),
    |bed| {
        let (_, link) = link_to_file(bed)?;
        let config = bed.config().bind(&link, "/etc/zone", &["bind", "src-nofollow"]);
        let steps = bed.steps(&config.steps("lstat /etc/zone"))?;
        same("target", &worked(&steps, "lstat", "/etc/zone")?["target"], &json!("file"))
    }
);

case!(
    dest_nofollow_covers_the_link,
    caller(
        &["3.custom-options-also-acl-noacl"],
        "contracts 12: dest-nofollow: mounted on the link, not on what it leads to"
    ),
    |bed| {
        let (file, link) = link_to_file(bed)?;
        let steps = "lstat /etc/zone + read /etc/target";
        for (source, options, kind) in [
            (&file, ["bind", "dest-nofollow"].as_slice(), "file"),
            (&link, ["bind", "dest-nofollow", "src-nofollow"].as_slice(), "link"),
        ] {
            let bundle = bed.bundle(&bed.config().bind(source, "/etc/zone", options).steps(steps))?;
            let etc = bundle.rootfs().join("etc");
            std::fs::write(etc.join("target"), "of the image")?;
            if !etc.join("zone").is_symlink() {
                symlink("target", etc.join("zone"))?;
            }
            let steps = bed.run_bundle(&bundle)?.succeeded("run")?.steps();
            let facts = worked(&steps, "lstat", "/etc/zone")?;
            same("type", &facts["type"], &json!(kind))?;
            ensure!(facts["target"] != json!("target"), "the image's link is still in sight");
            same("behind the link", worked(&steps, "read", "/etc/target")?, json!("of the image"))?;
        }
        Ok(())
    }
);

case!(
    the_options_about_links_exclude_each_other,
    caller(
        &["3.custom-options-also-acl-noacl"],
        "contracts 12: copy-symlink excludes src-nofollow and dest-nofollow, as crun has it"
    ),
    |bed| {
        let (_, link) = link_to_file(bed)?;
        for other in ["src-nofollow", "dest-nofollow"] {
            bed.create_refused(&bed.config().bind(&link, "/etc/zone", &["bind", "copy-symlink", other]))?;
        }
        Ok(())
    }
);
