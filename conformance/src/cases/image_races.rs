//! Security tests T-A04, T-A07, T-A08: what an image or a sibling container
//! does while a container is being made. A createContainer hook wins the race
//! by standing between the mounts and the pivot; flippers run it for real.

use super::Mounted;
use super::hostile_root::fresh;
use super::terminal::{read_all, receive};
use crate::bed::Bed;
use crate::bundle::Config;
use crate::case::{Check, Stop, case, ensure, safety, same};
use crate::command::Running;
use crate::container::Container;
use crate::facts::worked;
use serde_json::json;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A tmpfs that a hook mounts over `place` in the root, with `link` in it leading to `target`.
pub(super) struct Covering<'w> {
    pub(super) place: &'w str,
    pub(super) link: &'w str,
    pub(super) target: &'w str,
}

impl Covering<'_> {
    fn hook(&self, bed: &Bed, rootfs: &Path) -> serde_json::Value {
        let probe = bed.probe.to_string_lossy().into_owned();
        let place = rootfs.join(self.place).to_string_lossy().into_owned();
        let mut args = vec![probe.clone(), "mount".into(), "tmpfs".into(), place.clone(), "tmpfs".into()];
        let mut dir = place;
        let mut names = self.link.split('/').peekable();
        while let Some(name) = names.next() {
            dir = format!("{dir}/{name}");
            let last = names.peek().is_none();
            let step = if last { ["symlink", self.target, &dir].to_vec() } else { ["mkdir", &dir].to_vec() };
            args.push("+".into());
            args.extend(step.into_iter().map(str::to_owned));
        }
        json!([{"path": probe, "args": args}])
    }
}

/// A started container whose payload told that it is ready, made behind a covering; none if it was refused cleanly.
pub(super) fn started_behind<'b>(bed: &'b Bed, config: &Config, covering: &Covering) -> Check<Option<Container<'b>>> {
    let bundle = fresh(bed, config)?;
    bundle.write(&config.clone().set("/hooks/createContainer", covering.hook(bed, &bundle.rootfs())))?;
    let ready = super::Fifo::make(&bundle.rootfs().join("sync/ready"))?;
    std::fs::write(bundle.rootfs().join("decoy"), "decoy")?;
    let Ok(container) = Container::create(bed, &bed.id(), &bundle, &[]) else {
        bed.nothing_left()?;
        return Ok(None);
    };
    let output = bed.call(&["start", &container.id])?;
    if output.code != 0 {
        bed.is_one_clear_line(&output.stderr)?;
        container.delete_force()?;
        container.wait()?;
        bed.nothing_left()?;
        return Ok(None);
    }
    ready.wait()?;
    same("the decoy", std::fs::read_to_string(bundle.rootfs().join("decoy"))?, "decoy")?;
    Ok(Some(container))
}

case!(
    a_covered_proc_sys_takes_no_sysctl,
    safety(
        &["T-A07"],
        "T-A07: a hook mounts a tmpfs on proc/sys with net/ipv4/ip_forward -> /decoy: the decoy is unchanged and forwarding is on, or refused"
    ),
    |bed| {
        bed.host.needs_root()?;
        let config = bed
            .config()
            .set("/linux/sysctl", json!({"net.ipv4.ip_forward": "1"}))
            .steps("read /proc/net/snmp + tell /sync/ready + pause");
        let covering = Covering { place: "proc/sys", link: "net/ipv4/ip_forward", target: "/decoy" };
        let Some(container) = started_behind(bed, &config, &covering)? else { return Ok(()) };
        let seen = container.output(0).step("read")?["value"].as_str().unwrap_or_default().to_owned();
        let values = seen.lines().filter(|line| line.starts_with("Ip: ")).nth(1);
        // 1 is forwarding, 2 is not.
        ensure!(values.is_some_and(|line| line.starts_with("Ip: 1 ")), "forwarding is off: {seen}");
        container.delete_force()?;
        container.wait().map(drop)
    }
);

case!(
    a_covered_proc_takes_no_oom_score,
    safety(
        &["T-A07"],
        "T-A07: the same on proc/1 with oom_score_adj -> /decoy: the decoy is unchanged and the score is set, or refused"
    ),
    |bed| {
        bed.host.needs_root()?;
        let config = bed.config().set("/process/oomScoreAdj", json!(77)).steps("tell /sync/ready + pause");
        let covering = Covering { place: "proc/1", link: "oom_score_adj", target: "/decoy" };
        let Some(container) = started_behind(bed, &config, &covering)? else { return Ok(()) };
        let score = std::fs::read_to_string(format!("/proc/{}/oom_score_adj", container.pid()))?;
        same("score", score.trim(), "77")?;
        container.delete_force()?;
        container.wait().map(drop)
    }
);

