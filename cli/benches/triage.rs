//! How fast `triage` reads logs of 200 MB in several shapes, and what it costs beside `grep -c` over the same file.
//!
//! `cargo bench -p cargo-portcullis --bench triage`. Each pair is measured back to back, so that a busy machine slows both.

use portcullis::evidence::clock::Stopwatch;
use std::{
    fs::File,
    io::{BufWriter, Write as _},
    path::Path,
    process::{Command, Stdio},
};

const BYTES: usize = 200 * 1024 * 1024;
const PAIRS: usize = 7;
const RED: &str = "2026-11-21T15:21:10.1Z test deep::inside ... FAILED\n";

/// The shapes of a log that are measured.
const SHAPES: [&str; 7] =
    ["forge", "libtest", "nextest", "colours", "crlf", "long_lines", "failures"];

/// One piece of a log: results, noise, and what a forge or a terminal puts around them.
fn piece(shape: &str, n: u32) -> String {
    let (a, b) = (n % 17, n % 301);
    let test = format!("test crate_{a}::module_{b}::case_{n} ... ok");
    match shape {
        "libtest" => format!("{test}\n"),
        "failures" => format!("test crate_{a}::module_{b}::case_{n} ... FAILED\n"),
        "nextest" => format!(
            "        PASS [   0.{b:03}s] ({n}/9999999) crate_{a}::suite module_{b}::case_{n}\n"
        ),
        "colours" => format!(
            "\u{1b}[32;1m        PASS\u{1b}[0m [   0.{b:03}s] \u{1b}[35;1mcrate_{a}\u{1b}[0m\u{1b}[36m::suite\u{1b}[0m \u{1b}[34mcase_{n}\u{1b}[0m\n"
        ),
        "crlf" => format!("{test}\r\n"),
        "long_lines" => {
            format!("{{\"n\":{n},\"blob\":\"{}\"}}\n", "0123456789abcdef".repeat(8_192))
        }
        _ => {
            let mut text = format!("2026-11-21T15:21:10.{:07}Z {test}\n", n % 10_000_000);
            if n.is_multiple_of(7) {
                text.push_str(
                    "2026-11-21T15:21:10.1Z   Compiling something v1.2.0 (/home/runner/work/thing)\n",
                );
            }
            if n.is_multiple_of(11) {
                text.push_str("2026-11-21T15:21:10.1Z \u{1b}[32mINFO\u{1b}[0m request finished status=200 errors=0\n");
            }
            text
        }
    }
}

/// A log of one shape, with one failure at its very end.
fn write(path: &Path, shape: &str) {
    let mut file = BufWriter::new(File::create(path).expect("a file"));
    let (mut written, mut n) = (0, 0_u32);
    while written < BYTES {
        n += 1;
        let text = piece(shape, n);
        file.write_all(text.as_bytes()).expect("written");
        written += text.len();
    }
    file.write_all(RED.as_bytes()).expect("written");
    file.flush().expect("written");
}

#[expect(clippy::disallowed_methods, reason = "the bench measures processes")]
fn ms(program: &str, words: &[&str], path: &Path, exit: i32) -> u64 {
    let watch = Stopwatch::start();
    let status = Command::new(program)
        .args(words)
        .arg(path)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
        .stdout(Stdio::null())
        .status()
        .expect("it starts");
    let elapsed_ms = watch.elapsed_ms();
    assert_eq!(status.code(), Some(exit), "{program}");
    elapsed_ms
}

#[expect(clippy::print_stdout, reason = "a bench prints what it measured")]
fn main() {
    // `cargo test --benches` only asks whether it runs.
    if !std::env::args().any(|word| word == "--bench") {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("ci.log");
    let own = env!("CARGO_BIN_EXE_cargo-portcullis");
    for shape in SHAPES {
        write(&path, shape);
        let mut pairs = Vec::new();
        for pair in 0..=PAIRS {
            let triage = ms(own, &["triage"], &path, 10);
            let grep = ms("grep", &["-c", "panicked at"], &path, 1);
            // The first pair warms the page cache for both.
            if pair > 0 {
                pairs.push((triage, grep));
            }
        }
        pairs.sort_unstable();
        let (triage, grep) = pairs[PAIRS / 2];
        let rate = |ms: u64| (BYTES as u64 / 1024 / 1024) * 1000 / ms.max(1);
        println!(
            "{shape}: triage {triage} ms ({} MB/s), grep -c {grep} ms ({} MB/s), ratio {}.{:02}; median of {PAIRS} pairs over {} MB",
            rate(triage),
            rate(grep),
            triage / grep.max(1),
            triage * 100 / grep.max(1) % 100,
            BYTES / 1024 / 1024
        );
    }
}
