//! The result file of nextest, read as a stream. Strict: what it does not understand is a fault, never a pass.

use portcullis::{
    Fault,
    wire::code::{INPUT_TOO_LARGE, RESULT_INCOMPLETE},
};
use quick_xml::{
    Reader, XmlVersion,
    events::{BytesRef, BytesStart, Event},
};
use std::io::BufRead;

/// A result file is never larger; test output is what makes it large.
pub(crate) const BYTES_MAX: u64 = 1024 * 1024 * 1024;
const CASES_MAX: usize = 1_000_000;
const DEPTH_MAX: usize = 16;
/// What is kept of the output of one attempt.
const KEPT: usize = 8 * 1024;

/// A result file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Report {
    /// Its name: the id of the run it was written for.
    pub name: String,
    /// The cases.
    pub cases: Vec<Case>,
}

/// One test.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Case {
    /// The test binary.
    pub suite: String,
    /// The test.
    pub test: String,
    /// Every attempt in order; the last one decides.
    pub attempts: Vec<Attempt>,
}

/// One attempt of one test.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Attempt {
    /// What is wrong with it; nothing for a pass.
    pub fault: Option<Said>,
    /// Wall time.
    pub duration_ms: u64,
    /// The end of its standard output.
    pub stdout: String,
    /// The end of its standard error.
    pub stderr: String,
}

/// How nextest words a failure.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Said {
    /// The kind of end: `test failure with exit code 101`, `test timeout`, `test abort`, ...
    pub kind: String,
    /// One line.
    pub message: String,
    /// The panic or error, as far as it was recognised.
    pub text: String,
}

/// Reads a result file.
///
/// # Errors
/// `result_incomplete` for a file that is cut short or not of the known form, `input_too_large`.
pub(crate) fn read(source: impl BufRead) -> Result<Report, Fault> {
    let mut reader = Reader::from_reader(source.take(BYTES_MAX));
    reader.config_mut().check_end_names = true;
    let mut parser = Parser::default();
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        match reader.read_event_into(&mut buffer).map_err(|source| broken(&source.to_string()))? {
            Event::Start(start) => parser.open(&start)?,
            Event::Empty(start) => {
                parser.open(&start)?;
                parser.close()?;
            }
            Event::End(_) => parser.close()?,
            Event::Text(text) => {
                parser.text(&text);
            }
            Event::CData(text) => {
                parser.text(&text);
            }
            Event::GeneralRef(reference) => parser.text(&resolved(&reference)?),
            Event::Decl(_) | Event::Comment(_) => {}
            Event::DocType(_) | Event::PI(_) => {
                return Err(broken("a document type or an instruction"));
            }
            Event::Eof => return parser.finish(),
        }
    }
}

/// The five entities of XML and characters by number; nothing else is resolved.
fn resolved(reference: &BytesRef<'_>) -> Result<String, Fault> {
    if let Some(c) = reference.resolve_char_ref().map_err(|source| broken(&source.to_string()))? {
        return Ok(c.to_string());
    }
    let name: &str = reference;
    quick_xml::escape::resolve_xml_entity(name)
        .map(str::to_owned)
        .ok_or_else(|| broken(&format!("the entity `{}`", name.escape_debug())))
}

fn broken(found: &str) -> Fault {
    let remedy = "run again; a result file that is cut short or foreign proves nothing";
    Fault::new(RESULT_INCOMPLETE, "the result file of nextest cannot be read", remedy).found(found)
}

#[derive(Default)]
struct Parser {
    open: Vec<Element>,
    seen_root: bool,
    declared: Option<u64>,
    report: Report,
    suite: String,
    case: Option<Case>,
    /// The attempt that ended the case, filled while its elements are read.
    last: Attempt,
    /// An attempt before the last one, while its element is open.
    earlier: Option<Attempt>,
    /// Attempts that were read before the one that stands directly in the case.
    reruns: Vec<Attempt>,
    text: String,
    /// Whether the text of the open attempt is over: what follows its streams is blank space.
    over: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Element {
    Suites,
    Suite,
    Case,
    Failure,
    Earlier,
    Out,
    Err,
    Other,
}

impl Parser {
    fn open(&mut self, start: &BytesStart<'_>) -> Result<(), Fault> {
        if self.open.len() >= DEPTH_MAX {
            return Err(broken("elements nested too deep"));
        }
        self.text.clear();
        let local = start.local_name();
        let element = match (local.as_ref(), self.open.last()) {
            ("testsuites", None) if !self.seen_root => {
                self.seen_root = true;
                self.report.name = required(start, "name")?;
                let tests = required(start, "tests")?;
                self.declared =
                    Some(tests.parse().map_err(|_source| broken("a count that is no number"))?);
                Element::Suites
            }
            ("testsuite", Some(Element::Suites)) => {
                self.suite = required(start, "name")?;
                Element::Suite
            }
            ("testcase", Some(Element::Suite)) => {
                if self.report.cases.len() >= CASES_MAX {
                    let headline = "the result file has too many cases";
                    return Err(Fault::new(INPUT_TOO_LARGE, headline, "split the run into shards"));
                }
                self.case = Some(Case {
                    suite: self.suite.clone(),
                    test: required(start, "name")?,
                    attempts: Vec::new(),
                });
                self.last = Attempt {
                    duration_ms: millis(attribute(start, "time")?),
                    ..Attempt::default()
                };
                self.reruns.clear();
                Element::Case
            }
            ("failure" | "error", Some(Element::Case)) => {
                self.last.fault = Some(said(start)?);
                Element::Failure
            }
            // A test that is known as skipped was not run, and so is no result at all.
            ("skipped", Some(Element::Case)) => return Err(broken("a skipped case")),
            (
                "flakyFailure" | "flakyError" | "rerunFailure" | "rerunError",
                Some(Element::Case),
            ) => {
                self.over = false;
                self.earlier = Some(Attempt {
                    fault: Some(said(start)?),
                    duration_ms: millis(attribute(start, "time")?),
                    ..Attempt::default()
                });
                Element::Earlier
            }
            ("system-out", Some(Element::Case | Element::Earlier)) => {
                self.end_of_text();
                Element::Out
            }
            ("system-err", Some(Element::Case | Element::Earlier)) => {
                self.end_of_text();
                Element::Err
            }
            ("properties" | "property" | "stackTrace", Some(_)) => Element::Other,
            (other, _) => {
                let name = other.escape_debug();
                return Err(broken(&format!("the element `{name}` where none is known")));
            }
        };
        self.open.push(element);
        Ok(())
    }

