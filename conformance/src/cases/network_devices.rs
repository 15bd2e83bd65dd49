//! config-linux.md, `netDevices`: links that move into the container's network
//! namespace. Each case has a network of its own, in which it makes them.

use crate::bed::Bed;
use crate::bundle::Config;
use crate::case::{Check, case, ensure, must, same};
use crate::container::Container;
use crate::network::Network;
use serde_json::{Value, json};

fn with_devices(bed: &Bed, devices: Value) -> Config {
    bed.config().set("/linux/netDevices", devices)
}

/// Must refuse `devices`, and leave the link `ctr0` where it was.
fn refused(bed: &Bed, network: &Network, config: &Config) -> Check {
    bed.create_refused(config)?;
    ensure!(network.facts("ctr0")?.is_some(), "the link ctr0 is gone after a refusal");
    Ok(())
}

case!(
    a_network_device_moves_into_the_container,
    must(&["4.netDevices"], "config-linux.md#network-devices: the runtime MUST move the device; its name stays"),
    |bed| {
        let network = Network::of_its_own(bed)?;
        network.link("ctr0")?;
        let container = bed.create(&with_devices(bed, json!({"ctr0": {}})))?;
        ensure!(network.facts("ctr0")?.is_none(), "the link is still outside");
        let interfaces = container.finish()?.step("report")?["interfaces"].clone();
        ensure!(interfaces["ctr0"].is_object(), "the link is not inside: {interfaces}");
        Ok(())
    }
);

case!(
    a_network_device_gets_the_name_asked_for,
    must(&["4.netDevices..name", "4.netDevices"], "config-linux.md#network-devices: name: the name in the container"),
    |bed| {
        let network = Network::of_its_own(bed)?;
        network.link("ctr0")?;
        network.link("ctr1")?;
        let devices = json!({"ctr0": {"name": "eth0"}, "ctr1": {"name": "wan-15-letters."}});
        let interfaces = bed.facts(&with_devices(bed, devices))?["interfaces"].clone();
        for name in ["eth0", "wan-15-letters."] {
            ensure!(interfaces[name].is_object(), "no {name} inside: {interfaces}");
        }
        ensure!(interfaces["ctr0"].is_null() && interfaces["ctr1"].is_null(), "the old names remain: {interfaces}");
        Ok(())
    }
);

case!(
    a_name_with_percent_d_is_numbered,
    must(&["4.netDevices..name"], "config-linux.md#network-devices: name: %d MUST be allowed, the kernel numbers it"),
    |bed| {
        let network = Network::of_its_own(bed)?;
        network.link("ctr0")?;
        let interfaces = bed.facts(&with_devices(bed, json!({"ctr0": {"name": "wan%d"}})))?["interfaces"].clone();
        ensure!(interfaces["wan0"].is_object(), "no wan0 inside: {interfaces}");
        Ok(())
    }
);

case!(
    a_name_that_is_taken_is_refused,
    must(&["4.netDevices..name"], "config-linux.md#network-devices: name: an existing name MUST be an error"),
    |bed| {
        let network = Network::of_its_own(bed)?;
        network.link("ctr0")?;
        network.link("ctr1")?;
        refused(bed, &network, &with_devices(bed, json!({"ctr0": {"name": "lo"}})))?;
        let twice = json!({"ctr0": {"name": "eth0"}, "ctr1": {"name": "eth0"}});
        refused(bed, &network, &with_devices(bed, twice))?;
        ensure!(network.facts("ctr1")?.is_some(), "the link ctr1 is gone after a refusal");
        Ok(())
    }
);

case!(
    an_invalid_device_name_is_refused,
    must(
        &["4.netDevices..name", "1.Known-property-wrong-JSON-type"],
        "config-linux.md#network-devices: at most 15 bytes, no slash, blank or colon, neither . nor .."
    ),
    |bed| {
        let network = Network::of_its_own(bed)?;
        network.link("ctr0")?;
        for name in ["sixteen-letters.", "a/b", "a b", "a:b", ".", "..", "a\nb", "a%db%d"] {
            let outcome = refused(bed, &network, &with_devices(bed, json!({"ctr0": {"name": name}})));
            ensure!(outcome.is_ok(), "{name:?}: {outcome:?}");
        }
        for key in ["", "../ctr0", "sixteen-letters."] {
            let outcome = refused(bed, &network, &with_devices(bed, json!({"ctr0": {}, key: {}})));
            ensure!(outcome.is_ok(), "{key:?}: {outcome:?}");
        }
        Ok(())
    }
);

case!(
    a_network_device_that_is_not_there_is_refused,
    must(&["4.netDevices", "1.Un-appliable-property"], "config-linux.md#network-devices: a device that is not there"),
    |bed| {
        let network = Network::of_its_own(bed)?;
        network.link("ctr0")?;
        // The first of the two can be moved; it must be here again after the refusal.
        refused(bed, &network, &with_devices(bed, json!({"ctr0": {}, "ctr9": {}})))
    }
);

