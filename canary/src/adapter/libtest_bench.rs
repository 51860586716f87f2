//! `cargo bench` of the standard library's harness, as text or JSON lines. A suite without its closing line was cut.

use super::{At, Out, VERSION};
use crate::{
    FaultCode, Summary, Unit,
    decimal::Decimal,
    json::{Node, Object, Problem},
};

pub(super) fn read(file: &str, text: &str, out: &mut Out<'_>) -> Result<(), Problem> {
    let is_json = text.trim_start().starts_with('{');
    let mut suite = None;
    for (number, line) in (1_u32..).zip(text.lines()) {
        let place = format!("line {number}");
        let read = if is_json {
            read_message(file, &place, line, &mut suite, out)
        } else {
            read_line(file, &place, line.trim_end(), &mut suite, out)
        };
        out.note(read);
    }
    match suite {
        None => Ok(()),
        Some(_) => Err(Problem::new(
            FaultCode::UnknownShape,
            file,
            "",
            "the last suite has no closing result, so it was cut",
        )),
    }
}

/// A suite that has begun: what it promised, and what came.
struct Suite {
    promised: u64,
    measured: u64,
    others: u64,
    has_failed: bool,
}

/// The counts of a closing result.
struct Closing {
    is_ok: bool,
    measured: u64,
    others: u64,
}

fn open(file: &str, place: &str, promised: u64, suite: &mut Option<Suite>) -> Result<(), Problem> {
    let earlier = suite.replace(Suite { promised, measured: 0, others: 0, has_failed: false });
    match earlier {
        None => Ok(()),
        Some(_) => Err(shape(file, place, "a suite begins before the one before it ended")),
    }
}

fn close(
    file: &str,
    place: &str,
    closing: &Closing,
    suite: &mut Option<Suite>,
) -> Result<(), Problem> {
    let Some(suite) = suite.take() else {
        return Err(shape(file, place, "a suite ends that has not begun"));
    };
    if !closing.is_ok || suite.has_failed {
        return Err(Problem::new(FaultCode::RunFailed, file, place, "the suite did not pass"));
    }
    let seen = (suite.measured, suite.others);
    if seen != (closing.measured, closing.others)
        || suite.promised != suite.measured.saturating_add(suite.others)
    {
        let detail = format!(
            "{} benches and {} others were seen; promised were {} in all, stated are {} and {}",
            suite.measured, suite.others, suite.promised, closing.measured, closing.others
        );
        return Err(shape(file, place, &detail));
    }
    Ok(())
}

fn shape(file: &str, place: &str, detail: &str) -> Problem {
    Problem::new(FaultCode::UnknownShape, file, place, detail)
}

/// Counts a bench of the suite that is open, and keeps its median.
fn bench(
    file: &str,
    place: &str,
    metric: &str,
    median: Result<u64, Problem>,
    suite: &mut Option<Suite>,
    out: &mut Out<'_>,
) -> Result<(), Problem> {
    let Some(suite) = suite else {
        return Err(shape(file, place, "a bench stands outside of every suite"));
    };
    suite.measured += 1;
    let value = median.map_err(|problem| problem.of(metric))?;
    let at = At { metric, unit: Unit::Ns, file, pointer: place, version: VERSION };
    out.summary(&at, out.settings.arm, Summary::of(value));
    Ok(())
}

/// Counts another test of the suite that is open.
fn other(file: &str, place: &str, passed: bool, suite: &mut Option<Suite>) -> Result<(), Problem> {
    let Some(suite) = suite else {
        return Err(shape(file, place, "a test stands outside of every suite"));
    };
    suite.others += 1;
    suite.has_failed |= !passed;
    Ok(())
}

fn read_line(
    file: &str,
    place: &str,
    line: &str,
    suite: &mut Option<Suite>,
    out: &mut Out<'_>,
) -> Result<(), Problem> {
    if let Some(count) = line
        .strip_prefix("running ")
        .and_then(|rest| rest.strip_suffix(" tests").or_else(|| rest.strip_suffix(" test")))
    {
        let count = count.parse().map_err(|source: std::num::ParseIntError| {
            shape(file, place, &format!("no count of tests: {source}"))
        })?;
        return open(file, place, count, suite);
    }
    if let Some(result) = line.strip_prefix("test result: ") {
        return close(file, place, &read_closing(file, place, result)?, suite);
    }
    let Some(test) = line.strip_prefix("test ") else { return Ok(()) };
    if let Some((name, measured)) = test.rsplit_once(" ... bench:") {
        let median = read_measured(file, place, measured);
        return bench(file, place, name.trim_end(), median, suite, out);
    }
    match test.rsplit_once(" ... ") {
        Some((_name, "ok")) => other(file, place, true, suite),
        Some((_name, state)) if state == "ignored" || state.starts_with("ignored, ") => {
            other(file, place, true, suite)
        }
        Some((_name, "FAILED" | "failed")) => other(file, place, false, suite),
        // What a bench prints may stand here; whatever was not counted is missed when the suite closes.
        Some(_) | None => Ok(()),
    }
}

