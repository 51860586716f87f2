//! A cassette as it is judged: interactions out of any of the formats. It knows no rule about them.

use super::{CASSETTE_INVALID, har, secret, yaml};
use portcullis::{Fault, Location, evidence::json};
use serde::Deserialize;
use serde_json::Value;

const SCHEMA: &str = "portcullis.cassette.v1";

/// How a cassette is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Format {
    /// Our own, as JSON.
    Json,
    /// Our own, as YAML.
    Yaml,
    /// HTTP archive 1.2.
    Har,
}

/// A recording.
#[derive(Debug)]
pub(super) struct Cassette {
    /// When it was recorded, as written.
    pub(super) recorded_at: Option<String>,
    /// The model it states for all interactions.
    pub(super) model: Option<String>,
    pub(super) interactions: Vec<Interaction>,
}

/// One request and what came back.
#[derive(Debug)]
pub(super) struct Interaction {
    /// Its JSON Pointer in the document.
    pub(super) place: String,
    pub(super) url: String,
    pub(super) status: u64,
    pub(super) request_headers: Vec<(String, String)>,
    pub(super) response_headers: Vec<(String, String)>,
    /// Parameters of the query that the format lists besides the URL.
    pub(super) parameters: Vec<(String, String)>,
    pub(super) request_body: Body,
    pub(super) response_body: Body,
    pub(super) recorded_at: Option<String>,
}

/// What was sent.
#[derive(Debug)]
pub(super) enum Body {
    /// Nothing.
    Absent,
    /// A text, decoded where the recorder had encoded it.
    Text(String),
    /// A document, written as one.
    Document(Value),
}

/// The format of a file: the stated one, else the one its name promises.
pub(super) fn format_of(stated: Option<Format>, path: &str) -> Result<Format, Fault> {
    match (stated, path.rsplit('.').next()) {
        (Some(format), _) => Ok(format),
        (None, Some("json")) => Ok(Format::Json),
        (None, Some("yaml" | "yml")) => Ok(Format::Yaml),
        (None, Some("har")) => Ok(Format::Har),
        (None, Some(_) | None) => Err(Fault::new(
            CASSETTE_INVALID,
            "the name of a cassette does not tell its format",
            "state `format`, or take the file out of `files`",
        )
        .at(Location::file(path))),
    }
}

/// Reads a cassette and the document it is made of.
pub(super) fn read(path: &str, text: &str, format: Format) -> Result<(Value, Cassette), Fault> {
    let document = match format {
        Format::Json | Format::Har => json::parse(text.as_bytes(), path),
        Format::Yaml => yaml::parse(text, path),
    };
    let document = document.map_err(|fault| quiet(fault, path))?;
    let cassette = match format {
        Format::Json | Format::Yaml => of_document(&document),
        Format::Har => har::of_document(&document),
    };
    match cassette {
        Ok(cassette) => Ok((document, cassette)),
        Err(why) => Err(invalid(secret::redact(&why), path)),
    }
}

/// A parser may quote what it stumbled over, which may be the secret.
fn quiet(fault: Fault, path: &str) -> Fault {
    let quoted = [Some(fault.headline()), fault.found_text()];
    if quoted.into_iter().flatten().all(|text| secret::scan(text, &[]).is_empty()) {
        return fault;
    }
    let place = fault.location().cloned().unwrap_or_else(|| Location::file(path));
    let headline = "a cassette cannot be read, and the message would quote a secret";
    Fault::new(fault.code(), headline, "revoke the secret, then record again").at(place)
}

pub(super) fn invalid(why: impl Into<String>, path: &str) -> Fault {
    Fault::new(CASSETTE_INVALID, why, "record again; the file is torn or of another format")
        .at(Location::file(path))
}

/// Reads the document of our own format.
fn of_document(document: &Value) -> Result<Cassette, String> {
    const KNOWN: &[&str] =
        &["schema", "recorded_at", "scenario", "model", "interactions", "recorded_with"];
    let members = object(document, "the cassette")?;
    known(members.keys(), KNOWN, "the cassette")?;
    if members.get("schema").and_then(Value::as_str) != Some(SCHEMA) {
        return Err(format!("the member `schema` of a cassette is not `{SCHEMA}`"));
    }
    optional_text(document, "scenario", "the cassette")?;
    let mut interactions = Vec::new();
    let list = members.get("interactions").and_then(Value::as_array);
    for (n, item) in list.ok_or("a cassette has no list `interactions`")?.iter().enumerate() {
        interactions.push(interaction(item, format!("/interactions/{n}"))?);
    }
    Ok(Cassette {
        recorded_at: optional_text(document, "recorded_at", "the cassette")?,
        model: optional_text(document, "model", "the cassette")?,
        interactions,
    })
}

