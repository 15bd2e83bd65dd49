//! config-linux.md, `seccomp`: actions, errnos, arguments, privileges.

use crate::bundle::Config;
use crate::case::{Check, case, ensure, must, same, should};
use crate::facts::{denied, worked};
use serde_json::{Value, json};

fn filtered(config: Config, default: &str, rules: Value) -> Config {
    config.set("/linux/seccomp", json!({"defaultAction": default, "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_AARCH64"], "syscalls": rules}))
}

fn denying_mkdir(config: Config) -> Config {
    filtered(
        config,
        "SCMP_ACT_ALLOW",
        json!([{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28}]),
    )
}

fn needs_seccomp(bed: &crate::bed::Bed) -> Check {
    bed.host.needs_path("/proc/sys/kernel/seccomp/actions_avail")
}

case!(
    a_denied_call_gives_its_errno,
    must(&["6.defaultErrnoRet", "6.syscalls.action"], "config-linux.md#seccomp: SCMP_ACT_ERRNO returns errnoRet"),
    |bed| {
        needs_seccomp(bed)?;
        let steps = bed.steps(&denying_mkdir(bed.config()).steps("report + mkdir /tmp/new + write /tmp/file x"))?;
        same("Seccomp", &steps[0]["status"]["Seccomp"], &json!("2"))?;
        denied(&steps, "mkdir", "/tmp/new", &["ENOSPC"])?;
        worked(&steps, "write", "/tmp/file").map(drop)
    }
);

