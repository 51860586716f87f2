//! Open technical work blocks a finish: reads an issue ledger and separates technical from documentation
//! residuals. It never looks at labels or titles to classify, and it does not talk to an issue tracker.

mod checkpoint;
mod config;
mod fold;

use checkpoint::Counts;
use config::{Config, Role, Source};
use fold::{Class, Issue, Ledger};
use portcullis::{
    Code, Examined, Fault, Finding, Findings, GateContext, GateError, Location, Tooth,
};

portcullis::gate_kind! {
    /// Keeps a finish shut while an issue ledger holds open technical work.
    ///
    /// ### What it checks
    /// Reads the first ledger of `sources` that exists, one JSON object per line. An issue is open unless its status
    /// is in `terminal`, so a misspelt status is open. Its class comes from its type alone: a type in `docs_types` is
    /// documentation, every other type is technical, and a type in neither list is reported. When one id stands on
    /// several lines the newest `updated_at` wins and exact copies fold; two different lines with one time are an
    /// error. Writes the view `practical_finish_checkpoint.json`, also when it fails; its `source` is the header's
    /// with `path` and `role` of the ledger added, and its counts are `null` when the ledger could not be read.
    ///
    /// ### Why it gates
    /// "Practically finished" is a claim about the ledger. A claim that nobody recounts is made too early.
    ///
    /// ### Example
    /// Refused: an open issue of type `bug`. Accepted: every issue closed but one of type `docs` that
    /// `allowed_residuals` names.
    ///
    /// ### Configuration
    /// - `sources`: tables with `path` and `role` (`authoritative` or `fallback`), in order of authority; the first
    ///   that exists is read, and if it cannot be read the next one is not tried.
    /// - `fields`: the names of the members `id`, `status`, `type`, `title` and `updated_at` (default `id`, `status`,
    ///   `issue_type`, `title`, `updated_at`).
    /// - `select`: members and the text each must equal, or contain if it is a list; default every issue.
    /// - `terminal`: the statuses of finished issues, required.
    /// - `technical_types`, `docs_types`: the known types of each class, required.
    /// - `allowed_residuals`: documentation types that may stay open; default none.
    ///
    /// ### Remediation
    /// - `open_technical_work`: finish the issue and close it in the ledger.
    /// - `open_residual_work`: finish it, or name its type in `allowed_residuals`.
    /// - `unknown_issue_type`: add the type to `technical_types` or `docs_types`; until then it counts as technical.
    /// - `ledger_fallback_used`: restore the authoritative ledger; a fallback never certifies.
    /// - `ledger_missing`: export the ledger to one of the paths of `sources`.
    /// - `ledger_conflict`: remove one of the two lines, or correct its `updated_at`.
    /// - `issue_invalid`: give the line the member that is named, or map it under `fields`.
    pub static ISSUE_LEDGER: "issue_ledger", since = "0.1.0", config = Config, validate = config::validate,
        check = check, codes = CODES, teeth = TEETH;
}

const OPEN_TECHNICAL_WORK: Code =
    Code::new("PC1120", "open_technical_work", "A technical issue of the ledger is open.");
const OPEN_RESIDUAL_WORK: Code = Code::new(
    "PC1121",
    "open_residual_work",
    "A documentation issue is open, and its type is no allowed residual.",
);
const LEDGER_FALLBACK_USED: Code = Code::new(
    "PC1122",
    "ledger_fallback_used",
    "The authoritative ledger does not exist; a fallback was read.",
);
const LEDGER_MISSING: Code =
    Code::new("PC1123", "ledger_missing", "None of the named ledgers exists.");
const LEDGER_CONFLICT: Code = Code::new(
    "PC1124",
    "ledger_conflict",
    "Two different lines of a ledger claim the same issue at the same time.",
);
const ISSUE_INVALID: Code = Code::new(
    "PC1125",
    "issue_invalid",
    "A line of a ledger lacks a member that the decision needs.",
);
const UNKNOWN_ISSUE_TYPE: Code = Code::new(
    "PC1126",
    "unknown_issue_type",
    "An issue has a type of no known class; it counts as technical.",
);

const CODES: &[Code] = &[
    OPEN_TECHNICAL_WORK,
    OPEN_RESIDUAL_WORK,
    LEDGER_FALLBACK_USED,
    LEDGER_MISSING,
    LEDGER_CONFLICT,
    ISSUE_INVALID,
    UNKNOWN_ISSUE_TYPE,
];

/// Reads the ledger, writes the checkpoint whatever came out, and reports what is open.
fn check(cx: &GateContext<'_>, config: &Config, out: &mut Findings) -> Result<Examined, GateError> {
    match read(cx, config) {
        Ok((source, ledger)) => judge(cx, config, source, &ledger, out),
        Err(fault) => {
            checkpoint::write_unknown(cx, config, &fault)?;
            Err(fault)
        }
    }
}

/// Reads the first source that exists. A source that exists and cannot be read is never passed over.
fn read<'c>(cx: &GateContext<'_>, config: &'c Config) -> Result<(&'c Source, Ledger), GateError> {
    for source in &config.sources {
        let file = cx.file(&source.path);
        if file.exists()? {
            cx.note(format!("ledger `{}` ({})", source.path, source.role.name()));
            return Ok((source, fold::read(&file, config)?));
        }
    }
    let names: Vec<&str> = config.sources.iter().map(|source| source.path.as_str()).collect();
    let remedy = "export the ledger to one of the paths of `sources`";
    Err(Fault::new(LEDGER_MISSING, "no ledger exists", remedy).expected(names.join(", ")))
}