fn interaction(item: &Value, place: String) -> Result<Interaction, String> {
    known(object(item, &place)?.keys(), &["request", "response", "recorded_at", "id"], &place)?;
    let part = |name: &str, names: &[&str]| {
        let part = item.get(name).ok_or_else(|| format!("`{place}` has no `{name}`"))?;
        known(object(part, &format!("{place}/{name}"))?.keys(), names, &format!("{place}/{name}"))?;
        Ok::<&Value, String>(part)
    };
    let request = part("request", &["method", "url", "headers", "body"])?;
    let response = part("response", &["status", "headers", "body"])?;
    let method = text(request, "method", &place)?;
    if method.is_empty() || !method.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Err(format!("the method of `{place}` is not one in upper case"));
    }
    Ok(Interaction {
        url: text(request, "url", &place)?,
        status: status(response, &place)?,
        request_headers: headers(request, &place)?,
        response_headers: headers(response, &place)?,
        parameters: Vec::new(),
        request_body: body(request.get("body"), &place)?,
        response_body: body(response.get("body"), &place)?,
        recorded_at: optional_text(item, "recorded_at", &place)?,
        place,
    })
}

pub(super) fn status(response: &Value, place: &str) -> Result<u64, String> {
    let status = response.get("status").and_then(Value::as_u64);
    let status = status.filter(|status| (100..=599).contains(status));
    status.ok_or_else(|| format!("the response of `{place}` has no status from 100 to 599"))
}

fn headers(part: &Value, place: &str) -> Result<Vec<(String, String)>, String> {
    let wrong = |name: &str| {
        format!("the header `{name}` of `{place}` is neither a text nor a list of texts")
    };
    let mut headers = Vec::new();
    let Some(value) = part.get("headers") else { return Ok(headers) };
    for (name, value) in object(value, place)? {
        match value {
            Value::String(text) => headers.push((name.clone(), text.clone())),
            Value::Array(items) => {
                for item in items {
                    let text = item.as_str().ok_or_else(|| wrong(name))?;
                    headers.push((name.clone(), text.to_owned()));
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => {
                return Err(wrong(name));
            }
        }
    }
    Ok(headers)
}

fn body(value: Option<&Value>, place: &str) -> Result<Body, String> {
    match value {
        None | Some(Value::Null) => Ok(Body::Absent),
        Some(Value::String(text)) => Ok(Body::Text(text.clone())),
        Some(Value::Object(members)) if members.len() == 1 && members.contains_key("base64") => {
            decoded(members.get("base64").and_then(Value::as_str), place)
        }
        Some(value @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_))) => {
            Ok(Body::Document(value.clone()))
        }
    }
}

/// A body that the recorder wrote as base64.
pub(super) fn decoded(text: Option<&str>, place: &str) -> Result<Body, String> {
    let bytes = text.and_then(secret::base64);
    let bytes = bytes.ok_or_else(|| format!("the encoded body of `{place}` is not base64"))?;
    Ok(Body::Text(String::from_utf8_lossy(&bytes).into_owned()))
}

pub(super) fn object<'v>(
    value: &'v Value,
    place: &str,
) -> Result<&'v serde_json::Map<String, Value>, String> {
    value.as_object().ok_or_else(|| format!("`{place}` is not an object"))
}

pub(super) fn text(value: &Value, name: &str, place: &str) -> Result<String, String> {
    let text = value.get(name).and_then(Value::as_str);
    text.map(str::to_owned).ok_or_else(|| format!("`{place}` has no text `{name}`"))
}

pub(super) fn optional_text(
    value: &Value,
    name: &str,
    place: &str,
) -> Result<Option<String>, String> {
    match value.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            Err(format!("the member `{name}` of `{place}` is not a text; write it in quotes"))
        }
    }
}

/// A misspelt member would be one that nobody looks at.
fn known<'k>(
    names: impl Iterator<Item = &'k String>,
    known: &[&str],
    place: &str,
) -> Result<(), String> {
    for name in names {
        if !known.contains(&name.as_str()) {
            let shown: String = name.chars().take(80).collect();
            return Err(format!("`{place}` has an unknown member `{}`", shown.escape_debug()));
        }
    }
    Ok(())
}
