//! Bad input: each is one clear line, exit 1, and leaves nothing behind.
//! config.md#valid-values, bundle.md, runtime.md#create.

use crate::bed::Bed;
use crate::case::{Check, case, ensure, must, same};
use serde_json::{Value, json};

fn bytes_refused(bed: &Bed, bytes: &[u8]) -> Check<String> {
    let bundle = bed.bundle(&bed.config())?;
    bundle.write_bytes(bytes)?;
    let output = bed.run_bundle(&bundle)?;
    bed.is_clean_refusal(&output)?;
    Ok(output.stderr)
}

case!(
    a_missing_config_is_refused,
    must(
        &["2.Bundle-config.json-in-its-root", "2.create-id-or-bundle-missing"],
        "bundle.md: config.json MUST reside in the root of the bundle directory"
    ),
    |bed| {
        let bundle = bed.bundle(&bed.config())?;
        std::fs::remove_file(bundle.path.join("config.json"))?;
        let output = bed.run_bundle(&bundle)?;
        bed.is_clean_refusal(&output)?;
        ensure!(output.stderr.contains("config.json"), "the file is not named: {}", output.stderr);
        Ok(())
    }
);

case!(
    a_missing_bundle_is_refused,
    must(&["2.create-id-or-bundle-missing"], "runtime.md#create: an error when the bundle is not there"),
    |bed| {
        let output = bed.call(&["create", "--bundle", "/no/such/bundle", &bed.id()])?;
        bed.is_clean_refusal(&output)?;
        ensure!(
            output.stderr.contains("/no/such/bundle") || output.stderr.contains("no such file"),
            "{}",
            output.stderr
        );
        Ok(())
    }
);

case!(an_empty_config_is_refused, must(&["8.a1"], "config.md: config.json must be JSON"), |bed| bytes_refused(
    bed, b""
)
.map(drop));
case!(
    an_empty_object_is_refused,
    must(&["1.REQUIRED-member-missing", "3.ociVersion"], "config.md: ociVersion is REQUIRED"),
    |bed| bytes_refused(bed, b"{}").map(drop)
);
case!(a_list_is_refused, must(&["8.a1"], "config.md: config.json is an object"), |bed| bytes_refused(bed, b"[1, 2]")
    .map(drop));
case!(null_is_refused, must(&["8.a1", "1.null"], "config.md: config.json is an object"), |bed| bytes_refused(
    bed, b"null"
)
.map(drop));
case!(text_after_the_config_is_refused, must(&["8.a1"], "config.md: config.json is one JSON value"), |bed| {
    let mut bytes = serde_json::to_vec(&bed.config().0)?;
    bytes.extend_from_slice(b" trailing");
    bytes_refused(bed, &bytes).map(drop)
});

case!(a_truncated_config_is_refused, must(&["8.a1"], "config.md: config.json must be JSON"), |bed| {
    let bytes = serde_json::to_vec(&bed.config().0)?;
    for part in [1, 3, 7] {
        bytes_refused(bed, &bytes[..bytes.len() * part / 8])?;
    }
    Ok(())
});

case!(a_config_that_is_not_utf8_is_refused, must(&["8.a1"], "config.md: JSON text is UTF-8"), |bed| {
    let bytes = serde_json::to_vec(&bed.config().set("/hostname", json!("MARK")).0)?;
    let at = bytes.windows(4).position(|four| four == b"MARK").unwrap_or(0);
    let mut bytes = bytes;
    bytes[at] = 0xff;
    bytes_refused(bed, &bytes).map(drop)
});

case!(binary_data_is_refused, must(&["8.a1"], "config.md: config.json must be JSON"), |bed| {
    bytes_refused(bed, &[0; 4096])?;
    bytes_refused(bed, b"\x7fELF\x02\x01\x01").map(drop)
});

