//! A whole output as TAP: its tests in order, and what is wrong with the
//! document itself, such as a plan that does not hold.
//!
//! Only lines that are not indented count. An indented block between `---`
//! and `...` belongs to the test before it, an indented `not ok` (a subtest)
//! to the test that follows; both are kept as notes for the reader.

use crate::line::{Line, Plan, Test};

/// A test with the notes that explain it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Point {
    pub(crate) test: Test,
    pub(crate) notes: Vec<String>,
}

#[derive(Debug, Default)]
pub(crate) struct Document {
    pub(crate) points: Vec<Point>,
    /// The whole program was skipped, with the reason.
    pub(crate) skipped: Option<String>,
    /// Why the points alone cannot be believed.
    pub(crate) problems: Vec<String>,
}

impl Document {
    pub(crate) fn read(text: &str) -> Self {
        let mut reader = Reader::default();
        for line in text.lines() {
            reader.take(line);
            if reader.bailed.is_some() {
                break; // nothing after it may be believed
            }
        }
        reader.conclude()
    }
}

#[derive(Debug, Default)]
struct Reader {
    points: Vec<Point>,
    /// Each plan, with the number of points that stood before it.
    plans: Vec<(Plan, usize)>,
    /// The indentation of the diagnostic block that is open.
    block: Option<usize>,
    /// Notes for the point that is yet to come.
    pending: Vec<String>,
    bailed: Option<String>,
    old_version: Option<u64>,
}

impl Reader {
    fn take(&mut self, raw: &str) {
        let line = Line::read(raw);
        if self.inside_block(raw, &line) {
            return;
        }
        match line {
            Line::Version(number) if number < 13 => self.old_version = Some(number),
            Line::Plan(plan) => self.plans.push((plan, self.points.len())),
            Line::Test(test) => {
                let notes = std::mem::take(&mut self.pending);
                self.points.push(Point { test, notes });
            }
            Line::BailOut(reason) => self.bailed = Some(reason),
            Line::BlockBegins(indent) => self.block = Some(indent),
            Line::Comment(text) => self.note(text),
            Line::Indented(text) if text.starts_with("not ok") => self.pending.push(text),
            Line::Version(_) | Line::Indented(_) | Line::BlockEnds(_) | Line::Other(_) => {}
        }
    }

    /// True if the line belongs to the open block. One that is indented less ends it: the
    /// program died while it wrote, or forgot the end.
    fn inside_block(&mut self, raw: &str, line: &Line) -> bool {
        let Some(indent) = self.block else { return false };
        let own = raw.len() - raw.trim_start().len();
        if *line == Line::BlockEnds(indent) {
            self.block = None;
        } else if own >= indent || raw.trim().is_empty() {
            self.note(raw.get(indent..).unwrap_or_default().trim_end().to_owned());
        } else {
            self.block = None;
            return false;
        }
        true
    }

    fn note(&mut self, text: String) {
        if let Some(point) = self.points.last_mut() {
            point.notes.push(text);
        }
    }

    fn conclude(self) -> Document {
        let mut problems = Vec::new();
        problems.extend(self.old_version.map(|number| format!("TAP version {number} cannot be asked for")));
        match &self.bailed {
            Some(reason) => problems.push(format!("bailed out: {reason}").trim_end_matches([':', ' ']).to_owned()),
            None => problems.extend(self.wrong_plan()),
        }
        problems.extend(self.wrong_number());
        let skipped = match &self.plans[..] {
            [(Plan { count: 0, skip }, _)] if self.points.is_empty() => Some(skip.clone().unwrap_or_default()),
            _ => None,
        };
        Document { points: self.points, skipped, problems }
    }

    fn wrong_plan(&self) -> Option<String> {
        let came = self.points.len();
        match &self.plans[..] {
            [] if came == 0 => Some("output without TAP".to_owned()),
            [] => Some(format!("no plan: {came} tests came")),
            [_, (second, _), ..] => Some(format!("a second plan, 1..{}", second.count)),
            [(plan, _)] if usize::try_from(plan.count) != Ok(came) => {
                Some(format!("the plan says {}, {came} came", plan.count))
            }
            [(_, before)] if *before != 0 && *before != came => Some("the plan stands between the tests".to_owned()),
            [_] => None,
        }
    }

    /// Tests that are numbered count up from one.
    fn wrong_number(&self) -> Option<String> {
        let due = 1..;
        let mut numbered = due.zip(&self.points).filter_map(|(due, point)| Some((due, point.test.number?)));
        numbered
            .find(|(due, number)| due != number)
            .map(|(due, number)| format!("test {number} came where {due} was due"))
    }
}

#[cfg(test)]
mod tests {
    use super::Document;
    use crate::line::Directive;

