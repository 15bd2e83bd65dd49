//! `process.scheduler` and `process.ioPriority`: what sched_setattr(2) and ioprio_set(2) take.
//!
//! A member that the policy has no use for is refused, since the kernel would drop it silently;
//! zero is what an absent member means, and accepted.

use crate::config::{Config, IoPriority, Scheduler as Raw};
use crate::plan::{Cpus, Scheduler, Scheduling};

use super::error::{At, ResolveError};

/// By SCHED_* number; 4 is SCHED_ISO, which no released kernel has.
const POLICIES: [(&str, Kind); 7] = [
    ("SCHED_OTHER", Kind::Nice),
    ("SCHED_FIFO", Kind::Realtime),
    ("SCHED_RR", Kind::Realtime),
    ("SCHED_BATCH", Kind::Nice),
    ("SCHED_ISO", Kind::Plain),
    ("SCHED_IDLE", Kind::Plain),
    ("SCHED_DEADLINE", Kind::Deadline),
];

/// SCHED_FLAG_* by bit, from 1 on.
const FLAGS: [&str; 7] = [
    "SCHED_FLAG_RESET_ON_FORK",
    "SCHED_FLAG_RECLAIM",
    "SCHED_FLAG_DL_OVERRUN",
    "SCHED_FLAG_KEEP_POLICY",
    "SCHED_FLAG_KEEP_PARAMS",
    "SCHED_FLAG_UTIL_CLAMP_MIN",
    "SCHED_FLAG_UTIL_CLAMP_MAX",
];

const NICE: std::ops::RangeInclusive<i32> = -20..=19;
const REALTIME: std::ops::RangeInclusive<u32> = 1..=99;

/// Classes of ioprio_set(2) stand above 13 bits of priority.
const CLASS_SHIFT: u16 = 13;
const IO_PRIORITIES: std::ops::RangeInclusive<u16> = 0..=7;
/// By IOPRIO_CLASS_* number, from 1 on.
const IO_CLASSES: [&str; 3] = ["IOPRIO_CLASS_RT", "IOPRIO_CLASS_BE", "IOPRIO_CLASS_IDLE"];

/// What a policy is told beside its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Nice,
    Realtime,
    Deadline,
    Plain,
}

/// Both properties; what is absent changes nothing.
pub(super) fn resolve(config: &Config) -> Result<Scheduling, ResolveError> {
    let Some(process) = &config.process else {
        return Ok(Scheduling::default());
    };
    let raw = process.scheduler.as_ref();
    let scheduler = raw.map(|raw| scheduler(raw, cpus(config)));
    let io_priority = process.io_priority.as_ref().map(io_priority);
    Ok(Scheduling {
        scheduler: scheduler.transpose()?,
        io_priority: io_priority.transpose()?,
    })
}

fn cpus(config: &Config) -> Cpus {
    let resources = config
        .linux
        .as_ref()
        .and_then(|linux| linux.resources.as_ref());
    let cpu = resources.and_then(|resources| resources.cpu.as_ref());
    let listed = cpu.and_then(|cpu| cpu.cpus().as_deref());
    match listed.is_some_and(|list| !list.is_empty()) {
        true => Cpus::Listed,
        false => Cpus::All,
    }
}

fn scheduler(raw: &Raw, cpus: Cpus) -> Result<Scheduler, ResolveError> {
    let at = At::new("/process/scheduler");
    let policy = POLICIES.iter().position(|(name, _)| *name == raw.policy);
    let Some(policy) = policy else {
        return Err(at
            .member("/policy")
            .wrong(&raw.policy, "is an unknown scheduling policy"));
    };
    let kind = POLICIES[policy].1;
    let scheduler = Scheduler {
        policy: u32::try_from(policy).unwrap_or(0),
        flags: flags(raw, &at)?,
        nice: raw.nice.unwrap_or(0),
        priority: priority(raw, kind, &at)?,
        runtime: raw.runtime.unwrap_or(0),
        deadline: raw.deadline.unwrap_or(0),
        period: raw.period.unwrap_or(0),
        cpus,
    };
    check_nice(scheduler.nice, kind, &at)?;
    check_deadline(&scheduler, kind, &at)?;
    Ok(scheduler)
}

fn flags(raw: &Raw, at: &At<'_>) -> Result<u64, ResolveError> {
    let at = at.member("/flags");
    let mut bits = 0;
    for (index, word) in raw.flags.iter().flatten().enumerate() {
        match FLAGS.iter().position(|name| name == word) {
            Some(bit) => bits |= 1 << bit,
            None => {
                return Err(at.index(index).wrong(word, "is an unknown scheduling flag"));
            }
        }
    }
    Ok(bits)
}

