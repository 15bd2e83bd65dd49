//! config-linux.md: default devices, `devices`, the links of /dev, and what
//! the device cgroup lets through.

use crate::bundle::Config;
use crate::case::{case, ensure, must, same};
use crate::facts::{denied, worked};
use serde_json::{Value, json};

const DEFAULTS: [(&str, u32, u32); 6] =
    [("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0)];

fn are_default_devices(facts: &Value) -> crate::case::Check {
    for (name, major, minor) in DEFAULTS {
        let device = &facts["devices"][name];
        let got = (&device["type"], &device["major"], &device["minor"], &device["mode"]);
        same(name, got, (&json!("char"), &json!(major), &json!(minor), &json!("0666")))?;
    }
    Ok(())
}

case!(
    the_default_devices_are_there,
    must(
        &["4.default-null-zero-full-random"],
        "config-linux.md#default-devices: the runtime MUST supply null, zero, full, random, urandom, tty"
    ),
    |bed| { are_default_devices(&bed.facts(&bed.config())?) }
);

case!(
    the_default_devices_have_their_mode_whatever_the_umask,
    crate::case::safety(
        &["T-A31", "4.default-null-zero-full-random"],
        "T-A31: a caller with umask 0777; null, zero, urandom, tty are 0666"
    ),
    |bed| {
        let bundle = bed.bundle(&bed.config())?;
        let command =
            bed.command_from(&["--umask", "0777"], &["run", "--bundle", &bundle.path.to_string_lossy(), &bed.id()]);
        let facts = bed.finish(command)?.succeeded("run")?.step("report")?;
        are_default_devices(&facts)?;
        same("umask", &facts["umask"], &json!("0022"))
    }
);

case!(
    the_default_devices_are_there_without_a_dev_mount,
    must(
        &["4.default-null-zero-full-random"],
        "config-linux.md#default-devices hold even when config mounts nothing on /dev"
    ),
    |bed| {
        bed.host.needs_root()?;
        let config = ["/dev", "/dev/pts", "/dev/shm", "/dev/mqueue"]
            .iter()
            .fold(bed.config(), |config, mount| config.without_mount(mount));
        are_default_devices(&bed.facts(&config)?)
    }
);

case!(
    ptmx_leads_to_the_containers_devpts,
    must(
        &["4.default-null-zero-full-random"],
        "config-linux.md#default-devices: /dev/ptmx: a bind mount or symlink of the container's /dev/pts/ptmx"
    ),
    |bed| {
        let steps = bed.steps(&bed.config().steps("stat /dev/ptmx + stat /dev/pts/ptmx + list /dev/pts"))?;
        let (ptmx, real) = (worked(&steps, "stat", "/dev/ptmx")?, worked(&steps, "stat", "/dev/pts/ptmx")?);
        same("ptmx", (&ptmx["dev"], &ptmx["ino"]), (&real["dev"], &real["ino"]))
    }
);

case!(
    the_links_of_dev_are_made,
    must(
        &["2.dev-fd-stdin-stdout-stderr"],
        "runtime-linux.md#dev-symbolic-links: fd, stdin, stdout, stderr MUST be created"
    ),
    |bed| {
        let devices = bed.facts(&bed.config())?["devices"].clone();
        for (name, target) in [
            ("fd", "/proc/self/fd"),
            ("stdin", "/proc/self/fd/0"),
            ("stdout", "/proc/self/fd/1"),
            ("stderr", "/proc/self/fd/2"),
        ] {
            same(name, &devices[name]["target"], &json!(target))?;
        }
        Ok(())
    }
);

case!(
    there_is_no_console_without_a_terminal,
    must(
        &["4.default-null-zero-full-random"],
        "config-linux.md#default-devices: /dev/console is set up if terminal is enabled"
    ),
    |bed| {
        let console = bed.facts(&bed.config())?["devices"]["console"].clone();
        same("console", console, Value::Null)
    }
);

fn with_device(config: Config, device: Value) -> Config {
    config.set("/linux/devices/-", device)
}

case!(
    listed_devices_are_made,
    must(
        &["4.devices.type", "4.devices.fileMode-uid-gid", "4.devices.major-minor"],
        "config-linux.md#devices: the runtime MUST supply the listed devices"
    ),
    |bed| {
        bed.host.needs_root()?;
        let config = with_device(
            bed.config(),
            json!({"type": "c", "path": "/dev/one", "major": 1, "minor": 5, "fileMode": 0o640, "uid": 11, "gid": 12}),
        );
        let config = with_device(
            config,
            json!({"type": "b", "path": "/dev/deep/down/two", "major": 7, "minor": 3, "fileMode": 0o600}),
        );
        let config = with_device(config, json!({"type": "u", "path": "/dev/three", "major": 1, "minor": 7}));
        let config = with_device(config, json!({"type": "p", "path": "/dev/four", "fileMode": 0o622}));
        let steps =
            bed.steps(&config.steps("lstat /dev/one + lstat /dev/deep/down/two + lstat /dev/three + lstat /dev/four"))?;
        let seen = |path: &str| -> crate::case::Check<String> {
            let facts = worked(&steps, "lstat", path)?;
            Ok(["type", "major", "minor", "mode", "uid", "gid"]
                .map(|key| facts[key].to_string().replace('"', ""))
                .join(" "))
        };
        same("one", seen("/dev/one")?, "char 1 5 0640 11 12")?;
        same("two", seen("/dev/deep/down/two")?, "block 7 3 0600 0 0")?;
        same("three", seen("/dev/three")?, "char 1 7 0666 0 0")?;
        same("four", seen("/dev/four")?, "fifo 0 0 0622 0 0")
    }
);

case!(
    a_device_that_is_already_there_is_kept,
    must(&["4.devices.path"], "config-linux.md#devices: an existing file that matches is fine"),
    |bed| {
        bed.host.needs_root()?;
        let config = with_device(
            bed.config(),
            json!({"type": "c", "path": "/dev/null", "major": 1, "minor": 3, "fileMode": 0o666}),
        );
        are_default_devices(&bed.facts(&config)?)
    }
);

case!(
    a_file_in_the_place_of_a_device_is_refused,
    must(
        &["4.devices.path"],
        "config-linux.md#devices: if a file already exists at path that does not match, the runtime MUST generate an error"
    ),
    |bed| {
        bed.host.needs_root()?;
        let config = with_device(bed.config(), json!({"type": "c", "path": "/etc/device", "major": 1, "minor": 5}));
        let bundle = bed.bundle(&config)?;
        std::fs::write(bundle.rootfs().join("etc/device"), "a file")?;
        let output = bed.run_bundle(&bundle)?;
        bed.is_clean_refusal(&output)
    }
);

case!(
    an_unknown_device_type_is_refused,
    must(&["4.devices.type"], "config-linux.md#devices: type is one of c, b, u, p"),
    |bed| {
        bed.create_refused(&with_device(bed.config(), json!({"type": "x", "path": "/dev/one", "major": 1, "minor": 5})))
            .map(drop)
    }
);

case!(
    a_device_without_path_or_type_is_refused,
    must(
        &["4.devices.path", "4.devices.type", "1.REQUIRED-member-missing"],
        "config-linux.md#devices: type and path are REQUIRED"
    ),
    |bed| {
        bed.create_refused(&with_device(bed.config(), json!({"type": "c", "major": 1, "minor": 5})))?;
        bed.create_refused(&with_device(bed.config(), json!({"path": "/dev/one", "major": 1, "minor": 5}))).map(drop)
    }
);

case!(
    unlisted_devices_cannot_be_opened,
    must(
        &["4.unlisted-devices", "T-A20"],
        "config-linux.md#allowed-device-list; T-A20: without resources.devices a made node of another device gives EPERM"
    ),
    |bed| {
        bed.host.needs_root()?;
        let config = bed.config().capabilities(&["bounding", "effective", "permitted"], &["CAP_MKNOD"]);
        let steps = bed.steps(&config.steps("mknod /loop b 7 0 + open /loop r + mknod /kmsg c 1 11 + open /kmsg w + open /dev/null rw + open /dev/urandom r"))?;
        if worked(&steps, "mknod", "/loop").is_ok() {
            denied(&steps, "open", "/loop", &["EPERM"])?;
        }
        if worked(&steps, "mknod", "/kmsg").is_ok() {
            denied(&steps, "open", "/kmsg", &["EPERM"])?;
        }
        worked(&steps, "open", "/dev/null")?;
        worked(&steps, "open", "/dev/urandom").map(drop)
    }
);

case!(
    an_allowed_device_can_be_opened,
    must(&["5.resources.devices"], "config-linux.md#allowed-device-list: entries are applied in the listed order"),
    |bed| {
        bed.host.needs_root()?;
        bed.host.needs_path("/dev/kmsg")?;
        let rules = json!([{"allow": false, "access": "rwm"}, {"allow": true, "type": "c", "major": 1, "minor": 11, "access": "w"}]);
        let config = with_device(bed.config(), json!({"type": "c", "path": "/dev/kmsg", "major": 1, "minor": 11}))
            .set("/linux/resources/devices", rules);
        let steps = bed.steps(&config.steps("open /dev/kmsg w + open /dev/kmsg r + open /dev/zero r"))?;
        worked(&steps, "open", "/dev/kmsg")?;
        ensure!(steps[1]["errno"] == "EPERM", "read access was not allowed: {}", steps[1]);
        worked(&steps, "open", "/dev/zero").map(drop)
    }
);

case!(
    a_later_rule_overrides_an_earlier_one,
    must(
        &["5.resources.devices"],
        "config-linux.md#allowed-device-list: the runtime MUST apply entries in the listed order"
    ),
    |bed| {
        bed.host.needs_root()?;
        let rules = json!([{"allow": true, "type": "c", "major": 1, "minor": 11, "access": "rwm"}, {"allow": false, "type": "c", "major": 1, "minor": 11, "access": "rwm"}]);
        let config = with_device(bed.config(), json!({"type": "c", "path": "/dev/kmsg", "major": 1, "minor": 11}))
            .set("/linux/resources/devices", rules);
        denied(&bed.steps(&config.steps("open /dev/kmsg w"))?, "open", "/dev/kmsg", &["EPERM"])
    }
);

case!(
    a_malformed_device_rule_is_refused,
    must(&["5.resources.devices"], "config-linux.md#allowed-device-list: access is made of r, w, m; type is a, b or c"),
    |bed| {
        bed.create_refused(
            &bed.config().set("/linux/resources/devices", json!([{"allow": true, "type": "c", "access": "rwz"}])),
        )?;
        bed.create_refused(
            &bed.config().set("/linux/resources/devices", json!([{"allow": true, "type": "q", "access": "r"}])),
        )
        .map(drop)
    }
);
