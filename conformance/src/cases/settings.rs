//! config.md: hostname, domainname, annotations; config-linux.md: sysctl.

use crate::bundle::Config;
use crate::case::{caller, case, ensure, must, same};
use crate::facts::worked;
use serde_json::json;
use std::path::Path;

case!(
    the_hostname_is_the_one_asked_for,
    must(&["3.hostname"], "config.md#hostname: the container's hostname as seen by processes inside"),
    |bed| {
        let before = std::fs::read_to_string("/proc/sys/kernel/hostname")?;
        same("hostname", &bed.facts(&bed.config().set("/hostname", json!("web-1")))?["hostname"], &json!("web-1"))?;
        same("hostname of the host", std::fs::read_to_string("/proc/sys/kernel/hostname")?, before)
    }
);

case!(
    the_domainname_is_the_one_asked_for,
    must(&["3.hostname"], "config.md#domainname: the container's domainname as seen by processes inside"),
    |bed| {
        same(
            "domainname",
            &bed.facts(&bed.config().set("/domainname", json!("example.org")))?["domainname"],
            &json!("example.org"),
        )
    }
);

case!(
    a_hostname_without_uts_namespace_is_refused,
    must(&["3.hostname", "1.Property-needing-a-namespace-that"], "config.md#hostname needs a private uts namespace"),
    |bed| {
        let config = bed.config().without_namespace("uts");
        let output = bed.create_refused(&config.clone().set("/hostname", json!("web-1")))?;
        ensure!(output.stderr.contains("unable to set hostname without a private UTS namespace"), "{}", output.stderr);
        Ok(())
    }
);

case!(
    a_domainname_without_uts_namespace_is_refused,
    must(&["3.hostname", "1.Property-needing-a-namespace-that"], "config.md#domainname needs a private uts namespace"),
    |bed| {
        let config = bed.config().without_namespace("uts").remove("/hostname");
        bed.create_refused(&config.set("/domainname", json!("example.org"))).map(drop)
    }
);

case!(
    a_hostname_that_is_too_long_is_refused,
    crate::case::safety(&["T-A16", "3.hostname"], "T-A16: a hostname of 65 bytes: refused, nothing truncated"),
    |bed| { bed.refused(&bed.config().set("/hostname", json!("h".repeat(65)))).map(drop) }
);

fn sysctl(config: Config, key: &str, value: &str) -> Config {
    config.set(&format!("/linux/sysctl/{}", key.replace('/', "~1")), json!(value))
}

case!(
    sysctls_are_set_inside_only,
    must(&["6.sysctl"], "config-linux.md#sysctl: kernel parameters to be modified at runtime for the container"),
    |bed| {
        let files = ["/proc/sys/net/ipv4/ip_forward", "/proc/sys/kernel/shmmax", "/proc/sys/fs/mqueue/msg_max"];
        let before: Vec<String> = files.iter().map(std::fs::read_to_string).collect::<Result<_, _>>()?;
        let config = sysctl(
            sysctl(sysctl(bed.config(), "net.ipv4.ip_forward", "1"), "kernel.shmmax", "123456789"),
            "fs.mqueue.msg_max",
            "11",
        );
        let steps = bed.steps(&config.steps(&files.map(|file| format!("read {file}")).join(" + ")))?;
        for (file, value) in files.iter().zip(["1\n", "123456789\n", "11\n"]) {
            same(file, worked(&steps, "read", file)?, json!(value))?;
        }
        same("the host's values", files.iter().map(std::fs::read_to_string).collect::<Result<Vec<_>, _>>()?, before)
    }
);

case!(
    a_sysctl_with_slashes_is_accepted,
    must(&["6.sysctl"], "config-linux.md#sysctl; hull: both / and . forms"),
    |bed| {
        let config = sysctl(bed.config(), "net/ipv4/conf/lo/forwarding", "1")
            .steps("read /proc/sys/net/ipv4/conf/lo/forwarding");
        same("value", worked(&bed.steps(&config)?, "read", "/proc/sys/net/ipv4/conf/lo/forwarding")?, json!("1\n"))
    }
);

case!(
    a_user_namespace_in_the_hosts_pid_namespace_takes_sysctls,
    must(&["6.sysctl"], "config-linux.md#sysctl: also where the user namespace has no pid namespace of its own"),
    |bed| {
        bed.host.needs_root()?;
        let config = bed.config().user_namespace(100_000, 65536).without_namespace("pid");
        // Only what belongs to the user namespace may be mounted afresh.
        let config = config.without_mount("/proc").bind(Path::new("/proc"), "/proc", &["rbind"]);
        let config = sysctl(config, "net.ipv4.ip_forward", "1").steps("read /proc/sys/net/ipv4/ip_forward");
        same("value", worked(&bed.steps(&config)?, "read", "/proc/sys/net/ipv4/ip_forward")?, json!("1\n"))
    }
);

