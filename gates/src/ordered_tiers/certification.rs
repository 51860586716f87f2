//! Which tier is certified, and whether a strict one may be claimed. Whatever is in doubt counts as not certified.

use super::{
    CERTIFICATION_MISSING, CERTIFIED_TIER_UNKNOWN, Config, STRICT_CLAIM_UNCERTIFIED, Strict,
    manifest::Tier,
};
use crate::{
    artifact_contract::{Contract, Freshness, Report, Terms},
    document::{self, Format},
    json_path::{POINTER_SHAPE, Pointer},
};
use portcullis::{
    Fault, File, Finding, Findings, GateContext, GateError, GateTable, Location, RelPath,
    wire::code::CONFIG_INVALID,
};
use serde_json::Value;
use toml::Spanned;

const VERDICT_FIELD: &str = "/overall_verdict";
const VERDICT: &str = "CERTIFIED";

/// Refuses artifacts that state no freshness, and pointers that are none.
pub(super) fn validate(config: &Config, table: &GateTable) -> Vec<Fault> {
    let mut faults = Vec::new();
    let certified = config.certified.get_ref();
    let mut source = |path: &RelPath,
                      freshness: Option<&Freshness>,
                      field: Option<&Spanned<String>>| {
        faults.extend(contract(path, freshness, table).err().unwrap_or_default());
        if let Some(field) = field.filter(|field| Pointer::parse(field.get_ref()).is_none()) {
            let headline = format!("`{}` is not a JSON Pointer", field.get_ref());
            let remedy = format!("write {POINTER_SHAPE}");
            faults.push(
                Fault::new(CONFIG_INVALID, headline, remedy).at(table.locate(field.span().start)),
            );
        }
    };
    if let Some(path) = &certified.artifact {
        source(path, certified.freshness.as_ref(), certified.field.as_ref());
    }
    if let Some(strict) = &config.strict {
        let strict = strict.get_ref();
        source(&strict.artifact, strict.freshness.as_ref(), strict.field.as_ref());
    }
    faults
}

/// The number of the certified tier.
///
/// # Errors
/// When the certification is absent and must exist, cannot be read, or names no tier.
pub(super) fn tier(
    cx: &GateContext<'_>,
    config: &Config,
    tiers: &[Tier],
    out: &mut Findings,
) -> Result<usize, GateError> {
    let claimed = claimed(cx, config, out)?;
    let place = claimed.and_then(|name| tiers.iter().position(|tier| tier.id == name));
    // A tier of the policy that the manifest lost was reported as drift; until then the lowest holds.
    let certified = place.unwrap_or(0);
    let Some(strict) = &config.strict else { return Ok(certified) };
    let strict = strict.get_ref();
    let highest = config.expected_order.last();
    let is_strict = |tier: &Tier| {
        if strict.tiers.is_empty() {
            highest == Some(&tier.id)
        } else {
            strict.tiers.contains(&tier.id)
        }
    };
    let Some(lowest) = tiers.iter().position(is_strict).filter(|lowest| *lowest <= certified)
    else {
        return Ok(certified);
    };
    let id = tiers.get(certified).map_or("", |tier| tier.id.as_str());
    Ok(if may_be_strict(cx, strict, id, out)? { certified } else { lowest.saturating_sub(1) })
}

