//! Lists of CPUs, or of memory nodes.

/// A list of numbers and ranges, as the kernel reads it (cpuset(7), "List format").
pub(super) fn is_list(text: &str) -> bool {
    let number = |text: &str| text.parse::<u32>().ok();
    let part = |part: &str| match part.split_once('-') {
        Some((first, last)) => {
            matches!((number(first), number(last)), (Some(a), Some(b)) if a <= b)
        }
        None => number(part).is_some(),
    };
    text.trim().split(',').all(|text| part(text.trim()))
}

#[cfg(test)]
mod tests {
    use super::is_list;

    #[test]
    fn a_list_has_numbers_and_ranges_that_go_up() {
        for list in ["0", "0-3,7", "5-5", " 1, 2 "] {
            assert!(is_list(list), "{list:?}");
        }
        for text in [
            "", "a", "3-1", "1,,2", "-1", "0-", "1;2", "0-1-2", "+1-", "1.5",
        ] {
            assert!(!is_list(text), "{text:?}");
        }
    }
}