case!(
    ten_thousand_mounts_are_refused_or_mounted,
    must(&["8.a1"], "hull: a config of 10,000 mounts is carried out or refused in one line, in bounded time"),
    |bed| {
        bed.needs_no_systemd_driver()?;
        let source = bed.directory("data")?;
        let tmpfs = json!({"destination": "/mnt", "type": "tmpfs", "source": "tmpfs"});
        let bind = json!({"destination": "/mnt", "type": "none", "source": source, "options": ["bind", "ro"]});
        for mount in [tmpfs, bind] {
            let bundle = bed.bundle(&bed.config().set("/mounts", json!(vec![mount; 10_000])).steps("exit 0"))?;
            let run = bed.command(&["run", "--bundle", &bundle.path.to_string_lossy(), &bed.id()]);
            let output = bed.spawn(run, bed.null())?.finish_within(std::time::Duration::from_secs(10))?;
            if output.code != 0 {
                bed.is_clean_refusal(&output)?;
            }
        }
        Ok(())
    }
);

case!(
    a_huge_config_is_refused_or_runs,
    must(&["8.a1"], "hull: a config of 64 MiB is read or refused, in bounded time"),
    |bed| {
        let config = bed.config().set("/annotations", json!({"filler": "x".repeat(64 << 20)})).steps("exit 0");
        let bundle = bed.bundle(&config)?;
        let run = bed.command(&["run", "--bundle", &bundle.path.to_string_lossy(), &bed.id()]);
        let output = bed.spawn(run, bed.null())?.finish_within(std::time::Duration::from_secs(120))?;
        if output.code == 0 { Ok(()) } else { bed.is_clean_refusal(&output) }
    }
);

case!(
    ten_thousand_entries_are_applied_or_refused_at_once,
    must(&["8.a1"], "hull: what takes long to check grows with the config, and not with its square"),
    |bed| {
        bed.needs_no_systemd_driver()?;
        let many = |entry: fn(usize) -> Value| Value::Array((0..10_000).map(entry).collect());
        let device = |number| json!({"allow": true, "type": "c", "major": 4000, "minor": number, "access": "r"});
        for (pointer, value) in [
            ("/process/env", many(|number| json!(format!("V{number}={}", "x".repeat(90))))),
            ("/annotations", Value::Object((0..10_000).map(|number| (format!("k{number}"), json!("v"))).collect())),
            ("/process/capabilities/bounding", many(|number| json!(format!("CAP_{number}")))),
            ("/process/rlimits", many(|_| json!({"type": "RLIMIT_CORE", "soft": 0, "hard": 0}))),
            ("/linux/resources/devices", many(device)),
            ("/linux/maskedPaths", many(|number| json!(format!("/p{number}")))),
        ] {
            let config = bed.config().set(pointer, value).steps("exit 0");
            let bundle = bed.bundle(&config)?;
            let run = bed.command(&["run", "--bundle", &bundle.path.to_string_lossy(), &bed.id()]);
            let output = bed.spawn(run, bed.null())?.finish_within(std::time::Duration::from_secs(10))?;
            if output.code != 0 {
                bed.is_clean_refusal(&output)?;
            }
        }
        Ok(())
    }
);

case!(
    deep_nesting_is_refused_or_ignored,
    must(
        &["8.a1", "1.Unknown-property-any-depth"],
        "hull: deep nesting in an unknown property neither crashes nor leaves anything"
    ),
    |bed| {
        let text = serde_json::to_string(&bed.config().steps("exit 0").0)?;
        let deep = format!("{{\"unknown\": {}{}, {}", "[".repeat(100_000), "]".repeat(100_000), &text[1..]);
        let bundle = bed.bundle(&bed.config())?;
        bundle.write_bytes(deep.as_bytes())?;
        let output = bed.run_bundle(&bundle)?;
        if output.code == 0 { Ok(()) } else { bed.is_clean_refusal(&output) }
    }
);

case!(
    unknown_properties_are_ignored,
    must(
        &["1.Unknown-property-any-depth", "3.Extensibility-Valid-values"],
        "config.md#extensibility: runtimes MUST NOT generate an error for an unknown property"
    ),
    |bed| {
        let config = bed
            .config()
            .set("/future", json!({"a": [1]}))
            .set("/process/future", json!(true))
            .set("/linux/future", json!("x"))
            .set("/mounts/0/future", json!(1));
        bed.facts(&config.set("/linux/resources/future", json!({}))).map(drop)
    }
);

