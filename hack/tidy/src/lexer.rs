//! Separates a Rust file into code and comments, so that rules need no parser.
//!
//! Each view has the length and the lines of the file; what does not belong to it is blank.
//! Knows nested comments, raw strings, byte and C strings, and char literals beside lifetimes.

use crate::syntax;

#[derive(Debug)]
pub(crate) struct Views {
    /// Comments and the inside of literals are blank.
    pub(crate) code: String,
    /// `code` without the items under `#[cfg(test)]`.
    pub(crate) product: String,
    /// Everything but comments is blank.
    pub(crate) comments: String,
}

pub(crate) fn separate(text: &str) -> Views {
    let bytes = text.as_bytes();
    let mut code = vec![b' '; bytes.len()];
    let mut comments = code.clone();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let (length, kind) = token(rest, at > 0 && is_word(bytes[at - 1]));
        for offset in at..at + length {
            if bytes[offset] == b'\n' {
                code[offset] = b'\n';
                comments[offset] = b'\n';
            } else if kind == Kind::Comment {
                comments[offset] = ascii(bytes[offset]);
            } else if kind == Kind::Code || offset == at || offset + 1 == at + length {
                code[offset] = ascii(bytes[offset]);
            }
        }
        at += length;
    }
    let code = String::from_utf8(code).unwrap_or_default();
    let product = syntax::without_tests(&code);
    Views {
        code,
        product,
        comments: String::from_utf8(comments).unwrap_or_default(),
    }
}

#[derive(PartialEq, Eq)]
enum Kind {
    Code,
    Comment,
    Literal,
}

/// Length and kind of what begins here; `in_word` tells that the byte before is part of a word.
fn token(rest: &[u8], in_word: bool) -> (usize, Kind) {
    if rest.starts_with(b"//") {
        let length = rest
            .iter()
            .position(|&byte| byte == b'\n')
            .unwrap_or(rest.len());
        return (length, Kind::Comment);
    }
    if rest.starts_with(b"/*") {
        return (block_comment(rest), Kind::Comment);
    }
    if rest[0] == b'"' {
        return (quoted(rest, b'"'), Kind::Literal);
    }
    if rest[0] == b'\'' && is_char(rest) {
        return (quoted(rest, b'\''), Kind::Literal);
    }
    if !in_word && let Some(length) = raw_string(rest) {
        return (length, Kind::Literal);
    }
    (1, Kind::Code)
}

fn block_comment(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        match &rest[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at.min(rest.len())
}

fn quoted(rest: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != quote {
        at += if rest[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(rest.len())
}

/// A quote begins a char literal, not a lifetime, when an escape or one character and a quote follow.
fn is_char(rest: &[u8]) -> bool {
    let wide = rest.get(1).is_some_and(|byte| !byte.is_ascii());
    rest.get(1) == Some(&b'\\') || rest.get(2) == Some(&b'\'') || wide
}

fn raw_string(rest: &[u8]) -> Option<usize> {
    let prefix = rest
        .iter()
        .take_while(|byte| matches!(byte, b'r' | b'b' | b'c'))
        .count();
    if prefix == 0 || prefix > 2 || rest[prefix - 1] != b'r' {
        return None;
    }
    let hashes = rest[prefix..]
        .iter()
        .take_while(|&&byte| byte == b'#')
        .count();
    let open = prefix + hashes;
    if rest.get(open) != Some(&b'"') {
        return None;
    }
    let close: Vec<u8> = std::iter::once(b'"')
        .chain(std::iter::repeat_n(b'#', hashes))
        .collect();
    let body = &rest[open + 1..];
    let end = body.windows(close.len()).position(|window| window == close);
    Some(end.map_or(rest.len(), |end| open + 1 + end + close.len()))
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Views are cut at byte offsets, so a character of several bytes becomes several marks.
fn ascii(byte: u8) -> u8 {
    if byte.is_ascii() { byte } else { b'?' }
}

#[cfg(test)]
mod tests {
    use super::separate;

    #[test]
    fn code_and_comments_are_kept_apart() {
        let views = separate("let a = 1; // unsafe\n/* x /* y */ z */ fn b() {}\n");
        assert_eq!(
            views.code.trim_end(),
            "let a = 1;          \n                  fn b() {}"
        );
        assert!(views.comments.contains("// unsafe") && !views.comments.contains("fn"));
    }

    #[test]
    fn literals_are_blank_inside() {
        for literal in [
            r#""unsafe \" x""#,
            "r#\"unsafe \" x\"#",
            "b\"unsafe\"",
            "c\"unsafe\"",
        ] {
            let views = separate(&format!("f({literal}); g()"));
            assert!(!views.code.contains("unsafe"), "{literal}");
            assert!(views.code.ends_with("; g()"), "{literal}: {}", views.code);
        }
    }

    #[test]
    fn a_lifetime_is_no_char_literal() {
        let views = separate("fn f<'a>(x: &'a str) -> char { '\"' } // c\nfn g() { '\\'' }");
        assert!(
            views.code.contains("fn f<'a>(x: &'a str) -> char { ' ' }"),
            "{}",
            views.code
        );
        assert!(views.code.contains("fn g()"));
    }
}