    /// How many tests came, how many of them are `not ok`, and what is wrong with the document.
    fn told(text: &str) -> (usize, usize, Vec<String>) {
        let document = Document::read(text);
        let failed = document.points.iter().filter(|point| !point.test.ok).count();
        (document.points.len(), failed, document.problems)
    }

    #[test]
    fn a_document_without_fault_has_one_plan_that_holds() {
        let table = [
            ("1..2\nok 1\nnot ok 2\n", (2, 1)),
            ("TAP version 13\nok 1 - a\nok 2 - b\n1..2\n", (2, 0)),
            ("TAP version 13\r\nok 1 - a\r\n1..1\r\n", (1, 0)),
            ("1..2\nok\nok\n", (2, 0)),
            ("TAP version 13\n1..1\n<nil>\nok 1\nsomething else\n", (1, 0)),
            ("pragma +strict\nTAP version 14\n1..1\nok 1\n", (1, 0)),
            ("1..1\nok 1 - last line without its end", (1, 0)),
            ("1..0 # SKIP not here\n", (0, 0)),
        ];
        for (text, (count, failed)) in table {
            assert_eq!(told(text), (count, failed, vec![]), "{text}");
        }
    }

    #[test]
    fn a_document_at_fault_says_why() {
        let table = [
            ("", "output without TAP"),
            ("hello\n", "output without TAP"),
            ("TAP version 13\n", "output without TAP"),
            ("ok 1\n", "no plan: 1 tests came"),
            ("1..3\nok 1\nok 2\n", "the plan says 3, 2 came"),
            ("1..1\nok 1\nok 2\n", "the plan says 1, 2 came"),
            ("ok 1\n1..0\n", "the plan says 0, 1 came"),
            ("1..1\nok 1\n1..1\n", "a second plan, 1..1"),
            ("ok 1\n1..2\nok 2\n", "the plan stands between the tests"),
            ("1..2\nok 1\nok 3\n", "test 3 came where 2 was due"),
            ("1..2\nok 1\nok 1\n", "test 1 came where 2 was due"),
            ("TAP version 12\n1..1\nok 1\n", "TAP version 12 cannot be asked for"),
        ];
        for (text, problem) in table {
            assert_eq!(told(text).2, [problem], "{text}");
        }
    }

    #[test]
    fn nothing_counts_after_a_bail_out() {
        assert_eq!(told("1..3\nok 1\nBail out! no disk\nok 2\n"), (1, 0, vec!["bailed out: no disk".to_owned()]));
        assert_eq!(told("Bail out!\n").2, ["bailed out"]);
    }

    #[test]
    fn a_skipped_program_says_so_by_its_plan() {
        let skipped = |text: &str| Document::read(text).skipped;
        assert_eq!(skipped("1..0 # Skipped: no cgroups\n").as_deref(), Some("no cgroups"));
        assert_eq!(skipped("TAP version 13\n1..0\n").as_deref(), Some(""));
        assert_eq!(skipped("1..1\nok 1 # SKIP\n"), None);
    }

    #[test]
    fn what_is_indented_does_not_count() {
        let block = "TAP version 13\nnot ok 1 - a\n  ---\n  {\n    \"error\": \"not ok 2\"\n  }\n\n  ...\nok 2\n1..2\n";
        assert_eq!(told(block), (2, 1, vec![]));
        let literal = "ok 1\n  ---\n  stdout: |\n    1..9\n    not ok 7\n    ...\n  ...\n1..1\n";
        assert_eq!(told(literal), (1, 0, vec![]));
        let subtest = "1..1\n    1..2\n    ok 1\n    not ok 2 - inner\nnot ok 1 - outer\n";
        assert_eq!(told(subtest), (1, 1, vec![]));
        let before_any_test = "TAP version 13\n  ---\n  {}\n  ...\nok 1\n1..1\n";
        assert_eq!(told(before_any_test), (1, 0, vec![]));
    }

    #[test]
    fn a_block_without_an_end_hides_no_test() {
        assert_eq!(told("1..2\nok 1\n  ---\n  error: x\nnot ok 2\n"), (2, 1, vec![]));
    }

    #[test]
    fn notes_go_to_the_test_they_explain() {
        let text = "1..2\nnot ok 1 - a\n# why\n  ---\n  error: x\n  ...\n    not ok 1 - inner\nnot ok 2 - b # TODO c\n";
        let points = Document::read(text).points;
        assert_eq!(points[0].notes, ["why", "error: x"]);
        assert_eq!(points[1].notes, ["not ok 1 - inner"]);
        assert_eq!(points[1].test.directive, Directive::Todo("c".to_owned()));
    }
}