/// The tier that the source names, if it can be believed.
fn claimed(
    cx: &GateContext<'_>,
    config: &Config,
    out: &mut Findings,
) -> Result<Option<String>, GateError> {
    let source = config.certified.get_ref();
    let Some(path) = &source.artifact else { return Ok(source.tier.clone()) };
    let file = open(cx, path, source.of_run)?;
    if !file.exists()? {
        if source.required {
            let headline = format!("the certification `{path}` does not exist");
            let remedy = "run the certification; this gate says that its document must exist";
            return Err(
                Fault::new(CERTIFICATION_MISSING, headline, remedy).at(Location::file(path))
            );
        }
        cx.note(format!("no certification `{path}`: the lowest tier holds"));
        return Ok(None);
    }
    let Some(document) = believed(cx, &file, source.freshness.as_ref(), out)? else {
        return Ok(None);
    };
    let field = source.field.as_ref().map_or("", |field| field.get_ref());
    let found = Pointer::parse(field).and_then(|pointer| pointer.one(&document).cloned());
    match found.as_ref().and_then(Value::as_str) {
        Some(name) if config.expected_order.iter().any(|tier| tier == name) => {
            Ok(Some(name.to_owned()))
        }
        _ => {
            let headline = format!("`{path}` does not name a tier at `{field}`");
            let remedy = "correct the document, or the pointer to its tier";
            Err(Fault::new(CERTIFIED_TIER_UNKNOWN, headline, remedy)
                .at(Location::file(path))
                .expected(config.expected_order.join(", "))
                .found(found.map_or_else(|| "no such field".to_owned(), |value| value.to_string())))
        }
    }
}

fn may_be_strict(
    cx: &GateContext<'_>,
    strict: &Strict,
    tier: &str,
    out: &mut Findings,
) -> Result<bool, GateError> {
    let file = open(cx, &strict.artifact, strict.of_run)?;
    let field = strict.field.as_ref().map_or(VERDICT_FIELD, |field| field.get_ref().as_str());
    let expected = strict.equals.as_deref().unwrap_or(VERDICT);
    let found = if file.exists()? {
        match believed(cx, &file, strict.freshness.as_ref(), out)? {
            Some(document) => {
                let value =
                    Pointer::parse(field).and_then(|pointer| pointer.one(&document).cloned());
                if value.as_ref().and_then(Value::as_str) == Some(expected) {
                    return Ok(true);
                }
                value.map_or_else(|| "no such field".to_owned(), |value| value.to_string())
            }
            None => "a document that cannot be believed".to_owned(),
        }
    } else {
        "no such file".to_owned()
    };
    out.push(
        Finding::new(
            STRICT_CLAIM_UNCERTIFIED,
            tier,
            format!("tier `{tier}` is claimed, and `{}` does not certify it", strict.artifact),
            "certify again; until then the tier below holds",
        )
        .at(Location::file(&strict.artifact))
        .expected(format!("{field} = \"{expected}\""))
        .found(found),
    );
    Ok(false)
}

fn open<'a>(cx: &GateContext<'a>, path: &RelPath, of_run: bool) -> Result<File<'a>, GateError> {
    if of_run { cx.run_file(path) } else { Ok(cx.file(path)) }
}

/// The document, unless it is older or of another origin than its contract says; that is then a finding.
fn believed(
    cx: &GateContext<'_>,
    file: &File<'_>,
    freshness: Option<&Freshness>,
    out: &mut Findings,
) -> Result<Option<Value>, GateError> {
    let (contract, format) = contract(file.path(), freshness, cx.gate()).map_err(|faults| {
        faults.into_iter().next().unwrap_or_else(|| {
            Fault::new(
                CONFIG_INVALID,
                "a contract was refused without a reason",
                "report this as a bug",
            )
        })
    })?;
    let mut report = Report::new(out, file.path().as_str());
    contract.examine(cx, file, &mut report)?;
    if report.problem.is_some() { Ok(None) } else { document::read(file, format).map(Some) }
}

fn contract(
    path: &RelPath,
    freshness: Option<&Freshness>,
    table: &GateTable,
) -> Result<(Contract, Format), Vec<Fault>> {
    let format = match Format::of_name(path.as_str()) {
        Some(Format::Toml) => Format::Toml,
        Some(Format::Json | Format::Jsonl | Format::Text) | None => Format::Json,
    };
    let terms = Terms { freshness: freshness.cloned(), ..Terms::default() };
    terms.compile(format, "doc", table).map(|contract| (contract, format))
}
