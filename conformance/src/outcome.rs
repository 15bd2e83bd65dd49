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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Judgement {
    Passed,
    Failed,
    Skipped,
    /// Listed in gaps.toml, and it failed.
    KnownGap,
    /// Listed in gaps.toml, yet it passes: the list is wrong.
    UnexpectedPass,
}

/// What gaps.toml says of a case, with the reason.
#[derive(Debug, Clone)]
pub(crate) enum Expectation {
    Success,
    Failure(String),
    Either(String),
}

impl Expectation {
    pub(crate) fn reason(&self) -> &str {
        match self {
            Self::Success => "",
            Self::Failure(reason) | Self::Either(reason) => reason,
        }
    }
}

impl Judgement {
    pub(crate) fn of(verdict: Verdict, expected: &Expectation) -> Self {
        match (verdict, expected) {
            (Verdict::Skip, _) => Self::Skipped,
            (Verdict::Pass, Expectation::Failure(_)) => Self::UnexpectedPass,
            (Verdict::Pass, _) => Self::Passed,
            (Verdict::Fail, Expectation::Success) => Self::Failed,
            (Verdict::Fail, _) => Self::KnownGap,
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
        let listed = Expectation::Failure("why".to_owned());
        assert_eq!(Judgement::of(Verdict::Pass, &listed), Judgement::UnexpectedPass);
        assert!(!Judgement::of(Verdict::Pass, &listed).is_as_expected());
        assert!(Judgement::of(Verdict::Fail, &listed).is_as_expected());
        assert!(!Judgement::of(Verdict::Fail, &Expectation::Success).is_as_expected());
        assert!(Judgement::of(Verdict::Pass, &Expectation::Either("why".to_owned())).is_as_expected());
    }
}
