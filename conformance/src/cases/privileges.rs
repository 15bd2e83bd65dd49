//! config.md, `process`: capabilities, noNewPrivileges, rlimits, oomScoreAdj.

use crate::case::{case, must, same, should};
use crate::host::CAP_SYS_RESOURCE;
use serde_json::{Value, json};

const ALL_SETS: [&str; 5] = ["bounding", "effective", "inheritable", "permitted", "ambient"];

case!(
    the_five_capability_sets_are_as_listed,
    must(
        &["3.process.capabilities"],
        "config.md#linux-process: effective, bounding, inheritable, permitted, ambient sets kept for the process"
    ),
    |bed| {
        let config = bed.config().capabilities(&["bounding"], &["CAP_CHOWN", "CAP_KILL", "CAP_SETUID", "CAP_NET_RAW"]);
        let config = config.capabilities(&["permitted"], &["CAP_CHOWN", "CAP_KILL", "CAP_NET_RAW"]);
        let config = config.capabilities(&["effective"], &["CAP_CHOWN", "CAP_NET_RAW"]);
        let config = config.capabilities(&["inheritable", "ambient"], &["CAP_NET_RAW"]);
        // Not root: the sets stand as given instead of being raised by the exec of uid 0.
        let facts = bed.facts(&config.set("/process/user", json!({"uid": 1000, "gid": 1000})))?;
        let sets = &facts["capabilities"];
        same("bounding", &sets["bounding"], &json!([0, 5, 7, 13]))?;
        same("inheritable", &sets["inheritable"], &json!([13]))?;
        same("ambient", &sets["ambient"], &json!([13]))?;
        same("permitted after exec", &sets["permitted"], &json!([13]))?;
        same("effective after exec", &sets["effective"], &json!([13]))
    }
);

case!(
    root_has_exactly_the_bounding_set,
    must(&["3.process.capabilities"], "config.md#linux-process: bounding limits what uid 0 gains by the exec"),
    |bed| {
        let config =
            bed.config().capabilities(&["bounding", "effective", "permitted"], &["CAP_CHOWN", "CAP_SYS_ADMIN"]);
        let sets = bed.facts(&config)?["capabilities"].clone();
        for set in ["bounding", "effective", "permitted"] {
            same(set, &sets[set], &json!([0, 21]))?;
        }
        Ok(())
    }
);

case!(
    empty_sets_leave_no_capability,
    must(&["3.process.capabilities", "1.null"], "config.md#linux-process: an empty set keeps none"),
    |bed| {
        let sets = bed.facts(&bed.config().capabilities(&ALL_SETS, &[]))?["capabilities"].clone();
        for set in ALL_SETS {
            same(set, &sets[set], &json!([]))?;
        }
        Ok(())
    }
);

case!(
    a_user_without_ambient_set_has_no_capability,
    must(
        &["3.process.capabilities", "T-A17"],
        "config.md#linux-process: a user other than 0 keeps nothing across the exec without ambient"
    ),
    |bed| {
        let config = bed.config().capabilities(&["bounding", "effective", "permitted"], &["CAP_CHOWN"]);
        let sets = bed.facts(&config.set("/process/user", json!({"uid": 1000, "gid": 1000})))?["capabilities"].clone();
        same("permitted", &sets["permitted"], &json!([]))?;
        same("effective", &sets["effective"], &json!([]))
    }
);

case!(
    without_inheritable_the_inheritable_set_is_empty,
    must(&["T-A17", "3.process.capabilities"], "T-A17: run without inheritable has CapInh 0"),
    |bed| {
        let sets = bed.facts(&bed.config())?["capabilities"].clone();
        same("inheritable", &sets["inheritable"], &json!([]))?;
        same("ambient", &sets["ambient"], &json!([]))
    }
);

case!(
    an_unknown_capability_does_not_fail_the_container,
    should(
        &["3.process.capabilities", "1.Warning"],
        "config.md#linux-process: a capability that cannot be mapped MUST be logged as a warning and SHOULD NOT fail"
    ),
    |bed| {
        let config =
            bed.config().capabilities(&["bounding", "effective", "permitted"], &["CAP_KILL", "CAP_OF_THE_FUTURE"]);
        same("bounding", &bed.facts(&config)?["capabilities"]["bounding"], &json!([5]))
    }
);

case!(
    an_ambient_capability_outside_permitted_does_not_fail,
    should(
        &["3.process.capabilities", "c8.can-t-raise-ambient-capability"],
        "contracts 8: an ambient capability that cannot be raised is a warning"
    ),
    |bed| {
        let config = bed.config().capabilities(&["bounding", "permitted", "effective"], &["CAP_KILL"]);
        let facts = bed.facts(&config.capabilities(&["ambient"], &["CAP_CHOWN"]))?;
        same("ambient", &facts["capabilities"]["ambient"], &json!([]))
    }
);

