//! What came of the tests in this run: the receipt of a gate first, JUnit second.

use super::{RESULTS_MISSING, RESULTS_STALE};
use crate::junit::{self, Ended, Junit};
use portcullis::{
    Fault, Finding, Findings, GateContext, GateError, GateId, Instant, Location, RelPath,
    kernel::duration::Millis, wire::code::PATH_REFUSED,
};
use std::collections::BTreeMap;

/// How many attempts a gate may have (`security.md`, section 4).
const ATTEMPTS_MAX: u32 = 64;
/// A time this far ahead of now is a clock that is a little fast; beyond it the time is invented.
const AHEAD_MAX_MS: i64 = 5 * 60 * 1000;

/// How old results may be, and whether they must be of this run.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Freshness {
    max_age: Option<Millis>,
    #[serde(default)]
    same_run: bool,
}

impl Freshness {
    /// Whether anything is stated at all.
    pub(super) fn states_something(&self) -> bool {
        self.max_age.is_some() || self.same_run
    }
}

/// The results of a run, by binary and test.
pub(super) struct Results {
    ended: BTreeMap<(String, String), Ended>,
}

impl Results {
    /// Reads the document; what is absent or stale is reported, and proves nothing.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub(super) fn read(
        cx: &GateContext<'_>,
        path: &RelPath,
        freshness: &Freshness,
        out: &mut Findings,
    ) -> Result<Option<Self>, GateError> {
        let file = cx.file(path);
        if !file.exists()? {
            let message = format!("`{path}` does not exist, so nobody knows what ran");
            let remedy = "run the tests before this gate, with `junit.path` in the profile";
            out.push(Finding::new(RESULTS_MISSING, path, message, remedy).at(Location::file(path)));
            return Ok(None);
        }
        let junit = cx.watch(junit::parse(path, &file.text()?))?;
        if let Some(why) = stale(cx, &junit, freshness) {
            let message = format!("`{path}` is not of this run: {why}");
            out.push(
                Finding::new(RESULTS_STALE, path, message, "run the tests again")
                    .at(Location::file(path)),
            );
            return Ok(None);
        }
        let mut ended = BTreeMap::new();
        for case in junit.cases {
            // A test that stands twice, as after a rerun, counts as its worse end.
            let worse = |a: Ended, b: Ended| if a == Ended::Passed { b } else { a };
            let entry = ended.entry((case.suite, case.name)).or_insert(case.ended);
            *entry = worse(*entry, case.ended);
        }
        Ok(Some(Self { ended }))
    }

    /// How a test ended; nothing when it was not executed. A receipt that does not say `pass` or `warn` corrects JUnit.
    pub(super) fn ended(
        &self,
        cx: &GateContext<'_>,
        binary: &str,
        test: &str,
    ) -> Result<Option<Ended>, GateError> {
        let junit = self.ended.get(&(binary.to_owned(), test.to_owned())).copied();
        Ok(receipt(cx, test)?.or(junit))
    }
}

fn stale(cx: &GateContext<'_>, junit: &Junit, freshness: &Freshness) -> Option<String> {
    if freshness.same_run && junit.run_id.as_deref() != Some(cx.run_id().as_str()) {
        let found = junit.run_id.as_deref().unwrap_or("no run");
        return Some(format!("it names {found}, this is {}", cx.run_id()));
    }
    let max_age = freshness.max_age?;
    let Some(text) = &junit.timestamp else { return Some("it has no timestamp".to_owned()) };
    // nextest writes the offset of UTC as numbers.
    let plain = text.strip_suffix("+00:00").map_or_else(|| text.clone(), |text| format!("{text}Z"));
    match Instant::parse(&plain) {
        Err(_unreadable) => Some(format!("its timestamp `{text}` is no time in UTC")),
        Ok(written) => {
            let age = cx.now().ms_since(written);
            let is_old = u64::try_from(age).is_ok_and(|age| age > max_age.0);
            (is_old || age < -AHEAD_MAX_MS).then(|| format!("it was written at {text}"))
        }
    }
}

/// What the last receipt of a gate of this name says, where there is one.
fn receipt(cx: &GateContext<'_>, test: &str) -> Result<Option<Ended>, GateError> {
    let Ok(gate) = GateId::parse(test) else { return Ok(None) };
    if !cx.has_run_folder()? {
        return Ok(None);
    }
    let mut found = None;
    for attempt in 1..=ATTEMPTS_MAX {
        let name = format!("gates/{gate}/attempt-{attempt}");
        let path = |file: &str| {
            RelPath::parse(&format!("{name}/{file}"))
                .map_err(|source| Fault::new(PATH_REFUSED, source.to_string(), "rename the gate"))
        };
        let started = cx.run_file(&cx.watch(path("started.json"))?)?;
        if !started.exists()? {
            break;
        }
        let verdict = cx.run_file(&cx.watch(path("verdict.json"))?)?;
        found = Some(if verdict.exists()? {
            match verdict.json()?.get("outcome").and_then(serde_json::Value::as_str) {
                Some("pass" | "warn") => Ended::Passed,
                Some("skip") => Ended::Skipped,
                Some(_) | None => Ended::Failed,
            }
        } else {
            Ended::Failed
        });
    }
    Ok(found)
}
