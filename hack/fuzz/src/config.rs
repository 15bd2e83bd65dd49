//! The text of a config.json, as it lies in a bundle that nobody checked.

use super::{promises, worlds};

/// Longer ones only take longer.
const LONGEST: usize = 1 << 16;

pub(crate) fn check(text: &[u8]) {
    if text.len() > LONGEST {
        return;
    }
    let answers = worlds::everywhere(text);
    for answer in &answers {
        promises::kept(answer);
        if let Err(message) = answer {
            assert!(!message.contains('\n'), "{message:?}");
        }
    }
    assert_eq!(
        answers,
        worlds::everywhere(text),
        "two answers for one config"
    );
}