fn check_nice(nice: i32, kind: Kind, at: &At<'_>) -> Result<(), ResolveError> {
    let at = at.member("/nice");
    if nice != 0 && kind != Kind::Nice {
        return Err(at.wrong(nice, "can only be set with SCHED_OTHER or SCHED_BATCH"));
    }
    match NICE.contains(&nice) {
        true => Ok(()),
        false => Err(at.wrong(nice, "must be from -20 to 19")),
    }
}

fn priority(raw: &Raw, kind: Kind, at: &At<'_>) -> Result<u32, ResolveError> {
    let at = at.member("/priority");
    let given = raw.priority.unwrap_or(0);
    let priority = u32::try_from(given).ok();
    match (kind, priority) {
        (Kind::Realtime, Some(priority)) if REALTIME.contains(&priority) => Ok(priority),
        (Kind::Realtime, _) => {
            Err(at.wrong(given, "must be from 1 to 99 with SCHED_FIFO or SCHED_RR"))
        }
        (_, Some(0)) => Ok(0),
        _ => Err(at.wrong(given, "can only be set with SCHED_FIFO or SCHED_RR")),
    }
}

/// sched(7): runtime <= deadline <= period, where a period of 0 is the deadline.
fn check_deadline(given: &Scheduler, kind: Kind, at: &At<'_>) -> Result<(), ResolveError> {
    let times = [
        ("/runtime", given.runtime),
        ("/deadline", given.deadline),
        ("/period", given.period),
    ];
    if kind != Kind::Deadline {
        let set = times.iter().find(|(_, time)| *time != 0);
        return match set {
            Some((member, time)) => Err(at
                .member(member)
                .wrong(time, "can only be set with SCHED_DEADLINE")),
            None => Ok(()),
        };
    }
    if given.runtime == 0 {
        return Err(at
            .member("/runtime")
            .breaks("must be above 0 with SCHED_DEADLINE"));
    }
    if given.runtime > given.deadline {
        return Err(at
            .member("/deadline")
            .wrong(given.deadline, "must not be below the runtime"));
    }
    match given.period == 0 || given.deadline <= given.period {
        true => Ok(()),
        false => Err(at
            .member("/period")
            .wrong(given.period, "must not be below the deadline")),
    }
}

