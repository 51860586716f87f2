//! Artifacts of one origin say so: the same run, commit or correlation, times in order, and digests of the
//! sources as they stand today. Whether one artifact alone is right is said by `artifact_contract`.

mod config;
mod observation;
mod teeth;

use crate::{
    artifact::{Artifact, first},
    artifact_contract::{LINEAGE_MISMATCH, Report},
    document,
};
use config::{Config, Group, Order, SourceDigest, Step};
use observation::{Observation, observe};
use portcullis::{Code, Examined, Fault, Finding, Findings, GateContext, GateError, Location};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use teeth::TEETH;

portcullis::gate_kind! {
    /// Holds the origin that artifacts record against each other.
    ///
    /// ### What it checks
    /// Every artifact of `artifact` exists. The fields of a group of `equal` have one value, in every record of a
    /// stream; a field that is not recorded equals nothing. The times of a list of `order` do not go backwards: the
    /// latest of one step is no later than the earliest of the next. A digest of `source_digest` is that of the named
    /// file today.
    ///
    /// ### Why it gates
    /// Each artifact of a set may be right while the set was put together from two runs, or from sources that have
    /// changed since.
    ///
    /// ### Example
    /// Refused: `summary.json` with `run_id` 7 beside `events.jsonl` with `run_id` 6. Accepted: both with 7.
    ///
    /// ### Configuration
    /// - `artifact`: tables with `name` (once each), `path`, and optionally `of_run` (below the directory of this run),
    ///   `format` (`json`, `jsonl` or `toml`), `schema`, and `freshness` as in `artifact_contract`, which a `schema` needs.
    /// - `equal`: tables with `what`, and either `field`, one JSON Pointer for all artifacts, or `fields`, a table from
    ///   the name of an artifact to its pointer. `*` stands for each element.
    /// - `order`: tables with `what`, `times` (tables with `artifact` and `field`, in order) and `strict` (default
    ///   false: equal times are in order).
    /// - `source_digest`: tables with `artifact`, `field` (a SHA-256, with or without `sha256:`) and `file`;
    ///   `of_run = true` looks for the file below the directory of this run.
    /// - `cel`: expressions over `docs`, which has each artifact under its name; a stream is a list there. Needs the
    ///   feature `cel`.
    ///
    /// ### Remediation
    /// - `lineage_mismatch`: produce all artifacts in one run, with the field recorded.
    /// - `time_order_broken`: run the steps again in order; a later step read what an earlier one had not yet written.
    /// - `time_invalid`: record the time as RFC 3339 in UTC, `2026-05-31T10:00:00Z`.
    /// - `source_digest_differs`: produce the artifact again from today's file.
    /// - `artifact_missing`: run the producer, or correct the path.
    /// - Codes of `schema`, `freshness` and `cel`: see `artifact_contract`.
    pub static LINEAGE: "lineage", since = "0.1.0", config = Config, validate = config::validate,
        check = check, codes = &[TIME_ORDER_BROKEN, TIME_INVALID, SOURCE_DIGEST_DIFFERS], teeth = TEETH;
}

const TIME_ORDER_BROKEN: Code = Code::new(
    "PC1132",
    "time_order_broken",
    "A recorded time lies before that of an earlier step.",
);
const TIME_INVALID: Code =
    Code::new("PC1133", "time_invalid", "A time that an order needs is absent or cannot be read.");
const SOURCE_DIGEST_DIFFERS: Code = Code::new(
    "PC1134",
    "source_digest_differs",
    "A recorded digest is not that of the source as it stands today.",
);

/// What was seen of every field that is asked for, by artifact and pointer.
type Observed = BTreeMap<(String, String), Observation>;

/// Reads every artifact once, then compares.
fn check(cx: &GateContext<'_>, config: &Config, out: &mut Findings) -> Result<Examined, GateError> {
    let mut observed = Observed::new();
    for entry in &config.artifact {
        let wanted = config.fields_of(&entry.name);
        for (pointer, observation) in
            wanted.iter().zip(observe(cx, &entry.artifact(), &wanted, out)?)
        {
            observed.insert((entry.name.clone(), pointer.to_string()), observation);
        }
    }
    let mut examined = 0;
    for group in &config.equal {
        examined += hold_equal(config, group, &observed, out);
    }
    for order in &config.order {
        examined += hold_order(config, order, &observed, out)?;
    }
    for digest in &config.source_digest {
        hold_digest(cx, config, digest, &observed, out)?;
        examined += 1;
    }
    examined += config.cel.len();
    expressions(cx, config, out)?;
    Ok(Examined::items(examined))
}

