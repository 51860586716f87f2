//! What a user links when adding portcullis: how many crates, which ones, under which licences.

use portcullis::{Code, Examined, Finding, Findings, GateContext, GateError};
use std::collections::BTreeMap;

portcullis::gate! {
    /// Keeps the crate trees of `portcullis` and `portcullis-gates` within their budgets.
    /// ### What it checks
    /// The number of distinct packages that a build of each library compiles on this host.
    /// ### Why it gates
    /// A dev-dependency is paid for by everybody who runs the tests, on every cold build.
    /// ### Remediation
    /// Drop a dependency, or its default features. Raising a budget is a decision of its own.
    pub static CRATE_BUDGET: "crate_budget", check = crate_budget;

    /// Keeps crates out that would make the libraries heavy, native or networked.
    /// ### What it checks
    /// No denied package is reachable from `portcullis` or `portcullis-gates` by normal or build edges.
    /// ### Why it gates
    /// Network, C compilers and a second regex engine arrive through somebody else's default features.
    /// ### Remediation
    /// Find the edge with `cargo tree -i <crate>` and cut it.
    pub static FORBIDDEN_DEPENDENCY: "forbidden_dependency", check = forbidden_dependency;

    /// Keeps every dependency under a licence from the allow-list.
    /// ### What it checks
    /// The licence expression of each package in the workspace tree, dev-dependencies included.
    /// ### Why it gates
    /// Users inherit what they link.
    /// ### Remediation
    /// Replace the crate, or extend the list together with `deny.toml` after reading the licence.
    pub static LICENCE_ALLOW_LIST: "licence_allow_list", check = licence_allow_list;
}

const TOO_MANY_CRATES: Code = Code::new(
    "PC1901",
    "too_many_crates",
    "A library has more crates in its tree than its budget.",
);
const DENIED_DEPENDENCY: Code =
    Code::new("PC1902", "denied_dependency", "A denied crate is reachable from a library.");
const LICENCE_REFUSED: Code =
    Code::new("PC1903", "licence_refused", "A licence is not on the allow-list.");

const BUDGETS: &[(&str, usize)] = &[("portcullis", 52), ("portcullis-gates", 85)];

fn crate_budget(cx: &GateContext<'_>, out: &mut Findings) -> Result<Examined, GateError> {
    let mut examined = 0;
    for (package, budget) in BUDGETS {
        let tree = tree(cx, &["-p", package, "-e", "normal,build"])?;
        examined += tree.len();
        cx.note(format!("{package}: {} of {budget} crates", tree.len()));
        if tree.len() > *budget {
            out.push(
                Finding::new(
                    TOO_MANY_CRATES,
                    package,
                    format!("{} crates, budget {budget}", tree.len()),
                    format!("see `cargo tree -p {package} -e normal,build` and drop a dependency"),
                )
                .expected(format!("at most {budget}"))
                .found(tree.len().to_string()),
            );
        }
    }
    Ok(Examined::items(examined))
}

/// Crates that no library of ours may link, and crates that the harness alone may not.
const DENIED: &[&str] = &[
    "tokio",
    "reqwest",
    "hyper",
    "ureq",
    "curl",
    "openssl-sys",
    "ring",
    "cc",
    "cmake",
    "libsqlite3-sys",
    "git2",
    "chrono",
];
const DENIED_IN_HARNESS: &[&str] =
    &["cel", "regex", "serde_yaml", "serde-saphyr", "cargo_metadata", "anyhow", "thiserror"];

fn forbidden_dependency(cx: &GateContext<'_>, out: &mut Findings) -> Result<Examined, GateError> {
    let mut examined = 0;
    for (package, _) in BUDGETS {
        for name in tree(cx, &["-p", package, "-e", "normal,build"])?.keys() {
            examined += 1;
            let bare = name.split(' ').next().unwrap_or(name);
            let in_harness = *package == "portcullis" && DENIED_IN_HARNESS.contains(&bare);
            if DENIED.contains(&bare) || in_harness {
                out.push(Finding::new(
                    DENIED_DEPENDENCY,
                    format!("{package} -> {bare}"),
                    format!("`{name}` is reachable from `{package}`"),
                    format!("find the edge with `cargo tree -p {package} -i {bare}` and cut it"),
                ));
            }
        }
    }
    Ok(Examined::items(examined))
}

const LICENCES: &[&str] = &[
    "MIT",
    "Apache-2.0",
    "Unlicense",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Zlib",
    "Unicode-3.0",
    "0BSD",
    "CC0-1.0",
    "MIT-0",
    "Apache-2.0 WITH LLVM-exception",
    "BSL-1.0",
    "MPL-2.0",
];

fn licence_allow_list(cx: &GateContext<'_>, out: &mut Findings) -> Result<Examined, GateError> {
    let tree = tree(cx, &["--workspace", "-e", "normal,build,dev"])?;
    for (name, licence) in &tree {
        if !is_allowed(licence) {
            out.push(
                Finding::new(
                    LICENCE_REFUSED,
                    name,
                    format!("`{name}` is under `{licence}`"),
                    "replace the crate",
                )
                .expected(LICENCES.join(", "))
                .found(licence.clone()),
            );
        }
    }
    Ok(Examined::items(tree.len()))
}

/// An `OR` needs one allowed side, an `AND` needs all; `/` is the old spelling of `OR`.
fn is_allowed(licence: &str) -> bool {
    licence.replace('/', " OR ").split(" OR ").any(|choice| {
        choice.split(" AND ").all(|one| LICENCES.contains(&one.trim().trim_matches(['(', ')'])))
    })
}

/// Package (`name vX.Y.Z`) to licence, as cargo resolves it for this host.
fn tree(cx: &GateContext<'_>, arguments: &[&str]) -> Result<BTreeMap<String, String>, GateError> {
    let fixed =
        ["cargo", "tree", "--locked", "--offline", "--prefix", "none", "--format", "{p}|{l}"];
    let argv: Vec<String> = fixed.iter().chain(arguments).map(|word| (*word).to_owned()).collect();
    let finished = cx.command(&argv).run()?;
    if !finished.is_success() {
        return Err(GateError::new(
            TOO_MANY_CRATES,
            "`cargo tree` failed, so nothing is known about the dependencies",
            "run it by hand; a lock file that is out of date is the usual cause",
        )
        .found(finished.stderr.text()));
    }
    let text = finished.stdout.text();
    let lines = text.lines().filter_map(|line| line.split_once('|'));
    Ok(lines
        .map(|(package, licence)| {
            let words: Vec<&str> = package.split(' ').take(2).collect();
            (words.join(" "), licence.trim_end_matches(" (*)").to_owned())
        })
        .filter(|(package, _)| !package.is_empty())
        .collect())
}