/// `  6,775.78 ns/iter (+/- 3,622.89) = 604 MB/s`
fn read_measured(file: &str, place: &str, text: &str) -> Result<u64, Problem> {
    let odd = || shape(file, place, "expected `<median> ns/iter (+/- <spread>)`");
    let (median, rest) = text.trim_start().split_once(' ').ok_or_else(odd)?;
    let rest = rest.strip_prefix("ns/iter (+/- ").ok_or_else(odd)?;
    let (spread, rest) = rest.split_once(')').ok_or_else(odd)?;
    let is_throughput = rest.strip_prefix(" = ").is_some_and(|rest| rest.ends_with(" MB/s"));
    if !rest.is_empty() && !is_throughput {
        return Err(odd());
    }
    grouped(spread).ok_or_else(odd)?;
    let median = grouped(median).ok_or_else(odd)?;
    median.shifted(0).map_err(|why| no_value(file, place, why))
}

fn no_value(file: &str, place: &str, why: crate::decimal::NoValue) -> Problem {
    use crate::decimal::NoValue;
    match why {
        NoValue::NotPositive => Problem::new(
            FaultCode::ValueNotPositive,
            file,
            place,
            "the median is no positive number of ns",
        ),
        NoValue::Overflow => Problem::new(
            FaultCode::ValueOverflow,
            file,
            place,
            "the median does not fit in 64 bits",
        ),
    }
}

/// A number with commas between groups of three digits, and at most two decimals.
fn grouped(text: &str) -> Option<Decimal> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let mut groups = whole.split(',');
    let first = groups.next()?;
    let is_first = (1..=3).contains(&first.len()) || !whole.contains(',');
    if !is_first || groups.any(|group| group.len() != 3) || !(1..=2).contains(&fraction.len()) {
        return None;
    }
    Decimal::parse(&format!("{}.{fraction}", whole.replace(',', "")))
}

/// `ok. 0 passed; 0 failed; 2 ignored; 4 measured; 0 filtered out; finished in 10.69s`
fn read_closing(file: &str, place: &str, text: &str) -> Result<Closing, Problem> {
    let odd = || shape(file, place, "expected `ok. <n> passed; <n> failed; <n> ignored; ..`");
    let (state, counts) = text.split_once(". ").ok_or_else(odd)?;
    let count = |word: &str| {
        let part = counts.split("; ").find_map(|part| part.strip_suffix(word)).ok_or_else(odd)?;
        part.trim().parse::<u64>().map_err(|_source: std::num::ParseIntError| odd())
    };
    count(" filtered out")?;
    let (passed, failed, ignored) = (count(" passed")?, count(" failed")?, count(" ignored")?);
    Ok(Closing {
        is_ok: state == "ok" && failed == 0,
        measured: count(" measured")?,
        others: passed.saturating_add(failed).saturating_add(ignored),
    })
}

fn read_message(
    file: &str,
    place: &str,
    line: &str,
    suite: &mut Option<Suite>,
    out: &mut Out<'_>,
) -> Result<(), Problem> {
    if line.trim().is_empty() {
        return Ok(());
    }
    let message = Node::document(file, place, line)?.object()?;
    let kind = message.member("type")?;
    match kind.text()?.as_str() {
        "suite" => read_suite(file, place, &message, suite),
        "test" => {
            let event = message.member("event")?;
            match event.text()?.as_str() {
                "started" | "timeout" => Ok(()),
                "ok" | "ignored" => other(file, place, true, suite),
                "failed" => other(file, place, false, suite),
                _ => Err(event.problem(FaultCode::UnknownShape, "an unknown event")),
            }
        }
        "bench" => {
            let name = message.member("name")?.text()?;
            message.member("deviation")?.number()?;
            let median = message.member("median").and_then(|median| median.value(0));
            bench(file, place, &name, median, suite, out)
        }
        _ => Err(kind.problem(FaultCode::UnknownShape, "an unknown type")),
    }
}

fn read_suite(
    file: &str,
    place: &str,
    message: &Object<'_>,
    suite: &mut Option<Suite>,
) -> Result<(), Problem> {
    let event = message.member("event")?;
    let state = event.text()?;
    match state.as_str() {
        "started" => open(file, place, message.member("test_count")?.whole()?, suite),
        "ok" | "failed" => {
            let count = |name: &str| message.member(name)?.whole();
            let others =
                count("passed")?.saturating_add(count("failed")?).saturating_add(count("ignored")?);
            let closing = Closing { is_ok: state == "ok", measured: count("measured")?, others };
            close(file, place, &closing, suite)
        }
        _ => Err(event.problem(FaultCode::UnknownShape, "an unknown event")),
    }
}
