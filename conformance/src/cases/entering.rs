//! Security test T-A13: a process that is about to become part of a container
//! is out of reach of those that are in it already.

use crate::bed::Bed;
use crate::bundle::Config;
use crate::case::{Check, Stop, case, ensure, safety, same};
use crate::container::Container;
use crate::facts::worked;
use serde_json::{Value, json};
use std::os::unix::fs::MetadataExt;

/// A container whose payload pries into every process it sees until the file /sync/stop is there.
fn attacker<'b>(bed: &'b Bed, config: &Config) -> Check<Container<'b>> {
    super::ready(bed, &config.clone().steps("tell /sync/ready + pry /sync/stop + tell /sync/ready + pause"))
}

/// Ends the attack: what the attacker achieved.
fn successes(bed: &Bed, attacker: &Container) -> Check<Vec<Value>> {
    let sync = bed.scratch.join("bundle/rootfs/sync");
    let done = super::Fifo::make(&sync.join("ready"))?;
    std::fs::write(sync.join("stop"), "")?;
    done.wait()?;
    let report = worked(&attacker.output(0).steps(), "pry", "/sync/stop")?;
    let processes = report["processes"].as_u64().unwrap_or(0);
    ensure!(processes > 0, "the attacker saw no other process: {report}");
    Ok(report["successes"].as_array().cloned().unwrap_or_default())
}

/// Creates, without starting it, a second container that joins the attacker's namespaces of these kinds.
fn join<'b>(bed: &'b Bed, config: &Config, attacker: &Container, kinds: &[(&str, &str)]) -> Check<Container<'b>> {
    let config = kinds.iter().fold(config.clone(), |config, (kind, file)| {
        config.namespace_path(kind, &format!("/proc/{}/ns/{file}", attacker.pid()))
    });
    let id = format!("{}-second", bed.token);
    let bundle = bed.bundle_named("second", &config.set("/linux/cgroupsPath", json!(bed.cgroups_path("-second"))))?;
    Container::create(bed, &id, &bundle, &[])
}

/// What an attacker of this config achieves against a created process in its pid namespace.
fn attack_on_created(bed: &Bed, config: &Config) -> Check<Vec<Value>> {
    let stop = bed.scratch.join("bundle/rootfs/sync/stop");
    if stop.exists() {
        std::fs::remove_file(stop)?;
    }
    let attacker = attacker(bed, config)?;
    let second = join(bed, &bed.config(), &attacker, &[("pid", "pid")])?;
    let found = successes(bed, &attacker)?;
    second.delete_force()?;
    second.wait()?;
    attacker.delete_force()?;
    attacker.wait()?;
    Ok(found)
}

case!(
    a_created_process_cannot_be_pried_into,
    safety(
        &["T-A13"],
        "T-A13: in a pid namespace with a waiting container's process, as root without CAP_SYS_PTRACE: no trace, no mem, environ, fd, cwd, root"
    ),
    |bed| {
        bed.host.needs_root()?;
        let sets = ["bounding", "effective", "permitted"];
        let powerless = bed.config();
        same("successes", attack_on_created(bed, &powerless)?, Vec::<Value>::new())?;
        // With the capability the kernel allows it all: only then an attack without success proves something.
        let powerful = bed.config().capabilities(&sets, &["CAP_SYS_PTRACE"]);
        ensure!(!attack_on_created(bed, &powerful)?.is_empty(), "the attack achieves nothing even where it may");
        Ok(())
    }
);

case!(
    a_created_process_cannot_be_traced_in_its_user_namespace,
    safety(&["T-A13"], "T-A13: the same with CAP_SYS_PTRACE in a user namespace that both share: still no success"),
    |bed| {
        bed.host.needs_root()?;
        bed.host.needs_namespace("user")?;
        let sets = ["bounding", "effective", "permitted"];
        let config = bed.config().user_namespace(100_000, 1000).capabilities(&sets, &["CAP_SYS_PTRACE", "CAP_KILL"]);
        open_up(bed)?;
        let attacker = attacker(bed, &config)?;
        let joined = config.clone().remove("/linux/uidMappings").remove("/linux/gidMappings");
        let second = join(bed, &joined, &attacker, &[("pid", "pid"), ("user", "user")])?;
        let found = successes(bed, &attacker)?;
        second.delete_force()?;
        second.wait()?;
        same("successes", found, Vec::<Value>::new())
    }
);

/// Lets mapped users come to the bundle.
pub(super) fn open_up(bed: &Bed) -> Check {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(&bed.scratch, std::fs::Permissions::from_mode(0o755))?;
    let parent = bed.scratch.parent().ok_or_else(|| Stop::Fail("no parent".to_owned()))?;
    Ok(std::fs::set_permissions(parent, std::fs::Permissions::from_mode(0o755))?)
}

case!(
    a_created_process_belongs_to_the_host,
    safety(
        &["T-A13"],
        "T-A13: created, not started, in a user namespace: /proc/PID/fd, mem and environ belong to the host's uid 0"
    ),
    |bed| {
        bed.host.needs_root()?;
        bed.host.needs_namespace("user")?;
        let container = bed.create(&bed.config().user_namespace(100_000, 1000))?;
        for name in ["fd", "mem", "environ"] {
            let owner = std::fs::metadata(format!("/proc/{}/{name}", container.pid()))?.uid();
            same(&format!("owner of /proc/PID/{name}"), owner, 0)?;
        }
        container.delete_force()?;
        container.wait().map(drop)
    }
);

case!(
    a_process_that_enters_cannot_be_pried_into,
    safety(
        &["T-A13"],
        "T-A13: an attacker inside, as root with CAP_SYS_PTRACE in its user namespace, during 40 execs: no success before the final execve"
    ),
    |bed| {
        bed.host.needs_root()?;
        let sets = ["bounding", "effective", "permitted"];
        let config = bed.config().user_namespace(100_000, 1000).capabilities(&sets, &["CAP_SYS_PTRACE", "CAP_KILL"]);
        open_up(bed)?;
        let attacker = attacker(bed, &config)?;
        for _ in 0..40 {
            let output = bed.call(&["exec", &attacker.id, "/probe", "exit", "0"])?;
            // A traced process may be slowed down, not broken.
            output.succeeded("exec")?;
        }
        same("successes", successes(bed, &attacker)?, Vec::<Value>::new())
    }
);
