//! Tables over the kind of owners: who owns what, and every way to reach over a boundary.

use super::{teeth::*, *};
use portcullis::testing::{Bench, Seen};

const BOUNDARY: &str = "files = ['src/**/*.rs']\nmap = { domains = { kernel = { files = ['src/kernel/**', 'src/kernel.rs'] }, \
    io = { files = ['src/io/**', 'src/io.rs'] }, rest = { files = ['src/lib.rs', 'src/prelude.rs'] } }, \
    banned = [{ from = 'kernel', to = 'io' }] }";

fn seen(config: &str, files: &[(&str, &str)]) -> Seen {
    let bench = Bench::new(&OWNERSHIP_MAP, config).policy(POLICY.1);
    files.iter().fold(bench, |bench, (path, text)| bench.file(path, text.as_bytes())).run()
}

/// Where the boundary is crossed when `src/kernel.rs` has this text.
fn crossed(config: &str, kernel: &str) -> Vec<(u32, u32)> {
    let files = [
        MANIFEST,
        (
            "src/lib.rs",
            "pub mod prelude;\npub mod kernel;\npub mod io;\nmacro_rules! make { ($($t:tt)*) => { $($t)* } }\npub use io::disk as storage;\n",
        ),
        (
            "src/prelude.rs",
            "pub use crate::io::{File, disk as d};\npub use crate::io::net::*;\npub struct Plain;\n",
        ),
        (
            "src/io.rs",
            "pub mod disk;\npub mod net { pub mod tcp { pub fn open() {} } pub struct Socket; }\npub struct File;\n",
        ),
        ("src/io/disk.rs", "pub fn read() {}\npub struct Path;\n"),
        ("src/kernel/own.rs", "pub mod io { pub struct File; }\n"),
        ("src/kernel.rs", kernel),
    ];
    let seen = seen(config, &files);
    assert!(seen.error().is_none(), "{kernel}: {:?}", seen.messages);
    let drifts = seen.looked.findings.iter().filter(|found| found.code == "kernel_boundary_drift");
    drifts.filter_map(|found| found.location.as_ref()).map(|at| (at.line, at.column)).collect()
}

#[test]
fn every_tooth_bites() {
    assert_eq!(portcullis::testing::teeth(&OWNERSHIP_MAP), Vec::<String>::new());
}

#[test]
fn a_boundary_is_crossed_however_it_is_written() {
    const OWN: &str = "pub mod own;\n";
    let table: &[(&str, &str)] = &[
        ("an import", "use crate::io::File;"),
        ("in a tree", "use crate::{kernel::own, io::{self as x, disk::read}};"),
        ("a glob", "use crate::io::*;"),
        ("of everything, then by name", "use crate::*;\nfn a() { io::disk::read() }"),
        ("renamed", "use crate::io as own_io;"),
        ("through super", "use super::io::File;"),
        ("through self and super", "use self::super::io::File;"),
        ("in full, in a body", "fn a() { crate::io::disk::read() }"),
        ("in a type", "struct A { b: Option<Vec<crate::io::File>> }"),
        ("in a bound", "fn a<T: Into<super::io::File>>(_: T) {}"),
        ("through a trait", "type A = <crate::io::File as Clone>::Owned;"),
        ("in a pattern", "fn a(b: u8) { match b { crate::io::A => {} _ => {} } }"),
        ("after a range", "fn a() { 0..crate::io::N }"),
        ("in a macro call", "fn a() { vec![crate::io::File] }"),
        ("in a macro at the top", "make! { use crate::io::File; }"),
        ("in a macro definition", "macro_rules! a { () => { $crate::io::File } }"),
        ("in an attribute", "#[derive(crate::io::Read)] struct A;"),
        ("in an inline module", "mod inner { use super::super::io::File; }"),
        (
            "in an inline module of an inline module",
            "mod a { mod b { fn c() { super::super::super::io::disk::read() } } }",
        ),
        ("in a function", "fn a() { use crate::io::disk; disk::read() }"),
        ("a re-export", "use crate::prelude::File;"),
        ("a renamed re-export", "use crate::prelude::d::read;"),
        ("a re-export by a glob", "use crate::prelude::Socket;"),
        ("a glob of a re-export by a glob", "use crate::prelude::*;\nfn a() { tcp::open() }"),
        ("a bare name behind a glob", "use crate::prelude::*;\nfn a(_: File) {}"),
        ("a re-export at the root", "use crate::storage::read;"),
        ("an import of an import", "use crate::prelude as p;\nuse p::d;"),
        ("a raw name", "use crate::r#io::File;"),
        ("with a condition", "#[cfg(unix)] use crate::io::File;"),
        ("by visibility", "pub(in crate::io) struct A;"),
        ("as an item of the crate by its name", "extern crate self as me;\nuse me::io::File;"),
    ];
    let missed: Vec<&str> = table
        .iter()
        .filter(|(_, text)| crossed(BOUNDARY, &format!("{OWN}{text}\n")).is_empty())
        .map(|(case, _)| *case)
        .collect();
    assert_eq!(missed, Vec::<&str>::new());
}

