//! Measurements and evidence for tests: sound ones, to be spoiled in one place.

use crate::{
    Arm, Body, Calibration, Comparability, Emulation, Evidence, Exit, Host, Interval, Kernel,
    Measurement, Method, MetricId, MilliPct, Noise, Order, Proof, Proven, Ratio, Reference,
    ReferenceMetric, Sample, Series, Threshold, Unit, Work, WorkDigest, order::blocks, stats::Bar,
};

pub(crate) const SEED: u64 = 7;
pub(crate) const WORK: Work = Work { digest: WorkDigest::new([1; 32]), count: 12 };

pub(crate) fn metric(name: &str) -> MetricId {
    MetricId::new(name).expect("a metric")
}

pub(crate) fn sample(value: u64, position: u8) -> Sample {
    let (exit, proof) = (Exit::Code(0), vec![Proof::ResultFile]);
    Sample { value, censored: false, exit, proof, position, work: WORK }
}

pub(crate) fn host() -> Host {
    Host {
        os: "linux".into(),
        arch: "x86_64".into(),
        cpu_model: "a model".into(),
        allowed_cpus: 2,
        forced_cpus: None,
        emulation: Emulation::None,
        rustc: "1.95".into(),
        profile_hash: "0123".into(),
        logical_cpus: 2,
        virt: "kvm".into(),
        kernel: "6.1".into(),
        libc: "glibc 2.36".into(),
    }
}

pub(crate) fn calibration(ns: u64) -> Calibration {
    Calibration(Kernel::ALL.into_iter().map(|kernel| (kernel, ns)).collect())
}

pub(crate) fn series(name: &str, arm: Arm, samples: Vec<Sample>) -> Series {
    Series {
        metric: metric(name),
        unit: Unit::Ns,
        arm,
        body: Body::Samples(samples),
        source: "samples.json".to_owned(),
        schema_version: "1".to_owned(),
    }
}

pub(crate) fn measurement(order: Order, series: Vec<Series>) -> Measurement {
    Measurement {
        schema: Measurement::SCHEMA.to_owned(),
        canary: "speed".to_owned(),
        run_id: "run".to_owned(),
        commit: "0".repeat(40),
        order,
        host: host(),
        calibration: Some(calibration(100)),
        noise: Noise::default(),
        looks: None,
        identical_binaries: false,
        series,
        faults: Vec::new(),
    }
}

/// Two series of pairs of candidate and base, in the order of the seed.
pub(crate) fn paired(name: &str, pairs: &[(u64, u64)]) -> Vec<Series> {
    let order = blocks(SEED, pairs.len());
    let (mut base, mut candidate) = (Vec::new(), Vec::new());
    for (index, ((now, then), first)) in pairs.iter().zip(order).enumerate() {
        let (base_at, candidate_at) = first.positions(index);
        base.push(sample(*then, base_at));
        candidate.push(sample(*now, candidate_at));
    }
    vec![series(name, Arm::Base, base), series(name, Arm::Candidate, candidate)]
}

pub(crate) fn paired_measurement(pairs: &[(u64, u64)]) -> Measurement {
    measurement(Order::Blocks { seed: SEED }, paired("m", pairs))
}

pub(crate) fn one_arm(name: &str, values: impl IntoIterator<Item = u64>) -> Series {
    series(name, Arm::Candidate, values.into_iter().map(|value| sample(value, 0)).collect())
}

pub(crate) fn reference(metrics: &[(&str, &[u64])]) -> Reference {
    let metrics = metrics.iter().map(|(name, samples)| {
        let mut sorted = samples.to_vec();
        sorted.sort_unstable();
        let value = sorted.get(sorted.len() / 2).copied().unwrap_or(1);
        let samples = samples.to_vec();
        (metric(name), ReferenceMetric { unit: Unit::Ns, value, samples, work: WORK })
    });
    Reference {
        provenance: crate::Provenance::Measured,
        host: host(),
        calibration: calibration(100),
        metrics: metrics.collect(),
        faults: Vec::new(),
    }
}

/// Evidence of a single value, proven wherever it reaches.
pub(crate) fn degenerate(name: &str, now: u64, then: u64, threshold: &Threshold) -> Evidence {
    let ratio = Ratio::new(now, then).expect("a ratio");
    let reaches = |q: MilliPct| Bar::Change(q).is_reached_by(ratio);
    Evidence {
        metric: metric(name),
        unit: Unit::Ns,
        n: 17,
        alpha: 0.01,
        interval: Interval::degenerate(ratio),
        method: Method::Point,
        s_d: 0.0,
        mde: MilliPct::new(0),
        proven: Proven {
            comment: reaches(threshold.comment),
            fail: threshold.fail.is_some_and(reaches),
        },
        p95: None,
        labels: Vec::new(),
        host: Comparability::Same,
        layout_floor: None,
        base_value: then,
        candidate_value: now,
    }
}