    /// The text of a failure stands before the streams of the same attempt.
    fn end_of_text(&mut self) {
        self.over = true;
        self.text.clear();
    }

    fn text(&mut self, text: &str) {
        match self.open.last() {
            Some(Element::Out | Element::Err | Element::Failure | Element::Earlier) => {
                self.text.push_str(text);
                if self.text.len() > 4 * KEPT {
                    // The beginning of a panic and the end of a stream are what people and digests need.
                    match self.open.last() {
                        Some(Element::Failure | Element::Earlier) => cut_end(&mut self.text),
                        Some(_) | None => cut_start(&mut self.text),
                    }
                }
                if self.open.last() == Some(&Element::Earlier)
                    && !self.over
                    && let Some(said) = self.earlier.as_mut().and_then(|a| a.fault.as_mut())
                {
                    said.text.clone_from(&self.text);
                }
            }
            Some(Element::Suites | Element::Suite | Element::Case | Element::Other) | None => {}
        }
    }

    fn close(&mut self) -> Result<(), Fault> {
        let Some(element) = self.open.pop() else { return Err(broken("an end without a start")) };
        let mut text = std::mem::take(&mut self.text);
        match element {
            Element::Out | Element::Err => {
                cut_start(&mut text);
                let attempt = self.earlier.as_mut().unwrap_or(&mut self.last);
                if element == Element::Out { attempt.stdout = text } else { attempt.stderr = text }
            }
            Element::Failure => {
                cut_end(&mut text);
                if let Some(said) = &mut self.last.fault {
                    said.text = text;
                }
            }
            Element::Earlier => self.reruns.extend(self.earlier.take()),
            Element::Case => {
                let Some(mut case) = self.case.take() else { return Err(broken("no case")) };
                let last = std::mem::take(&mut self.last);
                let reruns = std::mem::take(&mut self.reruns);
                // `rerunFailure` lists what came after the first failure, `flakyFailure` what came before the pass.
                if last.fault.is_some() {
                    case.attempts.push(last);
                    case.attempts.extend(reruns);
                } else {
                    case.attempts.extend(reruns);
                    case.attempts.push(last);
                }
                self.report.cases.push(case);
            }
            Element::Suites | Element::Suite | Element::Other => {}
        }
        Ok(())
    }

