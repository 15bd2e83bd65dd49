//! Text that stays one line, whatever names a bundle or a caller chose.

/// The same text with every control character written as an escape.
pub(crate) fn of(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() || is_line_end(character) {
            line.extend(character.escape_default());
        } else {
            line.push(character);
        }
    }
    line
}

/// The same for what callers and file systems name, where bytes need not be text.
pub(crate) fn of_bytes(bytes: &[u8]) -> String {
    let mut line = String::new();
    for chunk in bytes.utf8_chunks() {
        line.push_str(&of(chunk.valid()));
        for byte in chunk.invalid() {
            line.push_str(&format!("\\x{byte:02x}"));
        }
    }
    line
}

/// Separators that are no control characters, but end a line for some readers.
fn is_line_end(character: char) -> bool {
    matches!(character, '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    #[test]
    fn bytes_that_are_no_text_become_escapes() {
        let table: [(&[u8], &str); 3] = [
            (b"plain", "plain"),
            (b"a\xffb\xfe", "a\\xffb\\xfe"),
            (b"\xc3\n", "\\xc3\\n"),
        ];
        for (bytes, line) in table {
            assert_eq!(super::of_bytes(bytes), line);
        }
    }

    #[test]
    fn control_characters_become_escapes() {
        let table = [
            ("plain é \"x\" \\", "plain é \"x\" \\"),
            ("a\nb\r\n", "a\\nb\\r\\n"),
            ("\x1b[31mred\0", "\\u{1b}[31mred\\u{0}"),
            ("a\u{2028}b", "a\\u{2028}b"),
            ("tab\there", "tab\\there"),
        ];
        for (text, line) in table {
            assert_eq!(super::of(text), line);
        }
    }
}