case!(
    network_devices_need_a_network_namespace,
    must(
        &["4.netDevices", "1.Property-needing-a-namespace-that"],
        "config-linux.md#network-devices: moved into the container's network namespace, which must be one of its own"
    ),
    |bed| {
        let network = Network::of_its_own(bed)?;
        network.link("ctr0")?;
        refused(bed, &network, &with_devices(bed, json!({"ctr0": {"name": "eth0"}})).without_namespace("network"))
    }
);

case!(
    a_moved_device_keeps_its_attributes_and_is_up,
    must(
        &["4.netDevices-attributes"],
        "config-linux.md#network-devices: permanent global addresses of all families, MTU and MAC are kept; it is set up"
    ),
    |bed| {
        let network = Network::of_its_own(bed)?;
        bed.host.needs_path("/proc/net/if_inet6")?;
        network.link("ctr0")?;
        network.ip("link set ctr0 mtu 1400 address 02:00:00:00:00:05")?;
        network.ip("address add 192.0.2.5/24 dev ctr0")?;
        network.ip("address add 198.51.100.5/25 dev ctr0")?;
        network.ip("address add 2001:db8::5/64 dev ctr0 nodad")?;
        let container = bed.create(&with_devices(bed, json!({"ctr0": {"name": "eth0"}})))?;
        let link = network.facts_in(container.pid(), "eth0")?.unwrap_or_default();
        same("MTU", &link["mtu"], &json!(1400))?;
        same("MAC", &link["address"], &json!("02:00:00:00:00:05"))?;
        ensure!(crate::facts::holds(&link["flags"], "UP"), "not up: {}", link["flags"]);
        let addresses = link["addr_info"].as_array().into_iter().flatten();
        let global: Vec<String> = addresses
            .filter(|address| address["scope"] == "global" && address["valid_life_time"] == u32::MAX)
            .map(|address| format!("{}/{}", address["local"].as_str().unwrap_or_default(), address["prefixlen"]))
            .collect();
        same("addresses", global, vec!["192.0.2.5/24", "198.51.100.5/25", "2001:db8::5/64"])
    }
);

case!(
    a_network_device_is_there_before_the_hooks,
    must(&["4.netDevices", "8.b"], "config.md#createContainer: hooks find the container's network as configured"),
    |bed| {
        let network = Network::of_its_own(bed)?;
        network.link("ctr0")?;
        let file = bed.scratch.join("seen");
        let hook = json!({"path": bed.probe, "args": ["probe", "record", file]});
        let config = with_devices(bed, json!({"ctr0": {"name": "eth0"}})).set("/hooks/createContainer/-", hook);
        let _container = bed.create(&config)?;
        let seen: Value = serde_json::from_str(&std::fs::read_to_string(&file)?)?;
        ensure!(seen["interfaces"]["eth0"].is_object(), "the hook saw {}", seen["interfaces"]);
        Ok(())
    }
);

case!(
    a_failed_create_gives_the_device_back,
    must(
        &["4.netDevices-lifecycle", "1.Any-error"],
        "runtime.md#errors: as if the operation were never attempted: the device is outside again, with its attributes"
    ),
    |bed| {
        let network = Network::of_its_own(bed)?;
        network.link("ctr0")?;
        network.ip("link set ctr0 mtu 1400")?;
        network.ip("address add 192.0.2.5/24 dev ctr0")?;
        let hook = json!({"path": bed.probe, "args": ["probe", "stdin", "+", "exit", "3"]});
        let config = with_devices(bed, json!({"ctr0": {"name": "eth0"}}));
        refused(bed, &network, &config.set("/hooks/createRuntime/-", hook))?;
        let link = network.facts("ctr0")?.unwrap_or_default();
        same("MTU", &link["mtu"], &json!(1400))?;
        same("address", &link["addr_info"][0]["local"], &json!("192.0.2.5"))
    }
);

case!(
    the_runtime_leaves_a_moved_device_alone,
    must(
        &["4.netDevices-lifecycle"],
        "config-linux.md#network-devices: MUST NOT be managed inside, nor be moved out while the container is there"
    ),
    |bed| {
        let network = Network::of_its_own(bed)?;
        network.link("ctr0")?;
        // A pod: the network namespace is another container's and outlives this one.
        let pod = bed.create(&bed.config())?;
        let config = with_devices(bed, json!({"ctr0": {"name": "eth0"}}))
            .set("/linux/cgroupsPath", json!(bed.cgroups_path("-b")))
            .namespace_path("network", &format!("/proc/{}/ns/net", pod.pid()));
        let bundle = bed.bundle_named("second", &config.steps("exit 0"))?;
        let container = Container::create(bed, &format!("{}-b", bed.token), &bundle, &[])?;
        network.ip_in(pod.pid(), "link set eth0 down mtu 1300")?;
        container.finish()?;
        let link = network.facts_in(pod.pid(), "eth0")?;
        let link = link.ok_or_else(|| crate::case::Stop::Fail("moved out before the deletion".to_owned()))?;
        same("MTU set from inside", &link["mtu"], &json!(1300))?;
        ensure!(!crate::facts::holds(&link["flags"], "UP"), "set up again: {}", link["flags"]);
        container.delete()?;
        ensure!(network.facts("ctr0")?.is_none(), "moved out by the deletion");
        pod.delete_force()
    }
);
