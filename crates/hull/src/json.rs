//! JSON for people: one member a line, as callers of the peers are used to see it.

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::PrettyFormatter;

/// The text of a value with that indent, ended by a line end.
pub(crate) fn lines(value: &impl Serialize, indent: &str) -> Result<String, serde_json::Error> {
    let mut text = Vec::with_capacity(1024);
    let form = PrettyFormatter::with_indent(indent.as_bytes());
    value.serialize(&mut Serializer::with_formatter(&mut text, form))?;
    text.push(b'\n');
    String::from_utf8(text).map_err(serde::ser::Error::custom)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_value_is_indented_as_asked() {
        let value = serde_json::json!({"a": [1], "b": {}});
        let expected = "{\n  \"a\": [\n    1\n  ],\n  \"b\": {}\n}\n";
        assert_eq!(super::lines(&value, "  ").unwrap(), expected);
    }
}
