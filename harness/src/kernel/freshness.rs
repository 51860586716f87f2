//! How old an artifact may be, and whether it is of this run. Leaves out where the recorded fields come from.

use super::duration::{self, Millis};
use crate::wire::{
    code::{ARTIFACT_STALE, Code, LINEAGE_MISMATCH},
    id::{Digest, RunId},
    time::Instant,
};
use serde::{Deserialize, Deserializer, de::Error};

/// The freshness that an artifact contract states. At least one rule; there is no default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Freshness {
    /// How old it may be, by its own record.
    pub max_age_ms: Option<u64>,
    /// How many commits it may be behind.
    pub max_commits: Option<u64>,
    /// Whether it must be of this run.
    pub same_run: bool,
    /// Whether it must be of this commit.
    pub same_commit: bool,
    /// The files whose recorded digest must be today's.
    pub inputs: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    max_age: Option<Millis>,
    max_commits: Option<u64>,
    #[serde(default)]
    same_run: bool,
    #[serde(default)]
    same_commit: bool,
    #[serde(default)]
    inputs: Vec<String>,
}

impl<'de> Deserialize<'de> for Freshness {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = Written::deserialize(deserializer)?;
        let freshness = Self {
            max_age_ms: written.max_age.map(|age| age.0),
            max_commits: written.max_commits,
            same_run: written.same_run,
            same_commit: written.same_commit,
            inputs: written.inputs,
        };
        if freshness.is_unstated() {
            // `GateTable::config` knows the contract's fault by this word.
            return Err(D::Error::custom(format!(
                "freshness_unstated: state `max_age` ({}), `max_commits`, `same_run`, `same_commit` or `inputs`",
                duration::SHAPE
            )));
        }
        Ok(freshness)
    }
}

impl Freshness {
    fn is_unstated(&self) -> bool {
        self.max_age_ms.is_none()
            && self.max_commits.is_none()
            && !self.same_run
            && !self.same_commit
            && self.inputs.is_empty()
    }
}

/// What is recorded in an artifact and known about it. What is absent is not fresh.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observed {
    /// When it says it was made.
    pub generated_at: Option<Instant>,
    /// The run it says it is of.
    pub run_id: Option<String>,
    /// The commit it says it is of.
    pub commit: Option<String>,
    /// How many commits that is behind.
    pub commits_behind: Option<u64>,
    /// The digest of its inputs that it records.
    pub inputs_digest: Option<Digest>,
    /// The digest of the same inputs today.
    pub inputs_now: Option<Digest>,
}

/// Why an artifact is not what the contract asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// `artifact_stale` or `lineage_mismatch`.
    pub code: Code,
    /// One sentence.
    pub message: String,
    /// What was expected.
    pub expected: String,
    /// What was found.
    pub found: String,
}

/// How far a recorded time may lie ahead of `now`: two machines never agree to the millisecond.
const AHEAD_MAX_MS: i64 = 300_000;

