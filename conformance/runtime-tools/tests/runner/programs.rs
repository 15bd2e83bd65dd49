//! The runner with fake programs, each of which behaves in one way.

use crate::fake::{Checkout, is_root};
use std::fs;
use std::path::Path;

const GOOD: &str = "echo 'TAP version 13'; echo 'ok 1 - a'; echo 1..1";

fn is_alive(pid: &str) -> bool {
    Path::new("/proc").join(pid).join("exe").exists()
}

#[test]
fn a_program_gets_what_runtime_tools_gives_it() {
    let facts = r#"
        test -x ./runtimetest && test -f rootfs-*.tar.gz && echo "ok 1 - finds its files"
        test -x "$RUNTIME" && echo "ok 2 - knows the runtime"
        test "$(stat -c %a "$TMPDIR")" = 1777 && cd "$TMPDIR" && mkdir bundle && echo "ok 3 - has a place for bundles"
        test -z "$(cat)" && echo "ok 4 - has no input"
        echo 1..4"#;
    let checkout = Checkout::new().with("a/a.t", facts);
    if is_root() {
        checkout.run(&[]).expect(0, &["ok     a/a.t: 4 passed, 0 failed, 0 skipped", "stub, 1 programs: 1 ok"]);
    }
}

#[test]
fn each_program_is_a_line_and_its_failures_follow() {
    let checkout = Checkout::new()
        .with("fail/fail.t", "echo 1..2; echo 'ok 1 - a'; echo 'not ok 2 - b'; echo '# because'; echo oh >&2; exit 1")
        .with("good/good.t", GOOD)
        .with("skip/skip.t", "echo '1..0 # SKIP not on this host'")
        .with("todo/todo.t", "echo 'not ok 1 # TODO later'; echo 1..1")
        .with("some.t", "echo 'ok 1 - a'; echo 'ok 2 # SKIP no hugepages'; echo 1..2");
    if !is_root() {
        return;
    }
    let tap = checkout.scratch.path().join("out.tap");
    let said = checkout.run(&["--tap", tap.to_str().expect("text")]);
    let lines = [
        "FAILED fail/fail.t: 1 passed, 1 failed, 0 skipped",
        "    not ok: b\n        because\n    stderr: oh\n",
        "ok     good/good.t: 1 passed, 0 failed, 0 skipped",
        "skip   skip/skip.t: 0 passed, 0 failed, 1 skipped",
        "    skipped: the whole program: not on this host\n",
        "ok     todo/todo.t: 0 passed, 0 failed, 0 skipped, 1 expected to fail",
        "    skipped: test 2: no hugepages\n",
        "5 programs: 3 ok, 1 failed, 1 skipped, 0 with gaps",
        "their tests: 3 passed, 1 failed, 2 skipped, 1 expected to fail",
        "FAILED: fail/fail.t\n",
    ];
    said.expect(1, &lines);
    let tap = fs::read_to_string(tap).expect("written");
    assert!(tap.starts_with("TAP version 13\n1..7\nok 1 fail/fail.t: a\nnot ok 2 fail/fail.t: b\n"), "{tap}");
    assert!(tap.contains("not ok 7 todo/todo.t: test 1 # TODO later\n"), "{tap}");
}

#[test]
fn a_program_that_cannot_be_believed_fails() {
    let checkout = Checkout::new()
        .with("bail.t", "echo 1..2; echo 'ok 1'; echo 'Bail out! no disk'; exit 1")
        .with("exit.t", &format!("{GOOD}; exit 3"))
        .with("kill.t", &format!("{GOOD}; kill -SEGV $$"))
        .with("mute.t", "echo oh >&2")
        .with("plan.t", "echo 1..3; echo 'ok 1 - a'")
        .with("unplanned.t", "echo 'ok 1 - a'");
    if !is_root() {
        return;
    }
    let lines = [
        "    not ok: bailed out: no disk; exit status 1\n",
        "    not ok: exit status 3\n",
        "    not ok: ended by signal 11\n",
        "    not ok: output without TAP\n    stderr: oh\n",
        "    not ok: the plan says 3, 1 came\n",
        "    not ok: no plan: 1 tests came\n",
        "6 programs: 0 ok, 6 failed",
    ];
    checkout.run(&[]).expect(1, &lines);
}

#[test]
fn a_program_that_hangs_is_ended_with_all_it_started() {
    let checkout = Checkout::new().with(
        "hang.t",
        "echo ok 1; setsid sh -c 'sleep 1000 & echo inner-pid $!; wait' & echo outer-pid $!; sleep 1000",
    );
    if !is_root() {
        return;
    }
    let said = checkout.run(&["--deadline", "1", "--verbose"]);
    said.expect(1, &["FAILED hang.t: 1 passed, 1 failed", "    not ok: did not end within 1 s\n"]);
    assert!(!is_alive(&said.word_after("outer-pid")) && !is_alive(&said.word_after("inner-pid")));
}

