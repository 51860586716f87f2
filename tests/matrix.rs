//! Teeth, then the matrix: every kind over every fixture tree of every kind, one snapshot per kind.
//!
//! The snapshot is the whole map, so that a fixture shows which other kinds it trips, and a kind that
//! stops to look shows in every row at once.

use portcullis::{
    declare::{KindDecl, Tooth},
    runner::registry::Registry,
    testing::{self, Bench},
    wire::outcome::{Outcome, SkipReason},
};
use portcullis_gates as _;
use std::{
    fmt::Write as _,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

fn registry() -> Registry {
    Registry::collect().expect("the standard kinds are linked")
}

/// A minimal container has no git. Its gates may skip for that, or say so; they are not broken.
#[test]
fn without_any_tool_no_kind_fails_its_own_teeth() {
    let nowhere = tempfile::tempdir().expect("a folder");
    let path = nowhere.path().to_str().expect("UTF-8");
    let mut wrong = Vec::new();
    for kind in registry().kinds() {
        // A tree under git cannot be made without git; those teeth are no proof of anything here.
        for tooth in kind.teeth.iter().filter(|tooth| !tooth.git) {
            let seen = Bench::tooth(kind, tooth).env("PATH", path).run();
            let absent = seen.skip().is_some_and(|skip| skip.reason == SkipReason::ToolMissing);
            let bites = match tooth.expect {
                None => seen.outcome == Outcome::Pass,
                Some(code) => {
                    seen.code.as_deref() == Some(code.name())
                        || seen.codes.iter().any(|found| found == code.name())
                }
            };
            if !absent && !bites {
                wrong.push(format!(
                    "{}/{}: {:?} {:?}",
                    kind.id, tooth.name, seen.outcome, seen.messages
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_kind_bites() {
    let registry = registry();
    let mut examined = 0;
    for kind in registry.kinds() {
        assert_eq!(testing::teeth(kind), Vec::<String>::new(), "kind `{}`", kind.id);
        examined += kind.teeth.len();
    }
    assert!(examined > 0, "no tooth was examined");
}

#[test]
fn every_code_of_a_kind_is_raised_by_a_known_bad() {
    for kind in registry().kinds() {
        for code in kind.codes {
            let bitten = kind
                .teeth
                .iter()
                .any(|tooth| tooth.expect.is_some_and(|expected| expected == *code));
            assert!(bitten, "no known-bad of `{}` raises `{code}`", kind.id);
        }
    }
}

#[test]
fn codes_are_unique_and_well_shaped() {
    let registry = registry();
    let mut all: Vec<portcullis::Code> = portcullis::wire::code::HARNESS_CODES.to_vec();
    // A kind may raise a code of the harness or share one with another kind; what differs in anything has another
    // number and another name.
    for code in registry.kinds().flat_map(|kind| kind.codes) {
        if !all.iter().any(|known| known == code && known.meaning() == code.meaning()) {
            all.push(*code);
        }
    }
    for (n, code) in all.iter().enumerate() {
        let digits = code.number().strip_prefix("PC").unwrap_or_default();
        assert!(digits.len() == 4 && digits.bytes().all(|b| b.is_ascii_digit()), "{code}");
        assert!(
            code.name().bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'),
            "{code}"
        );
        assert!(
            code.meaning().ends_with('.') && code.meaning().len() > 10,
            "{code} has no meaning"
        );
        for other in &all[..n] {
            assert!(
                other.number() != code.number() && other.name() != code.name(),
                "{code} and {other}"
            );
        }
    }
}

#[test]
fn every_page_has_its_sections_and_names_every_code() {
    for kind in registry().kinds() {
        let page = kind.page.join("\n");
        let mut at = 0;
        for section in ["What it checks", "Why it gates", "Example", "Configuration", "Remediation"]
        {
            let heading = format!("### {section}");
            let place = page.find(&heading);
            assert!(
                place.is_some_and(|place| place >= at),
                "`{}` lacks `{heading}`, or has it out of order",
                kind.id
            );
            at = place.unwrap_or(at);
        }
        for code in kind.codes {
            assert!(
                page.contains(code.name()),
                "the page of `{}` does not name `{}`",
                kind.id,
                code.name()
            );
        }
    }
}

/// A key that the page does not name is one that nobody but its author can use.
#[test]
fn every_page_documents_every_key() {
    let mut examined = 0;
    for kind in registry().kinds() {
        let page = kind.page.join("\n");
        let configuration = page.split("### Configuration").nth(1).expect("a section");
        let configuration = configuration.split("### ").next().expect("its text");
        let good = kind.teeth.iter().find(|tooth| tooth.expect.is_none()).expect("a known-good");
        // The reader of the configuration names its keys itself, when it is asked for one that it does not have.
        let asked: &str = format!("a_key_of_no_kind = 1\n{}", good.config).leak();
        let seen = Bench::tooth(kind, &Tooth { config: asked, ..*good }).run();
        let error = seen.error().expect("an unknown key is refused");
        assert_eq!(error.code, "config_unknown_key", "`{}`: {}", kind.id, error.message);
        let known = error.expected.clone().unwrap_or_default();
        let keys: Vec<&str> = known.split('`').skip(1).step_by(2).collect();
        assert!(!keys.is_empty() || known.contains("no fields"), "`{}`: {known}", kind.id);
        for key in keys {
            let named = configuration.contains(&format!("`{key}`"))
                || configuration.contains(&format!("`{key} = "))
                || configuration
                    .contains(&format!("`*_{}`", key.rsplit('_').next().unwrap_or(key)));
            assert!(named, "the page of `{}` does not document the key `{key}`", kind.id);
            examined += 1;
        }
    }
    assert!(examined > 60, "only {examined} keys were examined");
}

/// The pages as files, for whoever reads them in a browser: the same text that `explain` prints.
#[test]
fn the_pages_in_docs_are_those_of_the_kinds() {
    let registry = registry();
    let mut index = String::from(
        "# Standard gate kinds\n\nGenerated from the sources; `cargo gate explain <kind>` prints the same. Every code stands in `docs/codes.md`.\n\n",
    );
    let mut codes = String::from(
        "# Codes\n\nGenerated from the sources; `cargo gate explain <code>` prints the page of its gate. A code never changes its meaning.\n\n| number | code | raised by | meaning |\n|---|---|---|---|\n",
    );
    let mut rows: Vec<(portcullis::Code, &str)> =
        portcullis::wire::code::HARNESS_CODES.iter().map(|code| (*code, "portcullis")).collect();
    let mut problems = Vec::new();
    for kind in registry.kinds() {
        let mut page =
            format!("# `{}`\n\nGenerated from the sources. Since {}.\n\n", kind.id, kind.since);
        for line in kind.page {
            let line = line.strip_prefix(' ').unwrap_or(line).trim_end();
            // A heading without a blank line around it is a heading for some readers only.
            if line.starts_with("### ") {
                let _ok =
                    write!(page, "\n#{}\n\n", line.trim_start_matches('#').replacen(' ', "# ", 1));
            } else {
                let _ok = writeln!(page, "{line}");
            }
        }
        let page = squeezed(&page);
        problems
            .extend(portcullis_repo::generated(&format!("docs/gates/{}.md", kind.id), &page).err());
        let first = kind.page.iter().map(|line| line.trim()).find(|line| !line.is_empty());
        let _ok = writeln!(index, "- [`{0}`]({0}.md): {1}", kind.id, first.unwrap_or_default());
        rows.extend(kind.codes.iter().map(|code| (*code, kind.id)));
    }
    rows.sort_by_key(|(code, by)| (code.number(), *by));
    rows.dedup_by_key(|(code, _)| code.number());
    for (code, by) in rows {
        let _ok = writeln!(
            codes,
            "| {} | `{}` | {by} | {} |",
            code.number(),
            code.name(),
            code.meaning()
        );
    }
    problems.extend(portcullis_repo::generated("docs/gates/README.md", &index).err());
    problems.extend(portcullis_repo::generated("docs/codes.md", &codes).err());
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// One blank line where there were several, and none at the end.
fn squeezed(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        if !line.is_empty() || !out.ends_with("\n\n") {
            out.push_str(line);
            out.push('\n');
        }
    }
    out.trim_end().to_owned() + "\n"
}

#[test]
fn the_matrix_is_the_committed_one() {
    let registry = registry();
    let fixtures: Vec<(&KindDecl, &Tooth)> = registry
        .kinds()
        .flat_map(|kind| kind.teeth.iter().map(move |tooth| (kind, tooth)))
        .collect();
    // Many kinds wait for git and cargo, so several are looked at at once; each has a snapshot of its own.
    let kinds: Vec<&KindDecl> = registry.kinds().collect();
    let next = AtomicUsize::new(0);
    let problems = Mutex::new(Vec::new());
    let workers = 2 * portcullis::effective_cpu_count().expect("a count").get();
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(kind) = kinds.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let map = map(kind, &fixtures);
                    let name = format!("matrix/{}.txt", kind.id);
                    let problem = portcullis_repo::snapshot(&name, &map).err();
                    problems.lock().expect("no thread panicked").extend(problem);
                }
            });
        }
    });
    let problems = problems.into_inner().expect("no thread panicked");
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// One line for each fixture tree: what a kind, configured as in its first known-good, says of it.
fn map(kind: &'static KindDecl, fixtures: &[(&KindDecl, &Tooth)]) -> String {
    let good = kind.teeth.iter().find(|tooth| tooth.expect.is_none()).expect("a known-good");
    let mut map =
        format!("# `{}`, configured as in `{}`, over every fixture tree\n", kind.id, good.name);
    for (owner, tooth) in fixtures {
        let seen = Bench::tooth(kind, &Tooth { config: good.config, ..**tooth }).run();
        let mut codes = seen.codes.clone();
        codes.sort();
        codes.dedup();
        codes.extend(seen.error().map(|error| error.code.clone()));
        codes.extend(seen.skip().map(|skip| skip.reason.name().to_owned()));
        // Writing to a String cannot fail.
        let _ok = writeln!(
            map,
            "{:<60} {:<5} {}",
            format!("{}/{}", owner.id, tooth.name),
            seen.outcome.name(),
            codes.join(" ")
        );
    }
    map
}
