//! One line of TAP, read without its neighbours: a version, a plan, a test,
//! a comment, a bail-out, the edges of a diagnostic block, or other text.
//!
//! TAP 12 and 13 are read as their specification says, TAP 14 as far as it
//! only adds to them. What the lines mean together is decided in `tap`.

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Line {
    Version(u64),
    Plan(Plan),
    Test(Test),
    BailOut(String),
    Comment(String),
    /// `---`, and how far it is indented.
    BlockBegins(usize),
    /// `...`, and how far it is indented.
    BlockEnds(usize),
    /// Text that is indented, such as a subtest.
    Indented(String),
    /// Not TAP; programs print what they like.
    Other(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) count: u64,
    /// `1..0 # SKIP reason`.
    pub(crate) skip: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Test {
    pub(crate) ok: bool,
    pub(crate) number: Option<u64>,
    pub(crate) description: String,
    pub(crate) directive: Directive,
}

/// What follows the description, with its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Directive {
    None,
    Skip(String),
    Todo(String),
}

impl Line {
    pub(crate) fn read(raw: &str) -> Self {
        let line = raw.trim_end();
        let text = line.trim_start();
        let indent = line.len() - text.len();
        match text {
            "---" if indent > 0 => return Self::BlockBegins(indent),
            "..." if indent > 0 => return Self::BlockEnds(indent),
            _ if indent > 0 => return Self::Indented(text.to_owned()),
            _ => {}
        }
        version(line)
            .or_else(|| plan(line))
            .or_else(|| test(line))
            .or_else(|| bail_out(line))
            .or_else(|| line.strip_prefix('#').map(|comment| Self::Comment(comment.trim().to_owned())))
            .unwrap_or_else(|| Self::Other(line.to_owned()))
    }
}

fn version(line: &str) -> Option<Line> {
    let number = line.strip_prefix("TAP version ")?;
    number.trim().parse().ok().map(Line::Version)
}

fn plan(line: &str) -> Option<Line> {
    let (count, rest) = leading_number(line.strip_prefix("1..")?)?;
    let rest = rest.trim_start();
    if rest.is_empty() {
        return Some(Line::Plan(Plan { count, skip: None }));
    }
    let comment = rest.strip_prefix('#')?;
    let skip = match directive_in(comment) {
        Some(Directive::Skip(reason)) => Some(reason),
        _ => None,
    };
    Some(Line::Plan(Plan { count, skip }))
}

fn test(line: &str) -> Option<Line> {
    let ok = !line.starts_with("not ok");
    let rest = line.strip_prefix(if ok { "ok" } else { "not ok" })?;
    if rest.starts_with(|c: char| c.is_alphanumeric() || c == '_') {
        return None; // "okay" is a word of its own
    }
    let (number, rest) = match leading_number(rest.trim_start()) {
        Some((number, after)) if after.is_empty() || after.starts_with([' ', '\t', '#']) => (Some(number), after),
        _ => (None, rest),
    };
    let (description, directive) = split_directive(rest);
    let description = description.trim();
    let description = description.strip_prefix("- ").unwrap_or(description.strip_prefix('-').unwrap_or(description));
    Some(Line::Test(Test { ok, number, description: unescaped(description.trim()), directive }))
}

fn bail_out(line: &str) -> Option<Line> {
    const WORDS: &str = "Bail out!";
    let (words, reason) = (line.get(..WORDS.len())?, line.get(WORDS.len()..)?);
    words.eq_ignore_ascii_case(WORDS).then(|| Line::BailOut(reason.trim().to_owned()))
}

fn leading_number(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    Some((digits.parse().ok()?, rest))
}

/// A `#` begins a directive only where one follows: descriptions have hashes of their own.
fn split_directive(text: &str) -> (&str, Directive) {
    let unescaped = |at: &usize| text[..*at].chars().rev().take_while(|c| *c == '\\').count() % 2 == 0;
    for at in text.match_indices('#').map(|(at, _)| at).filter(unescaped) {
        if let Some(directive) = directive_in(&text[at + 1..]) {
            return (&text[..at], directive);
        }
    }
    (text, Directive::None)
}

