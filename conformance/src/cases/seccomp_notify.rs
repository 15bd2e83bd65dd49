//! config-linux.md, `seccomp`: SCMP_ACT_NOTIFY, the listener and the container
//! process state. The case is the agent.

use crate::bed::Bed;
use crate::bundle::Config;
use crate::case::{Check, Stop, case, ensure, must, same};
use crate::facts::denied;
use crate::message::Message;
use crate::process::{DEADLINE, readable_within};
use rustix::fd::{AsRawFd, OwnedFd};
use serde_json::{Value, json};
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::path::Path;

/// A filter that asks the agent at `listener` about mkdir.
fn asking(bed: &Bed, listener: Option<&Path>) -> Check<Config> {
    bed.host.needs_path("/proc/sys/kernel/seccomp/actions_avail")?;
    let rule = json!({"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_NOTIFY"});
    let filter = json!({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [rule]});
    let config = bed.config().set("/linux/seccomp", filter);
    Ok(match listener {
        Some(path) => config.set("/linux/seccomp/listenerPath", json!(path)),
        None => config,
    })
}

/// An agent that listens in the scratch directory.
struct Agent {
    listener: UnixListener,
    path: std::path::PathBuf,
}

impl Agent {
    fn listen(bed: &Bed) -> Check<Self> {
        let path = bed.scratch.join("agent");
        let listener = UnixListener::bind(&path)?;
        bed.rebase();
        Ok(Self { listener, path })
    }

    /// All that comes over one connection, until the runtime closes it.
    fn hear(&self) -> Check<Vec<Message>> {
        ensure!(readable_within(&self.listener, DEADLINE), "nobody connected to the agent");
        let (stream, _) = self.listener.accept()?;
        let mut messages = Vec::new();
        loop {
            let message = Message::receive(&stream)?;
            if message.bytes.is_empty() && message.fds.is_empty() {
                return Ok(messages);
            }
            messages.push(message);
        }
    }

    /// The state that came over one connection, and the descriptors with it.
    fn state(&self) -> Check<(Value, Vec<OwnedFd>)> {
        let messages = self.hear()?;
        let bytes: Vec<u8> = messages.iter().flat_map(|message| message.bytes.iter().copied()).collect();
        let fds = messages.into_iter().flat_map(|message| message.fds).collect();
        Ok((serde_json::from_slice(&bytes)?, fds))
    }
}

case!(
    the_agent_gets_the_container_process_state,
    must(
        &["6.ContainerProcessState-ociVersion-fds-pid-metadata", "6.listenerPath", "6.listenerMetadata"],
        "config-linux.md#containerprocessstate: ociVersion, fds, pid, metadata and state of the container"
    ),
    |bed| {
        let agent = Agent::listen(bed)?;
        let config = asking(bed, Some(&agent.path))?.set("/linux/seccomp/listenerMetadata", json!("opaque=1;\"data\""));
        let container = bed.create(&config.set("/annotations", json!({"key": "value"})).steps("exit 0"))?;
        container.start()?;
        let (told, _fds) = agent.state()?;
        ensure!(told["ociVersion"].as_str().is_some_and(|version| version.starts_with("1.")), "{told}");
        same("fds", &told["fds"], &json!(["seccompFd"]))?;
        same("pid", &told["pid"], &json!(container.pid()))?;
        same("metadata", &told["metadata"], &json!("opaque=1;\"data\""))?;
        let state = &told["state"];
        same("id", &state["id"], &json!(container.id))?;
        same("pid of the state", &state["pid"], &json!(container.pid()))?;
        same("bundle", &state["bundle"], &json!(bed.scratch.join("bundle")))?;
        same("annotations", &state["annotations"], &json!({"key": "value"}))?;
        ensure!(state["ociVersion"].is_string(), "ociVersion: {state}");
        ensure!(["creating", "created"].iter().any(|status| state["status"] == *status), "status: {state}");
        Ok(())
    }
);

