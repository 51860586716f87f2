//! The history of a canary: one JSON line per run and metric, only ever appended to. It finds no changes in it.

use crate::{
    FaultCode, MetricId, Outcome, Problem, WorkDigest,
    instant::parse_ms,
    json::{Node, Object},
};
use serde_json::json;
use std::collections::BTreeSet;

/// The schema that is read and written. Version rule: a line of another one is not read.
pub const SCHEMA: &str = "portcullis.canary_history.v1";
/// The most bytes of a line.
const LINE_MAX: usize = 64 * 1024;
const KEYS: &[&str] = &[
    "schema",
    "run_id",
    "commit",
    "commit_time",
    "canary",
    "metric",
    "host_class",
    "work",
    "value",
    "n",
    "s_d",
    "outcome",
    "aa",
];

/// What one run measured of one metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The run.
    pub run_id: String,
    /// The commit, 40 hexadecimal digits.
    pub commit: String,
    /// When it was made, RFC 3339 in UTC.
    pub commit_time: String,
    /// The canary.
    pub canary: String,
    /// The metric.
    pub metric: MetricId,
    /// The class of machine.
    pub host_class: String,
    /// What the runs did.
    pub work: WorkDigest,
    /// The median.
    pub value: u64,
    /// How many samples it is of.
    pub n: u32,
    /// The robust spread of their logarithms.
    pub s_d: f64,
    /// What was decided.
    pub outcome: Outcome,
    /// Whether the base was measured against itself.
    pub aa: bool,
}

impl Entry {
    /// Returns the line, with its newline and its members in the order of their names.
    #[must_use]
    pub fn line(&self) -> String {
        let line = json!({
            "schema": SCHEMA,
            "run_id": self.run_id,
            "commit": self.commit,
            "commit_time": self.commit_time,
            "canary": self.canary,
            "metric": self.metric.as_str(),
            "host_class": self.host_class,
            "work": self.work.to_string(),
            "value": self.value,
            "n": self.n,
            "s_d": self.s_d,
            "outcome": self.outcome.as_str(),
            "aa": self.aa,
        });
        format!("{line}\n")
    }

    /// What may stand once: a run measures a metric once on one class of machine.
    fn key(&self) -> (&str, &str, &MetricId, &str, bool) {
        (&self.canary, &self.run_id, &self.metric, &self.host_class, self.aa)
    }
}

/// Reads a history, line by line, in bounded memory per line.
///
/// # Errors
/// The first line that does not parse, is cut, or repeats what an earlier one says of the same run and metric.
pub fn read(file: &str, text: &str) -> Result<Vec<Entry>, Problem> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut lines: Vec<String> = Vec::new();
    if !text.is_empty() && !text.ends_with('\n') {
        let place = format!("line {}", text.lines().count());
        let detail = "the last line has no newline, so it was cut";
        return Err(Problem::new(FaultCode::UnknownShape, file, &place, detail));
    }
    for (number, line) in (1_u64..).zip(text.lines()) {
        let place = format!("line {number}");
        if line.len() > LINE_MAX {
            let detail = format!("{} bytes, a line has at most {LINE_MAX}", line.len());
            return Err(Problem::new(FaultCode::UnknownShape, file, &place, detail));
        }
        entries.push(read_line(&Node::document(file, &place, line)?.object()?)?);
        lines.push(place);
    }
    let mut seen = BTreeSet::new();
    for (entry, place) in entries.iter().zip(&lines) {
        if !seen.insert(entry.key()) {
            let detail = format!("run `{}` stands there already", entry.run_id);
            let problem = Problem::new(FaultCode::DuplicateMetric, file, place, detail);
            return Err(problem.of(entry.metric.as_str()));
        }
    }
    Ok(entries)
}