case!(
    other_platforms_are_ignored,
    must(&["3.windows", "1.Unknown-property-any-depth"], "config.md: sections of other platforms have no effect here"),
    |bed| {
        let config = bed
            .config()
            .set("/windows", json!({"layerFolders": ["C:\\\\layer"]}))
            .set("/solaris", json!({"milestone": "x"}));
        bed.facts(&config.set("/process/commandLine", json!("cmd.exe")).set("/process/user/username", json!("who")))
            .map(drop)
    }
);

case!(
    values_of_the_wrong_type_are_refused,
    must(&["1.Known-property-wrong-JSON-type", "8.a1"], "config.md#valid-values: invalid values MUST be an error"),
    |bed| {
        let wrong: [(&str, Value); 14] = [
            ("/ociVersion", json!(1)),
            ("/process", json!("probe")),
            ("/process/args", json!("probe")),
            ("/process/args", json!([1])),
            ("/process/env", json!({"A": "b"})),
            ("/process/cwd", json!(["/"])),
            ("/process/user/uid", json!("0")),
            ("/process/user/uid", json!(1.5)),
            ("/process/noNewPrivileges", json!("yes")),
            ("/root", json!("rootfs")),
            ("/root/readonly", json!("no")),
            ("/mounts", json!({})),
            ("/linux/namespaces", json!(["pid"])),
            ("/hostname", json!(5)),
        ];
        for (pointer, value) in wrong {
            let refused = bed.create_refused(&bed.config().set(pointer, value.clone()));
            ensure!(refused.is_ok(), "{pointer} = {value}: {refused:?}");
        }
        Ok(())
    }
);

case!(
    a_wrong_type_is_named_by_its_pointer,
    must(&["1.Known-property-wrong-JSON-type"], "checklist 1: the error names the JSON pointer and the value"),
    |bed| {
        let output = bed.create_refused(&bed.config().set("/mounts/2/options", json!("ro")))?;
        ensure!(output.stderr.contains("mounts") && output.stderr.contains("options"), "{}", output.stderr);
        Ok(())
    }
);

case!(
    user_ids_out_of_range_are_refused,
    crate::case::safety(
        &["T-A18", "3.user.uid"],
        "T-A18: config uid and gid: negative, too large, fractions and strings are refused, never uid 0"
    ),
    |bed| {
        for value in [json!(-1), json!(4_294_967_296_u64), json!(1.5), json!("1"), json!(1e30)] {
            for member in ["uid", "gid"] {
                let refused = bed.create_refused(&bed.config().set(&format!("/process/user/{member}"), value.clone()));
                ensure!(refused.is_ok(), "{member} {value}: {refused:?}");
            }
        }
        Ok(())
    }
);

case!(
    duplicate_keys_are_refused,
    must(
        &["1.Duplicate-JSON-keys"],
        "checklist 1: duplicate JSON keys are an error, as readers differ on which one counts"
    ),
    |bed| {
        let text = serde_json::to_string(&bed.config().0)?;
        bytes_refused(bed, format!("{{\"hostname\": \"first\", {}", &text[1..]).as_bytes()).map(drop)
    }
);

case!(
    the_version_must_be_semver,
    must(&["3.ociVersion"], "config.md#specification-version: MUST be in SemVer v2.0.0 format"),
    |bed| {
        for version in ["", "one", "1", "1.0", "v1.0.0", "1.0.0.0", "2.0.0", "0.5.0"] {
            let refused = bed.create_refused(&bed.config().set("/ociVersion", json!(version)));
            ensure!(refused.is_ok(), "{version:?}: {refused:?}");
        }
        Ok(())
    }
);

case!(
    every_version_1_is_accepted,
    must(
        &["3.ociVersion", "7.ociVersionMin"],
        "config.md#specification-version: min and max of features and what lies between MUST be accepted"
    ),
    |bed| {
        for version in ["1.0.0", "1.0.2-dev", "1.1.0", "1.2.0", "1.3.0", "1.0.0-rc5"] {
            bed.facts(&bed.config().set("/ociVersion", json!(version)))?;
        }
        Ok(())
    }
);