#[test]
fn what_only_looks_like_a_crossing_is_none() {
    let table: &[(&str, &str)] = &[
        ("a comment", "// use crate::io::File;\n/// crate::io\nfn a() {}"),
        ("a text", "const A: &str = \"crate::io::File\";"),
        ("a module of its own of that name", "use self::own::io::File;"),
        ("a local module wins", "mod io { pub struct File; }\nuse self::io::File;"),
        ("a variable and a field", "fn a(io: u8) { b.io; let io = io; c(io) }"),
        ("the standard library", "use std::io::File;"),
        ("another re-export", "use crate::prelude::Plain;"),
        ("a bare name without a glob", "fn a(_: File) {}"),
        ("the crate", "use crate::kernel::own;"),
    ];
    for (case, text) in table {
        assert_eq!(crossed(BOUNDARY, &format!("pub mod own;\n{text}\n")), [], "{case}");
    }
}

#[test]
fn a_crossing_has_its_place() {
    let text = "pub mod own;\nuse crate::{\n    kernel,\n    io::File,\n};\nfn a() { crate::io::disk::read() }\n";
    assert_eq!(crossed(BOUNDARY, text), [(4, 5), (6, 10)]);
}

#[test]
fn test_code_can_be_exempt() {
    let exempt = format!("{BOUNDARY}\ntest_code = 'exempt'");
    let table: &[(&str, &str, bool)] = &[
        ("a test module", "#[cfg(test)] mod tests { use crate::io::File; }", true),
        ("a test import", "#[cfg(test)] use crate::io::File;", true),
        ("a test", "#[test] fn a() { crate::io::disk::read() }", true),
        ("after a test", "#[cfg(test)] use crate::kernel::own;\nuse crate::io::File;", false),
        ("not a test", "#[cfg(not(test))] use crate::io::File;", false),
        ("perhaps a test", "#[cfg(any(test, unix))] use crate::io::File;", false),
        ("after a test with generics", "#[cfg(test)] fn a<T, U>() {}\nuse crate::io::File;", false),
    ];
    for (case, text, is_exempt) in table {
        let text = format!("pub mod own;\n{text}\n");
        assert_eq!(crossed(BOUNDARY, &text).len(), 1, "{case}");
        assert_eq!(crossed(&exempt, &text).is_empty(), *is_exempt, "{case}, exempt");
    }
    let files = [
        MANIFEST,
        LIB,
        IO,
        ("src/kernel.rs", "#[cfg(test)] mod tests;\n"),
        ("src/kernel/tests.rs", "mod deep { use crate::io::File; }\n"),
    ];
    for (config, expected) in [(BOUNDARY, 1), (&exempt, 0)] {
        let config = config.replace(", 'src/prelude.rs'", "");
        assert_eq!(
            seen(&config, &files).codes.len(),
            expected,
            "a test module in a file of its own"
        );
    }
}

#[test]
fn paths_given_by_hand_are_followed() {
    let files = [
        MANIFEST,
        ("src/lib.rs", "#[path = \"kernel.rs\"] mod heart;\npub mod io;\n"),
        ("src/kernel.rs", "mod inner { #[path = \"far.rs\"] mod y; }\n"),
        ("src/inner/far.rs", "use super::super::super::io::File;\n"),
        IO,
    ];
    let config = BOUNDARY
        .replace("'src/kernel/**'", "'src/inner/**'")
        .replace("'src/lib.rs', 'src/prelude.rs'", "'src/lib.rs'");
    let seen = seen(&config, &files);
    assert_eq!(seen.codes, ["kernel_boundary_drift"], "{:?}", seen.messages);
}

