//! config.md, `process`: scheduler and ioPriority; config-linux.md: personality.

use super::all_refused;
use crate::bed::Bed;
use crate::bundle::Config;
use crate::case::{Check, case, ensure, must, same};
use serde_json::{Value, json};
use std::path::Path;

/// The payload runs under a scheduler that has all of these members.
fn scheduled(bed: &Bed, scheduler: &Value, wanted: &Value) -> Check {
    let facts = bed.facts(&with_realtime(bed.config()).set("/process/scheduler", scheduler.clone()))?;
    for (name, value) in wanted.as_object().into_iter().flatten() {
        same(&format!("{name} of {scheduler}"), &facts["scheduler"][name], value)?;
    }
    Ok(())
}

/// With time for the real-time policies, where a v1 hierarchy rations it.
fn with_realtime(config: Config) -> Config {
    if Path::new("/sys/fs/cgroup/cpu/cpu.rt_runtime_us").exists() {
        let ration = json!({"realtimePeriod": 1_000_000, "realtimeRuntime": 10_000});
        return config.set("/linux/resources/cpu", ration);
    }
    config
}

case!(
    the_scheduler_is_the_one_asked_for,
    must(&["3.process.scheduler"], "config.md#linux-process: scheduler policy and nice"),
    |bed| {
        let facts = bed.facts(&bed.config().set("/process/scheduler", json!({"policy": "SCHED_BATCH", "nice": 7})))?;
        same("policy", &facts["scheduler"]["policy"], &json!(3))?;
        same("nice", &facts["scheduler"]["nice"], &json!(7))
    }
);

case!(
    a_policy_has_its_parameters,
    must(
        &["3.process.scheduler"],
        "config.md#linux-process: scheduler: every policy that the kernel has, with its own"
    ),
    |bed| {
        bed.host.needs_root()?;
        let nice = json!({"policy": "SCHED_OTHER", "nice": -5});
        scheduled(bed, &nice, &json!({"policy": 0, "nice": -5}))?;
        scheduled(bed, &json!({"policy": "SCHED_IDLE"}), &json!({"policy": 5}))?;
        let deadline = json!({"policy": "SCHED_DEADLINE", "runtime": 100_000, "deadline": 300_000, "period": 400_000});
        scheduled(bed, &deadline, &json!({"policy": 6, "runtime": 100_000, "deadline": 300_000, "period": 400_000}))
    }
);

case!(
    a_realtime_policy_has_its_priority,
    must(&["3.process.scheduler"], "config.md#linux-process: scheduler: priority of SCHED_FIFO and SCHED_RR"),
    |bed| {
        bed.host.needs_root()?;
        let fifo = json!({"policy": "SCHED_FIFO", "priority": 1});
        scheduled(bed, &fifo, &json!({"policy": 1, "priority": 1}))?;
        scheduled(bed, &json!({"policy": "SCHED_RR", "priority": 50}), &json!({"policy": 2, "priority": 50}))
    }
);

case!(
    the_flags_of_a_scheduler_are_set,
    must(&["3.process.scheduler"], "config.md#linux-process: scheduler: flags"),
    |bed| {
        bed.host.needs_root()?;
        let flag = |flag: &str| json!({"policy": "SCHED_DEADLINE", "runtime": 100_000, "deadline": 400_000, "period": 400_000, "flags": [flag]});
        scheduled(bed, &flag("SCHED_FLAG_RESET_ON_FORK"), &json!({"policy": 6, "flags": 1}))?;
        scheduled(bed, &flag("SCHED_FLAG_RECLAIM"), &json!({"policy": 6, "flags": 2}))?;
        scheduled(bed, &flag("SCHED_FLAG_DL_OVERRUN"), &json!({"policy": 6, "flags": 4}))
    }
);

case!(
    a_user_namespace_does_not_hinder_the_scheduler,
    must(&["3.process.scheduler"], "config.md#linux-process: scheduler of a process with a user namespace of its own"),
    |bed| {
        bed.host.needs_root()?;
        bed.host.needs_namespace("user")?;
        let scheduler = json!({"policy": "SCHED_BATCH", "nice": -3});
        let config = bed.config().user_namespace(100_000, 1000).set("/process/scheduler", scheduler);
        let facts = bed.facts(&config)?;
        same("policy", &facts["scheduler"]["policy"], &json!(3))?;
        same("nice", &facts["scheduler"]["nice"], &json!(-3))
    }
);