case!(
    a_capability_that_the_other_sets_do_not_grant_does_not_fail,
    should(
        &["3.process.capabilities"],
        "config.md#linux-process: a value that cannot be granted MUST be logged as a warning and SHOULD NOT fail"
    ),
    |bed| {
        let config = bed.config().capabilities(&["bounding", "permitted"], &["CAP_KILL"]);
        let config = config.capabilities(&["effective", "inheritable"], &["CAP_KILL", "CAP_CHOWN"]);
        let facts = bed.facts(&config.set("/process/user", json!({"uid": 1000, "gid": 1000})))?;
        same("inheritable", &facts["capabilities"]["inheritable"], &json!([5]))
    }
);

case!(
    no_new_privileges_is_set_when_true,
    must(&["3.process.noNewPrivileges"], "config.md#linux-process: noNewPrivileges true prevents gaining privileges"),
    |bed| {
        let facts = bed.facts(&bed.config().set("/process/noNewPrivileges", json!(true)))?;
        same("NoNewPrivs", &facts["status"]["NoNewPrivs"], &json!("1"))
    }
);

case!(
    no_new_privileges_is_unset_when_false_or_absent,
    must(
        &["3.process.noNewPrivileges"],
        "config.md#linux-process: noNewPrivileges false or absent leaves the flag alone"
    ),
    |bed| {
        let facts = bed.facts(&bed.config().set("/process/noNewPrivileges", json!(false)))?;
        same("NoNewPrivs when false", &facts["status"]["NoNewPrivs"], &json!("0"))?;
        let facts = bed.facts(&bed.config().remove("/process/noNewPrivileges"))?;
        same("NoNewPrivs when absent", &facts["status"]["NoNewPrivs"], &json!("0"))
    }
);

fn limit(kind: &str, soft: u64, hard: u64) -> Value {
    json!([{"type": kind, "soft": soft, "hard": hard}])
}

case!(
    resource_limits_are_as_given,
    must(&["3.process.rlimits"], "config.md#posix-process: rlimits: soft and hard MUST match what getrlimit gives"),
    |bed| {
        let wanted = [
            ("RLIMIT_NOFILE", 1000, 1010),
            ("RLIMIT_CORE", 0, 4096),
            ("RLIMIT_NPROC", 500, 600),
            ("RLIMIT_AS", 8_000_000_000_u64, 9_000_000_000_u64),
            ("RLIMIT_FSIZE", 1 << 30, 1 << 31),
            ("RLIMIT_STACK", 4 << 20, 8 << 20),
        ];
        let rlimits: Vec<Value> =
            wanted.iter().map(|(kind, soft, hard)| json!({"type": kind, "soft": soft, "hard": hard})).collect();
        let facts = bed.facts(&bed.config().set("/process/rlimits", json!(rlimits)))?;
        for (kind, soft, hard) in wanted {
            same(kind, &facts["rlimits"][kind], &json!({"soft": soft, "hard": hard}))?;
        }
        Ok(())
    }
);

case!(
    every_kind_of_limit_is_known,
    must(&["3.process.rlimits"], "config.md#posix-process: the runtime MUST accept every type its getrlimit knows"),
    |bed| {
        let kinds = [
            "CPU",
            "FSIZE",
            "DATA",
            "STACK",
            "CORE",
            "RSS",
            "NPROC",
            "NOFILE",
            "MEMLOCK",
            "AS",
            "LOCKS",
            "SIGPENDING",
            "MSGQUEUE",
            "NICE",
            "RTPRIO",
            "RTTIME",
        ];
        let own: Vec<Value> =
            kinds.iter().map(|kind| own_limit(&format!("RLIMIT_{kind}"))).collect::<Result<_, std::io::Error>>()?;
        let facts = bed.facts(&bed.config().set("/process/rlimits", json!(own)))?;
        for limit in own {
            let kind = limit["type"].as_str().unwrap_or_default();
            same(kind, &facts["rlimits"][kind]["hard"], &limit["hard"])?;
        }
        Ok(())
    }
);

/// The limit this process itself has, as an entry that changes nothing.
fn own_limit(kind: &str) -> std::io::Result<Value> {
    let table = std::fs::read_to_string("/proc/self/limits")?;
    let names = [
        ("RLIMIT_CPU", "Max cpu time"),
        ("RLIMIT_FSIZE", "Max file size"),
        ("RLIMIT_DATA", "Max data size"),
        ("RLIMIT_STACK", "Max stack size"),
        ("RLIMIT_CORE", "Max core file size"),
        ("RLIMIT_RSS", "Max resident set"),
        ("RLIMIT_NPROC", "Max processes"),
        ("RLIMIT_NOFILE", "Max open files"),
        ("RLIMIT_MEMLOCK", "Max locked memory"),
        ("RLIMIT_AS", "Max address space"),
        ("RLIMIT_LOCKS", "Max file locks"),
        ("RLIMIT_SIGPENDING", "Max pending signals"),
        ("RLIMIT_MSGQUEUE", "Max msgqueue size"),
        ("RLIMIT_NICE", "Max nice priority"),
        ("RLIMIT_RTPRIO", "Max realtime priority"),
        ("RLIMIT_RTTIME", "Max realtime timeout"),
    ];
    let title = names.iter().find(|(known, _)| *known == kind).map_or("", |(_, title)| title);
    let line = table.lines().find(|line| line.starts_with(title)).unwrap_or_default();
    let mut numbers = line[title.len()..].split_whitespace().map(|word| word.parse().unwrap_or(u64::MAX));
    Ok(json!({"type": kind, "soft": numbers.next(), "hard": numbers.next()}))
}