/// `SKIP reason`, `Skipped: reason`, `todo reason`.
fn directive_in(comment: &str) -> Option<Directive> {
    let comment = comment.trim();
    let (word, reason) = comment.split_once(char::is_whitespace).unwrap_or((comment, ""));
    let reason = unescaped(reason.trim());
    let word = word.to_ascii_lowercase();
    if word.starts_with("skip") {
        return Some(Directive::Skip(reason));
    }
    let after = word.strip_prefix("todo")?;
    (!after.starts_with(|c: char| c.is_alphanumeric() || c == '_')).then_some(Directive::Todo(reason))
}

fn unescaped(text: &str) -> String {
    text.replace("\\#", "#").replace("\\\\", "\\")
}

#[cfg(test)]
mod tests {
    use super::{Directive, Line, Plan, Test};

    fn test(ok: bool, number: Option<u64>, description: &str, directive: Directive) -> Line {
        Line::Test(Test { ok, number, description: description.to_owned(), directive })
    }

    fn plan(count: u64, skip: Option<&str>) -> Line {
        Line::Plan(Plan { count, skip: skip.map(str::to_owned) })
    }

    #[test]
    fn a_test_line_has_a_verdict_a_number_and_a_description() {
        use Directive::None as Plain;
        let table = [
            ("ok 1 - root filesystem", test(true, Some(1), "root filesystem", Plain)),
            ("not ok 12 - hostname", test(false, Some(12), "hostname", Plain)),
            ("ok 2 without a dash", test(true, Some(2), "without a dash", Plain)),
            ("ok - no number", test(true, None, "no number", Plain)),
            ("ok", test(true, None, "", Plain)),
            ("not ok", test(false, None, "", Plain)),
            ("not ok 3", test(false, Some(3), "", Plain)),
            ("ok 4 - \r", test(true, Some(4), "", Plain)),
            ("ok 5 - issue #12 is mended", test(true, Some(5), "issue #12 is mended", Plain)),
            ("ok 2nd thing", test(true, None, "2nd thing", Plain)),
            ("ok 6 - --pid-file works", test(true, Some(6), "--pid-file works", Plain)),
        ];
        for (text, line) in table {
            assert_eq!(Line::read(text), line, "{text}");
        }
    }

    #[test]
    fn a_directive_follows_an_unescaped_hash() {
        let skip = |reason: &str| Directive::Skip(reason.to_owned());
        let todo = |reason: &str| Directive::Todo(reason.to_owned());
        let table = [
            ("ok 1 # SKIP no cgroup v1", test(true, Some(1), "", skip("no cgroup v1"))),
            ("ok 1 - a # skip", test(true, Some(1), "a", skip(""))),
            ("ok 1 - a #SKIPPED: b", test(true, Some(1), "a", skip("b"))),
            ("not ok 2 # TODO later", test(false, Some(2), "", todo("later"))),
            ("not ok 2 - a # todo: b", test(false, Some(2), "a", todo("b"))),
            ("ok 3 - rows # 4 # SKIP c", test(true, Some(3), "rows # 4", skip("c"))),
            ("ok 4 - a \\# SKIP b", test(true, Some(4), "a # SKIP b", Directive::None)),
            ("ok 5 - a # todos", test(true, Some(5), "a # todos", Directive::None)),
        ];
        for (text, line) in table {
            assert_eq!(Line::read(text), line, "{text}");
        }
    }

    #[test]
    fn the_other_lines_are_told_apart() {
        let table = [
            ("TAP version 13", Line::Version(13)),
            ("1..4", plan(4, None)),
            ("1..0 # Skipped: no root", plan(0, Some("no root"))),
            ("1..0 # SKIP", plan(0, Some(""))),
            ("1..4 # four", plan(4, None)),
            ("Bail out! no disk", Line::BailOut("no disk".to_owned())),
            ("bail out!", Line::BailOut(String::new())),
            ("# a comment", Line::Comment("a comment".to_owned())),
            ("  ---", Line::BlockBegins(2)),
            ("  ...", Line::BlockEnds(2)),
            ("    ok 1 - inner", Line::Indented("ok 1 - inner".to_owned())),
            ("okay then", Line::Other("okay then".to_owned())),
            ("1..x", Line::Other("1..x".to_owned())),
            ("1..4 tests", Line::Other("1..4 tests".to_owned())),
            ("<nil>", Line::Other("<nil>".to_owned())),
            ("---", Line::Other("---".to_owned())),
            ("", Line::Other(String::new())),
        ];
        for (text, line) in table {
            assert_eq!(Line::read(text), line, "{text}");
        }
    }
}
