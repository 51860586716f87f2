//! Reads a baseline field by field, so that one wrong field hides no other. It repairs nothing.

use super::{
    AaFigures, Baseline, Flaw, FlawCode, InjectionFigures, Measured, Origin, Reading, SAMPLES_MIN,
    SCHEMA,
    canonical::{DIGEST, digest, kernel_name},
    host_class,
};
use crate::{
    Calibration, Emulation, FaultCode, Host, Kernel, MetricId, Problem, Unit, Work, WorkDigest,
    instant::parse_ms,
    json::{Node, Object, text_of},
    median::median,
};
use std::collections::{BTreeMap, BTreeSet};

/// Every key of the document.
const KEYS: &[&str] = &[
    "aa",
    "calibration_ns",
    "canary",
    "commit",
    DIGEST,
    "dirty",
    "factor",
    "host",
    "host_class",
    "injection",
    "measurements",
    "projected_from",
    "provenance",
    "reason",
    "refreshed_at",
    "refreshed_by",
    "retired",
    "run_id",
    "schema",
    "work",
];
const HOST_KEYS: &[&str] = &[
    "os",
    "arch",
    "cpu_model",
    "allowed_cpus",
    "forced_cpus",
    "emulation",
    "rustc",
    "profile_hash",
    "logical_cpus",
    "virt",
    "kernel",
    "libc",
];
const AA_KEYS: &[&str] =
    &["repeats", "resampled", "false_comment", "false_fail", "q999_milli_pct", "rate_upper95"];
const INJECTION_KEYS: &[&str] = &["milli_pct", "repeats", "detected"];
const METRIC_KEYS: &[&str] = &["unit", "stat", "value", "n", "samples", "s_d"];

/// Reads a baseline.
///
/// # Errors
/// When the bytes are no JSON with one meaning; everything else is a flaw.
pub fn read(file: &str, bytes: &[u8]) -> Result<Reading, Problem> {
    let document = Node::document(file, "", text_of(file, bytes)?)?;
    let found = digest(&document);
    let root = document.object()?;
    let mut flaws = Flaws(Vec::new());
    flaws.keys(&root, KEYS);
    let baseline = flaws.document(&root);
    if let Some(stated) = flaws.text(&root, DIGEST)
        && stated != found
    {
        let detail = format!("the content has {found}; it was written by hand, or changed since");
        flaws.push(FlawCode::DigestMismatch, &format!("/{DIGEST}"), detail);
    }
    let names = root.optional("measurements").and_then(|node| node.object().ok());
    let names = names.iter().flat_map(|object| object.members());
    let names = names.filter_map(|(name, _)| MetricId::new(name)).collect();
    Ok(Reading { baseline, names, flaws: flaws.0 })
}

struct Flaws(Vec<Flaw>);

impl Flaws {
    fn push(&mut self, code: FlawCode, pointer: &str, detail: impl Into<String>) {
        let (pointer, detail) = (pointer.to_owned(), detail.into());
        self.0.push(Flaw { code, metric: None, pointer, detail });
    }

    fn keys(&mut self, object: &Object<'_>, known: &[&str]) {
        for (name, node) in object.members() {
            if !known.contains(&name) {
                let detail = format!("no field is called `{name}`");
                self.push(FlawCode::UnknownKey, node.pointer(), detail);
            }
        }
    }

    /// Keeps a part of the header, or says why it is missing.
    fn header<T>(&mut self, read: Result<T, Problem>) -> Option<T> {
        match read {
            Ok(value) => Some(value),
            Err(problem) => {
                self.push(FlawCode::HeaderIncomplete, &problem.pointer, problem.detail);
                None
            }
        }
    }

    fn check(&mut self, holds: bool, pointer: &str, detail: &str) {
        if !holds {
            self.push(FlawCode::HeaderIncomplete, pointer, detail);
        }
    }

    /// A text that says something.
    fn text(&mut self, object: &Object<'_>, name: &str) -> Option<String> {
        let read = object.member(name).and_then(|node| {
            let text = node.text()?;
            if text.trim().is_empty() || text.contains(['\n', '\r']) {
                return Err(node.problem(FaultCode::UnknownShape, "expected one line of text"));
            }
            Ok(text)
        });
        self.header(read)
    }