/// Judges an artifact; empty when it is fresh.
#[must_use]
pub fn judge(
    freshness: &Freshness,
    seen: &Observed,
    now: Instant,
    this_run: &RunId,
    this_commit: Option<&str>,
) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let mut say = |code: Code, message: &str, expected: String, found: Option<String>| {
        let found = found.unwrap_or_else(|| "no record of it".to_owned());
        reasons.push(Reason { code, message: message.to_owned(), expected, found });
    };
    if let Some(max_ms) = freshness.max_age_ms {
        let age_ms = seen.generated_at.map(|at| now.ms_since(at));
        let max = i64::try_from(max_ms).unwrap_or(i64::MAX);
        match age_ms {
            Some(age) if (-AHEAD_MAX_MS..=max).contains(&age) => {}
            Some(age) if age < 0 => {
                let found = seen.generated_at.map(|at| at.to_string());
                say(
                    ARTIFACT_STALE,
                    "the artifact is dated after now",
                    format!("a time up to {now}"),
                    found,
                );
            }
            Some(_) | None => {
                let found = seen.generated_at.map(|at| at.to_string());
                say(
                    ARTIFACT_STALE,
                    "the artifact is too old",
                    format!("at most {max_ms} ms before {now}"),
                    found,
                );
            }
        }
    }
    if let Some(max) = freshness.max_commits
        && seen.commits_behind.is_none_or(|behind| behind > max)
    {
        let found = seen.commits_behind.map(|behind| format!("{behind} commits behind"));
        say(
            ARTIFACT_STALE,
            "the artifact is too many commits behind",
            format!("at most {max} commits behind"),
            found,
        );
    }
    if freshness.same_commit && (this_commit.is_none() || seen.commit.as_deref() != this_commit) {
        let expected = this_commit.unwrap_or("a commit, and there is none here").to_owned();
        say(ARTIFACT_STALE, "the artifact is of another commit", expected, seen.commit.clone());
    }
    if freshness.same_run && seen.run_id.as_deref() != Some(this_run.as_str()) {
        say(
            LINEAGE_MISMATCH,
            "the artifact is of another run",
            this_run.to_string(),
            seen.run_id.clone(),
        );
    }
    if !freshness.inputs.is_empty()
        && (seen.inputs_now.is_none() || seen.inputs_digest != seen.inputs_now)
    {
        let expected = seen
            .inputs_now
            .map_or_else(|| "inputs that exist".to_owned(), |digest| digest.to_string());
        let found = seen.inputs_digest.map(|digest| digest.to_string());
        say(ARTIFACT_STALE, "the inputs of the artifact have changed", expected, found);
    }
    reasons
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::policy::GateTable;

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Config {
        freshness: Freshness,
    }

    fn read(text: &str) -> Result<Freshness, String> {
        let gate = GateTable::from_toml("g", text).expect("a table");
        gate.config::<Config>()
            .map(|config| config.freshness)
            .map_err(|fault| fault.code().name().to_owned())
    }

    #[test]
    fn fg39_a_contract_must_state_its_freshness() {
        let table: &[(&str, &str, Option<&str>)] = &[
            ("an age", "freshness = { max_age = '7d' }", None),
            ("this run", "freshness = { same_run = true }", None),
            ("nothing", "", Some("freshness_unstated")),
            ("an empty table", "freshness = {}", Some("freshness_unstated")),
            ("a rule switched off", "freshness = { same_run = false }", Some("freshness_unstated")),
            ("no inputs", "freshness = { inputs = [] }", Some("freshness_unstated")),
            ("a misspelt rule", "freshness = { max_aeg = '7d' }", Some("config_unknown_key")),
            ("an age without unit", "freshness = { max_age = '7' }", Some("config_invalid")),
        ];
        for (case, text, expected) in table {
            assert_eq!(read(text).err().as_deref(), *expected, "{case}");
        }
    }

    #[expect(clippy::too_many_lines, reason = "one table, one sentence per row")]
    #[test]
    fn fg38_fg40_stale_and_foreign_artifacts_are_told() {
        let now = Instant::parse("2026-05-31T12:00:00Z").expect("now");
        let run = RunId::parse("run-1").expect("a run");
        let at = |text: &str| Observed {
            generated_at: Instant::parse(text).ok(),
            ..Observed::default()
        };
        let digest = Digest::of(b"x");
        let table: Vec<(&str, &str, Observed, &[&str])> = vec![
            ("a day old of two", "{ max_age = '2d' }", at("2026-05-30T12:00:00Z"), &[]),
            ("exactly as old as allowed", "{ max_age = '1d' }", at("2026-05-30T12:00:00Z"), &[]),
            (
                "a millisecond older",
                "{ max_age = '1d' }",
                at("2026-05-30T11:59:59.999Z"),
                &["artifact_stale"],
            ),
            (
                "dated tomorrow",
                "{ max_age = '1d' }",
                at("2026-06-01T12:00:00Z"),
                &["artifact_stale"],
            ),
            ("undated", "{ max_age = '1d' }", Observed::default(), &["artifact_stale"]),
            ("commits unknown", "{ max_commits = 3 }", Observed::default(), &["artifact_stale"]),
            (
                "as far behind as allowed",
                "{ max_commits = 3 }",
                Observed { commits_behind: Some(3), ..Observed::default() },
                &[],
            ),
            (
                "further behind",
                "{ max_commits = 3 }",
                Observed { commits_behind: Some(4), ..Observed::default() },
                &["artifact_stale"],
            ),
            (
                "this commit",
                "{ same_commit = true }",
                Observed { commit: Some("c".to_owned()), ..Observed::default() },
                &[],
            ),
            (
                "another commit",
                "{ same_commit = true }",
                Observed { commit: Some("d".to_owned()), ..Observed::default() },
                &["artifact_stale"],
            ),
            (
                "this run",
                "{ same_run = true }",
                Observed { run_id: Some("run-1".to_owned()), ..Observed::default() },
                &[],
            ),
            (
                "another run",
                "{ same_run = true }",
                Observed { run_id: Some("run-10".to_owned()), ..Observed::default() },
                &["lineage_mismatch"],
            ),
            ("no run", "{ same_run = true }", Observed::default(), &["lineage_mismatch"]),
            (
                "the same inputs",
                "{ inputs = ['a'] }",
                Observed {
                    inputs_digest: Some(digest),
                    inputs_now: Some(digest),
                    ..Observed::default()
                },
                &[],
            ),
            (
                "inputs nobody recorded",
                "{ inputs = ['a'] }",
                Observed { inputs_now: Some(digest), ..Observed::default() },
                &["artifact_stale"],
            ),
            (
                "inputs that are gone",
                "{ inputs = ['a'] }",
                Observed::default(),
                &["artifact_stale"],
            ),
        ];
        for (case, text, seen, expected) in table {
            let freshness = read(&format!("freshness = {text}")).expect(case);
            let reasons = judge(&freshness, &seen, now, &run, Some("c"));
            let codes: Vec<&str> = reasons.iter().map(|reason| reason.code.name()).collect();
            assert_eq!(codes, expected, "{case}");
        }
        let commit = read("freshness = { same_commit = true }").expect("a freshness");
        assert_eq!(
            judge(&commit, &Observed::default(), now, &run, None).len(),
            1,
            "no commit is not the same commit"
        );
    }
}