case!(
    the_descriptor_is_the_filters_listener,
    must(
        &["6.ContainerProcessState-ociVersion-fds-pid-metadata", "6.listenerPath"],
        "config-linux.md#seccomp: seccompFd is what seccomp(2) returned: the notified call waits for its holder"
    ),
    |bed| {
        let agent = Agent::listen(bed)?;
        let container = bed.create(&asking(bed, Some(&agent.path))?.steps("say before + mkdir /tmp/new"))?;
        container.start()?;
        let (_, mut fds) = agent.state()?;
        same("descriptors", fds.len(), 1)?;
        let listener = fds.pop().ok_or_else(|| Stop::Fail("no descriptor".to_owned()))?;
        let link = std::fs::read_link(format!("/proc/self/fd/{}", listener.as_raw_fd()))?;
        same("descriptor", link.to_string_lossy().as_ref(), "anon_inode:seccomp notify")?;
        ensure!(readable_within(&listener, DEADLINE), "no notification came");
        ensure!(container.handle.is_alive(), "the payload did not wait");
        // Nobody can answer any more: the kernel ends the call with ENOSYS.
        drop(listener);
        let code = container.wait()?;
        denied(&container.output(code).steps(), "mkdir", "/tmp/new", &["ENOSYS"])
    }
);

case!(
    a_connection_carries_one_state_and_is_closed,
    must(
        &["6.listenerPath", "6.ContainerProcessState-ociVersion-fds-pid-metadata"],
        "config-linux.md#seccomp: exactly one state per connection, closed after it; descriptors only in the first sendmsg"
    ),
    |bed| {
        let agent = Agent::listen(bed)?;
        let container = bed.create(&asking(bed, Some(&agent.path))?.steps("exit 0"))?;
        container.start()?;
        // `hear` ends with the connection.
        let messages = agent.hear()?;
        let counts: Vec<usize> = messages.iter().map(|message| message.fds.len()).collect();
        ensure!(counts.first() == Some(&1) && counts.iter().sum::<usize>() == 1, "descriptors per message: {counts:?}");
        let bytes: Vec<u8> = messages.iter().flat_map(|message| message.bytes.iter().copied()).collect();
        let states = serde_json::Deserializer::from_slice(&bytes).into_iter::<Value>();
        same("states", states.collect::<Result<Vec<_>, _>>()?.len(), 1)?;
        container.wait()?;
        ensure!(!readable_within(&agent.listener, std::time::Duration::ZERO), "a second connection was made");
        Ok(())
    }
);

case!(
    the_listener_is_ignored_without_notify,
    must(
        &["6.listenerPath"],
        "config-linux.md#seccomp: listenerPath: if SCMP_ACT_NOTIFY is not used this value is ignored"
    ),
    |bed| {
        let config = asking(bed, Some(&bed.scratch.join("nobody")))?
            .set("/linux/seccomp/syscalls/0/action", json!("SCMP_ACT_ERRNO"));
        denied(&bed.steps(&config.steps("mkdir /tmp/new"))?, "mkdir", "/tmp/new", &["EPERM"])
    }
);

case!(
    an_agent_that_cannot_be_reached_is_an_error,
    must(&["6.listenerPath"], "config-linux.md#seccomp: if sending to this socket fails, MUST generate an error"),
    |bed| {
        let (datagrams, file) = (bed.scratch.join("datagrams"), bed.file("file", "")?);
        let _listener = UnixDatagram::bind(&datagrams)?;
        bed.rebase();
        for path in [bed.scratch.join("nobody"), file, datagrams] {
            let refused = bed.create_refused(&asking(bed, Some(&path))?);
            ensure!(refused.is_ok(), "{}: {refused:?}", path.display());
        }
        Ok(())
    }
);