    fn document(&mut self, root: &Object<'_>) -> Option<Baseline> {
        if let Some(schema) = self.text(root, "schema") {
            self.check(schema == SCHEMA, "/schema", "another schema");
        }
        let canary = self.text(root, "canary");
        let refreshed_at = self.text(root, "refreshed_at");
        if let Some(time) = &refreshed_at
            && parse_ms(time).is_none()
        {
            let detail = format!("`{time}` is no RFC 3339 time in UTC that ends with `Z`");
            self.push(FlawCode::TimeMalformed, "/refreshed_at", detail);
        }
        let refreshed_by = self.text(root, "refreshed_by");
        let reason = self.text(root, "reason");
        let says_where = reason.as_deref().is_none_or(has_link);
        self.check(says_where, "/reason", "the reason has no link to an issue or a change");
        let commit = self.text(root, "commit");
        let is_commit = commit.as_deref().is_none_or(|commit| is_hex(commit, 40));
        self.check(is_commit, "/commit", "expected 40 hexadecimal digits");
        let dirty = self.header(root.member("dirty").and_then(|dirty| dirty.boolean()));
        self.check(dirty != Some(true), "/dirty", "it was measured with uncommitted changes");
        let run_id = self.text(root, "run_id");
        let work = self.header(root.member("work").and_then(read_work));
        let origin = self.origin(root);
        let host = self.host(root);
        let calibration_ns = self.calibration(root);
        let aa = self.optional(root, "aa", AA_KEYS, read_aa);
        let injection = self.optional(root, "injection", INJECTION_KEYS, read_injection);
        let measurements = self.measurements(root);
        let retired = self.retired(root);
        Some(Baseline {
            canary: canary?,
            refreshed_at: refreshed_at?,
            refreshed_by: refreshed_by?,
            reason: reason?,
            commit: commit?,
            run_id: run_id?,
            work: work?,
            origin: origin?,
            host: host?,
            calibration_ns: calibration_ns?,
            aa,
            injection,
            measurements: measurements?,
            retired: retired?,
        })
    }

    fn origin(&mut self, root: &Object<'_>) -> Option<Origin> {
        let provenance = self.text(root, "provenance")?;
        match provenance.as_str() {
            "measured" => {
                for name in ["projected_from", "factor"] {
                    let absent = root.optional(name).is_none();
                    self.check(absent, &format!("/{name}"), "what was measured has none");
                }
                Some(Origin::Measured)
            }
            "projected" => {
                let from = self.text(root, "projected_from");
                let factor = root.member("factor").and_then(|node| positive_float(&node));
                let factor = self.header(factor);
                Some(Origin::Projected { from: from?, factor: factor? })
            }
            _ => {
                let detail = "expected `measured` or `projected`";
                self.push(FlawCode::HeaderIncomplete, "/provenance", detail);
                None
            }
        }
    }

    fn host(&mut self, root: &Object<'_>) -> Option<Host> {
        let object = self.header(root.member("host").and_then(Node::object))?;
        self.keys(&object, HOST_KEYS);
        let [os, arch, cpu_model, rustc, profile_hash, virt, kernel, libc] =
            ["os", "arch", "cpu_model", "rustc", "profile_hash", "virt", "kernel", "libc"]
                .map(|name| self.text(&object, name));
        let [allowed_cpus, logical_cpus] = ["allowed_cpus", "logical_cpus"]
            .map(|name| self.header(object.member(name).and_then(|node| cpus(&node))));
        let forced_cpus = object.member("forced_cpus");
        let forced_cpus = self.header(forced_cpus.and_then(|node| match node.is_null() {
            true => Ok(None),
            false => cpus(&node).map(Some),
        }));
        let emulation =
            self.header(object.member("emulation").and_then(|node| match node.text()?.as_str() {
                "none" => Ok(Emulation::None),
                "pinned" => Ok(Emulation::Pinned),
                "belief_only" => Ok(Emulation::BeliefOnly),
                _ => Err(node.problem(FaultCode::UnknownShape, "an unknown emulation")),
            }));
        let host = Host {
            os: os?,
            arch: arch?,
            cpu_model: cpu_model?,
            allowed_cpus: allowed_cpus?,
            forced_cpus: forced_cpus?,
            emulation: emulation?,
            rustc: rustc?,
            profile_hash: profile_hash?,
            logical_cpus: logical_cpus?,
            virt: virt?,
            kernel: kernel?,
            libc: libc?,
        };
        if let Some(stated) = self.text(root, "host_class") {
            let class = host_class(&host);
            if stated != class {
                let detail = format!("this host is of class {class}");
                self.push(FlawCode::DigestMismatch, "/host_class", detail);
            }
        }
        Some(host)
    }

