//! Results as JUnit has them: which test of which suite ended how. It does not judge them, and it trusts no skip.

use portcullis::{Fault, Location, RelPath, wire::code::INPUT_UNREADABLE};
use quick_xml::{
    Reader,
    events::{BytesStart, Event},
};

/// How deep a document may nest (`security.md`, section 4).
const DEPTH_MAX: usize = 64;

/// How a test ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    Passed,
    Failed,
    Skipped,
}

/// One test case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Case {
    pub(crate) suite: String,
    pub(crate) name: String,
    pub(crate) ended: Ended,
}

/// A document of results.
#[derive(Clone, Debug, Default)]
pub(crate) struct Junit {
    /// The run that nextest says it was.
    pub(crate) run_id: Option<String>,
    pub(crate) timestamp: Option<String>,
    pub(crate) cases: Vec<Case>,
}

/// Reads a document.
///
/// # Errors
/// `input_unreadable` when it is not well-formed, declares a document type, or is no JUnit.
pub(crate) fn parse(path: &RelPath, text: &str) -> Result<Junit, Fault> {
    let mut reader = Reader::from_str(text);
    let (mut junit, mut suite, mut open) = (Junit::default(), String::new(), Vec::new());
    let mut is_junit = false;
    loop {
        let at = usize::try_from(reader.buffer_position()).unwrap_or(0);
        let refused = |why: String| {
            Fault::new(
                INPUT_UNREADABLE,
                format!("`{path}` is not JUnit: {why}"),
                "run the tests again",
            )
            .at(Location::of_offset(path, text, at.min(text.len())))
        };
        let event = reader.read_event().map_err(|source| refused(source.to_string()))?;
        let (start, is_empty) = match &event {
            Event::Eof if !open.is_empty() => return Err(refused("it ends too early".to_owned())),
            Event::Eof if !is_junit => return Err(refused("it has no test suites".to_owned())),
            Event::Eof => return Ok(junit),
            Event::DocType(_) => return Err(refused("it declares a document type".to_owned())),
            Event::End(_) => {
                open.pop();
                continue;
            }
            Event::Start(start) => (start, false),
            Event::Empty(start) => (start, true),
            Event::Text(_)
            | Event::CData(_)
            | Event::Comment(_)
            | Event::Decl(_)
            | Event::PI(_)
            | Event::GeneralRef(_) => continue,
        };
        let name = start.name().as_ref().to_owned();
        let attribute = |key: &str| attribute(start, key).map_err(&refused);
        let parent = open.last().map(String::as_str);
        match (name.as_str(), parent) {
            ("testsuites", None) => {
                is_junit = true;
                junit.run_id = attribute("uuid")?;
                junit.timestamp = attribute("timestamp")?;
            }
            ("testsuite", None | Some("testsuites")) => {
                is_junit = true;
                suite = attribute("name")?.unwrap_or_default();
            }
            ("testcase", Some("testsuite")) => {
                let name =
                    attribute("name")?.ok_or_else(|| refused("a case has no name".to_owned()))?;
                junit.cases.push(Case { suite: suite.clone(), name, ended: Ended::Passed });
            }
            ("failure" | "error", Some("testcase")) => end(&mut junit, Ended::Failed),
            ("skipped", Some("testcase")) => end(&mut junit, Ended::Skipped),
            _ => {}
        }
        if !is_empty {
            open.push(name);
            if open.len() > DEPTH_MAX {
                return Err(refused(format!("it nests deeper than {DEPTH_MAX}")));
            }
        }
    }
}

/// A failure stands, whatever else is said of the case.
fn end(junit: &mut Junit, ended: Ended) {
    if let Some(case) = junit.cases.last_mut()
        && case.ended != Ended::Failed
    {
        case.ended = ended;
    }
}

fn attribute(start: &BytesStart<'_>, key: &str) -> Result<Option<String>, String> {
    let found = start.try_get_attribute(key).map_err(|source| source.to_string())?;
    found
        .map(|attribute| {
            quick_xml::escape::unescape(&attribute.value)
                .map(std::borrow::Cow::into_owned)
                .map_err(|source| source.to_string())
        })
        .transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Junit, Fault> {
        parse(&RelPath::parse("junit.xml").expect("a path"), text)
    }

    #[test]
    fn cases_end_as_the_document_says() {
        let text = "<?xml version=\"1.0\"?><testsuites uuid=\"u\" timestamp=\"t\"><testsuite name=\"a::b\">\
            <testcase name=\"ok\"/><testcase name=\"&lt;bad&gt;\"><failure>x</failure><skipped/></testcase>\
            <testcase name=\"skip\"><skipped/></testcase><testcase name=\"flaky\"><flakyFailure/></testcase>\
            </testsuite></testsuites>";
        let junit = read(text).expect("JUnit");
        assert_eq!(junit.run_id.as_deref(), Some("u"));
        let seen: Vec<(&str, Ended)> =
            junit.cases.iter().map(|case| (case.name.as_str(), case.ended)).collect();
        let expected = [
            ("ok", Ended::Passed),
            ("<bad>", Ended::Failed),
            ("skip", Ended::Skipped),
            ("flaky", Ended::Passed),
        ];
        assert_eq!(seen, expected);
        assert!(junit.cases.iter().all(|case| case.suite == "a::b"));
    }

    #[test]
    fn t12_what_is_no_junit_is_refused() {
        let deep = format!("<testsuites>{}", "<a>".repeat(100));
        let table: &[(&str, &str)] = &[
            ("nothing", ""),
            ("another document", "<html/>"),
            ("a torn one", "<testsuites><testsuite name=\"a\">"),
            ("a document type", "<!DOCTYPE x [<!ENTITY a \"b\">]><testsuites/>"),
            ("an unknown entity", "<testsuites><testsuite name=\"&x;\"/></testsuites>"),
            ("too deep", &deep),
        ];
        for (case, text) in table {
            assert_eq!(read(text).expect_err(case).code().name(), "input_unreadable", "{case}");
        }
    }
}
