//! features.md, features-linux.md; contracts 7.4.

use crate::bed::Bed;
use crate::case::{Check, caller, case, ensure, must, same, should};
use crate::facts::holds;
use serde_json::{Value, json};

pub(super) fn features(bed: &Bed) -> Check<Value> {
    let output = bed.call_without_root(&["features"])?.succeeded("features")?;
    same("stderr", output.stderr, "")?;
    Ok(serde_json::from_str(&output.stdout)?)
}

fn lists(features: &Value, pointer: &str, words: &[&str]) -> Check {
    let list = features.pointer(pointer).cloned().unwrap_or_default();
    for word in words {
        ensure!(holds(&list, word), "{pointer} lacks {word}: {list}");
    }
    Ok(())
}

case!(
    the_versions_are_given,
    must(
        &["7.ociVersionMin", "c7.4.ociVersionMin-Max", "c1.8"],
        "features.md: ociVersionMin and ociVersionMax are REQUIRED"
    ),
    |bed| {
        let features = features(bed)?;
        let version = |key: &str| features[key].as_str().unwrap_or_default().to_owned();
        ensure!(version("ociVersionMin").starts_with("1."), "{}", features["ociVersionMin"]);
        ensure!(
            crate::runtime::version_in(&version("ociVersionMin"))
                <= crate::runtime::version_in(&version("ociVersionMax")),
            "min above max"
        );
        Ok(())
    }
);

case!(
    both_versions_are_accepted_in_config,
    must(&["7.ociVersionMin", "3.ociVersion"], "features.md: both versions MUST be accepted in config"),
    |bed| {
        let features = features(bed)?;
        for key in ["ociVersionMin", "ociVersionMax"] {
            bed.facts(&bed.config().set("/ociVersion", features[key].clone()))?;
        }
        Ok(())
    }
);

case!(the_six_hooks_are_listed, must(&["7.hooks", "c7.4.hooks"], "features.md: hooks"), |bed| {
    lists(
        &features(bed)?,
        "/hooks",
        &["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"],
    )
});

case!(
    the_mount_options_are_listed,
    must(
        &["7.mountOptions", "c7.4.mountOptions", "c1.8"],
        "features.md: mountOptions: the recognised names; callers look for rro"
    ),
    |bed| {
        lists(
            &features(bed)?,
            "/mountOptions",
            &[
                "bind",
                "rbind",
                "ro",
                "rw",
                "nosuid",
                "nodev",
                "noexec",
                "noatime",
                "relatime",
                "strictatime",
                "private",
                "rprivate",
                "shared",
                "rshared",
                "slave",
                "rslave",
                "unbindable",
                "runbindable",
                "remount",
                "sync",
                "rro",
                "rrw",
                "rnosuid",
                "rnodev",
                "rnoexec",
                "rnoatime",
            ],
        )
    }
);

case!(
    the_newer_mount_options_are_listed,
    caller(&["c7.4.mountOptions"], "contracts 7.4: idmap, ridmap, tmpcopyup, nosymfollow, sorted"),
    |bed| {
        let features = features(bed)?;
        lists(&features, "/mountOptions", &["idmap", "ridmap", "tmpcopyup", "nosymfollow", "rnosymfollow"])?;
        let names: Vec<String> =
            features["mountOptions"].as_array().into_iter().flatten().map(Value::to_string).collect();
        let mut sorted = names.clone();
        sorted.sort();
        same("order", names, sorted)
    }
);

case!(
    every_listed_mount_option_is_accepted,
    must(&["7.mountOptions"], "features.md: the recognised names MUST be accepted"),
    |bed| {
        let features = features(bed)?;
        let source = bed.directory("data")?;
        for name in features["mountOptions"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            // These need more than a name (mappings, an existing mount, or an old kernel).
            if ["idmap", "ridmap", "remount", "mand", "acl", "noacl", "iversion", "noiversion", "tmpcopyup"]
                .contains(&name)
                || name.contains("nofollow")
                || name == "copy-symlink"
            {
                continue;
            }
            let output = bed.run(&bed.config().bind(&source, "/mnt", &["rbind", name]).steps("exit 0"))?;
            ensure!(output.code == 0, "option {name}: {}", output.stderr.trim());
        }
        Ok(())
    }
);