    fn calibration(&mut self, root: &Object<'_>) -> Option<Calibration> {
        let object = self.header(root.member("calibration_ns").and_then(Node::object))?;
        let names = Kernel::ALL.map(kernel_name);
        self.keys(&object, &names);
        let mut kernels = BTreeMap::new();
        for kernel in Kernel::ALL {
            let Some(node) = object.optional(kernel_name(kernel)) else { continue };
            if let Some(ns) = self.header(node.value(0)) {
                kernels.insert(kernel, ns);
            }
        }
        Some(Calibration(kernels))
    }

    /// A group of figures that may be absent, but not in part.
    fn optional<T>(
        &mut self,
        root: &Object<'_>,
        name: &str,
        keys: &[&str],
        read: impl FnOnce(&Object<'_>) -> Result<T, Problem>,
    ) -> Option<T> {
        let node = root.optional(name).filter(|node| !node.is_null())?;
        let object = self.header(node.object())?;
        self.keys(&object, keys);
        self.header(read(&object))
    }

    fn measurements(&mut self, root: &Object<'_>) -> Option<BTreeMap<MetricId, Measured>> {
        let object = self.header(root.member("measurements").and_then(Node::object))?;
        let mut measurements = BTreeMap::new();
        for (name, node) in object.members() {
            let Some(metric) = MetricId::new(name) else {
                let detail = "a metric has a name of 1 to 1024 bytes";
                self.push(FlawCode::HeaderIncomplete, node.pointer(), detail);
                continue;
            };
            let before = self.0.len();
            let measured = self.metric(node);
            for flaw in &mut self.0[before..] {
                flaw.metric = Some(metric.clone());
            }
            if let Some(measured) = measured {
                measurements.insert(metric, measured);
            }
        }
        let has_any = object.members().next().is_some();
        self.check(has_any, "/measurements", "a baseline without a metric");
        Some(measurements)
    }

    fn metric(&mut self, node: Node<'_>) -> Option<Measured> {
        let object = self.header(node.object())?;
        self.keys(&object, METRIC_KEYS);
        let unit =
            self.header(object.member("unit").and_then(|node| match node.text()?.as_str() {
                "ns" => Ok(Unit::Ns),
                "count" => Ok(Unit::Count),
                "bytes" => Ok(Unit::Bytes),
                _ => Err(node.problem(FaultCode::UnknownShape, "an unknown unit")),
            }));
        let stat = self.text(&object, "stat");
        let value = self.value(object.member("value"));
        let samples = self.samples(&object);
        let n = self.header(object.member("n").and_then(|node| node.whole()));
        let s_d = self.header(object.member("s_d").and_then(|node| float(&node)));
        let pointer = object.node().pointer();
        let (samples, n) = (samples?, n?);
        let count = samples.len() as u64;
        if n != count || samples.len() < SAMPLES_MIN {
            let detail = format!("{count} samples; stated are {n}, at least {SAMPLES_MIN}");
            self.push(FlawCode::TooFewSamples, &format!("{pointer}/samples"), detail);
        }
        let (value, stat) = (value?, stat?);
        let middle = median(&samples);
        if stat != "median" || middle != Some(value) {
            let middle = middle.map_or_else(|| "none".to_owned(), |middle| middle.to_string());
            let detail = format!("the value is {value}, the median of its samples {middle}");
            self.push(FlawCode::ValueNotMedian, &format!("{pointer}/value"), detail);
        }
        Some(Measured { unit: unit?, value, samples, s_d: s_d? })
    }

    /// All samples, or none: a part of them would have another median.
    fn samples(&mut self, object: &Object<'_>) -> Option<Vec<u64>> {
        let nodes = self.header(object.member("samples").and_then(|node| node.elements()))?;
        let read: Vec<Option<u64>> = nodes.into_iter().map(|node| self.value(Ok(node))).collect();
        read.into_iter().collect()
    }

    /// A positive whole number. A fraction, a truth value and a text are none.
    fn value(&mut self, node: Result<Node<'_>, Problem>) -> Option<u64> {
        let read = node.and_then(|node| {
            node.number()?;
            match node.whole()? {
                0 => Err(node.problem(FaultCode::ValueNotPositive, "0 is no positive value")),
                value => Ok(value),
            }
        });
        match read {
            Ok(value) => Some(value),
            Err(problem) => {
                let code = if problem.code == FaultCode::ValueNotFinite {
                    FlawCode::ValueNotFinite
                } else {
                    FlawCode::ValueNotPositive
                };
                self.push(code, &problem.pointer, problem.detail);
                None
            }
        }
    }

    fn retired(&mut self, root: &Object<'_>) -> Option<BTreeSet<MetricId>> {
        let read = root.member("retired").and_then(|node| {
            let items = node.elements()?;
            items
                .iter()
                .map(|item| {
                    let odd = || item.problem(FaultCode::UnknownShape, "no name of a metric");
                    MetricId::new(&item.text()?).ok_or_else(odd)
                })
                .collect()
        });
        self.header(read)
    }
}

fn read_work(node: Node<'_>) -> Result<Work, Problem> {
    let object = node.object()?;
    let digest = object.member("digest")?;
    let digest = WorkDigest::try_from(digest.text()?)
        .map_err(|expected| digest.problem(FaultCode::UnknownShape, expected))?;
    Ok(Work { digest, count: object.member("count")?.whole()? })
}

fn read_aa(object: &Object<'_>) -> Result<AaFigures, Problem> {
    let whole = |name: &str| object.member(name)?.whole();
    Ok(AaFigures {
        repeats: whole("repeats")?,
        resampled: whole("resampled")?,
        false_comment: whole("false_comment")?,
        false_fail: whole("false_fail")?,
        q999_milli_pct: signed(&object.member("q999_milli_pct")?)?,
        rate_upper95: float(&object.member("rate_upper95")?)?,
    })
}

fn read_injection(object: &Object<'_>) -> Result<InjectionFigures, Problem> {
    Ok(InjectionFigures {
        milli_pct: signed(&object.member("milli_pct")?)?,
        repeats: object.member("repeats")?.whole()?,
        detected: object.member("detected")?.whole()?,
    })
}

fn cpus(node: &Node<'_>) -> Result<u32, Problem> {
    let odd = || node.problem(FaultCode::UnknownShape, "expected 1 to 65535 CPUs");
    let count = u32::try_from(node.whole()?).map_err(|_source: std::num::TryFromIntError| odd())?;
    if (1..=65_535).contains(&count) { Ok(count) } else { Err(odd()) }
}

fn signed(node: &Node<'_>) -> Result<i64, Problem> {
    node.number()?;
    node.raw().parse().map_err(|source: std::num::ParseIntError| {
        node.problem(FaultCode::UnknownShape, source.to_string())
    })
}

/// A figure that only describes: finite and not negative.
fn float(node: &Node<'_>) -> Result<f64, Problem> {
    node.number()?;
    let odd = || node.problem(FaultCode::UnknownShape, "expected a number of 0 or more");
    let number: f64 = node.raw().parse().map_err(|_source: std::num::ParseFloatError| odd())?;
    if number.is_finite() && number >= 0.0 { Ok(number) } else { Err(odd()) }
}

fn positive_float(node: &Node<'_>) -> Result<f64, Problem> {
    let number = float(node)?;
    if number > 0.0 {
        return Ok(number);
    }
    Err(node.problem(FaultCode::UnknownShape, "expected a positive number"))
}

fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// A web address, or the number of an issue.
fn has_link(reason: &str) -> bool {
    let has_number =
        reason.split('#').skip(1).any(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    has_number || reason.contains("https://") || reason.contains("http://")
}