/// Reports every artifact whose value is another than that of the first which has one.
fn hold_equal(config: &Config, group: &Group, observed: &Observed, out: &mut Findings) -> usize {
    let fields = group.fields(&config.artifact);
    let seen: Vec<(&str, String, Option<&Observation>)> = fields
        .iter()
        .map(|(name, pointer)| {
            let key = ((*name).to_owned(), pointer.to_string());
            (*name, pointer.to_string(), observed.get(&key))
        })
        .collect();
    let expected =
        seen.iter().find_map(|(name, _, seen)| Some((*name, seen.and_then(|o| o.first.clone())?)));
    for (name, pointer, observation) in &seen {
        let path = config.path_of(name);
        let wrong = match observation {
            None => Some((0, "nothing is recorded".to_owned())),
            Some(observation) => observation.other_than(expected.as_ref().map(|(_, value)| value)),
        };
        let Some((line, found)) = wrong else { continue };
        let wanted = expected.as_ref().map_or_else(
            || "a recorded value".to_owned(),
            |(of, value)| format!("{value}, as in `{of}`"),
        );
        let message = format!("`{pointer}` of `{name}` is not the {} of the others", group.what);
        out.push(
            Finding::new(
                LINEAGE_MISMATCH,
                format!("{path}#{pointer}"),
                message,
                "produce all artifacts in one run",
            )
            .at(Location::at(path, line, 0))
            .expected(wanted)
            .found(found),
        );
    }
    seen.len()
}

fn hold_order(
    config: &Config,
    order: &Order,
    observed: &Observed,
    out: &mut Findings,
) -> Result<usize, GateError> {
    let mut before: Option<(&Step, portcullis::Instant)> = None;
    for step in &order.times {
        let (earliest, latest) = times(config, step, observed)?;
        if let Some((previous, latest_before)) = before {
            let broken =
                if order.strict { earliest <= latest_before } else { earliest < latest_before };
            if broken {
                let path = config.path_of(&step.artifact);
                let relation = if order.strict { "after" } else { "no earlier than" };
                let message = format!(
                    "the order {} is broken: `{}` before `{}`",
                    order.what, step.artifact, previous.artifact
                );
                out.push(
                    Finding::new(
                        TIME_ORDER_BROKEN,
                        format!("{path}#{}", step.field),
                        message,
                        "run the steps again in order",
                    )
                    .at(Location::file(path))
                    .expected(format!(
                        "{relation} {latest_before}, the time of `{}`",
                        previous.artifact
                    ))
                    .found(earliest.to_string()),
                );
            }
        }
        // A step that went back does not lower the bar for the steps after it.
        let bar = before.map_or(latest, |(_, bar)| bar.max(latest));
        before = Some((step, bar));
    }
    Ok(order.times.len())
}

/// The earliest and the latest time of a step.
fn times(
    config: &Config,
    step: &Step,
    observed: &Observed,
) -> Result<(portcullis::Instant, portcullis::Instant), Fault> {
    let path = config.path_of(&step.artifact);
    let unusable = |line: u32, found: String| {
        let headline = format!("`{}` of `{}` is no time", step.field, step.artifact);
        let remedy = "record the time as `2026-05-31T10:00:00Z`";
        Fault::new(TIME_INVALID, headline, remedy).at(Location::at(path, line, 0)).found(found)
    };
    let observation = observed.get(&(step.artifact.clone(), step.field.to_string()));
    let Some(observation) = observation else {
        return Err(unusable(0, "nothing is recorded".to_owned()));
    };
    if let Some((line, what)) = observation.missing.as_ref().or(observation.no_time.as_ref()) {
        return Err(unusable(*line, what.clone()));
    }
    observation.times.ok_or_else(|| unusable(0, "nothing is recorded".to_owned()))
}

fn hold_digest(
    cx: &GateContext<'_>,
    config: &Config,
    digest: &SourceDigest,
    observed: &Observed,
    out: &mut Findings,
) -> Result<(), GateError> {
    let file = Artifact::plain(&digest.file, digest.of_run).file(cx)?;
    if !file.exists()? {
        return Err(crate::artifact::absent(&digest.file));
    }
    let today = file.digest()?.to_string();
    let path = config.path_of(&digest.artifact);
    let observation = observed.get(&(digest.artifact.clone(), digest.field.to_string()));
    let prefixed = format!("sha256:{today}");
    let wrong = match observation {
        None => Some((0, "nothing is recorded".to_owned())),
        Some(seen) if seen.first.as_ref() == Some(&prefixed) => seen.other_than(Some(&prefixed)),
        Some(seen) => seen.other_than(Some(&today)),
    };
    if let Some((line, found)) = wrong {
        let message =
            format!("`{}` was made from another `{}` than today's", digest.artifact, digest.file);
        out.push(
            Finding::new(
                SOURCE_DIGEST_DIFFERS,
                format!("{path}#{}", digest.field),
                message,
                "produce the artifact again from today's file",
            )
            .at(Location::at(path, line, 0))
            .expected(today)
            .found(found),
        );
    }
    Ok(())
}

fn expressions(cx: &GateContext<'_>, config: &Config, out: &mut Findings) -> Result<(), GateError> {
    if config.cel.is_empty() {
        return Ok(());
    }
    let mut documents = Map::new();
    for entry in &config.artifact {
        let artifact = entry.artifact();
        let format = artifact.format().unwrap_or(document::Format::Json);
        documents.insert(entry.name.clone(), document::read(&artifact.file(cx)?, format)?);
    }
    let contract = config.expressions(cx.gate()).map_err(first)?;
    contract.hold_expressions(&Value::Object(documents), &"", &mut Report::new(out, "docs"))
}

#[cfg(test)]
mod tests;