case!(
    an_unknown_limit_is_refused,
    must(
        &["3.process.rlimits", "1.Unknown-enum-string-namespace-action"],
        "config.md#posix-process: the runtime MUST generate an error for a type it cannot map"
    ),
    |bed| { bed.create_refused(&bed.config().set("/process/rlimits", limit("RLIMIT_PATIENCE", 1, 1)),).map(drop) }
);

case!(
    a_limit_given_twice_is_refused,
    must(
        &["3.rlimits-duplicate-type"],
        "config.md#posix-process: if rlimits contains duplicated entries with the same type, the runtime MUST generate an error"
    ),
    |bed| {
        // The second below the first, which the kernel lets anyone set: the runtime itself must notice.
        let twice = json!([{"type": "RLIMIT_NOFILE", "soft": 65, "hard": 65}, {"type": "RLIMIT_NOFILE", "soft": 64, "hard": 64}]);
        bed.create_refused(&bed.config().set("/process/rlimits", twice)).map(drop)
    }
);

case!(
    a_soft_limit_above_the_hard_one_is_refused,
    must(&["3.process.rlimits"], "config.md#posix-process: soft above hard cannot be applied, so it is an error"),
    |bed| { bed.create_refused(&bed.config().set("/process/rlimits", limit("RLIMIT_NOFILE", 100, 50)),).map(drop) }
);

case!(
    a_hard_limit_can_be_raised_by_a_privileged_runtime,
    must(&["3.process.rlimits"], "config.md#posix-process: hard: a privileged process may raise it"),
    |bed| {
        bed.host.needs_capability(CAP_SYS_RESOURCE, "CAP_SYS_RESOURCE")?;
        let facts = bed.facts(&bed.config().set("/process/rlimits", limit("RLIMIT_MSGQUEUE", 9_000_000, 9_000_000)))?;
        same("hard", &facts["rlimits"]["RLIMIT_MSGQUEUE"]["hard"], &json!(9_000_000))
    }
);

case!(
    the_oom_score_is_the_one_asked_for,
    must(
        &["3.process.oomScoreAdj"],
        "config.md#linux-process: if oomScoreAdj is set, the runtime MUST set oom_score_adj to the given value"
    ),
    |bed| {
        let facts = bed.facts(&bed.config().set("/process/oomScoreAdj", json!(500)))?;
        same("oom_score_adj", &facts["oom_score_adj"], &json!(500))
    }
);

case!(
    the_oom_score_is_the_callers_when_unset,
    must(
        &["3.process.oomScoreAdj", "c6.10-oom_score_adj"],
        "config.md#linux-process: if oomScoreAdj is not set, the runtime MUST NOT change the value of oom_score_adj"
    ),
    |bed| {
        let bundle = bed.bundle(&bed.config())?;
        let command =
            bed.command_from(&["--oom", "321"], &["run", "--bundle", &bundle.path.to_string_lossy(), &bed.id()]);
        let facts = bed.finish(command)?.succeeded("run")?.step("report")?;
        same("oom_score_adj", &facts["oom_score_adj"], &json!(321))
    }
);

case!(
    an_oom_score_out_of_range_is_refused,
    must(&["3.process.oomScoreAdj"], "config.md#linux-process: a value outside -1000..1000 cannot be applied"),
    |bed| { bed.create_refused(&bed.config().set("/process/oomScoreAdj", json!(1001))).map(drop) }
);

case!(
    a_label_without_its_security_module_is_refused,
    must(
        &["3.process.apparmorProfile", "3.process.selinuxLabel", "6.mountLabel"],
        "config.md#linux-process: a label that cannot be applied is an error"
    ),
    |bed| {
        if !std::path::Path::new("/sys/kernel/security/apparmor").exists() {
            bed.create_refused(&bed.config().set("/process/apparmorProfile", json!("some-profile")))?;
        }
        if !std::path::Path::new("/sys/fs/selinux").exists() {
            bed.create_refused(&bed.config().set("/process/selinuxLabel", json!("system_u:system_r:container_t:s0")))?;
        }
        Ok(())
    }
);
