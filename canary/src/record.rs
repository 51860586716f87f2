//! The document of a finished measurement: read strictly, written in one form. It judges nothing.

use crate::{FaultCode, Measurement, Problem, json::Node};

/// A measurement has a dozen values per sample, and samples are what it is made of.
const NODES_MAX: u32 = 8_000_000;

/// Reads a measurement.
///
/// # Errors
/// `unknown_shape` for a text with another meaning or with two, for another schema, and for members that are missing,
/// of another type, or not known.
pub fn read(file: &str, text: &str) -> Result<Measurement, Problem> {
    // The typed reader would take the last of two equal keys where a map stands, and blame lines instead of members.
    Node::within(file, "", text, NODES_MAX)?;
    let shape = |detail: String| Problem::new(FaultCode::UnknownShape, file, "", detail);
    let measurement: Measurement =
        serde_json::from_str(text).map_err(|error| shape(error.to_string()))?;
    if measurement.schema != Measurement::SCHEMA {
        let detail = format!("schema `{}` is not `{}`", measurement.schema, Measurement::SCHEMA);
        return Err(shape(detail));
    }
    Ok(measurement)
}

/// Returns the text of a measurement, one line.
///
/// # Errors
/// When a value cannot be written, which no measurement that was read holds.
pub fn write(measurement: &Measurement) -> Result<String, serde_json::Error> {
    serde_json::to_string(measurement).map(|text| text + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"{"schema":"portcullis.canary_measurement.v1","canary":"c","run_id":"r","commit":"0123456789abcdef0123456789abcdef01234567","order":{"blocks":{"seed":18446744073709551615}},"host":{"os":"linux","arch":"x86_64","cpu_model":"m","allowed_cpus":2,"forced_cpus":null,"emulation":"none","rustc":"1.95","profile_hash":"0","logical_cpus":2,"virt":"kvm","kernel":"6","libc":"g"},"calibration":{"alu":5},"noise":{"load_milli":null,"steal":null,"involuntary_switches":7},"looks":null,"identical_binaries":false,"series":[{"metric":"a","unit":"ns","arm":"candidate","body":{"samples":[{"value":18446744073709551615,"censored":false,"exit":{"code":0},"proof":["journal"],"position":0,"work":{"digest":"0303030303030303030303030303030303030303030303030303030303030303","count":1}}]},"source":"s","schema_version":"1"}],"faults":[]}"#;

    #[test]
    fn a_measurement_reads_back() {
        let measurement = read("m", TEXT).expect("a measurement");
        let text = write(&measurement).expect("a text");
        assert_eq!(read("m", &text).expect("a measurement"), measurement);
    }

    #[test]
    fn what_has_another_meaning_or_two_is_refused() {
        let table: &[(&str, &str, &str, &str)] = &[
            ("another schema", "measurement.v1", "measurement.v2", "schema"),
            ("an unknown member", "\"looks\"", "\"more\":1,\"looks\"", "unknown field"),
            ("no member", "\"identical_binaries\":false,", "", "missing field"),
            ("a key twice", "\"alu\":5", "\"alu\":5,\"alu\":6", "stands twice"),
            ("a fraction", "18446744073709551615,\"censored\"", "1.5,\"censored\"", "invalid type"),
            (
                "an overflow",
                "18446744073709551615,\"censored\"",
                "18446744073709551616,\"censored\"",
                "",
            ),
            ("cut", "\"faults\":[]}", "", "EOF"),
        ];
        for (case, part, instead, expected) in table {
            assert!(TEXT.contains(part), "{case}");
            let problem = read("m", &TEXT.replacen(part, instead, 1)).expect_err(case);
            assert!(problem.detail.contains(expected), "{case}: {problem}");
        }
    }
}
