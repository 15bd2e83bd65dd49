//! One measured command, and what many of them come to.

use std::time::Duration;

/// What one command cost, as the launcher counted it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sample {
    pub(crate) wall: Duration,
    pub(crate) cpu: Duration,
    pub(crate) peak_kib: u64,
}

impl Sample {
    /// Reads the launcher's line; the error is the command's exit status.
    pub(crate) fn parse(line: &str) -> Result<Self, u32> {
        let numbers: Vec<u64> = line
            .split_whitespace()
            .filter_map(|word| word.parse().ok())
            .collect();
        match numbers[..] {
            [wall, cpu, peak_kib, 0] => {
                let (wall, cpu) = (Duration::from_nanos(wall), Duration::from_micros(cpu));
                Ok(Self {
                    wall,
                    cpu,
                    peak_kib,
                })
            }
            [_, _, _, status] => Err(u32::try_from(status).unwrap_or(255)),
            _ => Err(255),
        }
    }

    /// The cost of one command and then another.
    pub(crate) fn and(self, next: Self) -> Self {
        Self {
            wall: self.wall + next.wall,
            cpu: self.cpu + next.cpu,
            peak_kib: self.peak_kib.max(next.peak_kib),
        }
    }
}

/// The figures of one contestant in one workload.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Figures {
    pub(crate) wall_min_ms: f64,
    pub(crate) wall_median_ms: f64,
    pub(crate) cpu_mean_ms: f64,
    pub(crate) peak_kib: u64,
    pub(crate) syscalls: Option<u64>,
}

impl Figures {
    /// None of no samples.
    pub(crate) fn of(samples: &[Sample], syscalls: Option<u64>) -> Option<Self> {
        let mut walls: Vec<f64> = samples
            .iter()
            .map(|sample| milliseconds(sample.wall))
            .collect();
        walls.sort_by(f64::total_cmp);
        let cpu: Duration = samples.iter().map(|sample| sample.cpu).sum();
        Some(Self {
            wall_min_ms: *walls.first()?,
            wall_median_ms: walls[walls.len() / 2],
            // The kernel counts CPU time in coarse steps: only the mean of many says something.
            cpu_mean_ms: milliseconds(cpu) / walls.iter().map(|_| 1.0).sum::<f64>(),
            peak_kib: samples.iter().map(|sample| sample.peak_kib).max()?,
            syscalls,
        })
    }
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// The calls in the last line of `strace -c`: `100.00  0.01  12  345  6 total`.
pub(crate) fn syscalls_in(summary: &str) -> Option<u64> {
    let total = summary
        .lines()
        .rev()
        .find(|line| line.trim_end().ends_with(" total"))?;
    total.split_whitespace().nth(3)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{Figures, Sample, syscalls_in};

    #[test]
    fn a_launchers_line_is_read() {
        let sample = Sample::parse("1500000 800 900 0\n").expect("sample");
        assert_eq!(
            (
                sample.wall.as_micros(),
                sample.cpu.as_micros(),
                sample.peak_kib
            ),
            (1500, 800, 900)
        );
        assert_eq!(Sample::parse("1 2 3 127").expect_err("status"), 127);
        assert!(Sample::parse("").is_err());
    }

    #[test]
    fn figures_are_minimum_median_mean_and_maximum() {
        let samples: Vec<_> = ["1000000 1000 5 0", "9000000 3000 7 0", "2000000 2000 6 0"]
            .iter()
            .filter_map(|line| Sample::parse(line).ok())
            .collect();
        let figures = Figures::of(&samples, None).expect("figures");
        assert_eq!(
            (
                figures.wall_min_ms,
                figures.wall_median_ms,
                figures.peak_kib
            ),
            (1.0, 2.0, 7)
        );
        assert!((figures.cpu_mean_ms - 2.0).abs() < 1e-9);
        assert_eq!(Figures::of(&[], None), None);
    }

    #[test]
    fn the_total_of_strace_is_found() {
        let summary = "% time seconds usecs/call calls errors syscall\n------\n\
                       100.00    0.012    12       345         6 total\n";
        assert_eq!(syscalls_in(summary), Some(345));
        assert_eq!(syscalls_in("strace: x"), None);
    }
}