fn read_line(object: &Object<'_>) -> Result<Entry, Problem> {
    if let Some((name, node)) = object.members().find(|(name, _)| !KEYS.contains(name)) {
        return Err(node.problem(FaultCode::UnknownShape, format!("no field is called `{name}`")));
    }
    let text = |name: &str| {
        let node = object.member(name)?;
        let text = node.text()?;
        if text.is_empty() {
            return Err(node.problem(FaultCode::UnknownShape, "it says nothing"));
        }
        Ok(text)
    };
    let shape = |name: &str, expected: &str| {
        Problem::new(
            FaultCode::UnknownShape,
            object.node().file(),
            &format!("{}/{name}", object.node().pointer()),
            format!("expected {expected}"),
        )
    };
    if text("schema")? != SCHEMA {
        return Err(shape("schema", SCHEMA));
    }
    let is_hex = |text: &str, length: usize| {
        text.len() == length && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    };
    let (commit, commit_time, host_class) =
        (text("commit")?, text("commit_time")?, text("host_class")?);
    if !is_hex(&commit, 40) {
        return Err(shape("commit", "40 hexadecimal digits"));
    }
    if parse_ms(&commit_time).is_none() {
        return Err(shape("commit_time", "an RFC 3339 time in UTC that ends with `Z`"));
    }
    if !is_hex(&host_class, 12) {
        return Err(shape("host_class", "12 hexadecimal digits"));
    }
    let value = object.member("value")?;
    let n = object.member("n")?;
    let s_d = object.member("s_d")?;
    s_d.number()?;
    Ok(Entry {
        run_id: text("run_id")?,
        commit,
        commit_time,
        canary: text("canary")?,
        metric: MetricId::new(&text("metric")?)
            .ok_or_else(|| shape("metric", "a name of 1 to 1024 bytes"))?,
        host_class,
        work: WorkDigest::try_from(text("work")?).map_err(|expected| shape("work", expected))?,
        value: match value.whole()? {
            0 => return Err(value.problem(FaultCode::ValueNotPositive, "0 is no positive value")),
            value => value,
        },
        n: u32::try_from(n.whole()?)
            .map_err(|_source: std::num::TryFromIntError| shape("n", "a count of 32 bits"))?,
        s_d: match s_d.raw().parse::<f64>() {
            Ok(number) if number.is_finite() && number >= 0.0 => number,
            Ok(_) | Err(_) => return Err(shape("s_d", "a number of 0 or more")),
        },
        outcome: match text("outcome")?.as_str() {
            "ok" => Outcome::Ok,
            "comment_only" => Outcome::CommentOnly,
            "fail" => Outcome::Fail,
            "invalid" => Outcome::Invalid,
            _ => return Err(shape("outcome", "ok, comment_only, fail or invalid")),
        },
        aa: object.member("aa")?.boolean()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(run: &str, name: &str) -> Entry {
        Entry {
            run_id: run.into(),
            commit: "0123456789abcdef0123456789abcdef01234567".into(),
            commit_time: "2026-05-30T04:00:00Z".into(),
            canary: "suite".into(),
            metric: MetricId::new(name).expect("a name"),
            host_class: "0123456789ab".into(),
            work: WorkDigest::new([3; 32]),
            value: 100,
            n: 17,
            s_d: 0.25,
            outcome: Outcome::CommentOnly,
            aa: false,
        }
    }

    #[test]
    fn what_is_appended_reads_back() {
        let entries = [entry("r1", "a"), entry("r1", "b"), entry("r2", "a")];
        let text: String = entries.iter().map(Entry::line).collect();
        assert_eq!(read("h", &text), Ok(entries.to_vec()));
        assert_eq!(read("h", ""), Ok(Vec::new()), "an empty history is not a broken one");
    }

    #[test]
    fn a_line_that_is_cut_repeats_or_says_something_else_is_refused() {
        let good = entry("r1", "a").line();
        let table: &[(&str, String, &str)] = &[
            ("twice", format!("{good}{good}"), "line 2: run `r1` stands there already"),
            ("torn", good.trim_end().to_owned(), "line 1: the last line has no newline"),
            ("cut", format!("{}\n", &good[..40]), "line 1: EOF"),
            ("a blank line", format!("{good}\n"), "line 2: EOF"),
            ("another schema", good.replace("history.v1", "history.v2"), "line 1/schema"),
            ("another field", good.replace("\"n\"", "\"note\":1,\"n\""), "line 1/note"),
            ("no field", good.replace("\"n\":17,", ""), "there is no member `n`"),
            ("no value", good.replace(":100", ":0"), "line 1/value: 0 is no positive"),
            ("a negative value", good.replace(":100", ":-1"), "line 1/value"),
            ("no number", good.replace(":0.25", ":null"), "line 1/s_d"),
            ("a negative spread", good.replace(":0.25", ":-1"), "line 1/s_d"),
            (
                "a short commit",
                good.replace("0123456789abcdef0123456789abcdef01234567", "01"),
                "line 1/commit",
            ),
            ("no time", good.replace("2026-05-30T04:00:00Z", "yesterday"), "line 1/commit_time"),
            ("no class", good.replace("\"0123456789ab\"", "\"?\""), "line 1/host_class"),
            ("an unknown outcome", good.replace("comment_only", "fine"), "line 1/outcome"),
            ("no digest", good.replace("0303", "zz03"), "line 1/work"),
            ("a key twice", good.replace("\"n\":17", "\"n\":17,\"n\":17"), "stands twice"),
            (
                "a long line",
                good.replace("\"r1\"", &format!("\"{}\"", "r".repeat(70_000))),
                "at most",
            ),
        ];
        for (case, text, expected) in table {
            let problem = read("h", text).expect_err(case).to_string();
            assert!(problem.contains(expected), "{case}: {problem}");
        }
    }
}
