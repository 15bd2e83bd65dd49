//! The little that the rules need to know of Rust: words, braces, functions, what is for tests.

/// Byte offsets at which `word` stands alone in `code`.
pub(crate) fn words<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    code.match_indices(word)
        .map(|(at, _)| at)
        .filter(move |&at| is_bounded(code, at, at + word.len()))
}

fn is_bounded(code: &str, start: usize, end: usize) -> bool {
    let part_of_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    !code[..start].ends_with(part_of_word) && !code[end..].starts_with(part_of_word)
}

/// The line, counted from one, of a byte offset.
pub(crate) fn line_of(text: &str, at: usize) -> usize {
    text.as_bytes()[..at]
        .iter()
        .filter(|&&byte| byte == b'\n')
        .count()
        + 1
}

/// The offset after the bracket that closes the one at `open`.
pub(crate) fn closing(code: &str, open: usize) -> usize {
    let mut depth = 0usize;
    for (at, byte) in code.bytes().enumerate().skip(open) {
        match byte {
            b'{' | b'(' | b'[' => depth += 1,
            b'}' | b')' | b']' => depth = depth.saturating_sub(1),
            _ => continue,
        }
        if depth == 0 {
            return at + 1;
        }
    }
    code.len()
}

/// Where the item that begins at `start` ends: after its block, or after its semicolon.
pub(crate) fn item_end(code: &str, start: usize) -> usize {
    let mut at = start;
    while let Some(byte) = code.as_bytes().get(at) {
        match byte {
            b';' => return at + 1,
            b'{' => return closing(code, at),
            b'(' | b'[' => at = closing(code, at),
            _ => at += 1,
        }
    }
    code.len()
}

/// The identifier that begins at or after `at`.
pub(crate) fn identifier(code: &str, at: usize) -> &str {
    let rest = code[at..].trim_start();
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    &rest[..end.unwrap_or(rest.len())]
}

/// One function: its name and the offsets of its first and after its last byte.
pub(crate) struct Function<'a> {
    pub(crate) name: &'a str,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// All functions that have a name and a body.
pub(crate) fn functions(code: &str) -> Vec<Function<'_>> {
    words(code, "fn")
        .filter_map(|start| {
            let name = identifier(code, start + 2);
            let end = item_end(code, start);
            let has_body = code[..end].ends_with('}');
            (!name.is_empty() && has_body).then_some(Function { name, start, end })
        })
        .collect()
}

/// `code` with the items under `#[cfg(test)]` blanked.
pub(crate) fn without_tests(code: &str) -> String {
    const MARK: &str = "#[cfg(test)]";
    let mut product = code.as_bytes().to_vec();
    for (start, _) in code.match_indices(MARK) {
        let mut item = start + MARK.len();
        // More attributes may stand between the mark and its item.
        while code[item..].trim_start().starts_with("#[") {
            item = closing(code, item + code[item..].find('[').unwrap_or(0));
        }
        for byte in &mut product[start..item_end(code, item)] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
    }
    String::from_utf8(product).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{functions, without_tests, words};

    #[test]
    fn a_word_is_not_found_inside_another() {
        assert_eq!(
            words("unsafe_code unsafe {} not_unsafe", "unsafe").collect::<Vec<_>>(),
            [12]
        );
    }

    #[test]
    fn functions_have_names_and_bodies() {
        let code = "trait T { fn a(); }\nfn b(x: [u8; 4]) -> fn(u8) {\n {}\n}\nconst fn c() {}";
        let names: Vec<_> = functions(code).iter().map(|f| f.name).collect();
        assert_eq!(names, ["b", "c"]);
    }

    #[test]
    fn test_modules_are_no_product() {
        let code = "fn a() {}\n#[cfg(test)]\n#[allow(x)]\nmod tests { fn b() {} }\nfn c() {}";
        let product = without_tests(code);
        assert!(product.contains("fn a") && product.contains("fn c") && !product.contains("fn b"));
        assert_eq!(product.lines().count(), code.lines().count());
    }
}
