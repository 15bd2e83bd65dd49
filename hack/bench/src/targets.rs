//! What hull set out to reach, as ratios of minima in one run on one machine.

use crate::contest::Contest;

/// hull's wall time in `workload` is at most `limit` times that of `against`.
struct Ratio {
    workload: &'static str,
    against: &'static str,
    limit: f64,
}

const fn ratio(workload: &'static str, against: &'static str, limit: f64) -> Ratio {
    Ratio {
        workload,
        against,
        limit,
    }
}

const RATIOS: &[Ratio] = &[
    ratio("version", "floor", 2.0),
    ratio("run", "floor", 1.3),
    ratio("run", "crun", 0.33),
    ratio("run", "runc", 0.08),
    ratio("config:docker-20.10-default", "floor", 2.0),
    ratio("config:docker-20.10-default", "crun", 0.33),
    ratio("lifecycle", "floor", 2.2),
    ratio("exec", "floor", 2.0),
    ratio("exec", "crun", 0.2),
    ratio("exec", "runc", 0.04),
    ratio("state", "floor", 2.0),
];

const PEAK_KIB: f64 = 2048.0;
const FILE_BYTES: f64 = 4e6;

/// One target beside what was measured; nothing when it was not.
#[derive(Debug)]
pub(crate) struct Check {
    pub(crate) target: String,
    pub(crate) limit: f64,
    pub(crate) measured: Option<f64>,
}

impl Check {
    pub(crate) fn holds(&self) -> bool {
        self.measured.is_some_and(|measured| measured <= self.limit)
    }
}

/// The targets of the workloads that were held.
pub(crate) fn check(contests: &[Contest]) -> Vec<Check> {
    let contest = |name: &str| contests.iter().find(|contest| contest.workload == name);
    let ratios = RATIOS.iter().filter_map(|ratio| {
        let held = contest(ratio.workload)?;
        let wall = |name| held.figures(name).map(|figures| figures.wall_min_ms);
        Some(Check {
            target: format!("{} / {}", ratio.workload, ratio.against),
            limit: ratio.limit,
            measured: wall("hull")
                .zip(wall(ratio.against))
                .map(|(hull, other)| hull / other),
        })
    });
    let peak = contest("run").map(|run| Check {
        target: "run, peak RSS, KiB".into(),
        limit: PEAK_KIB,
        measured: run.figures("hull").map(|figures| figures.peak_kib as f64),
    });
    let size = Check {
        target: "installed size, bytes".into(),
        limit: FILE_BYTES,
        measured: std::fs::metadata("bin/hull")
            .ok()
            .map(|file| file.len() as f64),
    };
    ratios.chain(peak).chain([size]).collect()
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::contest::Contest;
    use crate::sample::Figures;

    fn run(hull_ms: f64) -> Contest {
        let figures = |wall_min_ms| {
            Ok(Figures {
                wall_min_ms,
                peak_kib: 900,
                ..Figures::default()
            })
        };
        let outcomes = vec![
            ("floor".to_owned(), figures(1.0)),
            ("hull".to_owned(), figures(hull_ms)),
            ("crun".to_owned(), Err("absent".to_owned())),
        ];
        Contest {
            workload: "run".into(),
            says: "",
            runs: 1,
            outcomes,
        }
    }

    #[test]
    fn a_target_is_met_missed_or_not_measured() {
        let checks = check(&[run(1.2)]);
        let holds = |checks: &[super::Check], target: &str| {
            checks
                .iter()
                .find(|check| check.target.starts_with(target))
                .map(super::Check::holds)
        };
        assert_eq!(holds(&checks, "run / floor"), Some(true));
        assert_eq!(holds(&checks, "run / crun"), Some(false), "not measured");
        assert_eq!(holds(&checks, "run, peak"), Some(true));
        assert_eq!(holds(&checks, "exec"), None, "not held");
        assert_eq!(holds(&check(&[run(1.4)]), "run / floor"), Some(false));
    }
}