#[test]
fn what_a_program_leaves_is_told_and_removed() {
    // In a hierarchy that every host with cgroups has.
    let leave = r#"
        group=/sys/fs/cgroup; test -e $group/cgroup.procs || group=/sys/fs/cgroup/pids
        mkdir -p $group/left-$$/inner
        setsid sleep 1000 & echo "left-pid $!"
        echo $! >$group/left-$$/inner/cgroup.procs && echo "ok 1 - left-cgroup $group/left-$$"
        mount -t tmpfs left-mount "$TMPDIR" && mkdir "$TMPDIR/x" && echo "ok 2 - mounted"
        echo 1..2"#;
    let checkout = Checkout::new().with("leave.t", leave);
    if !is_root() {
        return;
    }
    let said = checkout.run(&["--verbose"]);
    said.expect(0, &["ok     leave.t: 2 passed", "left behind: process ", "left behind: cgroup "]);
    assert!(!is_alive(&said.word_after("left-pid")));
    assert!(!Path::new(&said.word_after("left-cgroup")).exists());
    assert!(!fs::read_to_string("/proc/self/mountinfo").expect("mounts").contains("left-mount"));
    assert_eq!(fs::read_dir(checkout.scratch.path()).expect("scratch").count(), 0);
}

#[test]
fn the_checkout_stays_as_it_was() {
    let spoil = format!("echo x >>runtimetest; rm rootfs-*.tar.gz; echo >\"$0.new\"; touch validation/new; {GOOD}");
    let checkout =
        Checkout::new().with("first.t", &spoil).with("second.t", &format!("test ! -s runtimetest && {GOOD}"));
    let before = checkout.content();
    if is_root() {
        checkout.run(&[]).expect(0, &["2 programs: 2 ok"]);
        assert_eq!(checkout.content(), before);
    }
}

#[test]
fn listed_gaps_are_excused_as_long_as_they_fail() {
    let checkout =
        Checkout::new().with("fail.t", "echo 1..2; echo 'not ok 1 - a'; echo 'ok 2 - b'; exit 1").with("good.t", GOOD);
    if !is_root() {
        return;
    }
    let gaps = checkout.path().join("gaps.toml");
    let options = ["--gaps", gaps.to_str().expect("text")];
    let gap = |runtime: &str, program: &str, more: &str| {
        format!("[[gap]]\nruntime = \"{runtime}\"\nprogram = \"{program}\"\nreason = \"it differs\"\n{more}\n")
    };
    checkout.put("gaps.toml", &(gap("stub", "fail.t", "test = \"a\"") + &gap("other", "good.t", "")));
    checkout.run(&options).expect(0, &["gap    fail.t: 1 passed, 0 failed", "    gap: a: it differs\n", "1 with gaps"]);
    checkout.put("gaps.toml", &(gap("any", "fail.t", "") + &gap("stub", "good.t", "")));
    let passing = "FAILED good.t: 1 passed, 1 failed, 0 skipped";
    checkout.run(&options).expect(1, &[passing, "    not ok: UNEXPECTED PASS: gaps.toml expects it to fail\n"]);
    checkout.put("gaps.toml", &(gap("stub", "fail.t", "") + &gap("stub", "good.t", "sometimes = true")));
    checkout.run(&options).expect(0, &["ok     good.t"]);
    checkout.put("gaps.toml", &(gap("stub", "fail.t", "") + &gap("stub", "gone.t", "")));
    let said = checkout.run(&options);
    said.expect(0, &[]);
    assert!(said.stderr.contains("listed in gaps.toml, not in this checkout: gone.t"), "{said:?}");
    checkout.put("gaps.toml", "[[gap]]\nruntime = 1\n");
    assert_eq!(checkout.run(&options).status, 2);
}

#[test]
fn programs_are_listed_and_filtered_by_name() {
    let checkout = Checkout::new().with("b/b.t", "exit 1").with("a/a.t", GOOD).with("c/c.t", GOOD);
    checkout.run(&["--list"]).expect(0, &["a/a.t\nb/b.t\nc/c.t\n3 programs\n"]);
    let none = checkout.run(&["--filter", "z"]);
    assert!(none.status == 2 && none.stderr.contains("no program matches"), "{none:?}");
    if is_root() {
        checkout.run(&["--filter", "a/", "--filter", "c/"]).expect(0, &["2 programs: 2 ok"]);
    }
}

#[test]
fn what_keeps_the_runner_from_running_is_status_2() {
    let unbuilt = Checkout::new();
    unbuilt.put("validation/a/a.go", "");
    let said = unbuilt.run(&[]);
    assert!(said.status == 2 && said.stderr.contains("make runtimetest validation-executables"), "{said:?}");
    assert_eq!(unbuilt.run(&["--frobnicate"]).status, 2);
    unbuilt.run(&["--help"]).expect(0, &["--deadline SECONDS"]);
}
