//! Fault model C-23, C-34: the runtime is killed at a system call, as an
//! engine's timeout or the OOM killer does it. One `delete --force` must then
//! leave nothing. Sampled; the whole sweep is for a night.

use super::Mounted;
use crate::bed::Bed;
use crate::bundle::Config;
use crate::case::{Check, case, ensure, safety};
use crate::command::Running;
use crate::container::DeleteAtEnd;
use crate::verdict::fail;
use rustix::process::Signal;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// How many of a call's moments are tried.
const MOMENTS: usize = 40;

/// A slow machine tries fewer.
const ENOUGH: Duration = Duration::from_secs(10);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Follow {
    /// The runtime's own first thread.
    One,
    /// All that it starts too: whichever comes first to the n-th use of a call.
    All,
}

/// A moment of a program: the n-th time it makes a system call of this name.
type Moment = (String, u32);

/// strace as a grandchild, so that it is the runtime's end that is awaited, whatever lives on.
fn strace(follow: Follow, file: &Path) -> Command {
    let mut strace = Command::new("strace");
    strace.args(["-D", "-qq", "-e", "trace=all", "-e", "signal=none", "-o"]).arg(file);
    if follow == Follow::All {
        strace.arg("-f");
    }
    strace
}

/// The moments of a call that is let live, evenly spread over it.
fn moments(bed: &Bed, follow: Follow, words: &[&str]) -> Check<Vec<Moment>> {
    let file = bed.scratch.join("trace");
    bed.finish(bed.command_through(strace(follow, &file), words))?.succeeded(words[0])?;
    bed.call(&["delete", "--force", &bed.id()])?.succeeded("delete --force")?;
    let mut times: BTreeMap<(String, String), u32> = BTreeMap::new();
    let mut all = Vec::new();
    for line in std::fs::read_to_string(&file)?.lines() {
        // With -f a line begins with the process; its calls are counted by process and name, as strace does.
        let (process, call) = match line.split_once(' ') {
            Some((process, call)) if follow == Follow::All => (process, call.trim_start()),
            _ => ("", line),
        };
        let Some((name, _)) = call.split_once('(') else { continue };
        if name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !name.is_empty() {
            let count = times.entry((process.to_owned(), name.to_owned())).or_default();
            *count += 1;
            all.push((name.to_owned(), *count));
        }
    }
    ensure!(all.len() > 20, "strace saw {} calls", all.len());
    let step = all.len().div_ceil(MOMENTS);
    // The first call is the execve of the runtime itself, before which there is nothing to leave.
    Ok(all.into_iter().skip(1).step_by(step).collect())
}

/// In an order of which every beginning is spread over the whole: first both halves, then the quarters.
fn scattered(moments: Vec<Moment>) -> Vec<Moment> {
    let mut numbered: Vec<(u32, Moment)> = (0_u32..).map(u32::reverse_bits).zip(moments).collect();
    numbered.sort();
    numbered.into_iter().map(|(_, moment)| moment).collect()
}

/// A /tmp of the case's own: what a killed runtime leaves in there is no matter of the machine's.
fn own_tmp(bed: &Bed) -> Check<Option<Mounted>> {
    if bed.scratch.starts_with("/tmp") || bed.runtime.path.starts_with("/tmp") {
        return Ok(None);
    }
    let mounted = Mounted::tmpfs(Path::new("/tmp"), "size=16m")?;
    bed.rebase();
    Ok(Some(mounted))
}

/// Ends a call at each of its moments; after each, one delete --force cleans up.
fn sweep(bed: &Bed, follow: Follow, signals: &[&str], prepare: &dyn Fn() -> Check<Vec<String>>) -> Check {
    let _tmp = own_tmp(bed)?;
    let _end = DeleteAtEnd(bed);
    let words = prepare()?;
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let mut killed = 0;
    let began = Instant::now();
    for (index, (name, count)) in scattered(moments(bed, follow, &words)?).iter().enumerate() {
        if index >= 10 && began.elapsed() > ENOUGH {
            break;
        }
        let signal = signals[index % signals.len()];
        prepare()?;
        let mut killer = strace(follow, Path::new("/dev/null"));
        killer.args(["-e", &format!("inject={name}:signal={signal}:when={count}")]);
        let output = bed.finish(bed.command_through(killer, &words))?;
        killed += usize::from(output.code > 128);
        let deleted = bed.call(&["delete", "--force", &bed.id()])?;
        let when = format!("{signal} at {name} number {count} of {follow:?}, code {}", output.code);
        ensure!(deleted.code == 0, "{when}: delete --force: {}", deleted.stderr.trim());
        let leaks = bed.nothing_left();
        ensure!(leaks.is_ok(), "{when}: {leaks:?}");
    }
    ensure!(killed > 0 || signals != ["KILL"], "strace killed nothing");
    Ok(())
}

