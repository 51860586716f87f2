//! HTTP archives of version 1.2, as browsers write them. Timings, caches and pages are passed over.

use super::recording::{Body, Cassette, Interaction, decoded, object, optional_text, status, text};
use serde_json::Value;

/// Reads the document of an archive.
pub(super) fn of_document(document: &Value) -> Result<Cassette, String> {
    let log = document.get("log").ok_or("the archive has no `log`")?;
    object(log, "/log")?;
    if log.get("version").and_then(Value::as_str) != Some("1.2") {
        return Err("the archive is not of version 1.2".to_owned());
    }
    let entries = log.get("entries").and_then(Value::as_array);
    let mut interactions = Vec::new();
    for (n, entry) in entries.ok_or("the archive has no list `entries`")?.iter().enumerate() {
        interactions.push(interaction(entry, format!("/log/entries/{n}"))?);
    }
    Ok(Cassette { recorded_at: None, model: None, interactions })
}

fn interaction(entry: &Value, place: String) -> Result<Interaction, String> {
    let part = |name: &str| entry.get(name).ok_or_else(|| format!("`{place}` has no `{name}`"));
    let (request, response) = (part("request")?, part("response")?);
    text(request, "method", &place)?;
    let mut request_headers = pairs(request, "headers", &place)?;
    let mut response_headers = pairs(response, "headers", &place)?;
    let cookies = |part: &Value, header: &str| {
        let cookies = pairs(part, "cookies", &place)?.into_iter();
        Ok::<_, String>(
            cookies
                .map(|(name, value)| (header.to_owned(), format!("{name}={value}")))
                .collect::<Vec<_>>(),
        )
    };
    request_headers.extend(cookies(request, "cookie")?);
    response_headers.extend(cookies(response, "set-cookie")?);
    let response_body = match response.get("content") {
        None => Body::Absent,
        Some(content) => match optional_text(content, "encoding", &place)?.as_deref() {
            None | Some("") => match optional_text(content, "text", &place)? {
                Some(text) => Body::Text(text),
                None => Body::Absent,
            },
            Some("base64") => decoded(content.get("text").and_then(Value::as_str), &place)?,
            Some(_) => return Err(format!("the body of `{place}` has an unknown encoding")),
        },
    };
    let request_body = match request.get("postData") {
        None | Some(Value::Null) => Body::Absent,
        Some(data) => optional_text(data, "text", &place)?.map_or(Body::Absent, Body::Text),
    };
    Ok(Interaction {
        url: text(request, "url", &place)?,
        status: status(response, &place)?,
        request_headers,
        response_headers,
        parameters: pairs(request, "queryString", &place)?,
        request_body,
        response_body,
        recorded_at: optional_text(entry, "startedDateTime", &place)?,
        place,
    })
}

/// A list of objects with `name` and `value`.
fn pairs(part: &Value, list: &str, place: &str) -> Result<Vec<(String, String)>, String> {
    let Some(value) = part.get(list) else { return Ok(Vec::new()) };
    let items = value.as_array().ok_or_else(|| format!("`{list}` of `{place}` is not a list"))?;
    items.iter().map(|item| Ok((text(item, "name", place)?, text(item, "value", place)?))).collect()
}
