//! What a worker says about its case, and how the driver judges it
//! against the list of expected failures.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Verdict {
    Pass,
    Fail,
    Skip,
}

/// The one line of JSON a worker prints at its end.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Outcome {
    pub(crate) verdict: Verdict,
    /// Why it failed or was skipped.
    pub(crate) detail: String,
    /// The commands that were run, with code and output.
    pub(crate) transcript: Vec<String>,
    #[serde(default)]
    pub(crate) millis: u64,
}

impl Outcome {
    pub(crate) fn failed(detail: impl Into<String>) -> Self {
        Self { verdict: Verdict::Fail, detail: detail.into(), transcript: Vec::new(), millis: 0 }
    }
}

/// An outcome after the gaps list was consulted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Judgement {
    Passed,
    Failed,
    Skipped,
    /// Listed in gaps.toml, and it failed.
    KnownGap,
    /// Listed in gaps.toml, yet it passes: the list is wrong.
    UnexpectedPass,
}

impl Judgement {
    pub(crate) fn of(verdict: Verdict, listed: bool) -> Self {
        match (verdict, listed) {
            (Verdict::Pass, false) => Self::Passed,
            (Verdict::Pass, true) => Self::UnexpectedPass,
            (Verdict::Fail, false) => Self::Failed,
            (Verdict::Fail, true) => Self::KnownGap,
            (Verdict::Skip, _) => Self::Skipped,
        }
    }

    pub(crate) fn is_as_expected(self) -> bool {
        !matches!(self, Self::Failed | Self::UnexpectedPass)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listed_gap_that_passes_is_an_error() {
        assert_eq!(Judgement::of(Verdict::Pass, true), Judgement::UnexpectedPass);
        assert!(!Judgement::of(Verdict::Pass, true).is_as_expected());
        assert!(Judgement::of(Verdict::Fail, true).is_as_expected());
        assert!(!Judgement::of(Verdict::Fail, false).is_as_expected());
    }
}