case!(
    notify_on_write_is_refused,
    must(
        &["c8.SCMP_ACT_NOTIFY-cannot-be-used-for", "6.listenerPath"],
        "contracts 8: `SCMP_ACT_NOTIFY cannot be used for the write syscall`: by it the listener is handed over"
    ),
    |bed| {
        let agent = Agent::listen(bed)?;
        let config = asking(bed, Some(&agent.path))?.set("/linux/seccomp/syscalls/0/names", json!(["read", "write"]));
        bed.create_refused(&config)?.refuses_with("SCMP_ACT_NOTIFY cannot be used for the write syscall")
    }
);

case!(
    an_agent_that_does_not_accept_ends_the_create,
    crate::case::safety(
        &["6.listenerPath"],
        "C-20: an agent that blocks: the connect ends in time, and nothing is left"
    ),
    |bed| {
        // A second connection does not fit behind the one that nobody accepts.
        let path = bed.scratch.join("agent");
        let socket = rustix::net::socket(rustix::net::AddressFamily::UNIX, rustix::net::SocketType::STREAM, None)?;
        rustix::net::bind(&socket, &rustix::net::SocketAddrUnix::new(&path)?)?;
        rustix::net::listen(&socket, 0)?;
        let _waiting = std::os::unix::net::UnixStream::connect(&path)?;
        bed.rebase();
        bed.create_refused(&asking(bed, Some(&path))?).map(drop)
    }
);

case!(
    a_program_does_not_wait_for_an_agent_that_died,
    crate::case::safety(&["6.listenerPath"], "C-20: init is never stuck in a notified syscall after the agent died"),
    |bed| {
        let agent = Agent::listen(bed)?;
        let config = asking(bed, Some(&agent.path))?.set("/linux/seccomp/syscalls/0/names", json!(["execve"]));
        let container = bed.create(&config.steps("say ran"))?;
        let (_state, listener) = agent.state()?;
        drop((agent, listener));
        // execve ends with ENOSYS: whether start can still say so is the profile's business.
        let _started = container.start();
        let code = container.wait()?;
        same("what it says", container.output(code).stdout.as_str(), "")
    }
);

case!(
    notify_without_a_listener_is_refused,
    must(
        &["6.listenerPath", "1.Un-appliable-property"],
        "config-linux.md#seccomp: SCMP_ACT_NOTIFY without listenerPath: nobody could be asked"
    ),
    |bed| { bed.create_refused(&asking(bed, None)?).map(drop) }
);

case!(
    metadata_without_a_listener_is_refused,
    must(
        &["6.listenerMetadata"],
        "config-linux.md#seccomp: listenerMetadata MUST NOT be set if listenerPath is not set; hull: so it is an error"
    ),
    |bed| {
        let config = asking(bed, None)?.set("/linux/seccomp/syscalls/0/action", json!("SCMP_ACT_ERRNO"));
        bed.create_refused(&config.set("/linux/seccomp/listenerMetadata", json!("data"))).map(drop)
    }
);

case!(
    exec_sends_a_state_of_its_own,
    must(
        &["6.ContainerProcessState-ociVersion-fds-pid-metadata"],
        "config-linux.md#containerprocessstate: of each process with the filter: pid of the exec, state running"
    ),
    |bed| {
        let agent = Agent::listen(bed)?;
        let container = super::ready(bed, &asking(bed, Some(&agent.path))?.steps("tell /sync/ready + pause"))?;
        let (first, _fd) = agent.state()?;
        same("pid", &first["pid"], &json!(container.pid()))?;
        bed.call(&["exec", &container.id, "/probe", "exit", "0"])?.succeeded("exec")?;
        let (told, fds) = agent.state()?;
        same("descriptors", fds.len(), 1)?;
        same("status", &told["state"]["status"], &json!("running"))?;
        same("pid of the container", &told["state"]["pid"], &json!(container.pid()))?;
        ensure!(told["pid"] != json!(container.pid()) && told["pid"].is_i64(), "pid of the exec: {told}");
        Ok(())
    }
);
