//! config-linux.md, `netDevices`: links that move into the container's network
//! namespace. Each case has a network of its own, in which it makes them.

use crate::bed::Bed;
use crate::bundle::Config;
use crate::case::{Check, case, ensure, may, must, same};
use crate::container::Container;
use crate::network::Network;
use crate::verdict::skip;
use serde_json::{Value, json};

pub(super) fn with_devices(bed: &Bed, devices: Value) -> Config {
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
    a_network_device_moves_whoever_owns_the_network,
    must(&["4.netDevices"], "config-linux.md#network-devices: the runtime MUST move the device; its name stays"),
    |bed| {
        let network = Network::of_its_own(bed)?;
        bed.host.needs_namespace("time")?;
        let timed = bed.config().namespace("time").set("/linux/timeOffsets", json!({"boottime": {"secs": 7}}));
        for (name, config) in [("ctr0", bed.config().user_namespace(100_000, 1000)), ("ctr1", timed)] {
            network.link(name)?;
            let container = bed.create(&config.set("/linux/netDevices", json!({name: {}})))?;
            ensure!(network.facts_in(container.pid(), name)?.is_some(), "the link {name} is not inside");
            container.delete_force()?;
        }
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
    a_name_that_is_taken_in_a_joined_namespace_is_refused,
    must(&["4.netDevices..name"], "config-linux.md#network-devices: name: an existing name MUST be an error"),
    |bed| {
        let network = Network::of_its_own(bed)?;
        network.link("ctr0")?;
        let other = network.another()?;
        other.ip("link add eth0 type veth peer name eth0-end")?;
        let config = with_devices(bed, json!({"ctr0": {"name": "eth0"}})).namespace_path("network", &other.path());
        refused(bed, &network, &config)?;
        ensure!(other.facts("eth0-end")?.is_some(), "the device that had the name is gone");
        Ok(())
    }
);

case!(
    a_number_is_one_that_is_free_in_a_joined_namespace,
    must(&["4.netDevices..name"], "config-linux.md#network-devices: name: %d MUST be allowed, the kernel numbers it"),
    |bed| {
        let network = Network::of_its_own(bed)?;
        network.link("ctr0")?;
        network.link("ctr1")?;
        let other = network.another()?;
        other.ip("link add wan0 type veth peer name wan1")?;
        let devices = json!({"ctr0": {"name": "wan%d"}, "ctr1": {"name": "wan2"}});
        let _container = bed.create(&with_devices(bed, devices).namespace_path("network", &other.path()))?;
        for name in ["wan0", "wan1", "wan2", "wan3"] {
            ensure!(other.facts(name)?.is_some(), "no {name} in the joined namespace");
        }
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
    the_runtimes_own_network_namespace_is_not_the_containers,
    must(
        &["4.netDevices", "1.Property-needing-a-namespace-that"],
        "config-linux.md#network-devices: moved into the container's network namespace, which must be one of its own"
    ),
    |bed| {
        let network = Network::of_its_own(bed)?;
        network.link("ctr0")?;
        let own = format!("/proc/{}/ns/net", std::process::id());
        let config = with_devices(bed, json!({"ctr0": {"name": "eth0"}})).namespace_path("network", &own);
        refused(bed, &network, &config)
    }
);

case!(
    a_device_that_cannot_move_is_refused,
    must(
        &["4.netDevices", "1.Un-appliable-property"],
        "config-linux.md#network-devices: the runtime MUST check that the move is possible"
    ),
    |bed| {
        let network = Network::of_its_own(bed)?;
        network.link("ctr0")?;
        refused(bed, &network, &with_devices(bed, json!({"ctr0": {}, "lo": {"name": "lo1"}})))
    }
);

case!(
    an_ordinary_user_moves_no_network_devices,
    must(
        &["4.netDevices", "1.Un-appliable-property"],
        "runtime.md#create: a property that cannot be applied is an error"
    ),
    |bed| {
        if bed.host.uid == 0 {
            return skip("needs an ordinary user");
        }
        bed.create_refused(&with_devices(bed, json!({"ctr0": {}}))).map(drop)
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
    an_address_keeps_its_peer_broadcast_and_label,
    must(
        &["4.netDevices-attributes"],
        "config-linux.md#network-devices: existing attributes, all permanent global addresses included, are preserved"
    ),
    |bed| {
        let network = Network::of_its_own(bed)?;
        network.link("ctr0")?;
        network.ip("address add 192.0.2.5/24 brd + dev ctr0 label ctr0:a")?;
        network.ip("address add 198.51.100.5 peer 198.51.100.9/32 dev ctr0")?;
        let container = bed.create(&with_devices(bed, json!({"ctr0": {"name": "eth0"}})))?;
        let link = network.facts_in(container.pid(), "eth0")?.unwrap_or_default();
        let of = |local: &str| {
            let addresses = link["addr_info"].as_array().into_iter().flatten();
            addresses.into_iter().find(|address| address["local"] == local).cloned().unwrap_or_default()
        };
        same("broadcast", &of("192.0.2.5")["broadcast"], &json!("192.0.2.255"))?;
        same("label", &of("192.0.2.5")["label"], &json!("eth0:a"))?;
        same("peer", &of("198.51.100.5")["address"], &json!("198.51.100.9"))
    }
);

case!(
    only_permanent_global_addresses_move,
    must(
        &["4.netDevices-attributes"],
        "config-linux.md#network-devices: only addresses intended for persistent, external communication are transferred"
    ),
    |bed| {
        let network = Network::of_its_own(bed)?;
        network.link("ctr0")?;
        network.ip("address add 192.0.2.5/24 dev ctr0")?;
        network.ip("address add 192.0.2.6/24 dev ctr0 valid_lft 1000 preferred_lft 1000")?;
        network.ip("address add 198.51.100.7/24 scope link dev ctr0")?;
        let container = bed.create(&with_devices(bed, json!({"ctr0": {}})))?;
        let link = network.facts_in(container.pid(), "ctr0")?.unwrap_or_default();
        let addresses = link["addr_info"].as_array().into_iter().flatten();
        let v4 = addresses.filter(|address| address["family"] == "inet").map(|address| &address["local"]);
        same("IPv4 addresses", v4.collect::<Vec<_>>(), vec![&json!("192.0.2.5")])
    }
);

case!(
    routes_set_by_hand_move_along,
    may(&["4.netDevices-attributes"], "config-linux.md#network-devices: existing attributes are preserved"),
    |bed| {
        let network = Network::of_its_own(bed)?;
        bed.host.needs_path("/proc/net/if_inet6")?;
        network.link("ctr0")?;
        network.ip("address add 192.0.2.5/24 dev ctr0")?;
        network.ip("address add 2001:db8::5/64 dev ctr0 nodad")?;
        network.ip("link set ctr0 up")?;
        network.ip("route add 198.51.100.1 dev ctr0 scope link")?;
        network.ip("route add default via 198.51.100.1 dev ctr0")?;
        network.ip("route add 2001:db8:1::/48 via 2001:db8::1 dev ctr0")?;
        let before = network.routes("ctr0")?;
        ensure!(before.len() == 3, "routes outside: {before:?}");
        let container = bed.create(&with_devices(bed, json!({"ctr0": {"name": "eth0"}})))?;
        same("routes", network.routes_in(container.pid(), "eth0")?, before)
    }
);

case!(
    a_sysctl_of_a_moved_device_is_set,
    must(
        &["4.netDevices", "6.sysctl"],
        "config-linux.md#sysctl: kernel parameters of the container, its devices' included"
    ),
    |bed| {
        let network = Network::of_its_own(bed)?;
        network.link("ctr0")?;
        let config = with_devices(bed, json!({"ctr0": {"name": "eth0"}}))
            .set("/linux/sysctl/net.ipv4.conf.eth0.log_martians", json!("1"))
            .steps("read /proc/sys/net/ipv4/conf/eth0/log_martians");
        let steps = bed.steps(&config)?;
        ensure!(steps[0].to_string().contains('1'), "log_martians: {}", steps[0]);
        Ok(())
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
