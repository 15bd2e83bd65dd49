//! The figures as a table for people and as JSON for programs.

use crate::bundle::DeviceRules;
use crate::contest::Contest;
use crate::contestant::Contestant;
use crate::options::Options;
use crate::sample::Figures;
use crate::targets::Check;
use serde_json::{Value, json};

/// Who takes part, and what is unequal between them.
pub(crate) fn heading(contestants: &[Contestant]) -> String {
    let mut text = String::new();
    for Contestant {
        name,
        version,
        rules,
        ..
    } in contestants
    {
        if !version.is_empty() {
            text += &format!("{name}: {version}\n");
        }
        if *rules == DeviceRules::Dropped {
            text +=
                "  gets no device rules, which it may not load here: its figures are too good\n";
        }
    }
    text
}

/// Ratios are of minima, which what else the machine does disturbs least.
pub(crate) fn table(contest: &Contest) -> String {
    let mut text = format!(
        "\n{}: {} ({} runs)\n",
        contest.workload, contest.says, contest.runs
    );
    let head = [
        "", "min ms", "median", "cpu ms", "peak KiB", "syscalls", "x floor", "x crun",
    ];
    row(&mut text, &head.map(str::to_owned));
    for (name, figures) in &contest.outcomes {
        match figures {
            Ok(figures) => row(&mut text, &cells(contest, name, figures)),
            Err(why) => text += &format!("  {name:<8} skipped: {why}\n"),
        }
    }
    text
}

fn cells(contest: &Contest, name: &str, figures: &Figures) -> [String; 8] {
    let two = |number: Option<f64>| number.map_or("-".to_owned(), |number| format!("{number:.2}"));
    [
        name.to_owned(),
        format!("{:.3}", figures.wall_min_ms),
        format!("{:.3}", figures.wall_median_ms),
        format!("{:.2}", figures.cpu_mean_ms),
        figures.peak_kib.to_string(),
        figures
            .syscalls
            .map_or("-".to_owned(), |count| count.to_string()),
        two(times(contest, figures, "floor")),
        two(times(contest, figures, "crun")),
    ]
}

fn row(text: &mut String, cells: &[String; 8]) {
    let [name, numbers @ ..] = cells;
    let numbers: Vec<String> = numbers.iter().map(|cell| format!("{cell:>9}")).collect();
    *text += &format!("  {name:<8} {}\n", numbers.join(" "));
}

fn times(contest: &Contest, figures: &Figures, other: &str) -> Option<f64> {
    contest
        .figures(other)
        .map(|other| figures.wall_min_ms / other.wall_min_ms)
}

pub(crate) fn checks(checks: &[Check]) -> String {
    let mut text = "\ntargets: hull / the other, of minima\n".to_owned();
    for check in checks {
        let verdict = match check.measured {
            None => "not measured".to_owned(),
            Some(measured) if check.holds() => format!("{measured:.2}"),
            Some(measured) => format!("{measured:.2}  MISSED"),
        };
        let (target, limit) = (&check.target, check.limit);
        text += &format!("  {target:<40} <= {limit:<8} {verdict}\n");
    }
    text
}

pub(crate) fn write_json(
    options: &Options,
    contestants: &[Contestant],
    contests: &[Contest],
    checks: &[Check],
) -> Result<(), String> {
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let versions: serde_json::Map<String, Value> = contestants
        .iter()
        .map(|one| (one.name.clone(), json!(one.version)))
        .collect();
    let all = json!({
        "kernel": kernel.trim_end(),
        "cpus": std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        "versions": versions,
        "workloads": contests.iter().map(contest_json).collect::<Vec<_>>(),
        "targets": checks.iter().map(check_json).collect::<Vec<_>>(),
    });
    let file = &options.json;
    let folder = file.parent().unwrap_or(file);
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(file, format!("{all:#}\n")))
        .map_err(|error| format!("{}: {error}", file.display()))
}

fn contest_json(contest: &Contest) -> Value {
    let outcome = |(name, figures): &(String, Result<Figures, String>)| match figures {
        Err(why) => json!({ "name": name, "skipped": why }),
        Ok(figures) => json!({
            "name": name,
            "wall_min_ms": figures.wall_min_ms,
            "wall_median_ms": figures.wall_median_ms,
            "cpu_mean_ms": figures.cpu_mean_ms,
            "peak_rss_kib": figures.peak_kib,
            "syscalls": figures.syscalls,
            "times_floor": times(contest, figures, "floor"),
            "times_crun": times(contest, figures, "crun"),
        }),
    };
    json!({
        "name": contest.workload,
        "runs": contest.runs,
        "contestants": contest.outcomes.iter().map(outcome).collect::<Vec<_>>(),
    })
}

fn check_json(check: &Check) -> Value {
    json!({
        "target": check.target,
        "limit": check.limit,
        "measured": check.measured,
        "holds": check.holds(),
    })
}
