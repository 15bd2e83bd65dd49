//! config-linux.md, `netDevices`: a device that has moved when its create fails, or is killed.
//! The device is outside again as it was, as if nothing had been tried.

use super::network_devices::with_devices;
use crate::bed::Bed;
use crate::bundle::Config;
use crate::case::{Check, caller, case, ensure, must, same};
use crate::network::Network;
use crate::verdict::skip;
use serde_json::{Value, json};

const AS_IF_NEVER_TRIED: &str =
    "runtime.md#errors: as if the operation were never attempted: devices are outside as they were";

fn failing_hook(bed: &Bed) -> Value {
    json!({"path": bed.probe, "args": ["probe", "stdin", "+", "exit", "3"]})
}

/// The link `ctr0` is as before, after a create that a hook made fail.
fn comes_back(bed: &Bed, network: &Network, config: Config) -> Check {
    let before = picture(network, "ctr0")?;
    bed.create_refused(&config.set("/hooks/createRuntime/-", failing_hook(bed)))?;
    same("ctr0", picture(network, "ctr0")?, before)
}

/// What a link is: all but what the kernel counts, and what it makes of the other end.
fn picture(network: &Network, name: &str) -> Check<Value> {
    let Some(link) = network.facts(name)? else {
        return Ok(Value::Null);
    };
    let mut addresses: Vec<String> = Vec::new();
    for address in link["addr_info"].as_array().into_iter().flatten() {
        let keys = ["family", "local", "address", "prefixlen", "broadcast", "scope", "label", "valid_life_time"];
        addresses.push(keys.map(|key| address[key].to_string()).join(" "));
    }
    addresses.sort();
    Ok(json!({
        "mtu": link["mtu"],
        "address": link["address"],
        "master": link["master"],
        "up": crate::facts::holds(&link["flags"], "UP"),
        "addresses": addresses,
        "routes": network.routes(name)?,
    }))
}

case!(devices_come_back_as_they_were, must(&["4.netDevices-lifecycle", "1.Any-error"], AS_IF_NEVER_TRIED), |bed| {
    let network = Network::of_its_own(bed)?;
    bed.host.needs_path("/proc/net/if_inet6")?;
    network.link("ctr0")?;
    network.link("ctr1")?;
    network.link("ctr2")?;
    network.ip("link set ctr0 mtu 1400 address 02:00:00:00:00:05")?;
    network.ip("address add 192.0.2.5/24 brd + dev ctr0 label ctr0:a")?;
    network.ip("address add 198.51.100.5 peer 198.51.100.9/32 dev ctr0")?;
    network.ip("address add 2001:db8::5/64 dev ctr0 nodad")?;
    network.ip("link set ctr0 up")?;
    network.ip("route add 203.0.113.0/24 via 192.0.2.1 dev ctr0 metric 7")?;
    network.ip("route add 2001:db8:1::/48 via 2001:db8::1 dev ctr0")?;
    network.ip("address add 192.0.2.6/32 scope link dev ctr1")?;
    let names = ["ctr0", "ctr1", "ctr2"];
    let before = names.map(|name| picture(&network, name).unwrap_or_default());
    let devices = json!({"ctr0": {"name": "eth0"}, "ctr1": {}, "ctr2": {"name": "wan%d"}});
    let config = with_devices(bed, devices).set("/hooks/createRuntime/-", failing_hook(bed));
    bed.create_refused(&config)?;
    for (name, before) in names.iter().zip(before) {
        same(name, picture(&network, name)?, before)?;
    }
    Ok(())
});

case!(
    devices_come_back_from_a_namespace_that_lives_on,
    must(&["4.netDevices-lifecycle", "1.Any-error"], AS_IF_NEVER_TRIED),
    |bed| {
        let network = Network::of_its_own(bed)?;
        network.link("ctr0")?;
        network.ip("address add 192.0.2.5/24 dev ctr0")?;
        network.ip("link set ctr0 up")?;
        let other = network.another()?;
        let config = with_devices(bed, json!({"ctr0": {"name": "eth0"}}));
        comes_back(bed, &network, config.namespace_path("network", &other.path()))?;
        ensure!(other.facts("eth0")?.is_none(), "it is in the joined namespace, too");
        Ok(())
    }
);