case!(
    the_default_errno_is_eperm,
    must(&["6.defaultErrnoRet"], "config-linux.md#seccomp: errnoRet: if not specified, EPERM is used"),
    |bed| {
        needs_seccomp(bed)?;
        let config = filtered(
            bed.config(),
            "SCMP_ACT_ALLOW",
            json!([{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"}]),
        );
        denied(&bed.steps(&config.steps("mkdir /tmp/new"))?, "mkdir", "/tmp/new", &["EPERM"])
    }
);

case!(
    a_rule_matches_by_argument,
    must(&["6.syscalls.args"], "config-linux.md#seccomp: args: index, value, op"),
    |bed| {
        needs_seccomp(bed)?;
        let rule = json!([{"names": ["personality"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28, "args": [{"index": 0, "value": 0, "op": "SCMP_CMP_EQ"}]}]);
        let steps = bed.steps(
            &filtered(bed.config(), "SCMP_ACT_ALLOW", rule).steps("call personality-linux + call personality"),
        )?;
        denied(&steps, "call", "personality-linux", &["ENOSPC"])?;
        worked(&steps, "call", "personality").map(drop)
    }
);

case!(
    a_masked_comparison_matches,
    must(&["6.syscalls.args"], "config-linux.md#seccomp: SCMP_CMP_MASKED_EQ: value is the mask, valueTwo the datum"),
    |bed| {
        needs_seccomp(bed)?;
        let rule = json!([{"names": ["personality"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28, "args": [{"index": 0, "value": 0xffff_0000_u32, "valueTwo": 0xffff_0000_u32, "op": "SCMP_CMP_MASKED_EQ"}]}]);
        let steps = bed.steps(
            &filtered(bed.config(), "SCMP_ACT_ALLOW", rule).steps("call personality + call personality-linux"),
        )?;
        denied(&steps, "call", "personality", &["ENOSPC"])?;
        worked(&steps, "call", "personality-linux").map(drop)
    }
);

case!(a_killing_rule_kills, must(&["6.syscalls.action"], "config-linux.md#seccomp: SCMP_ACT_KILL_PROCESS"), |bed| {
    needs_seccomp(bed)?;
    let config = filtered(
        bed.config(),
        "SCMP_ACT_ALLOW",
        json!([{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_KILL_PROCESS"}]),
    );
    same("code", bed.run(&config.steps("mkdir /tmp/new + exit 0"))?.code, 128 + 31)
});

case!(
    unknown_calls_are_skipped,
    should(
        &["6.syscalls.names"],
        "hull: a syscall name unknown to this build or architecture is skipped, as profiles list newer ones"
    ),
    |bed| {
        needs_seccomp(bed)?;
        let config = filtered(
            bed.config(),
            "SCMP_ACT_ALLOW",
            json!([{"names": ["no_such_call", "mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"}]),
        );
        denied(&bed.steps(&config.steps("mkdir /tmp/new"))?, "mkdir", "/tmp/new", &["EPERM"])
    }
);

case!(
    the_filter_is_there_whatever_the_privileges,
    crate::case::safety(
        &["T-A30", "6.seccomp-vs-privileges"],
        "T-A30: uid 1000, noNewPrivileges true, false, absent: Seccomp 2; NoNewPrivs 1, 0, 0; the rule's errno"
    ),
    |bed| {
        needs_seccomp(bed)?;
        bed.host.needs_root()?;
        for (value, flag) in [(json!(true), "1"), (json!(false), "0"), (Value::Null, "0")] {
            let config = denying_mkdir(bed.config()).set("/process/user", json!({"uid": 1000, "gid": 1000}));
            let steps =
                bed.steps(&config.set("/process/noNewPrivileges", value.clone()).steps("report + mkdir /tmp/new"))?;
            same("Seccomp", &steps[0]["status"]["Seccomp"], &json!("2"))?;
            same("NoNewPrivs", &steps[0]["status"]["NoNewPrivs"], &json!(flag))?;
            denied(&steps, "mkdir", "/tmp/new", &["ENOSPC"])?;
        }
        Ok(())
    }
);

case!(
    the_filter_costs_and_leaves_no_capability,
    crate::case::safety(
        &["6.seccomp-vs-privileges", "T-A17"],
        "hull: what loads the filter is gone when the program runs; the five sets are those listed"
    ),
    |bed| {
        needs_seccomp(bed)?;
        bed.host.needs_root()?;
        let config = denying_mkdir(bed.config())
            .capabilities(&["bounding", "effective", "permitted"], &["CAP_CHOWN", "CAP_NET_RAW"])
            .capabilities(&["inheritable", "ambient"], &["CAP_NET_RAW"]);
        for (uid, held) in [(0, json!([0, 13])), (1000, json!([13]))] {
            let config = config.clone().set("/process/user", json!({"uid": uid, "gid": uid}));
            let sets = bed.facts(&config)?["capabilities"].clone();
            same("bounding", &sets["bounding"], &json!([0, 13]))?;
            same("permitted", &sets["permitted"], &held)?;
            same("effective", &sets["effective"], &held)?;
            same("inheritable", &sets["inheritable"], &json!([13]))?;
        }
        Ok(())
    }
);

case!(
    a_profile_is_not_asked_to_allow_what_the_runtime_does,
    should(
        &["6.seccomp-vs-privileges"],
        "hull: the filter is loaded as the last thing before execve, so it need not know the runtime's own calls"
    ),
    |bed| {
        needs_seccomp(bed)?;
        let deadly = json!([
            "capset",
            "setuid",
            "setgid",
            "setgroups",
            "setresuid",
            "setresgid",
            "sendto",
            "sendmsg",
            "recvfrom",
            "recvmsg",
            "accept4",
            "dup3",
            "chdir",
            "fchdir",
            "umask",
            "keyctl",
            "setsid",
            "mount",
            "pivot_root"
        ]);
        for locked in [true, false] {
            let rule = json!([{"names": deadly, "action": "SCMP_ACT_KILL_PROCESS"}]);
            let config = filtered(bed.config(), "SCMP_ACT_ALLOW", rule).set("/process/noNewPrivileges", json!(locked));
            let container = bed.create(&config.steps("say ran"))?;
            container.start()?;
            let code = container.wait()?;
            same("what it says", container.output(code).stdout.trim(), "ran")?;
        }
        Ok(())
    }
);

case!(
    a_profile_that_the_kernel_cannot_take_is_refused,
    crate::case::safety(&["6.syscalls.args"], "C-20: a filter of more than 4096 instructions"),
    |bed| {
        needs_seccomp(bed)?;
        let rules: Vec<Value> = (0u64..1100)
            .map(|value| {
                json!({"names": ["mkdir"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28,
                "args": [{"index": 1, "value": value << 32 | value, "op": "SCMP_CMP_EQ"}]})
            })
            .collect();
        bed.create_refused(&filtered(bed.config(), "SCMP_ACT_ALLOW", json!(rules))).map(drop)
    }
);

case!(
    an_unknown_action_is_refused,
    must(&["6.syscalls.action", "6.seccomp.defaultAction"], "config-linux.md#seccomp: action is one of the constants"),
    |bed| {
        bed.create_refused(&filtered(bed.config(), "SCMP_ACT_MAYBE", json!([])))?;
        bed.create_refused(&filtered(
            bed.config(),
            "SCMP_ACT_ALLOW",
            json!([{"names": ["mkdir"], "action": "SCMP_ACT_MAYBE"}]),
        ))
        .map(drop)
    }
);

case!(
    a_missing_default_action_is_refused,
    must(
        &["6.seccomp.defaultAction", "1.REQUIRED-member-missing"],
        "config-linux.md#seccomp: defaultAction is REQUIRED"
    ),
    |bed| { bed.create_refused(&bed.config().set("/linux/seccomp", json!({"syscalls": []}))).map(drop) }
);

case!(
    notify_as_the_default_is_refused,
    must(
        &["6.seccomp.defaultAction", "c8.SCMP_ACT_NOTIFY-cannot-be-used-for"],
        "contracts 8: `SCMP_ACT_NOTIFY cannot be used as default action`"
    ),
    |bed| {
        needs_seccomp(bed)?;
        bed.create_refused(&filtered(bed.config(), "SCMP_ACT_NOTIFY", json!([])))?
            .refuses_with("SCMP_ACT_NOTIFY cannot be used as default action")
    }
);

case!(
    an_unknown_architecture_operator_or_flag_is_refused,
    must(
        &["6.architectures", "6.syscalls.args", "6.flags"],
        "config-linux.md#seccomp: architectures, operators and flags are constants"
    ),
    |bed| {
        let base = denying_mkdir(bed.config());
        bed.create_refused(&base.clone().set("/linux/seccomp/architectures", json!(["SCMP_ARCH_ABACUS"])))?;
        bed.create_refused(&base.clone().set("/linux/seccomp/flags", json!(["SECCOMP_FILTER_FLAG_LATER"])))?;
        let args = json!([{"index": 0, "value": 1, "op": "SCMP_CMP_ALMOST"}]);
        bed.create_refused(&base.set("/linux/seccomp/syscalls/0/args", args)).map(drop)
    }
);

case!(
    an_empty_list_of_names_is_refused,
    must(&["6.syscalls.names"], "config-linux.md#seccomp: names MUST contain at least one entry"),
    |bed| {
        bed.create_refused(&filtered(
            bed.config(),
            "SCMP_ACT_ALLOW",
            json!([{"names": [], "action": "SCMP_ACT_ERRNO"}]),
        ))
        .map(drop)
    }
);

case!(
    an_errno_on_another_action_is_refused,
    must(
        &["6.defaultErrnoRet"],
        "config-linux.md#seccomp: an errno for an action that does not support one MUST be an error"
    ),
    |bed| {
        bed.create_refused(&filtered(
            bed.config(),
            "SCMP_ACT_ALLOW",
            json!([{"names": ["mkdir"], "action": "SCMP_ACT_KILL", "errnoRet": 7}]),
        ))
        .map(drop)
    }
);

case!(
    an_allow_list_lets_the_program_start,
    must(
        &["6.syscalls.action", "6.seccomp.defaultAction"],
        "config-linux.md#seccomp: a deny-by-default profile with the calls a program needs"
    ),
    |bed| {
        needs_seccomp(bed)?;
        let names: &[&str] = &[
            "read",
            "write",
            "open",
            "openat",
            "close",
            "stat",
            "fstat",
            "lstat",
            "newfstatat",
            "statx",
            "mmap",
            "mprotect",
            "munmap",
            "brk",
            "rt_sigaction",
            "rt_sigprocmask",
            "rt_sigreturn",
            "ioctl",
            "poll",
            "ppoll",
            "sigaltstack",
            "execve",
            "exit",
            "exit_group",
            "arch_prctl",
            "set_tid_address",
            "set_robust_list",
            "prlimit64",
            "getrandom",
            "rseq",
            "futex",
            "fcntl",
            "lseek",
            "mremap",
            "getpid",
            "gettid",
            "madvise",
            "writev",
            "readv",
            "access",
            "faccessat",
            "readlink",
            "readlinkat",
            "pread64",
            "prctl",
            "capget",
            "capset",
            "setuid",
            "setgid",
            "setgroups",
            "setresuid",
            "setresgid",
            "chdir",
            "fchdir",
            "getcwd",
            "umask",
            "dup",
            "dup2",
            "dup3",
            "close_range",
            "getdents64",
            "tgkill",
            "kill",
            "sched_getaffinity",
            "epoll_ctl",
            "epoll_pwait",
            "epoll_wait",
            "nanosleep",
            "recvmsg",
            "sendmsg",
            "recvfrom",
            "sendto",
            "getppid",
            "seccomp",
            "fstatfs",
            "statfs",
            "openat2",
            "execveat",
            "getuid",
            "getgid",
            "geteuid",
            "getegid",
            "setsid",
            "keyctl",
            "fchown",
            "eventfd2",
            "clock_gettime",
            "sched_yield",
            "rt_sigtimedwait",
            "signalfd4",
        ];
        let config = filtered(bed.config(), "SCMP_ACT_ERRNO", json!([{"names": names, "action": "SCMP_ACT_ALLOW"}]));
        let output = bed.run(&config.steps("say ran + mkdir /tmp/new"))?.succeeded("run")?;
        ensure!(output.stdout.starts_with("ran"), "{}", output.stdout);
        denied(&output.steps(), "mkdir", "/tmp/new", &["EPERM"])
    }
);