fn judge(
    cx: &GateContext<'_>,
    config: &Config,
    source: &Source,
    ledger: &Ledger,
    out: &mut Findings,
) -> Result<Examined, GateError> {
    let mut counts = Counts::default();
    for issue in ledger.selected() {
        counts.examined += 1;
        if issue.known_class.is_none() {
            counts.unknown_types.insert(issue.kind.clone());
        }
        if issue.open {
            report(source, config, issue, &mut counts, out);
        }
    }
    for kind in &counts.unknown_types {
        out.push(unknown_type(source, kind));
    }
    if source.role == Role::Fallback {
        out.push(fallback_used(cx, source));
    }
    checkpoint::write(cx, source, &counts)?;
    Ok(Examined::items(counts.examined))
}

/// Counts an open issue, and reports it unless its type may stay open.
fn report(
    source: &Source,
    config: &Config,
    issue: &Issue,
    counts: &mut Counts,
    out: &mut Findings,
) {
    let place = Location::at(&source.path, issue.line, 0);
    let what = format!("`{}` is {}: {}", issue.id, issue.status, issue.title);
    // A type of no known class is technical: whoever invents a type must not open the gate with it.
    match issue.known_class.unwrap_or(Class::Technical) {
        Class::Technical => {
            counts.technical += 1;
            let remedy = "finish the issue and close it in the ledger";
            out.push(Finding::new(OPEN_TECHNICAL_WORK, &issue.id, what, remedy).at(place));
        }
        Class::Docs => {
            counts.docs += 1;
            if !config.allowed_residuals.contains(&issue.kind) {
                counts.refused_residuals += 1;
                let remedy = "finish the issue, or name its type in `allowed_residuals`";
                out.push(
                    Finding::new(OPEN_RESIDUAL_WORK, &issue.id, what, remedy)
                        .at(place)
                        .found(format!("type `{}`", issue.kind)),
                );
            }
        }
    }
}

fn unknown_type(source: &Source, kind: &str) -> Finding {
    Finding::new(
        UNKNOWN_ISSUE_TYPE,
        kind,
        format!("type `{kind}` has no class, so its issues count as technical"),
        "add the type to `technical_types` or `docs_types`",
    )
    .at(Location::file(&source.path))
    .advisory()
}

/// A fallback is visible everywhere, and a violation where a decision certifies.
fn fallback_used(cx: &GateContext<'_>, source: &Source) -> Finding {
    let finding = Finding::new(
        LEDGER_FALLBACK_USED,
        &source.path,
        "the authoritative ledger does not exist, so a fallback was read",
        "restore the authoritative ledger",
    )
    .at(Location::file(&source.path));
    if cx.lane().is_protected() { finding } else { finding.advisory() }
}

const RULES: &str = "sources = [{ path = 'issues.jsonl', role = 'authoritative' }, { path = 'old.jsonl', role = 'fallback' }]
terminal = ['closed']
technical_types = ['bug', 'task']
docs_types = ['docs', 'report']
allowed_residuals = ['docs']";

static TEETH: &[Tooth] = &[
    Tooth::known_good(
        "only_an_allowed_residual_is_open",
        RULES,
        &[(
            "issues.jsonl",
            "{\"id\":\"1\",\"status\":\"closed\",\"issue_type\":\"bug\"}\n{\"id\":\"2\",\"status\":\"open\",\"issue_type\":\"docs\"}\n",
        )],
    ),
    Tooth::known_bad(
        "a_bug_is_open",
        OPEN_TECHNICAL_WORK,
        RULES,
        &[("issues.jsonl", "{\"id\":\"1\",\"status\":\"open\",\"issue_type\":\"bug\"}\n")],
    ),
    Tooth::known_bad(
        "a_residual_is_open_that_nobody_allowed",
        OPEN_RESIDUAL_WORK,
        RULES,
        &[("issues.jsonl", "{\"id\":\"1\",\"status\":\"open\",\"issue_type\":\"report\"}\n")],
    ),
    Tooth::known_bad(
        "only_the_fallback_exists",
        LEDGER_FALLBACK_USED,
        RULES,
        &[("old.jsonl", "{\"id\":\"1\",\"status\":\"closed\",\"issue_type\":\"bug\"}\n")],
    ),
    Tooth::known_bad("no_ledger_exists", LEDGER_MISSING, RULES, &[("other.jsonl", "{}\n")]),
    Tooth::known_bad(
        "two_contents_at_one_time",
        LEDGER_CONFLICT,
        RULES,
        &[(
            "issues.jsonl",
            "{\"id\":\"1\",\"status\":\"open\",\"issue_type\":\"bug\",\"updated_at\":\"2026-05-01T00:00:00Z\"}\n{\"id\":\"1\",\"status\":\"closed\",\"issue_type\":\"bug\",\"updated_at\":\"2026-05-01T00:00:00Z\"}\n",
        )],
    ),
    Tooth::known_bad(
        "an_issue_without_status",
        ISSUE_INVALID,
        RULES,
        &[("issues.jsonl", "{\"id\":\"1\",\"issue_type\":\"bug\"}\n")],
    ),
    Tooth::known_bad(
        "an_issue_of_an_unheard_type",
        UNKNOWN_ISSUE_TYPE,
        RULES,
        &[("issues.jsonl", "{\"id\":\"1\",\"status\":\"closed\",\"issue_type\":\"bgu\"}\n")],
    ),
];

#[cfg(test)]
mod tests;
