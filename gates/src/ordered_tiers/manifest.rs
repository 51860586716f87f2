//! The manifest of claim tiers: what each tier needs, may say and must not say. It judges no document.

use super::{
    CLAIM_TIER_ORDER_DRIFT, Config, TIER_INCOMPLETE, TIER_LANGUAGE_CONFLICT, language::Phrase,
};
use crate::document::{self, Format};
use portcullis::{
    Fault, Finding, Findings, GateContext, GateError, Location, RelPath,
    evidence::context::unreadable,
};
use serde_json::Value;

/// How many tiers, and how many entries of one list, a manifest may have.
const ENTRIES_MAX: usize = 1_000;

/// A tier of the manifest.
pub(super) struct Tier {
    pub(super) id: String,
    pub(super) evidence: Vec<Evidence>,
    pub(super) allowed: Vec<String>,
    pub(super) forbidden: Vec<String>,
}

/// A file that a tier needs, and what it must say.
pub(super) struct Evidence {
    pub(super) path: RelPath,
    /// A JSON Pointer and the value that must stand there.
    pub(super) check: Option<(String, Value)>,
}

/// Reads the tiers, the lowest first.
///
/// # Errors
/// When the manifest cannot be read, or is not shaped as its page says.
pub(super) fn read(cx: &GateContext<'_>, config: &Config) -> Result<Vec<Tier>, GateError> {
    let file = cx.file(&config.manifest);
    let format = match Format::of_name(config.manifest.as_str()) {
        Some(format @ (Format::Json | Format::Toml)) => format,
        Some(Format::Jsonl | Format::Text) | None => Format::Toml,
    };
    let document = document::read(&file, format)?;
    let tiers = cx.watch(tiers(&config.manifest, &document))?;
    Ok(tiers)
}

fn tiers(path: &RelPath, document: &Value) -> Result<Vec<Tier>, Fault> {
    let shape = |what: &str| {
        unreadable(
            path,
            what,
            "write `[[tiers]]` tables with `id`, `required_evidence`, `allowed_language` and `forbidden_language`",
        )
    };
    let list = document
        .get("tiers")
        .and_then(Value::as_array)
        .ok_or_else(|| shape("the manifest has no list `tiers`"))?;
    if list.len() > ENTRIES_MAX {
        return Err(
            shape("the manifest has too many tiers").expected(format!("at most {ENTRIES_MAX}"))
        );
    }
    list.iter().enumerate().map(|(index, value)| tier(path, index, value)).collect()
}

fn tier(path: &RelPath, index: usize, value: &Value) -> Result<Tier, Fault> {
    let remedy = "correct the manifest, or the name of the member";
    let members = value
        .as_object()
        .ok_or_else(|| unreadable(path, format!("tier {} is not a table", index + 1), remedy))?;
    let id = members.get("id").and_then(Value::as_str).map(str::trim).filter(|id| !id.is_empty());
    let id = id
        .ok_or_else(|| unreadable(path, format!("tier {} has no `id`", index + 1), remedy))?
        .to_owned();
    let list = |name: &str| -> Result<Vec<Value>, Fault> {
        let wrong =
            |what: &str| unreadable(path, format!("`{name}` of tier `{id}` {what}"), remedy);
        match members.get(name) {
            None => Ok(Vec::new()),
            Some(Value::Array(items)) if items.len() <= ENTRIES_MAX => Ok(items.clone()),
            Some(Value::Array(_)) => Err(wrong("has too many entries")),
            Some(
                Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::String(_)
                | Value::Object(_),
            ) => Err(wrong("is not a list")),
        }
    };
    let phrases = |name: &str| -> Result<Vec<String>, Fault> {
        let wrong = || {
            unreadable(path, format!("`{name}` of tier `{id}` has an entry without a word"), remedy)
        };
        let text = |item: &Value| {
            let text = item.as_str().filter(|text| Phrase::new(text).is_some());
            text.map(str::to_owned).ok_or_else(wrong)
        };
        list(name)?.iter().map(text).collect()
    };
    let evidence = list("required_evidence")?;
    let evidence = evidence.iter().map(|item| {
        self::evidence(item)
            .map_err(|why| unreadable(path, format!("evidence of tier `{id}` {why}"), remedy))
    });
    Ok(Tier {
        evidence: evidence.collect::<Result<_, _>>()?,
        allowed: phrases("allowed_language")?,
        forbidden: phrases("forbidden_language")?,
        id: id.clone(),
    })
}

