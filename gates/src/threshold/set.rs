//! Floors and ceilings, and the versioned file they may stand in. A number changes only together with the version
//! and with a line of history that carries the digest of the new numbers.

use super::{
    THRESHOLDS_EDITED, THRESHOLDS_INVALID, THRESHOLDS_VERSION_DIFFERS,
    config::{EACH, Named},
};
use crate::{calendar::local_date, json_value::Number, toml_file::TomlFile};
use portcullis::{
    Day, Digest, Fault, Finding, Findings, GateContext, GateError, Location, RelPath,
};
use serde::{Deserialize, Deserializer};
use std::collections::{BTreeMap, BTreeSet};

/// The least and the greatest allowed value, by metric.
#[derive(Clone, Default)]
pub(super) struct Limits {
    pub(super) floors: BTreeMap<String, Number>,
    pub(super) ceilings: BTreeMap<String, Number>,
}

impl Limits {
    pub(super) fn is_empty(&self) -> bool {
        self.floors.is_empty() && self.ceilings.is_empty()
    }

    /// Floor and ceiling of a metric.
    pub(super) fn of(&self, metric: &str) -> (Option<Number>, Option<Number>) {
        let of = |limits: &BTreeMap<String, Number>| {
            limits.get(metric).or_else(|| limits.get(EACH)).copied()
        };
        (of(&self.floors), of(&self.ceilings))
    }

    /// The metrics that are named, each with what is said of it.
    pub(super) fn named(&self) -> impl Iterator<Item = (&str, String)> {
        let floors =
            self.floors.iter().map(|(metric, n)| (metric.as_str(), format!("at least {n}")));
        let ceilings =
            self.ceilings.iter().map(|(metric, n)| (metric.as_str(), format!("at most {n}")));
        floors.chain(ceilings).filter(|(metric, _)| *metric != EACH)
    }

    /// Floors above their ceilings, which no value meets.
    pub(super) fn contradictions(&self) -> Vec<String> {
        let metrics: BTreeSet<&String> = self.floors.keys().chain(self.ceilings.keys()).collect();
        let contradicts = |metric: &&String| match self.of(metric) {
            (Some(floor), Some(ceiling)) if ceiling.is_below(floor) => {
                Some(format!("the floor {floor} of `{metric}` is above its ceiling {ceiling}"))
            }
            (Some(_) | None, Some(_) | None) => None,
        };
        metrics.iter().filter_map(contradicts).collect()
    }

    /// The digest of the numbers; order, comments and blank space do not change it.
    fn digest(&self) -> Digest {
        let mut text = String::new();
        for (what, limits) in [("floor", &self.floors), ("ceiling", &self.ceilings)] {
            for (metric, number) in limits {
                text.push_str(&format!("{what}\0{metric}\0{number}\n"));
            }
        }
        Digest::of(text.as_bytes())
    }
}

/// A file of thresholds.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Set {
    version: u32,
    #[serde(deserialize_with = "date")]
    effective: Day,
    #[serde(default)]
    floors: BTreeMap<String, Number>,
    #[serde(default)]
    ceilings: BTreeMap<String, Number>,
    history: Vec<Line>,
}

/// What was decided when.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    version: u32,
    #[serde(deserialize_with = "date")]
    effective: Day,
    reason: String,
    digest: Digest,
}

fn date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Day, D::Error> {
    let value = toml::value::Datetime::deserialize(deserializer)?;
    local_date(&value).map_err(serde::de::Error::custom)
}

impl Set {
    /// Reads the file that a gate names and reports what was edited without its header.
    ///
    /// # Errors
    /// When it does not exist, cannot be read as thresholds, contradicts itself, or is not in force yet.
    pub(super) fn read(
        cx: &GateContext<'_>,
        named: &Named,
        out: &mut Findings,
    ) -> Result<Limits, GateError> {
        let file = cx.file(&named.path);
        if !file.exists()? {
            return Err(crate::artifact::absent(&named.path));
        }
        let set = Self::parse(&named.path, file.text()?)?;
        if let Some(what) = set.wrong(cx.today()) {
            let remedy = "correct the file of thresholds";
            return Err(
                Fault::new(THRESHOLDS_INVALID, what, remedy).at(Location::file(&named.path))
            );
        }
        let mut edits = set.edits();
        edits.extend(set.edits_since_base(cx, &named.path)?);
        for (subject, what, found) in edits {
            let remedy =
                "raise `version`, and add a `[[history]]` table with the reason and this digest";
            out.push(
                Finding::new(THRESHOLDS_EDITED, subject, what, remedy)
                    .at(Location::file(&named.path))
                    .expected(format!("digest = \"{}\"", set.limits().digest()))
                    .found(found),
            );
        }
        if set.version != named.version {
            let message = "the thresholds have another version than the gate names";
            out.push(
                Finding::new(
                    THRESHOLDS_VERSION_DIFFERS,
                    &named.path,
                    message,
                    "name the version of the file in the gate, after review",
                )
                .at(Location::file(&named.path))
                .expected(named.version.to_string())
                .found(set.version.to_string()),
            );
        }
        Ok(set.limits())
    }

    fn parse(path: &RelPath, text: String) -> Result<Self, Fault> {
        let file = TomlFile::new(path, text)?;
        file.parse()?;
        toml::from_str(file.text()).map_err(|source: toml::de::Error| {
            let offset = source.span().map_or(0, |span| span.start);
            let headline = source.message().lines().next().unwrap_or("the file has another shape");
            let remedy = "write `version`, `effective`, `floors`, `ceilings` and `[[history]]`";
            Fault::new(THRESHOLDS_INVALID, headline, remedy).at(file.locate(offset))
        })
    }