fn create_words(bed: &Bed) -> Check<Vec<String>> {
    words_to_create(bed, &bed.config())
}

fn words_to_create(bed: &Bed, config: &Config) -> Check<Vec<String>> {
    let bundle = bed.bundle(config)?;
    Ok(vec!["create".to_owned(), "--bundle".to_owned(), bundle.path.to_string_lossy().into_owned(), bed.id()])
}

case!(
    a_create_killed_at_a_call_is_cleaned_up,
    safety(
        &["c6.9-PDEATHSIG", "c4.1.f-force", "c4.1.create-ID"],
        "security C-23: SIGKILL at every n-th system call of create: one delete --force leaves nothing"
    ),
    |bed| {
        bed.host.needs_root()?;
        bed.host.needs_program("strace")?;
        sweep(bed, Follow::One, &["KILL"], &|| create_words(bed))
    }
);

case!(
    a_create_with_an_id_map_killed_at_a_call_is_cleaned_up,
    safety(
        &["c6.9-PDEATHSIG", "c4.1.f-force", "3.idmap"],
        "security C-23: the same where mounts are id-mapped, which takes a process in a user namespace meanwhile"
    ),
    |bed| {
        bed.host.needs_root()?;
        bed.host.needs_program("strace")?;
        let source = bed.directory("data")?;
        let config = bed.config().bind(&source, "/mnt", &["bind", "idmap=uids=0-1-10;gids=0-1-10"]);
        let config = config.bind(&source, "/mnt", &["bind", "idmap=uids=0-2-10;gids=0-2-10"]);
        sweep(bed, Follow::One, &["KILL"], &|| words_to_create(bed, &config))
    }
);

case!(
    a_process_of_create_killed_at_a_call_is_cleaned_up,
    safety(
        &["c6.9-PDEATHSIG", "c4.1.f-force", "c4.1.create-ID"],
        "security C-23: the same of create's children: whichever process comes to its n-th call first"
    ),
    |bed| {
        bed.host.needs_root()?;
        bed.host.needs_program("strace")?;
        sweep(bed, Follow::All, &["KILL"], &|| create_words(bed))
    }
);

case!(
    a_create_ended_by_another_signal_is_cleaned_up,
    safety(
        &["c6.9-PDEATHSIG", "c4.1.f-force"],
        "security C-23: SIGTERM, INT, HUP, PIPE at system calls of create: one delete --force leaves nothing"
    ),
    |bed| {
        bed.host.needs_root()?;
        bed.host.needs_program("strace")?;
        sweep(bed, Follow::One, &["TERM", "INT", "HUP", "PIPE"], &|| create_words(bed))
    }
);

case!(
    a_delete_killed_at_a_call_can_be_repeated,
    safety(
        &["c6.9-PDEATHSIG", "c4.1.f-force"],
        "security C-34: SIGKILL at system calls of delete --force: the next one leaves nothing"
    ),
    |bed| {
        bed.host.needs_root()?;
        bed.host.needs_program("strace")?;
        sweep(bed, Follow::One, &["KILL"], &|| {
            let words = create_words(bed)?;
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            bed.call(&words)?.succeeded("create")?;
            Ok(vec!["delete".to_owned(), "--force".to_owned(), bed.id()])
        })
    }
);

/// A create that is stopped for good once it has made its state; `None` where that moment is too early or too late.
fn stopped_create(bed: &Bed, words: &[&str], (name, count): &Moment) -> Check<Option<Running>> {
    let mut stopper = strace(Follow::One, Path::new("/dev/null"));
    stopper.args(["-e", &format!("inject={name}:signal=STOP:when={count}")]);
    let running = bed.spawn(bed.command_through(stopper, words), bed.null())?;
    let hangs = running.handle.comes_to_rest()?;
    Ok(Some(running).filter(|_| hangs && bed.root().join(bed.id()).exists()))
}

case!(
    a_create_that_hangs_is_cleaned_up,
    safety(
        &["c4.1.f-force", "c6.13-locking"],
        "security 5.2: a create stopped in the middle: delete --force ends in time, and what wakes up later leaves nothing"
    ),
    |bed| {
        bed.host.needs_root()?;
        bed.host.needs_program("strace")?;
        let _tmp = own_tmp(bed)?;
        let _end = DeleteAtEnd(bed);
        let words = create_words(bed)?;
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        for moment in scattered(moments(bed, Follow::One, &words)?) {
            let stopped = stopped_create(bed, &words, &moment)?;
            bed.call(&["delete", "--force", &bed.id()])?.succeeded("delete --force")?;
            let Some(running) = stopped else { continue };
            running.signal(Signal::CONT).unwrap_or_default();
            ensure!(running.finish()?.code != 0, "create succeeded, and its container was deleted");
            return bed.nothing_left();
        }
        fail!("strace met no moment of create at which its state is there")
    }
);