/// `"path"`, or `{ path, field, equals }`.
fn evidence(item: &Value) -> Result<Evidence, String> {
    let (path, check) = match item {
        Value::String(path) => (path.as_str(), None),
        Value::Object(members) => {
            if let Some(key) =
                members.keys().find(|key| !matches!(key.as_str(), "path" | "field" | "equals"))
            {
                return Err(format!("has the key `{key}`, which nothing reads"));
            }
            let path = members.get("path").and_then(Value::as_str).ok_or("has no `path`")?;
            let check = match (members.get("field").and_then(Value::as_str), members.get("equals"))
            {
                (Some(field), Some(value)) => Some((field.to_owned(), value.clone())),
                (None, None) if !members.contains_key("field") => None,
                (Some(_) | None, Some(_) | None) => {
                    return Err("needs `field` and `equals` together".to_owned());
                }
            };
            (path, check)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
            return Err("is neither a path nor a table".to_owned());
        }
    };
    if let Some((field, _)) = &check
        && crate::json_path::Pointer::parse(field).is_none()
    {
        return Err(format!("names `{field}`, which is not a JSON Pointer"));
    }
    let path = RelPath::parse(path).map_err(|source| source.to_string())?;
    Ok(Evidence { path, check })
}

/// Reports another order than the expected one, and tiers that promise nothing.
pub(super) fn judge(config: &Config, tiers: &[Tier], out: &mut Findings) {
    let found: Vec<&str> = tiers.iter().map(|tier| tier.id.as_str()).collect();
    let expected: Vec<&str> = config.expected_order.iter().map(String::as_str).collect();
    let place = || Location::file(&config.manifest);
    if found != expected {
        let differs = expected.iter().zip(&found).take_while(|(a, b)| a == b).count();
        let subject = expected.get(differs).or(found.get(differs)).copied().unwrap_or("");
        out.push(
            Finding::new(
                CLAIM_TIER_ORDER_DRIFT,
                subject,
                format!("the tiers are not in the expected order, from number {}", differs + 1),
                "restore the order of the manifest, or change `expected_order` in a change of its own",
            )
            .at(place())
            .expected(expected.join(" < "))
            .found(found.join(" < ")),
        );
    }
    for tier in tiers {
        let lists = [
            ("required_evidence", tier.evidence.is_empty()),
            ("allowed_language", tier.allowed.is_empty()),
            ("forbidden_language", tier.forbidden.is_empty()),
        ];
        for (list, _) in lists.iter().filter(|(_, is_empty)| *is_empty) {
            out.push(
                Finding::new(
                    TIER_INCOMPLETE,
                    format!("{}: {list}", tier.id),
                    format!("`{list}` of tier `{}` is empty", tier.id),
                    "say what the tier needs, may say and must not say",
                )
                .at(place())
                .expected("at least one entry"),
            );
        }
        for phrase in tier.forbidden.iter().filter(|phrase| is_among(phrase, &tier.allowed)) {
            out.push(
                Finding::new(
                    TIER_LANGUAGE_CONFLICT,
                    format!("{}: {phrase}", tier.id),
                    format!("tier `{}` allows and forbids `{phrase}`", tier.id),
                    "remove the phrase from one of the two lists",
                )
                .at(place()),
            );
        }
    }
}

/// Whether a list has a phrase that is found where this one is.
pub(super) fn is_among(phrase: &str, list: &[String]) -> bool {
    let phrase = Phrase::new(phrase);
    list.iter().any(|other| match (&phrase, Phrase::new(other)) {
        (Some(phrase), Some(other)) => phrase.is_same(&other),
        _ => false,
    })
}