#[test]
fn crates_of_one_domain_are_kept_apart() {
    let manifest = |name: &str, rest: &str| {
        format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2021\"\n{rest}")
    };
    let config = |rest: &str| {
        format!(
            "files = ['*/src/*.rs']\nmap = {{ domains = {{ kernel = {{ files = ['k/**'] }}, io = {{ modules = ['the_io'] }} }}, \
                 banned = [{{ from = 'kernel', to = 'io' }}] }}\n{rest}"
        )
    };
    let table: &[(&str, &str, &str, &str, usize)] = &[
        ("apart", "", "", "", 0),
        ("a dependency", "[dependencies]\nthe-io = { path = '../i' }\n", "", "", 1),
        (
            "a dependency and its use",
            "[dependencies]\nthe-io = { path = '../i' }\n",
            "use the_io::File;",
            "",
            2,
        ),
        (
            "a renamed one",
            "[dependencies]\nx = { package = 'the-io', path = '../i' }\n",
            "fn a() { x::open() }",
            "",
            2,
        ),
        (
            "with a leading separator",
            "[dependencies]\nthe-io = { path = '../i' }\n",
            "use ::the_io::File;",
            "",
            2,
        ),
        ("for tests", "[dev-dependencies]\nthe-io = { path = '../i' }\n", "", "", 1),
        (
            "for tests, exempt",
            "[dev-dependencies]\nthe-io = { path = '../i' }\n",
            "#[cfg(test)] use the_io::File;",
            "test_code = 'exempt'",
            0,
        ),
        (
            "exempt, but used",
            "[dependencies]\nthe-io = { path = '../i' }\n",
            "",
            "test_code = 'exempt'",
            1,
        ),
    ];
    for (case, dependencies, kernel, rest, expected) in table {
        let (k, i) = (manifest("kernel", dependencies), manifest("the-io", ""));
        let files = [
            ("Cargo.toml", "[workspace]\nmembers = ['k', 'i']\nresolver = '2'\n"),
            ("k/Cargo.toml", k.as_str()),
            ("i/Cargo.toml", i.as_str()),
            ("k/src/lib.rs", kernel),
            ("i/src/lib.rs", "pub struct File;\npub fn open() {}\n"),
        ];
        let seen = seen(&config(rest), &files);
        assert!(seen.error().is_none(), "{case}: {:?}", seen.messages);
        assert_eq!(
            seen.codes,
            vec!["kernel_boundary_drift"; *expected],
            "{case}: {:?}",
            seen.messages
        );
    }
}

#[test]
fn maps_that_contradict_themselves_are_refused() {
    let table: &[(&str, &str, &str)] = &[
        ("an unknown domain", "to = 'io'", "to = 'oi'"),
        ("banned from itself", "to = 'io'", "to = 'kernel'"),
        ("a domain of nothing", "{ files = ['src/lib.rs', 'src/prelude.rs'] }", "{}"),
        ("two maps", "map =", "manifest = 'map.toml'\nmap ="),
        ("a key nothing reads", "banned =", "forbidden = [], banned ="),
        ("a deferral that excludes", "banned =", "deferred = ['!src/lib.rs'], banned ="),
    ];
    for (case, from, to) in table {
        let seen = seen(&BOUNDARY.replace(from, to), &[MANIFEST, LIB, IO, KERNEL]);
        assert!(
            seen.error().is_some_and(|error| error.code.starts_with("config_")),
            "{case}: {:?}",
            seen.code
        );
    }
    let broken = MAP.replace("to = 'io'", "to = 'oi'");
    let seen = seen(FILE, &[MANIFEST, LIB, IO, KERNEL, MISSION, ("map.toml", &broken)]);
    assert_eq!(seen.code.as_deref(), Some("input_unreadable"));
}

#[test]
fn t12_cycles_of_imports_and_globs_end() {
    let files = [
        MANIFEST,
        (
            "src/lib.rs",
            "pub mod kernel;\npub mod io;\npub use kernel::*;\npub use io::*;\nuse crate::a as b;\nuse crate::b as a;\n",
        ),
        (
            "src/kernel.rs",
            "pub use crate::*;\npub use super::kernel::*;\nfn x() { a::b::c(); y() }\n",
        ),
        ("src/io.rs", "pub use crate::kernel::*;\npub use self::*;\n"),
    ];
    let config = BOUNDARY.replace(", 'src/prelude.rs'", "");
    let seen = seen(&config, &files);
    assert!(seen.error().is_none(), "{:?}", seen.messages);
}
