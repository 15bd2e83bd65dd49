//! What this program is, in the three lines that callers split.
//!
//! Docker and containerd take line 1 at the word after "version", and lines 2 and 3 at their colon.

/// The commit is from the build script: what git says, or "unknown".
pub(crate) const TEXT: &str = concat!(
    "hull version ",
    env!("CARGO_PKG_VERSION"),
    "\ncommit: ",
    env!("HULL_COMMIT"),
    "\nspec: 1.3.0\n",
);

#[cfg(test)]
mod tests {
    use super::TEXT;

    #[test]
    fn three_lines_that_callers_can_split() {
        let lines: Vec<&str> = TEXT.lines().collect();
        assert_eq!(lines.len(), 3);
        assert!(lines[0].starts_with("hull version 0."));
        assert!(!lines[0].contains(':'));
        let commit = lines[1].strip_prefix("commit: ").unwrap();
        assert_eq!(lines[2], "spec: 1.3.0");
        assert!(!commit.is_empty() && commit.bytes().all(|byte| byte.is_ascii_graphic()));
    }
}
