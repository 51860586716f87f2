//! The JUnit report of cargo-nextest: one duration per test, in milliseconds. It feeds an advisory lane at most.

use super::{At, Out, VERSION};
use crate::{
    FaultCode, Summary, Unit,
    decimal::{Decimal, NoValue},
    json::Problem,
};
use quick_xml::{
    Reader, XmlVersion,
    events::{BytesStart, Event},
};

/// Seconds to nanoseconds.
const NS: i32 = 9;
const DEPTH_MAX: usize = 16;

/// Where the reader stands.
#[derive(Default)]
struct State {
    open: Vec<String>,
    has_root: bool,
    promised: u64,
    cases: u64,
    case: Option<Case>,
}

/// The case that is open.
struct Case {
    metric: String,
    time: String,
    has_failed: bool,
    is_skipped: bool,
}

pub(super) fn read(file: &str, text: &str, out: &mut Out<'_>) -> Result<(), Problem> {
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_end_names = true;
    let mut state = State::default();
    loop {
        let event = reader.read_event().map_err(|source| shape(file, &source.to_string()))?;
        match event {
            Event::Start(start) => state.open(file, &start)?,
            Event::Empty(start) => {
                state.open(file, &start)?;
                let read = state.close(file, out);
                out.note(read);
            }
            Event::End(_) => {
                let read = state.close(file, out);
                out.note(read);
            }
            Event::Text(text) if state.open.is_empty() && !text.trim().is_empty() => {
                return Err(shape(file, "text stands outside of the document"));
            }
            Event::DocType(_) | Event::PI(_) => {
                return Err(shape(file, "a document type or an instruction"));
            }
            Event::Text(_)
            | Event::CData(_)
            | Event::GeneralRef(_)
            | Event::Decl(_)
            | Event::Comment(_) => {}
            Event::Eof => return state.finish(file),
        }
    }
}

fn shape(file: &str, detail: &str) -> Problem {
    Problem::new(FaultCode::UnknownShape, file, "", detail)
}

impl State {
    fn open(&mut self, file: &str, start: &BytesStart<'_>) -> Result<(), Problem> {
        let name = start.local_name().as_ref().to_owned();
        if self.open.len() >= DEPTH_MAX {
            return Err(shape(file, "elements are nested too deep"));
        }
        let parent = self.open.last().map(String::as_str);
        match (name.as_str(), parent) {
            ("testsuites", None) if !self.has_root => {
                self.has_root = true;
                let promised = attribute(file, start, "tests")?;
                self.promised = promised
                    .parse()
                    .map_err(|source: std::num::ParseIntError| shape(file, &source.to_string()))?;
            }
            ("testsuite", Some("testsuites")) => {}
            ("testcase", Some("testsuite")) => {
                self.cases += 1;
                let class = attribute(file, start, "classname")?;
                let name = attribute(file, start, "name")?;
                self.case = Some(Case {
                    metric: format!("{class}::{name}"),
                    time: attribute(file, start, "time")?,
                    has_failed: false,
                    is_skipped: false,
                });
            }
            ("testcase" | "testsuite" | "testsuites", _) | (_, None) => {
                return Err(shape(file, &format!("`{name}` stands where it is not known")));
            }
            ("failure" | "error", Some("testcase")) => self.mark(|case| case.has_failed = true),
            ("skipped", Some("testcase")) => self.mark(|case| case.is_skipped = true),
            // Earlier attempts have times of their own, which are those of failures.
            (_, Some(_)) => {}
        }
        self.open.push(name);
        Ok(())
    }

    fn mark(&mut self, mark: impl FnOnce(&mut Case)) {
        if let Some(case) = &mut self.case {
            mark(case);
        }
    }

    fn close(&mut self, file: &str, out: &mut Out<'_>) -> Result<(), Problem> {
        let closed = self.open.pop();
        if closed.as_deref() != Some("testcase") {
            return Ok(());
        }
        let Some(case) = self.case.take() else { return Ok(()) };
        let metric = case.metric.as_str();
        let pointer = format!("testcase {}", self.cases);
        let refuse = |code: FaultCode, detail: &str| {
            Err(Problem::new(code, file, &pointer, detail).of(metric))
        };
        if case.has_failed {
            return refuse(FaultCode::RunFailed, "the test did not pass");
        }
        if case.is_skipped {
            return Ok(());
        }
        let detail = format!("`{}` is no positive time in seconds", case.time.escape_debug());
        let Some(time) = Decimal::parse(&case.time) else {
            if crate::json::is_not_finite(&case.time) {
                return refuse(FaultCode::ValueNotFinite, &detail);
            }
            return refuse(FaultCode::UnknownShape, &detail);
        };
        match time.shifted(NS) {
            Ok(value) => {
                let at = At { metric, unit: Unit::Ns, file, pointer: &pointer, version: VERSION };
                out.summary(&at, out.settings.arm, Summary::of(value));
                Ok(())
            }
            Err(NoValue::NotPositive) => refuse(FaultCode::ValueNotPositive, &detail),
            Err(NoValue::Overflow) => refuse(FaultCode::ValueOverflow, &detail),
        }
    }

    fn finish(self, file: &str) -> Result<(), Problem> {
        if !self.has_root || !self.open.is_empty() {
            return Err(shape(file, "the document is cut"));
        }
        if self.cases != self.promised {
            let detail = format!("{} test cases, {} are stated", self.cases, self.promised);
            return Err(shape(file, &detail));
        }
        Ok(())
    }
}

fn attribute(file: &str, start: &BytesStart<'_>, name: &str) -> Result<String, Problem> {
    let odd = |detail: String| shape(file, &detail);
    let mut found = None;
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|source| odd(source.to_string()))?;
        if attribute.key.as_ref() == name {
            let value = attribute
                .normalized_value(XmlVersion::Implicit1_0)
                .map_err(|source| odd(source.to_string()))?;
            found = Some(value.into_owned());
        }
    }
    found.ok_or_else(|| odd(format!("`{}` has no attribute `{name}`", start.local_name().as_ref())))
}