case!(
    the_namespaces_are_listed,
    must(&["7.linux.namespaces", "c7.4.linux.namespaces"], "features-linux.md: namespaces"),
    |bed| { lists(&features(bed)?, "/linux/namespaces", &["cgroup", "ipc", "mount", "network", "pid", "user", "uts"]) }
);

case!(
    the_time_namespace_is_listed,
    must(&["7.linux.namespaces", "c7.4.linux.namespaces"], "features-linux.md: namespaces: all eight"),
    |bed| { lists(&features(bed)?, "/linux/namespaces", &["time"]) }
);

case!(
    the_capabilities_are_listed,
    must(&["7.linux.namespaces", "c7.4.linux.capabilities"], "features-linux.md: capabilities in CAP_ form"),
    |bed| {
        lists(
            &features(bed)?,
            "/linux/capabilities",
            &["CAP_CHOWN", "CAP_SYS_ADMIN", "CAP_AUDIT_READ", "CAP_BPF", "CAP_PERFMON", "CAP_CHECKPOINT_RESTORE"],
        )
    }
);

case!(
    the_cgroup_worlds_are_told,
    must(
        &["7.linux.cgroup", "c7.4.linux.cgroup"],
        "features-linux.md: cgroup: v1, v2, systemd, systemdUser as booleans"
    ),
    |bed| {
        let features = features(bed)?;
        for key in ["v1", "v2", "systemd", "systemdUser"] {
            ensure!(features["linux"]["cgroup"][key].is_boolean(), "{key}: {}", features["linux"]["cgroup"]);
        }
        same(
            "v1 and v2",
            (&features["linux"]["cgroup"]["v1"], &features["linux"]["cgroup"]["v2"]),
            (&json!(true), &json!(true)),
        )
    }
);

case!(
    security_modules_are_told,
    must(
        &["7.linux.apparmor", "c7.4.linux.apparmor-selinux-netDevices"],
        "features-linux.md: apparmor.enabled and selinux.enabled are booleans"
    ),
    |bed| {
        let features = features(bed)?;
        for key in ["apparmor", "selinux"] {
            ensure!(features["linux"][key]["enabled"].is_boolean(), "{key}: {}", features["linux"][key]);
        }
        Ok(())
    }
);

case!(
    features_hold_no_null,
    should(&["7.content"], "features.md: absent and null differ from empty; hull gives no nulls"),
    |bed| {
        fn nulls(value: &Value) -> usize {
            match value {
                Value::Null => 1,
                Value::Array(list) => list.iter().map(nulls).sum(),
                Value::Object(map) => map.values().map(nulls).sum(),
                _ => 0,
            }
        }
        same("nulls", nulls(&features(bed)?), 0)
    }
);

