//! Outputs that a hostile or broken tool could write: whatever the bytes are, reading ends with an answer.

use super::*;

/// A generator of numbers that are alike on every machine.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % (end.max(1) as u64)).expect("below a usize")
    }
}

const TOKENS: &[&str] = &[
    "null",
    "NaN",
    "-",
    "1e999999999999999999",
    "0",
    "18446744073709551616",
    "99999999999999999999999999999999999999999999999",
    "\"",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\\u0000",
    "\u{feff}",
    "\u{e9}",
    "<",
    "/>",
    "&#0;",
    "&lt;",
    "<!DOCTYPE x>",
    " ... bench: ",
    "test result: ok. ",
    "running 9 tests\n",
    "\r\n",
    "1,2\n",
    "true",
    "-0.0",
];

/// Removes, repeats, replaces or moves a part.
fn mutate(bytes: &mut Vec<u8>, numbers: &mut Numbers) {
    let at = numbers.below(bytes.len() + 1);
    let end = (at + 1 + numbers.below(12)).min(bytes.len());
    let token = TOKENS[numbers.below(TOKENS.len())].as_bytes();
    match numbers.below(6) {
        0 => bytes.truncate(at),
        1 => drop(bytes.drain(at..end)),
        2 => drop(bytes.splice(at..end, token.iter().copied())),
        3 => drop(bytes.splice(at..at, token.iter().copied())),
        4 => {
            let part = bytes[at..end].to_vec();
            let to = numbers.below(bytes.len() + 1);
            drop(bytes.splice(to..to, part));
        }
        _ => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = numbers.next().to_le_bytes()[0];
            }
        }
    }
}

/// What holds of every reading: a value is positive, and an output without series has a problem.
fn check(reading: &Reading, case: &str) {
    assert!(!reading.series.is_empty() || !reading.problems.is_empty(), "{case}: silent");
    for series in &reading.series {
        let values: Vec<u64> = match &series.body {
            Body::Samples(samples) => samples.iter().map(|sample| sample.value).collect(),
            Body::Summary(summary) => vec![summary.value],
        };
        assert!(!values.is_empty() && values.iter().all(|value| *value > 0), "{case}");
    }
    for pair in reading.series.windows(2) {
        let key = |series: &Series| (series.metric.clone(), series.arm);
        let told = reading.problems.iter().any(|p| p.code == FaultCode::DuplicateMetric);
        assert!(key(&pair[0]) != key(&pair[1]) || told, "{case}: a metric twice");
    }
}

#[test]
fn mutated_outputs_are_read_or_refused() {
    let mut numbers = Numbers(20_261_121);
    for (release, adapter) in RELEASES {
        let files = inputs(release);
        for round in 0..400 {
            let mut files: Vec<Input> = if *adapter == Adapter::CriterionDir {
                files.clone()
            } else {
                vec![files[numbers.below(files.len())].clone()]
            };
            let at = numbers.below(files.len());
            for _ in 0..=numbers.below(4) {
                mutate(&mut files[at].bytes, &mut numbers);
            }
            check(&read(*adapter, files, &settings()), &format!("{release}, round {round}"));
        }
    }
}

#[test]
fn arbitrary_bytes_are_refused() {
    let mut numbers = Numbers(5);
    for round in 0..2_000 {
        let length = numbers.below(200);
        let mut bytes = Vec::new();
        while bytes.len() < length {
            match numbers.below(2) {
                0 => bytes.push(numbers.next().to_le_bytes()[0]),
                _ => bytes.extend(TOKENS[numbers.below(TOKENS.len())].bytes()),
            }
        }
        for adapter in Adapter::ALL {
            let path = "g/new/sample.json".to_owned();
            let input = Input { path, bytes: bytes.clone(), modified_ms: None };
            check(&read(adapter, [input], &settings()), &format!("{adapter:?}, round {round}"));
        }
    }
}

#[test]
fn huge_and_deep_outputs_are_refused_in_their_place() {
    let huge = vec![b' '; 17 * 1024 * 1024];
    let deep = format!("{}{}", "[".repeat(500_000), "]".repeat(500_000));
    let nested = format!("<testsuites tests=\"0\" name=\"\">{}", "<a>".repeat(100_000));
    for adapter in Adapter::ALL {
        for bytes in [huge.clone(), deep.clone().into_bytes(), nested.clone().into_bytes()] {
            let path = "g/new/sample.json".to_owned();
            let reading = read(adapter, [Input { path, bytes, modified_ms: None }], &settings());
            assert!(reading.series.is_empty() && !reading.problems.is_empty(), "{adapter:?}");
        }
    }
}