    fn finish(self) -> Result<Report, Fault> {
        if !self.seen_root || !self.open.is_empty() {
            return Err(broken("the end of the file in the middle of the document"));
        }
        let found = self.report.cases.len() as u64;
        if self.declared != Some(found) {
            let declared = self.declared.unwrap_or_default();
            return Err(broken(&format!("{found} cases, and a header that counts {declared}")));
        }
        Ok(self.report)
    }
}

/// The value of an attribute, where there is one.
fn attribute(start: &BytesStart<'_>, name: &str) -> Result<Option<String>, Fault> {
    let found = start.try_get_attribute(name).map_err(|source| broken(&source.to_string()))?;
    let text = found.map(|found| {
        found.normalized_value(XmlVersion::Implicit1_0).map(std::borrow::Cow::into_owned)
    });
    text.transpose().map_err(|source| broken(&source.to_string()))
}

fn required(start: &BytesStart<'_>, name: &str) -> Result<String, Fault> {
    attribute(start, name)?.ok_or_else(|| broken(&format!("an element without `{name}`")))
}

/// How a failure is worded, before its text.
fn said(start: &BytesStart<'_>) -> Result<Said, Fault> {
    Ok(Said {
        kind: required(start, "type")?,
        message: attribute(start, "message")?.unwrap_or_default(),
        text: String::new(),
    })
}

fn millis(seconds: Option<String>) -> u64 {
    // `1.234` has three digits after the point; whatever else it is, a duration decides nothing.
    let text = seconds.unwrap_or_default();
    let (whole, part) = text.split_once('.').unwrap_or((&text, "0"));
    let part: String = format!("{part:0<3}").chars().take(3).collect();
    let whole: u64 = whole.parse().unwrap_or(0);
    whole.saturating_mul(1_000).saturating_add(part.parse().unwrap_or(0))
}

fn cut_end(text: &mut String) {
    if text.len() > KEPT {
        let at = (0..=KEPT).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(at);
    }
}

fn cut_start(text: &mut String) {
    let excess = text.len().saturating_sub(KEPT);
    if excess > 0 {
        let at = (excess..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
        text.drain(..at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="run-1" tests="4" skipped="0" failures="2" errors="1" uuid="u" timestamp="t" time="2.3">
  <testsuite name="demo::api" tests="4">
    <testcase name="a::passes" classname="demo::api" time="0.020"><system-out>test result: ok. 1 passed</system-out><system-err></system-err></testcase>
    <testcase name="hangs" time="2.002"><failure type="test timeout"/><system-out>x</system-out></testcase>
    <testcase name="flickers" time="0.008">
      <flakyFailure time="0.133" message="it&apos;s late" type="test failure with exit code 101">panicked &lt;here&gt;&#10;next<system-out>first</system-out>
      </flakyFailure>
      <system-out>second</system-out>
    </testcase>
    <testcase name="leaks" time="1.5"><error type="leaked"/><rerunFailure time="0.1" type="again"/></testcase>
  </testsuite>
</testsuites>
"#;

    #[test]
    fn every_end_is_read() {
        let report = read(WHOLE.as_bytes()).expect("a report");
        assert_eq!((report.name.as_str(), report.cases.len()), ("run-1", 4));
        let kinds: Vec<Vec<Option<&str>>> = report
            .cases
            .iter()
            .map(|case| {
                let attempts = case.attempts.iter();
                attempts.map(|a| a.fault.as_ref().map(|said| said.kind.as_str())).collect()
            })
            .collect();
        let expected: Vec<Vec<Option<&str>>> = vec![
            vec![None],
            vec![Some("test timeout")],
            vec![Some("test failure with exit code 101"), None],
            vec![Some("leaked"), Some("again")],
        ];
        assert_eq!(kinds, expected);
        let flickers = &report.cases[2].attempts;
        assert_eq!(
            flickers[0].fault.as_ref().map(|said| said.text.as_str()),
            Some("panicked <here>\nnext")
        );
        assert_eq!(flickers[0].fault.as_ref().map(|said| said.message.as_str()), Some("it's late"));
        assert_eq!((flickers[0].stdout.as_str(), flickers[1].stdout.as_str()), ("first", "second"));
        assert_eq!(
            (flickers[0].duration_ms, report.cases[3].attempts[0].duration_ms),
            (133, 1_500)
        );
        assert_eq!(report.cases[0].test, "a::passes");
    }

    #[test]
    fn fg32_every_prefix_of_a_result_file_is_refused() {
        for at in 0..WHOLE.trim_end().len() {
            assert!(read(&WHOLE.as_bytes()[..at]).is_err(), "the first {at} bytes");
        }
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        let table = [
            ("a document type", WHOLE.replace("<testsuites", "<!DOCTYPE x><testsuites")),
            ("an unknown entity", WHOLE.replace("&lt;", "&evil;")),
            ("a skipped case", WHOLE.replace("<failure type=\"test timeout\"/>", "<skipped/>")),
            ("an unknown element", WHOLE.replace("<failure type=\"test timeout\"/>", "<maybe/>")),
            (
                "a failure of no kind",
                WHOLE.replace("<failure type=\"test timeout\"/>", "<failure/>"),
            ),
            (
                "a header that counts more",
                WHOLE.replace("tests=\"4\" skipped", "tests=\"5\" skipped"),
            ),
            (
                "a second root",
                WHOLE.replace("</testsuites>", "</testsuites><testsuites name='x' tests='0'/>"),
            ),
            (
                "an end of another name",
                WHOLE.replace("</testsuite>\n</testsuites>", "</testsuites>\n</testsuite>"),
            ),
            ("no name", WHOLE.replace("name=\"run-1\" ", "")),
        ];
        for (case, text) in table {
            assert!(text != WHOLE && read(text.as_bytes()).is_err(), "{case}");
        }
    }

    #[test]
    fn long_output_is_cut_where_it_says_least() {
        let long = "é".repeat(40_000);
        let text = WHOLE
            .replace("<system-out>second", &format!("<system-out>{long}second"))
            .replace("panicked &lt;", &format!("panicked {long}&lt;"));
        let report = read(text.as_bytes()).expect("a report");
        let flickers = &report.cases[2].attempts;
        assert!(flickers[1].stdout.ends_with("second") && flickers[1].stdout.len() <= KEPT);
        let said = flickers[0].fault.as_ref().expect("a fault");
        assert!(said.text.starts_with("panicked é") && said.text.len() <= 5 * KEPT);
    }
}