case!(
    features_are_the_same_without_privilege,
    should(&["7.content", "c4.3.features"], "features.md: SHOULD be fixed at compile time, host-independent"),
    |bed| {
        bed.host.needs_root()?;
        let mine = bed.call_without_root(&["features"])?;
        let mut command = std::process::Command::new(&bed.probe);
        command
            .args(["launch", "--uid", "65534", "--"])
            .arg(&bed.runtime.path)
            .arg("features")
            .env_clear()
            .env("PATH", "/usr/bin:/bin");
        std::fs::set_permissions(&bed.scratch, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
        let theirs = bed.finish(command)?;
        same("features of an ordinary user", theirs.succeeded("features")?.stdout, mine.stdout)
    }
);

case!(
    idmapped_mounts_are_told,
    caller(
        &["7.linux.mountExtensions.idmap.enabled", "c7.4.linux.mountExtensions.idmap", "c1.8"],
        "contracts 1#8: linux.mountExtensions.idmap.enabled is true"
    ),
    |bed| { same("idmap", &features(bed)?["linux"]["mountExtensions"]["idmap"]["enabled"], &json!(true)) }
);

case!(
    the_annotations_that_are_unsafe_are_told,
    caller(
        &["7.annotations", "c7.4.potentiallyUnsafeConfigAnnotations", "T-A25"],
        "contracts 7.4, T-A25: potentiallyUnsafeConfigAnnotations"
    ),
    |bed| {
        let features = features(bed)?;
        ensure!(features["potentiallyUnsafeConfigAnnotations"].is_array(), "absent");
        for (key, value) in features["annotations"].as_object().into_iter().flatten() {
            ensure!(value.as_str().is_some_and(|value| !value.contains('\n')), "{key}: {value}");
        }
        Ok(())
    }
);

case!(
    seccomp_is_told_in_full,
    caller(
        &["c7.4.linux.seccomp"],
        "contracts 7.4: linux.seccomp: enabled, 9 actions, 7 operators, archs; knownFlags and supportedFlags (features.md 1.1)"
    ),
    |bed| {
        let seccomp = features(bed)?["linux"]["seccomp"].clone();
        same("enabled", &seccomp["enabled"], &json!(true))?;
        for (list, count) in [("actions", 9), ("operators", 7), ("knownFlags", 4)] {
            same(list, seccomp[list].as_array().map_or(0, Vec::len), count)?;
        }
        ensure!(holds(&seccomp["archs"], "SCMP_ARCH_X86_64"), "{}", seccomp["archs"]);
        for flag in seccomp["supportedFlags"].as_array().into_iter().flatten() {
            ensure!(holds(&seccomp["knownFlags"], flag.as_str().unwrap_or_default()), "{flag} is not known");
        }
        ensure!(seccomp["supportedFlags"].is_array(), "no supportedFlags");
        Ok(())
    }
);

case!(
    cache_allocation_is_told,
    caller(
        &["c7.4.linux.intelRdt"],
        "contracts 7.4: linux.intelRdt: enabled, and where it is, schemata and monitoring, as booleans (features.md 1.1 and 1.3)"
    ),
    |bed| {
        let rdt = features(bed)?["linux"]["intelRdt"].clone();
        ensure!(rdt["enabled"].is_boolean(), "{rdt}");
        if rdt["enabled"] == true {
            ensure!(rdt["schemata"].is_boolean() && rdt["monitoring"].is_boolean(), "{rdt}");
        }
        Ok(())
    }
);

case!(
    memory_policies_are_told,
    caller(
        &["c7.4.linux.memoryPolicy"],
        "contracts 7.4: linux.memoryPolicy: 7 modes, 3 flags (features.md 1.3; in no release of Debian 12 or 13)"
    ),
    |bed| {
        let features = features(bed)?;
        for (pointer, count, one) in
            [("/linux/memoryPolicy/modes", 7, "MPOL_BIND"), ("/linux/memoryPolicy/flags", 3, "MPOL_F_STATIC_NODES")]
        {
            lists(&features, pointer, &[one])?;
            same(pointer, features.pointer(pointer).and_then(Value::as_array).map_or(0, Vec::len), count)?;
        }
        Ok(())
    }
);

case!(
    the_build_is_told_in_annotations,
    caller(
        &["c7.4.annotations"],
        "contracts 7.4: annotations: version and commit of the build, in one line each; org.opencontainers.runc.checkpoint.enabled only where there is checkpoint"
    ),
    |bed| {
        let annotations = features(bed)?["annotations"].clone();
        let named = |end: &str| {
            annotations.as_object().into_iter().flatten().any(|(key, value)| {
                key.ends_with(end) && value.as_str().is_some_and(|value| !value.is_empty() && !value.contains('\n'))
            })
        };
        ensure!(named(".version") && named(".commit"), "{annotations}");
        let claimed = annotations["org.opencontainers.runc.checkpoint.enabled"] == "true";
        let there = bed.call_without_root(&["checkpoint", "--help"])?.code == 0;
        ensure!(there || !claimed, "claims a checkpoint that is not there");
        Ok(())
    }
);