case!(
    a_false_pts_directory_gives_no_false_terminal,
    safety(
        &["T-A04"],
        "T-A04: /dev/pts is a bind with a real ptmx and names 0..299 -> /decoy; terminal: fd 0 is a pty (chr 136:N), or refused; the decoy is never read"
    ),
    |bed| {
        bed.host.needs_root()?;
        let pts = bed.directory("pts")?;
        std::fs::write(pts.join("ptmx"), "")?;
        let _ptmx = Mounted::bind(Path::new("/dev/pts/ptmx"), &pts.join("ptmx"))?;
        for number in 0..300 {
            symlink("/decoy", pts.join(number.to_string()))?;
        }
        bed.rebase();
        let config = bed
            .config()
            .without_mount("/dev/pts")
            .bind(&pts, "/dev/pts", &["rbind"])
            .set("/process/terminal", json!(true))
            .steps("isatty 0 + statfd 0 + stat /dev/console");
        let bundle = bed.bundle(&config)?;
        std::fs::write(bundle.rootfs().join("decoy"), "decoy")?;
        let socket = bed.scratch.join("console");
        let listener = UnixListener::bind(&socket)?;
        let made = Container::create(bed, &bed.id(), &bundle, &["--console-socket", &socket.to_string_lossy()]);
        std::fs::remove_file(&socket)?;
        let Ok(container) = made else {
            drop(listener);
            return bed.nothing_left();
        };
        let (_, mut fds) = receive(&listener)?;
        container.start()?;
        let steps = read_all(fds.pop().ok_or_else(|| Stop::Fail("no descriptor".to_owned()))?);
        container.wait()?;
        let facts = worked(&steps, "statfd", "0")?;
        same("fd 0", (&facts["type"], &facts["major"]), (&json!("char"), &json!(136)))?;
        let console = worked(&steps, "stat", "/dev/console")?;
        same("/dev/console", (&console["type"], &console["minor"]), (&json!("char"), &facts["minor"]))?;
        container.delete()
    }
);

/// Two names that a process exchanges as fast as it can, until dropped.
fn flipper(bed: &Bed, a: &Path, b: &Path) -> Check<Running> {
    let mut command = Command::new(&bed.probe);
    command.arg("flip").args([a, b]);
    bed.spawn(command, Stdio::null())
}

/// Where mounts of the race may be: as configured, under the name the flippers left, or at an inner link's target.
fn is_expected(point: &str) -> bool {
    let of_the_race = ["/vol", "/vol/x", "/vol/y", "/vol/x/attr", "/vol/y/attr", "/attr"];
    let of_every_container = ["/", "/proc", "/sys", "/sys/fs/cgroup"];
    of_the_race.contains(&point) || of_every_container.contains(&point) || point.starts_with("/dev")
}

case!(
    flipped_destinations_lead_nowhere_else,
    safety(
        &["T-A08"],
        "T-A08: tmpfs on /vol/x and /vol/x/attr while x is exchanged with a link to /proc/self, / and ..: no mount elsewhere, nothing below /proc, the host unchanged, no command above 1 s"
    ),
    |bed| {
        bed.host.needs_root()?;
        for target in ["/proc/self", "/", ".."] {
            let shared = bed.directory(&format!("shared-{}", target.replace('/', "-")))?;
            let (x, y) = (shared.join("x"), shared.join("y"));
            std::fs::create_dir(&x)?;
            symlink(target, &y)?;
            let config = bed.config().bind(&shared, "/vol", &["rbind"]).mount("/vol/x", "tmpfs", "tmpfs", &[]).mount(
                "/vol/x/attr",
                "tmpfs",
                "tmpfs",
                &[],
            );
            let bundle = fresh(bed, &config)?;
            let began = Instant::now();
            bed.run_bundle(&bundle)?.succeeded("run while nothing moves")?;
            // A second, or on a slow machine twenty times what it takes in peace.
            let longest = Duration::from_secs(1).max(20 * began.elapsed());
            let flippers = [flipper(bed, &x, &y)?, flipper(bed, &x, &y)?];
            // Twenty rounds, fewer where the machine is slow, and never fewer than three.
            let enough = Instant::now() + Duration::from_secs(6);
            for round in 0..20 {
                let began = Instant::now();
                if round > 3 && began > enough {
                    break;
                }
                let output = bed.run_bundle(&bundle)?;
                ensure!(began.elapsed() < longest, "{target}, round {round}: {:?}", began.elapsed());
                if output.code != 0 {
                    same("exit code", output.code, 1)?;
                    bed.is_one_clear_line(&output.stderr)?;
                    continue;
                }
                for mount in output.step("report")?["mounts"].as_array().into_iter().flatten() {
                    let point = mount["point"].as_str().unwrap_or_default();
                    ensure!(is_expected(point), "{target}, round {round}: a mount at {point}");
                }
            }
            drop(flippers);
            bed.nothing_left()?;
            let mut names: Vec<_> = std::fs::read_dir(&shared)?.flatten().map(|entry| entry.file_name()).collect();
            names.sort();
            same("entries of the volume", names, vec!["x", "y"])?;
        }
        Ok(())
    }
);
