//! Lists of CPUs, or of memory nodes.

/// A list of numbers and ranges, as the kernel reads it (cpuset(7), "List format").
pub(super) fn is_list(text: &str) -> bool {
    ranges(text).is_some()
}

/// The list's ranges, first and last included; nothing where it is no list.
pub(super) fn ranges(text: &str) -> Option<Vec<(u32, u32)>> {
    // Neither signs nor the spaces of Unicode, which Rust would take.
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let number = |text: &str| is_number(text).then(|| text.parse::<u32>().ok())?;
    let part = |part: &str| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let range = (number(first)?, number(last)?);
        (range.0 <= range.1).then_some(range)
    };
    text.split(',')
        .map(|text| part(text.trim_ascii()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{is_list, ranges};

    #[test]
    fn a_list_has_numbers_and_ranges_that_go_up() {
        for list in ["0", "0-3,7", "5-5", " 1, 2 "] {
            assert!(is_list(list), "{list:?}");
        }
        for text in [
            "",
            "a",
            "3-1",
            "1,,2",
            "-1",
            "0-",
            "1;2",
            "0-1-2",
            "+1-",
            "1.5",
            "+1",
            "0-+3",
            "\u{3000}1",
            "4294967296",
        ] {
            assert!(!is_list(text), "{text:?}");
        }
        assert_eq!(ranges("0-3, 7"), Some(vec![(0, 3), (7, 7)]));
    }
}