case!(
    a_sysctl_of_the_whole_host_is_refused,
    crate::case::safety(
        &["6.sysctl", "T-A27"],
        "T-A27: only keys of private namespaces; the host's value is unchanged"
    ),
    |bed| {
        let file = "/proc/sys/kernel/core_pattern";
        let before = std::fs::read_to_string(file)?;
        for key in [
            "kernel.core_pattern",
            "vm.swappiness",
            "kernel/../../../tmp/x",
            "net/../kernel/core_pattern",
            "fs.mqueue/../../kernel/core_pattern",
            "",
            "kernel.hostname",
        ] {
            let output = bed.create_refused(&sysctl(bed.config(), key, "conformance"));
            ensure!(output.is_ok(), "key {key:?}: {output:?}");
        }
        same(file, std::fs::read_to_string(file)?, before)
    }
);

case!(
    a_sysctl_of_a_namespace_that_is_not_private_is_refused,
    must(
        &["6.sysctl", "1.Property-needing-a-namespace-that"],
        "config-linux.md#sysctl: net.* without a network namespace of its own would change the host"
    ),
    |bed| {
        bed.create_refused(&sysctl(bed.config().without_namespace("network"), "net.ipv4.ip_forward", "1"))?;
        bed.create_refused(&sysctl(bed.config().without_namespace("ipc"), "kernel.shmmax", "1")).map(drop)
    }
);

case!(
    annotations_show_in_state,
    must(
        &["3.annotations", "c7.1.annotations"],
        "config.md#annotations: unknown keys are accepted; runtime.md: state shows them"
    ),
    |bed| {
        let annotations =
            json!({"com.example.key": "value", "empty": "", "org.opencontainers.image.stopSignal": "SIGKILL"});
        let container = bed.create(&bed.config().set("/annotations", annotations.clone()))?;
        same("annotations", &container.state()?["annotations"], &annotations)
    }
);

case!(
    an_annotation_that_is_no_string_is_refused,
    must(&["3.annotations", "1.Known-property-wrong-JSON-type"], "config.md#annotations: values MUST be strings"),
    |bed| { bed.create_refused(&bed.config().set("/annotations", json!({"key": 7}))).map(drop) }
);

case!(
    an_empty_annotation_key_is_refused,
    must(&["3.annotations"], "config.md#annotations: keys MUST NOT be an empty string"),
    |bed| { bed.create_refused(&bed.config().set("/annotations", json!({"": "value"}))).map(drop) }
);

case!(
    large_annotations_are_kept_whole,
    crate::case::safety(&["T-A16"], "T-A16: 1 MiB of annotations: fine or refused, nothing truncated"),
    |bed| {
        let value = "x".repeat(1 << 20);
        let bundle = bed.bundle(&bed.config().set("/annotations", json!({"big": value})))?;
        let output = bed.call(&["create", "--bundle", &bundle.path.to_string_lossy(), &bed.id()])?;
        if output.code != 0 {
            return bed.is_clean_refusal(&output);
        }
        let state = bed.call(&["state", &bed.id()])?;
        let state: serde_json::Value = serde_json::from_str(&state.stdout)?;
        bed.call(&["delete", "--force", &bed.id()])?.succeeded("delete")?;
        same("length", state["annotations"]["big"].as_str().map(str::len), Some(1 << 20))
    }
);

case!(
    the_state_of_a_container_without_annotations_omits_them,
    caller(&["c7.1.annotations"], "contracts 7.1: annotations are omitted when empty; own labels never shown"),
    |bed| {
        let state = bed.create(&bed.config())?.state()?;
        ensure!(state["annotations"].is_null() || state["annotations"] == json!({}), "{}", state["annotations"]);
        Ok(())
    }
);

case!(
    the_annotations_of_an_image_change_nothing,
    must(
        &["3.org.opencontainers.image", "3.annotations"],
        "config.md#annotations: image annotations are information; the signal of kill stays TERM"
    ),
    |bed| {
        let annotations = json!({
            "org.opencontainers.image.os": "plan9",
            "org.opencontainers.image.os.version": "4",
            "org.opencontainers.image.os.features": "win32k,other",
            "org.opencontainers.image.architecture": "vax",
            "org.opencontainers.image.variant": "v99",
            "org.opencontainers.image.author": "Nobody <nobody@example.com>",
            "org.opencontainers.image.created": "yesterday",
            "org.opencontainers.image.stopSignal": "SIGUSR1",
        });
        let config = bed.config().set("/annotations", annotations.clone());
        let container = super::ready(bed, &config.steps("trap TERM 7 + trap USR1 8 + tell /sync/ready + pause"))?;
        same("annotations", &container.state()?["annotations"], &annotations)?;
        bed.call(&["kill", &container.id])?.succeeded("kill")?;
        same("exit code", container.wait()?, 7)
    }
);

case!(
    the_settings_of_a_virtual_machine_do_not_stop_a_container,
    crate::case::may(
        &["3.vm", "1.Unknown-property-any-depth"],
        "config.md#platform-specific: vm MAY be set; a runtime that is none for virtual machines runs the container"
    ),
    |bed| {
        let vm = json!({
            "hypervisor": {"path": "/no/such/hypervisor", "parameters": ["opts1=foo"]},
            "kernel": {"path": "/no/such/kernel", "parameters": ["foo=bar"], "initrd": "/no/such/initrd"},
            "image": {"path": "/no/such/image", "format": "raw"},
            "hwConfig": {"vcpus": 1, "memory": 1024},
        });
        let facts = bed.facts(&bed.config().set("/vm", vm))?;
        same("hostname", &facts["hostname"], &json!("conformance"))
    }
);
