//! Which model was asked and which one answered. It knows no model by itself.

use super::{
    CASSETTE_MODEL_MISMATCH, Report,
    recording::{Body, Interaction},
    url::{any, full},
};
use crate::pattern::Pattern;
use portcullis::{Fault, GateError, GateTable, wire::code::CONFIG_INVALID};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use toml::Spanned;

/// `models = { .. }`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ModelTable {
    allowed: Spanned<Vec<String>>,
    #[serde(default)]
    request: OneOrMany,
    #[serde(default)]
    response: OneOrMany,
    #[serde(default)]
    aliases: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    urls: Vec<Spanned<String>>,
}

/// Places in a body, in order of preference.
#[derive(Clone, Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl Default for OneOrMany {
    fn default() -> Self {
        Self::One("/model".to_owned())
    }
}

impl OneOrMany {
    fn list(&self) -> Vec<String> {
        match self {
            Self::One(place) => vec![place.clone()],
            Self::Many(places) => places.clone(),
        }
    }
}

/// The rule over models, ready to look.
pub(super) struct Models {
    pub(super) allowed: Vec<String>,
    request: Vec<String>,
    response: Vec<String>,
    aliases: BTreeMap<String, Vec<String>>,
    urls: Vec<Pattern>,
}

impl ModelTable {
    /// Makes the rule ready to look.
    pub(super) fn compile(&self, table: &GateTable) -> Result<Models, Vec<Fault>> {
        let place = table.locate(self.allowed.span().start);
        let (request, response) = (self.request.list(), self.response.list());
        let mut faults = Vec::new();
        let mut refuse = |headline: &str, remedy: &str| {
            faults.push(Fault::new(CONFIG_INVALID, headline, remedy).at(place.clone()));
        };
        if self.allowed.get_ref().is_empty() {
            refuse("`models.allowed` allows no model", "name the models, or leave `models` out");
        }
        if request.is_empty() || response.is_empty() {
            refuse("`models` names no place to look at", "write JSON Pointers such as `/model`");
        }
        if request.iter().chain(&response).any(|place| !place.starts_with('/')) {
            refuse("a place of `models` is not a JSON Pointer", "write it as `/model`");
        }
        if self.aliases.keys().any(|asked| !self.allowed.get_ref().contains(asked)) {
            refuse("an alias is of a model that is not allowed", "allow it, or remove the alias");
        }
        let mut urls = Vec::new();
        for text in &self.urls {
            match full(text.get_ref()) {
                Ok(pattern) => urls.push(pattern),
                Err(fault) => faults.push(fault.at(table.locate(text.span().start))),
            }
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        Ok(Models {
            allowed: self.allowed.get_ref().clone(),
            request,
            response,
            aliases: self.aliases.clone(),
            urls,
        })
    }
}

/// Holds one interaction, and returns whether the rule is about it at all.
pub(super) fn hold(
    interaction: &Interaction,
    models: &Models,
    report: &mut Report<'_>,
) -> Result<bool, GateError> {
    if !models.urls.is_empty() && !any(&models.urls, &interaction.url)? {
        return Ok(false);
    }
    let asked = named(&interaction.request_body, &models.request);
    let answered = named(&interaction.response_body, &models.response);
    let mut add = |part: &str, message: &str, found: Option<String>| {
        let place = format!("{}/{part}", interaction.place);
        let remedy = "record with an allowed model, or add the alias";
        report.add(CASSETTE_MODEL_MISMATCH, &place, message, remedy, found);
    };
    let [asked] = asked.as_slice() else {
        // Without `urls` requests of any kind are held, and those without a model are not about models.
        let about = !models.urls.is_empty() || !asked.is_empty() || !answered.is_empty();
        if about {
            add("request/body", "the request does not name one model", None);
        }
        return Ok(about);
    };
    if !models.allowed.contains(asked) {
        add("request/body", "the model that was asked is not allowed", Some(asked.clone()));
    }
    for other in &answered {
        let alias = models.aliases.get(asked).is_some_and(|names| names.contains(other));
        if other != asked && !alias {
            let found = format!("asked `{asked}`, answered `{other}`");
            add("response/body", "another model answered than was asked", Some(found));
        }
    }
    if answered.is_empty() && (200..300).contains(&interaction.status) {
        add("response/body", "the response does not say which model answered", None);
    }
    Ok(true)
}

/// The different models that a body names: in one document, or in the events of a stream.
fn named(body: &Body, places: &[String]) -> Vec<String> {
    let mut models = Vec::new();
    let mut take = |document: &Value| {
        let value = places.iter().find_map(|place| document.pointer(place));
        // A model that is not a text is one nobody allowed.
        let model =
            value.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        if let Some(model) = model
            && !models.contains(&model)
        {
            models.push(model);
        }
    };
    match body {
        Body::Absent => {}
        Body::Document(document) => take(document),
        Body::Text(text) => match serde_json::from_str::<Value>(text) {
            Ok(document) => take(&document),
            // Not a document as a whole, so perhaps a stream of events, or of documents by line.
            Err(_) => {
                for line in text.lines() {
                    let line = line.strip_prefix("data:").unwrap_or(line).trim();
                    if line.starts_with('{')
                        && let Ok(event) = serde_json::from_str::<Value>(line)
                    {
                        take(&event);
                    }
                }
            }
        },
    }
    models
}