case!(a_port_comes_back_to_its_bridge, must(&["4.netDevices-lifecycle", "1.Any-error"], AS_IF_NEVER_TRIED), |bed| {
    let network = Network::of_its_own(bed)?;
    if network.ip("link add bridge0 type bridge").is_err() {
        return skip("this kernel has no bridges");
    }
    network.link("ctr0")?;
    network.ip("link set ctr0 master bridge0 up")?;
    comes_back(bed, &network, with_devices(bed, json!({"ctr0": {}})))
});

case!(
    a_run_that_fails_gives_the_device_back,
    must(&["4.netDevices-lifecycle", "1.Any-error"], AS_IF_NEVER_TRIED),
    |bed| {
        let network = Network::of_its_own(bed)?;
        network.link("ctr0")?;
        network.ip("address add 192.0.2.5/24 dev ctr0")?;
        let before = picture(&network, "ctr0")?;
        let hook = json!({"path": "/probe", "args": ["probe", "exit", "3"]});
        let config = with_devices(bed, json!({"ctr0": {"name": "eth0"}})).set("/hooks/startContainer/-", hook);
        let output = bed.run(&config.steps("exit 0"))?;
        ensure!(output.code != 0, "ended with {}", output.code);
        same("ctr0", picture(&network, "ctr0")?, before)?;
        bed.nothing_left()
    }
);

case!(
    a_device_of_a_killed_create_comes_back_by_delete,
    caller(
        &["4.netDevices-lifecycle", "c4.1.f-force"],
        "contracts 6.9: every command is safe to kill at any point; delete --force undoes it"
    ),
    |bed| {
        let network = Network::of_its_own(bed)?;
        bed.host.needs_path("/bin/sh")?;
        // The hook is the runtime's child: at that moment the device has moved.
        let hook = json!({"path": "/bin/sh", "args": ["sh", "-c", "kill -KILL $PPID"]});
        for name in ["eth0", "wan%d"] {
            network.link("ctr0")?;
            network.ip("address add 192.0.2.5/24 dev ctr0")?;
            network.ip("link set ctr0 up")?;
            network.ip("route add 203.0.113.0/24 via 192.0.2.1 dev ctr0")?;
            let before = picture(&network, "ctr0")?;
            let other = network.another()?;
            let config = with_devices(bed, json!({"ctr0": {"name": name}}))
                .namespace_path("network", &other.path())
                .set("/hooks/createRuntime/-", hook.clone());
            let bundle = bed.bundle_named(&name.replace('%', ""), &config)?;
            let output = bed.call(&["create", "--bundle", &bundle.path.to_string_lossy(), &bed.id()])?;
            ensure!(output.code > 128, "the runtime was not killed: it ended with {}", output.code);
            bed.call(&["delete", "--force", &bed.id()])?.succeeded("delete --force")?;
            same("ctr0", picture(&network, "ctr0")?, before)?;
            bed.nothing_left()?;
            network.ip("link delete ctr0")?;
        }
        Ok(())
    }
);

case!(
    a_killed_create_with_a_new_network_is_cleaned_by_one_delete,
    caller(
        &["4.netDevices-lifecycle", "c4.1.f-force"],
        "contracts 6.9: every command is safe to kill at any point; delete --force undoes it"
    ),
    |bed| {
        let network = Network::of_its_own(bed)?;
        bed.host.needs_path("/bin/sh")?;
        network.link("ctr0")?;
        let hook = json!({"path": "/bin/sh", "args": ["sh", "-c", "kill -KILL $PPID"]});
        let config = with_devices(bed, json!({"ctr0": {"name": "eth0"}})).set("/hooks/createRuntime/-", hook);
        let bundle = bed.bundle(&config)?;
        let output = bed.call(&["create", "--bundle", &bundle.path.to_string_lossy(), &bed.id()])?;
        ensure!(output.code > 128, "the runtime was not killed: it ended with {}", output.code);
        // A veth may have ended with the namespace; what must not happen is that the id stays taken.
        bed.call(&["delete", "--force", &bed.id()])?.succeeded("delete --force")?;
        bed.nothing_left()
    }
);