fn io_priority(raw: &IoPriority) -> Result<u16, ResolveError> {
    let at = At::new("/process/ioPriority");
    let class = (1..).zip(IO_CLASSES).find(|(_, name)| *name == raw.class);
    let Some((class, _)) = class else {
        return Err(at
            .member("/class")
            .wrong(&raw.class, "is an unknown I/O scheduling class"));
    };
    let priority = raw.priority.unwrap_or(0);
    match u16::try_from(priority) {
        Ok(level) if IO_PRIORITIES.contains(&level) => Ok(class << CLASS_SHIFT | level),
        _ => Err(at
            .member("/priority")
            .wrong(priority, "must be from 0 to 7")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Scene;
    use super::*;

    fn scheduler_of(members: &str) -> Scheduler {
        let config = format!(r#""process": {{"scheduler": {{{members}}}}}"#);
        let plan = Scene::v2().plan(&config);
        assert!(plan.asks_for_more());
        plan.host.scheduling.scheduler.unwrap()
    }

    #[test]
    fn every_policy_and_flag_has_its_number() {
        for (number, (name, kind)) in (0..).zip(POLICIES) {
            let more = match kind {
                Kind::Nice => r#", "nice": -20"#,
                Kind::Realtime => r#", "priority": 99"#,
                Kind::Deadline => r#", "runtime": 1, "deadline": 2, "period": 3"#,
                Kind::Plain => r#", "nice": 0, "priority": 0, "runtime": 0"#,
            };
            let scheduler = scheduler_of(&format!(r#""policy": "{name}"{more}"#));
            assert_eq!(scheduler.policy, number, "{name}");
        }
        for (bit, name) in (0..).zip(FLAGS) {
            let members = format!(
                r#""policy": "SCHED_OTHER", "flags": ["{name}", "{}"]"#,
                FLAGS[0]
            );
            assert_eq!(scheduler_of(&members).flags, 1 << bit | 1, "{name}");
        }
    }

    #[test]
    fn what_a_policy_is_told_is_kept() {
        let given = scheduler_of(
            r#""policy": "SCHED_DEADLINE", "runtime": 5, "deadline": 6, "period": 7,
                "flags": ["SCHED_FLAG_RECLAIM"]"#,
        );
        let expected = Scheduler {
            policy: 6,
            flags: 2,
            nice: 0,
            priority: 0,
            runtime: 5,
            deadline: 6,
            period: 7,
            cpus: Cpus::All,
        };
        assert_eq!(given, expected);
        let listed = r#""process": {"scheduler": {"policy": "SCHED_BATCH", "nice": 3}},
            "linux": {"resources": {"cpu": {"cpus": "0"}}}"#;
        let scheduler = Scene::v2().plan(listed).host.scheduling.scheduler.unwrap();
        assert_eq!((scheduler.nice, scheduler.cpus), (3, Cpus::Listed));
    }

    #[test]
    fn an_io_priority_is_class_and_level() {
        for (class, level, expected) in [
            ("IOPRIO_CLASS_RT", 0, 1 << 13),
            ("IOPRIO_CLASS_BE", 7, 2 << 13 | 7),
            ("IOPRIO_CLASS_IDLE", 0, 3 << 13),
        ] {
            let members = format!(
                r#""process": {{"ioPriority": {{"class": "{class}", "priority": {level}}}}}"#
            );
            let scheduling = Scene::v2().plan(&members).host.scheduling;
            assert_eq!(scheduling.io_priority, Some(expected));
        }
    }

    #[test]
    fn what_does_not_suit_the_policy_is_refused() {
        let scheduler = |members: &str| format!(r#""process": {{"scheduler": {{{members}}}}}"#);
        for (members, expected) in [
            (
                r#""policy": "SCHED_X""#,
                "policy: \"SCHED_X\" is an unknown scheduling policy",
            ),
            (r#""policy": """#, "policy: \"\" is an unknown"),
            (
                r#""policy": "SCHED_OTHER", "flags": ["SCHED_FLAG_X"]"#,
                "flags/0: \"SCHED_FLAG_X\" is an unknown scheduling flag",
            ),
            (
                r#""policy": "SCHED_OTHER", "nice": 20"#,
                "nice: \"20\" must be from",
            ),
            (
                r#""policy": "SCHED_IDLE", "nice": 1"#,
                "nice: \"1\" can only be set with",
            ),
            (
                r#""policy": "SCHED_FIFO""#,
                "priority: \"0\" must be from 1 to 99",
            ),
            (
                r#""policy": "SCHED_RR", "priority": 100"#,
                "priority: \"100\" must be",
            ),
            (
                r#""policy": "SCHED_BATCH", "priority": 1"#,
                "priority: \"1\" can only",
            ),
            (
                r#""policy": "SCHED_BATCH", "priority": -1"#,
                "priority: \"-1\" can only",
            ),
            (
                r#""policy": "SCHED_OTHER", "period": 1"#,
                "period: \"1\" can only be set",
            ),
            (
                r#""policy": "SCHED_DEADLINE", "deadline": 1"#,
                "runtime: must be above 0",
            ),
            (
                r#""policy": "SCHED_DEADLINE", "runtime": 2, "deadline": 1"#,
                "deadline: \"1\" must not be below the runtime",
            ),
            (
                r#""policy": "SCHED_DEADLINE", "runtime": 1, "deadline": 3, "period": 2"#,
                "period: \"2\" must not be below the deadline",
            ),
        ] {
            let refusal = Scene::v2().refusal(&scheduler(members));
            let expected = format!("/process/scheduler/{expected}");
            assert!(refusal.starts_with(&expected), "{refusal:?} for {members}");
        }
    }

    #[test]
    fn unknown_and_missing_words_are_refused() {
        Scene::v2().refuses(&[
            (
                r#""process": {"scheduler": {"nice": 1}}"#,
                "/process/scheduler: missing field `policy`",
            ),
            (
                r#""process": {"ioPriority": {"class": "IOPRIO_CLASS_BE", "priority": 8}}"#,
                "/process/ioPriority/priority: \"8\" must be from 0 to 7",
            ),
            (
                r#""process": {"ioPriority": {"class": "IOPRIO_CLASS_X", "priority": 0}}"#,
                "/process/ioPriority/class: \"IOPRIO_CLASS_X\" is an unknown",
            ),
            (
                r#""process": {"ioPriority": {"priority": 0}}"#,
                "/process/ioPriority: missing field `class`",
            ),
        ]);
    }
}