case!(null_is_absence, must(&["1.null"], "checklist 1: null equals absence"), |bed| {
    let config = bed
        .config()
        .set("/domainname", Value::Null)
        .set("/hooks", Value::Null)
        .set("/linux/resources", Value::Null)
        .set("/process/rlimits", Value::Null);
    bed.facts(&config.set("/annotations", Value::Null).set("/linux/seccomp", Value::Null)).map(drop)
});

case!(
    strings_with_nul_are_refused,
    must(&["1.Strings-with-NUL-paths-with"], "checklist 1: a NUL in a string that the kernel gets is an error"),
    |bed| {
        for (pointer, value) in [
            ("/process/args", json!(["/pro\u{0}be"])),
            ("/process/env", json!(["A=\u{0}"])),
            ("/process/cwd", json!("/t\u{0}mp")),
            ("/root/path", json!("root\u{0}fs")),
            ("/mounts/0/destination", json!("/pr\u{0}oc")),
        ] {
            let refused = bed.refused(&bed.config().set(pointer, value));
            ensure!(refused.is_ok(), "{pointer}: {refused:?}");
        }
        Ok(())
    }
);

case!(
    a_config_that_is_a_directory_is_refused,
    must(&["2.Bundle-config.json-in-its-root"], "bundle.md: config.json is a file"),
    |bed| {
        let bundle = bed.bundle(&bed.config())?;
        std::fs::remove_file(bundle.path.join("config.json"))?;
        std::fs::create_dir(bundle.path.join("config.json"))?;
        let output = bed.run_bundle(&bundle)?;
        bed.is_clean_refusal(&output)
    }
);

case!(
    bad_ids_are_refused_by_every_command,
    crate::case::safety(
        &["T-A32", "c3.Container-id-A-Za-z0"],
        "T-A32: ../x, ., .., a/b, empty, blank, newline, non-ASCII, 256 bytes, DEL: refused, state root intact"
    ),
    |bed| {
        let bundle = bed.bundle(&bed.config())?;
        let (path, long) = (bundle.path.to_string_lossy().into_owned(), "x".repeat(256));
        let marker = bed.directory("root/marker")?;
        bed.rebase();
        let ids = ["../x", ".", "..", "a/b", "", "a b", "a\nb", "ü", &long, "a\u{7f}", "/abs", ".hidden"];
        for id in ids {
            for args in [
                &["create", "--bundle", &path, id][..],
                &["run", "--bundle", &path, id],
                &["state", id],
                &["start", id],
                &["kill", id, "TERM"],
                &["delete", id],
                &["delete", "--force", id],
            ] {
                let output = bed.call(args)?;
                if output.code == 0 {
                    bed.call(&["delete", "--force", id])?;
                }
                ensure!(output.code == 1, "{args:?}: exit code {}", output.code);
                bed.is_one_clear_line(&output.stderr)?;
            }
        }
        same("the state root", marker.is_dir(), true)?;
        std::fs::remove_dir(&marker)?;
        bed.nothing_left()
    }
);

case!(
    a_bad_id_says_so,
    must(
        &["c3.Container-id-A-Za-z0", "c8.container-with-given-ID-already"],
        "contracts 3: `invalid container ID format`; empty: `container id cannot be empty`"
    ),
    |bed| {
        let bundle = bed.bundle(&bed.config())?;
        let path = bundle.path.to_string_lossy();
        bed.call(&["create", "--bundle", &path, "a/b"])?.refuses_with("invalid container ID format")?;
        bed.call(&["create", "--bundle", &path, ""])?.refuses_with("container id cannot be empty")
    }
);

case!(
    ids_of_every_allowed_character_work,
    must(&["c3.Container-id-A-Za-z0"], "contracts 3: [A-Za-z0-9_+.-], up to 255 bytes"),
    |bed| {
        let id = format!("Az09_+.-{}", bed.token);
        let bundle = bed.bundle(&bed.config().steps("say ran"))?;
        let output = bed.call(&["run", "--bundle", &bundle.path.to_string_lossy(), &id])?.succeeded("run")?;
        same("output", output.stdout.trim(), "ran")
    }
);
