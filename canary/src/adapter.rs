//! The outputs of measuring tools as series. It opens no files: whoever calls it has read them.
//!
//! Members that a tool adds are tolerated; a member that is missing or of another type, an unknown variant and an
//! unknown version are `unknown_shape`. Nothing is skipped: what cannot be read is a problem, and every problem makes
//! the measurement invalid.

mod action_benchmark_json;
mod bmf_json;
mod cargo_criterion_jsonl;
mod criterion_dir;
mod gungraun_json;
mod hyperfine_json;
mod libtest_bench;
mod nextest_junit;
mod tango_csv;
#[cfg(test)]
mod tests;

pub use crate::tool::Adapter;
pub use action_benchmark_json::write as write_action_benchmark_json;
pub use bmf_json::write as write_bmf_json;

use crate::{
    Arm, Body, Exit, FaultCode, MetricId, Proof, Sample, Series, Summary, Unit, Work,
    json::{self, Problem},
    median::median,
};
use std::collections::{BTreeMap, BTreeSet};

/// One file of an output.
#[derive(Clone, Debug)]
pub struct Input {
    /// Its path, with `/`; of a directory relative to its root.
    pub path: String,
    /// Its content.
    pub bytes: Vec<u8>,
    /// When it was last written, in milliseconds since 1970, if the reader knows.
    pub modified_ms: Option<i64>,
}

/// What the configuration of a canary says about its output.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The arm that was run.
    pub arm: Arm,
    /// Events of gungraun that are metrics; empty means instructions, and what DHAT counts in total.
    pub events: BTreeSet<String>,
    /// Units of the measures of a BMF document beyond `latency` and `file-size`; in all of them lower is better.
    pub measures: BTreeMap<String, Unit>,
    /// Whether the values of a github-action-benchmark document are declared to be better when smaller.
    pub smaller_is_better: bool,
    /// When the run began, in milliseconds since 1970: a file that is not known to be newer is stale.
    pub not_before_ms: Option<i64>,
}

impl Settings {
    /// The settings for the output of one arm, without declarations.
    #[must_use]
    pub const fn of(arm: Arm) -> Self {
        Self {
            arm,
            events: BTreeSet::new(),
            measures: BTreeMap::new(),
            smaller_is_better: false,
            not_before_ms: None,
        }
    }
}

/// What an output holds: series by metric and arm, and everything that could not be read.
#[derive(Debug, Default)]
pub struct Reading {
    /// The series, sorted by metric and arm.
    pub series: Vec<Series>,
    /// The problems, in the order of the input.
    pub problems: Vec<Problem>,
}

impl Reading {
    /// Adds what the runner knows about the process behind every sample that does not say it itself.
    pub fn attest(&mut self, exit: Exit, proof: &[Proof], work: Work) {
        for series in &mut self.series {
            let Body::Samples(samples) = &mut series.body else { continue };
            for sample in samples.iter_mut() {
                if sample.exit == Exit::Unknown {
                    sample.exit = exit;
                }
                sample.proof.extend_from_slice(proof);
                sample.work = work;
            }
        }
    }
}

/// Reads an output; total, whatever the bytes are.
#[must_use]
pub fn read(
    adapter: Adapter,
    inputs: impl IntoIterator<Item = Input>,
    settings: &Settings,
) -> Reading {
    let mut out = Out { settings, reading: Reading::default() };
    let mut inputs = inputs.into_iter().peekable();
    if inputs.peek().is_none() {
        out.reading.problems.push(Problem::new(
            FaultCode::MeasurementMissing,
            adapter.name(),
            "",
            "there is no output to read",
        ));
    }
    if adapter == Adapter::CriterionDir {
        criterion_dir::read(inputs, &mut out);
    } else {
        for input in inputs {
            let read = out.fresh(&input).and_then(|()| {
                let text = json::text_of(&input.path, &input.bytes)?;
                read_text(adapter, &input.path, text, &mut out)
            });
            out.note(read);
        }
    }
    out.finish(adapter)
}