    fn limits(&self) -> Limits {
        Limits { floors: self.floors.clone(), ceilings: self.ceilings.clone() }
    }

    /// What makes the set unusable.
    fn wrong(&self, today: Day) -> Option<String> {
        let limits = self.limits();
        if limits.is_empty() {
            return Some("the file states no threshold".to_owned());
        }
        if let Some(what) = limits.contradictions().into_iter().next() {
            return Some(what);
        }
        if self.effective > today {
            return Some(format!("the thresholds are not in force before {}", self.effective));
        }
        if let Some(line) = self.history.iter().find(|line| line.reason.trim().is_empty()) {
            return Some(format!("version {} of the history has no reason", line.version));
        }
        let pairs = self.history.iter().zip(self.history.iter().skip(1));
        let back = |(a, b): &(&Line, &Line)| b.version <= a.version || b.effective < a.effective;
        let (_, line) = pairs.into_iter().find(back)?;
        Some(format!("version {} of the history is out of order", line.version))
    }

    /// Numbers, version or day that the last line of history does not know: subject, message, what was found.
    fn edits(&self) -> Vec<(String, String, String)> {
        let mut edits = Vec::new();
        let Some(last) = self.history.last() else {
            let what = "the thresholds have no history".to_owned();
            return vec![("history".to_owned(), what, "no line".to_owned())];
        };
        if (last.version, last.effective) != (self.version, self.effective) {
            let what = format!("the history ends with version {}", last.version);
            let found = format!("version {}, effective {}", self.version, self.effective);
            edits.push(("version".to_owned(), what, found));
        }
        if last.digest != self.limits().digest() {
            let what = format!("the numbers are not those of version {}", last.version);
            edits.push(("digest".to_owned(), what, last.digest.to_string()));
        }
        edits
    }

    /// A line of history can be rewritten together with its numbers; the base commit still has the old one.
    fn edits_since_base(
        &self,
        cx: &GateContext<'_>,
        path: &RelPath,
    ) -> Result<Vec<(String, String, String)>, GateError> {
        let Some(base) = cx.named_base() else { return Ok(Vec::new()) };
        let commit = cx.watch(cx.git().merge_base(&base))?;
        let Some(bytes) = cx.watch(cx.git().show(&commit, path))? else { return Ok(Vec::new()) };
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Ok(match Self::parse(path, text) {
            Ok(before) => self.edits_since(&before),
            // The gate was red there; the change that mends the file must not be held against it.
            Err(fault) => {
                cx.note(format!("the thresholds of the base cannot be read: {}", fault.headline()));
                Vec::new()
            }
        })
    }

    fn edits_since(&self, before: &Self) -> Vec<(String, String, String)> {
        let mut edits = Vec::new();
        if !self.history.starts_with(&before.history) {
            let what = "the history of the base was rewritten".to_owned();
            let found =
                format!("{} lines, {} on the base", self.history.len(), before.history.len());
            edits.push(("history of the base".to_owned(), what, found));
        }
        let same = self.limits().digest() == before.limits().digest();
        if self.version < before.version || (self.version == before.version && !same) {
            let what =
                format!("the numbers changed and version {} of the base did not", before.version);
            edits.push(("version of the base".to_owned(), what, self.version.to_string()));
        }
        edits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(text: &str) -> Set {
        Set::parse(&RelPath::parse("t.toml").expect("a path"), text.to_owned()).expect("a set")
    }

    fn text(version: u32, floor: u32, reason: &str) -> String {
        let digest = Limits {
            floors: BTreeMap::from([("rate".to_owned(), Number::Int(i128::from(floor)))]),
            ceilings: BTreeMap::new(),
        }
        .digest();
        let mut text = format!(
            "version = {version}\neffective = 2026-05-0{version}\nfloors = {{ rate = {floor} }}\n"
        );
        for n in 1..=version {
            text.push_str(&format!(
                "[[history]]\nversion = {n}\neffective = 2026-05-0{n}\nreason = \"{reason}\"\ndigest = \"{digest}\"\n"
            ));
        }
        text
    }

    #[test]
    fn the_base_knows_what_a_rewritten_line_hides() {
        let table: &[(&str, String, String, &[&str])] = &[
            ("nothing changed", text(1, 95, "begin"), text(1, 95, "begin"), &[]),
            (
                "number and digest rewritten under one version",
                text(1, 95, "begin"),
                text(1, 90, "begin"),
                &["history of the base", "version of the base"],
            ),
            (
                "a reason rewritten",
                text(1, 95, "begin"),
                text(1, 95, "other"),
                &["history of the base"],
            ),
            ("a version more", text(1, 95, "begin"), text(2, 95, "begin"), &[]),
            (
                "a version less",
                text(2, 95, "begin"),
                text(1, 95, "begin"),
                &["history of the base", "version of the base"],
            ),
        ];
        for (case, before, after, expected) in table {
            let edits = set(after).edits_since(&set(before));
            let subjects: Vec<&str> =
                edits.iter().map(|(subject, _, _)| subject.as_str()).collect();
            assert_eq!(subjects, *expected, "{case}");
        }
    }

    #[test]
    fn the_digest_is_of_the_numbers_alone() {
        let of = |toml: &str| {
            set(&format!("version = 1\neffective = 2026-05-01\nhistory = []\n{toml}"))
                .limits()
                .digest()
        };
        assert_eq!(of("[floors]\na = 1\nb = 2\n"), of("[floors]\n# why\nb = 2\na = 1.0\n"));
        assert_ne!(of("[floors]\na = 1\n"), of("[ceilings]\na = 1\n"));
        assert_ne!(of("[floors]\na = 1\n"), of("[floors]\na = 2\n"));
    }
}
