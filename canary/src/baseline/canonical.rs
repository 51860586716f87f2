//! The one form of a baseline on disk, and the digest over its content. It reads nothing.

use super::{Baseline, Measured, Origin, emulation, hex, host_class, unit};
use crate::{Kernel, json::Node};
use hmac_sha256::Hash;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The member that the digest stands in, and that it is not about.
pub(super) const DIGEST: &str = "content_digest";

pub(super) fn write(baseline: &Baseline) -> String {
    let mut members = members(baseline);
    let digest = digest_of(&Value::Object(members.clone()).to_string());
    members.insert(DIGEST.to_owned(), Value::String(digest));
    let mut text = String::new();
    lay_out(&Value::Object(members), 0, &mut text);
    text.push('\n');
    text
}

/// The digest of a text that the writer made.
fn digest_of(text: &str) -> String {
    // A text of the writer is JSON, so the other arm is never taken; it would only make the digest another one.
    match Node::document("", "", text) {
        Ok(node) => digest(&node),
        Err(_) => hex(&Hash::hash(text.as_bytes())),
    }
}

/// SHA-256 over the document without its digest: keys sorted, no spaces, numbers as they are written.
pub(super) fn digest(document: &Node<'_>) -> String {
    let mut text = String::new();
    compact(document, true, &mut text);
    hex(&Hash::hash(text.as_bytes()))
}

fn compact(node: &Node<'_>, is_root: bool, text: &mut String) {
    if let Ok(object) = node.clone().object() {
        text.push('{');
        for (name, member) in object.members() {
            if !(is_root && name == DIGEST) {
                text.push_str(&Value::String(name.to_owned()).to_string());
                text.push(':');
                compact(&member, false, text);
                text.push(',');
            }
        }
        text.push('}');
    } else if let Ok(items) = node.elements() {
        text.push('[');
        for item in items {
            compact(&item, false, text);
            text.push(',');
        }
        text.push(']');
    } else if let Ok(string) = node.text() {
        text.push_str(&Value::String(string).to_string());
    } else {
        text.push_str(node.raw());
    }
}

/// Objects with a member per line in the order of their names, arrays of plain values in one line.
fn lay_out(value: &Value, depth: usize, text: &mut String) {
    let Value::Object(members) = value else {
        text.push_str(&value.to_string());
        return;
    };
    if members.is_empty() {
        text.push_str("{}");
        return;
    }
    let sorted: BTreeMap<&String, &Value> = members.iter().collect();
    let last = sorted.len() - 1;
    text.push_str("{\n");
    for (at, (name, member)) in sorted.into_iter().enumerate() {
        text.push_str(&"  ".repeat(depth + 1));
        text.push_str(&Value::String(name.clone()).to_string());
        text.push_str(": ");
        lay_out(member, depth + 1, text);
        text.push_str(if at == last { "\n" } else { ",\n" });
    }
    text.push_str(&"  ".repeat(depth));
    text.push('}');
}

fn members(baseline: &Baseline) -> Map<String, Value> {
    let host = &baseline.host;
    let host_fields = json!({
        "os": host.os,
        "arch": host.arch,
        "cpu_model": host.cpu_model,
        "allowed_cpus": host.allowed_cpus,
        "forced_cpus": host.forced_cpus,
        "emulation": emulation(host.emulation),
        "rustc": host.rustc,
        "profile_hash": host.profile_hash,
        "logical_cpus": host.logical_cpus,
        "virt": host.virt,
        "kernel": host.kernel,
        "libc": host.libc,
    });
    let mut fields = vec![
        ("schema", json!(super::SCHEMA)),
        ("canary", json!(baseline.canary)),
        ("refreshed_at", json!(baseline.refreshed_at)),
        ("refreshed_by", json!(baseline.refreshed_by)),
        ("reason", json!(baseline.reason)),
        ("commit", json!(baseline.commit)),
        ("dirty", json!(false)),
        ("run_id", json!(baseline.run_id)),
        (
            "work",
            json!({ "digest": baseline.work.digest.to_string(), "count": baseline.work.count }),
        ),
        ("host_class", json!(host_class(host))),
        ("host", host_fields),
        ("calibration_ns", calibration(baseline)),
        ("measurements", measurements(&baseline.measurements)),
        (
            "retired",
            json!(baseline.retired.iter().map(crate::MetricId::as_str).collect::<Vec<_>>()),
        ),
    ];
    match &baseline.origin {
        Origin::Measured => fields.push(("provenance", json!("measured"))),
        Origin::Projected { from, factor } => fields.extend([
            ("provenance", json!("projected")),
            ("projected_from", json!(from)),
            ("factor", json!(factor)),
        ]),
    }
    if let Some(aa) = &baseline.aa {
        let aa = json!({
            "repeats": aa.repeats,
            "resampled": aa.resampled,
            "false_comment": aa.false_comment,
            "false_fail": aa.false_fail,
            "q999_milli_pct": aa.q999_milli_pct,
            "rate_upper95": aa.rate_upper95,
        });
        fields.push(("aa", aa));
    }
    if let Some(injection) = &baseline.injection {
        let injection = json!({
            "milli_pct": injection.milli_pct,
            "repeats": injection.repeats,
            "detected": injection.detected,
        });
        fields.push(("injection", injection));
    }
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn calibration(baseline: &Baseline) -> Value {
    let kernels = baseline.calibration_ns.0.iter();
    Value::Object(
        kernels.map(|(kernel, ns)| (kernel_name(*kernel).to_owned(), json!(ns))).collect(),
    )
}

pub(super) const fn kernel_name(kernel: Kernel) -> &'static str {
    match kernel {
        Kernel::Alu => "alu",
        Kernel::L2 => "l2",
        Kernel::Dram => "dram",
        Kernel::AllocSort => "alloc_sort",
        Kernel::Spawn => "spawn",
    }
}

fn measurements(measurements: &BTreeMap<crate::MetricId, Measured>) -> Value {
    let entry = |(metric, measured): (&crate::MetricId, &Measured)| {
        let value = json!({
            "unit": unit(measured.unit),
            "stat": "median",
            "value": measured.value,
            "n": measured.samples.len(),
            "samples": measured.samples,
            "s_d": measured.s_d,
        });
        (metric.as_str().to_owned(), value)
    };
    Value::Object(measurements.iter().map(entry).collect())
}