fn read_text(adapter: Adapter, path: &str, text: &str, out: &mut Out<'_>) -> Result<(), Problem> {
    match adapter {
        Adapter::CargoCriterionJsonl => cargo_criterion_jsonl::read(path, text, out),
        Adapter::HyperfineJson => hyperfine_json::read(path, text, out),
        Adapter::GungraunJson => gungraun_json::read(path, text, out),
        Adapter::LibtestBench => libtest_bench::read(path, text, out),
        Adapter::TangoCsv => tango_csv::read(path, text, out),
        Adapter::NextestJunit => nextest_junit::read(path, text, out),
        Adapter::BmfJson => bmf_json::read(path, text, out),
        Adapter::ActionBenchmarkJson => action_benchmark_json::read(path, text, out),
        Adapter::Process => Err(Problem::new(
            FaultCode::UnknownShape,
            path,
            "",
            "the runner times processes itself, and reads no output of theirs",
        )),
        Adapter::CriterionDir => Err(Problem::new(
            FaultCode::UnknownShape,
            path,
            "",
            "criterion keeps a directory, not a file",
        )),
    }
}

/// Where an adapter puts what it reads.
struct Out<'s> {
    settings: &'s Settings,
    reading: Reading,
}

impl Out<'_> {
    /// Keeps the problem of something that is read apart from the rest.
    fn note(&mut self, read: Result<(), Problem>) {
        if let Err(problem) = read {
            self.reading.problems.push(problem);
        }
    }

    /// A file is fresh if it is known to be newer than the beginning of the run.
    fn fresh(&self, input: &Input) -> Result<(), Problem> {
        let Some(not_before) = self.settings.not_before_ms else { return Ok(()) };
        match input.modified_ms {
            Some(modified) if modified >= not_before => Ok(()),
            Some(_) | None => {
                let detail = "the file is not known to be newer than the beginning of the run";
                Err(Problem::new(FaultCode::MeasurementStale, &input.path, "", detail))
            }
        }
    }

    fn samples(&mut self, at: &At<'_>, arm: Arm, values: Vec<u64>, exit: Exit) {
        if values.is_empty() {
            let detail = "the metric has no sample";
            let problem = Problem::new(FaultCode::EmptyMeasurement, at.file, at.pointer, detail);
            self.reading.problems.push(problem.of(at.metric));
            return;
        }
        let sample = |value| Sample {
            value,
            censored: false,
            exit,
            proof: Vec::new(),
            position: 0,
            work: Work::UNSTATED,
        };
        self.push(at, arm, Body::Samples(values.into_iter().map(sample).collect()));
    }

    fn summary(&mut self, at: &At<'_>, arm: Arm, summary: Summary) {
        self.push(at, arm, Body::Summary(summary));
    }

    fn push(&mut self, at: &At<'_>, arm: Arm, body: Body) {
        let Some(metric) = MetricId::new(at.metric) else {
            let detail = format!("`{}` is no name of a metric", at.metric.escape_debug());
            let problem = Problem::new(FaultCode::UnknownShape, at.file, at.pointer, detail);
            self.reading.problems.push(problem);
            return;
        };
        self.reading.series.push(Series {
            metric,
            unit: at.unit,
            arm,
            body,
            source: at.file.to_owned(),
            schema_version: at.version.to_owned(),
        });
    }

    fn finish(mut self, adapter: Adapter) -> Reading {
        let key = |series: &Series| (series.metric.clone(), series.arm);
        self.reading.series.sort_by_key(key);
        for pair in self.reading.series.windows(2) {
            if let [first, second] = pair
                && key(first) == key(second)
            {
                let detail = format!("it stands in `{}` as well", first.source);
                let problem = Problem::new(FaultCode::DuplicateMetric, &second.source, "", detail);
                self.reading.problems.push(problem.of(second.metric.as_str()));
            }
        }
        if self.reading.series.is_empty() && self.reading.problems.is_empty() {
            let detail = "the output holds no metric";
            let problem = Problem::new(FaultCode::EmptyMeasurement, adapter.name(), "", detail);
            self.reading.problems.push(problem);
        }
        self.reading
    }
}

/// What a series is of, and where it stands.
struct At<'a> {
    metric: &'a str,
    unit: Unit,
    file: &'a str,
    pointer: &'a str,
    version: &'a str,
}

/// The version of the shapes that state none.
const VERSION: &str = "1";

impl Summary {
    const fn of(value: u64) -> Self {
        Self { value, lower: None, upper: None }
    }
}

/// A series as one value with its least and greatest, for formats that hold no samples.
fn summarised(series: &Series) -> Option<Summary> {
    match &series.body {
        Body::Summary(summary) => Some(*summary),
        Body::Samples(samples) => {
            let values: Vec<u64> = samples.iter().map(|sample| sample.value).collect();
            let (lower, upper) = (values.iter().min().copied(), values.iter().max().copied());
            Some(Summary { value: median(&values)?, lower, upper })
        }
    }
}