case!(
    a_member_that_the_policy_has_no_use_for_is_refused,
    must(
        &["3.process.scheduler", "1.Known-property-wrong-JSON-type"],
        "config.md#linux-process: scheduler: nice, priority and the times are for some policies only"
    ),
    |bed| {
        all_refused(
            bed,
            "/process/scheduler",
            &[
                json!({}),
                json!({"policy": "SCHED_OTHER", "nice": 20}),
                json!({"policy": "SCHED_OTHER", "priority": 1}),
                json!({"policy": "SCHED_OTHER", "runtime": 1000}),
                json!({"policy": "SCHED_OTHER", "flags": ["SCHED_FLAG_WISHES"]}),
                json!({"policy": "SCHED_FIFO"}),
                json!({"policy": "SCHED_FIFO", "priority": 100}),
                json!({"policy": "SCHED_IDLE", "deadline": 1000}),
                json!({"policy": "SCHED_DEADLINE"}),
                json!({"policy": "SCHED_DEADLINE", "runtime": 3000, "deadline": 2000, "period": 4000}),
                json!({"policy": "SCHED_OTHER", "nice": "1"}),
            ],
        )
    }
);

case!(
    an_unknown_scheduler_is_refused,
    must(
        &["3.process.scheduler", "1.Unknown-enum-string-namespace-action"],
        "config.md#linux-process: scheduler policy must be one of the constants"
    ),
    |bed| { bed.create_refused(&bed.config().set("/process/scheduler", json!({"policy": "SCHED_LATER"})),).map(drop) }
);

case!(
    the_io_priority_is_the_one_asked_for,
    must(&["3.process.ioPriority"], "config.md#linux-process: ioPriority class and priority"),
    |bed| {
        let io = json!({"class": "IOPRIO_CLASS_BE", "priority": 6});
        let facts = bed.facts(&bed.config().set("/process/ioPriority", io))?;
        same("ioprio", &facts["ioprio"], &json!((2 << 13) | 6))
    }
);

case!(
    an_io_priority_out_of_range_is_refused,
    must(&["3.process.ioPriority"], "config.md#linux-process: ioPriority priority is 0..7"),
    |bed| {
        let io = json!({"class": "IOPRIO_CLASS_BE", "priority": 8});
        bed.create_refused(&bed.config().set("/process/ioPriority", io)).map(drop)
    }
);

case!(
    every_class_of_io_priority_is_known,
    must(&["3.process.ioPriority"], "config.md#linux-process: ioPriority: IOPRIO_CLASS_RT, _BE, _IDLE"),
    |bed| {
        bed.host.needs_root()?;
        for (class, number) in [("IOPRIO_CLASS_RT", 1), ("IOPRIO_CLASS_BE", 2), ("IOPRIO_CLASS_IDLE", 3)] {
            let facts = bed.facts(&bed.config().set("/process/ioPriority", json!({"class": class, "priority": 4})))?;
            same(class, &facts["ioprio"], &json!((number << 13) | 4))?;
        }
        all_refused(
            bed,
            "/process/ioPriority",
            &[
                json!({"priority": 1}),
                json!({"class": "IOPRIO_CLASS_NONE"}),
                json!({"class": "IOPRIO_CLASS_BE", "priority": -1}),
            ],
        )
    }
);

case!(
    the_personality_is_the_one_asked_for,
    must(&["6.personality.domain"], "config-linux.md#personality: domain LINUX32"),
    |bed| {
        let facts = bed.facts(&bed.config().set("/linux/personality", json!({"domain": "LINUX32"})))?;
        let persona = facts["personality"].as_i64().unwrap_or(-1);
        ensure!(persona & 0xff == 8, "personality {persona:#x}");
        Ok(())
    }
);

case!(
    an_unknown_personality_is_refused,
    must(
        &["6.personality.domain", "6.personality.flags"],
        "config-linux.md#personality: domain must be a known one, and no flags are supported"
    ),
    |bed| {
        bed.create_refused(&bed.config().set("/linux/personality", json!({"domain": "SOLARIS"})))?;
        let flags = json!({"domain": "LINUX", "flags": ["ADDR_NO_RANDOMIZE"]});
        bed.create_refused(&bed.config().set("/linux/personality", flags)).map(drop)
    }
);
