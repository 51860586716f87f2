//! The configuration of the cassettes. It reads no cassette.

use super::{
    model::{ModelTable, Models},
    recording::Format,
    references::References,
    secret,
    url::{Urls, full},
};
use portcullis::{
    Fault, GateTable, Globs, Lane,
    kernel::duration::Millis,
    wire::code::{CONFIG_INVALID, FRESHNESS_UNSTATED},
};
use serde::Deserialize;
use toml::Spanned;

/// Headers whose value is a credential wherever they stand.
const CREDENTIAL_HEADERS: &[&str] = &[
    "authorization",
    "proxy-authorization",
    "x-api-key",
    "api-key",
    "apikey",
    "x-auth-token",
    "x-access-token",
    "x-goog-api-key",
    "x-amz-security-token",
    "private-token",
    "cookie",
    "set-cookie",
];
/// Parameters of a query whose value is a credential.
const CREDENTIAL_PARAMETERS: &[&str] = &[
    "key",
    "api_key",
    "apikey",
    "api-key",
    "access_token",
    "auth_token",
    "token",
    "client_secret",
    "sig",
    "signature",
    "x-amz-signature",
    "x-amz-credential",
    "x-amz-security-token",
];
/// A shorter placeholder would stand in innocent text.
const PLACEHOLDER_MIN: usize = 4;

/// One `[[gate]]` table of this kind.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Config {
    pub(super) files: Globs,
    pub(super) format: Option<Format>,
    hosts: Spanned<Vec<String>>,
    #[serde(default)]
    urls: Vec<Spanned<String>>,
    #[serde(default)]
    allow_localhost: bool,
    #[serde(default)]
    query_order: QueryOrder,
    models: Option<ModelTable>,
    placeholders: Spanned<Vec<String>>,
    #[serde(default)]
    credential_headers: Vec<String>,
    #[serde(default)]
    credential_parameters: Vec<String>,
    freshness: Option<Freshness>,
    pub(super) references: References,
    pub(super) playback_lanes: Vec<Lane>,
    #[serde(default = "vcr_mode")]
    pub(super) mode_variable: String,
}

/// How old a recording may be.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Freshness {
    max_age: Millis,
}

/// In which order the parameters of a query stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum QueryOrder {
    /// By name, so that one request has one spelling.
    #[default]
    Sorted,
    /// As the client wrote them.
    Free,
}

fn vcr_mode() -> String {
    "VCR_MODE".to_owned()
}

/// The rules, ready to look.
pub(super) struct Rules {
    pub(super) urls: Urls,
    pub(super) models: Option<Models>,
    pub(super) placeholders: Vec<String>,
    pub(super) max_age: Millis,
    headers: Vec<String>,
    parameters: Vec<String>,
}

impl Rules {
    pub(super) fn is_credential_header(&self, name: &str) -> bool {
        let name = name.to_ascii_lowercase();
        CREDENTIAL_HEADERS.contains(&name.as_str()) || self.headers.contains(&name)
    }

    pub(super) fn is_credential_parameter(&self, name: &str) -> bool {
        let name = name.to_ascii_lowercase();
        CREDENTIAL_PARAMETERS.contains(&name.as_str()) || self.parameters.contains(&name)
    }
}

impl Config {
    /// Makes the rules ready to look.
    pub(super) fn compile(&self, table: &GateTable) -> Result<Rules, Vec<Fault>> {
        let mut faults = Vec::new();
        let mut refuse = |offset: usize, headline: String, remedy: &str| {
            faults.push(Fault::new(CONFIG_INVALID, headline, remedy).at(table.locate(offset)));
        };
        let hosts = self.hosts.get_ref();
        let bad_host = |host: &&String| host.is_empty() || host.contains(['/', '@', '*', ' ']);
        if hosts.is_empty() || hosts.iter().any(|host| bad_host(&host)) {
            let headline = "`hosts` are not exact hosts".to_owned();
            refuse(self.hosts.span().start, headline, "write hosts such as `api.example.com`");
        }
        let placeholders = self.placeholders.get_ref();
        let start = self.placeholders.span().start;
        if placeholders.is_empty() || placeholders.iter().any(|text| text.len() < PLACEHOLDER_MIN) {
            let headline =
                format!("`placeholders` need at least one text of {PLACEHOLDER_MIN} characters");
            refuse(start, headline, "write `placeholders = [\"REDACTED\"]`");
        }
        if placeholders.iter().any(|text| !secret::scan(text, &[]).is_empty()) {
            let headline = "a placeholder has the shape of a secret".to_owned();
            refuse(start, headline, "write a text that nobody takes for a credential");
        }
        self.references.refuse(&mut refuse);
        let mut urls = Vec::new();
        for text in &self.urls {
            match full(text.get_ref()) {
                Ok(pattern) => urls.push(pattern),
                Err(fault) => faults.push(fault.at(table.locate(text.span().start))),
            }
        }
        let models = match self.models.as_ref().map(|models| models.compile(table)) {
            Some(Err(more)) => {
                faults.extend(more);
                None
            }
            Some(Ok(models)) => Some(models),
            None => None,
        };
        if self.freshness.is_none() {
            let headline = "the gate does not say how old a cassette may be";
            let remedy = "state `freshness = { max_age = \"90d\" }`";
            faults
                .push(Fault::new(FRESHNESS_UNSTATED, headline, remedy).at(table.location.clone()));
        }
        match &self.freshness {
            Some(freshness) if faults.is_empty() => Ok(Rules {
                urls: Urls {
                    hosts: hosts.iter().map(|host| host.to_ascii_lowercase()).collect(),
                    patterns: urls,
                    allow_localhost: self.allow_localhost,
                    order: self.query_order,
                },
                models,
                placeholders: placeholders.clone(),
                max_age: freshness.max_age,
                headers: lower(&self.credential_headers),
                parameters: lower(&self.credential_parameters),
            }),
            Some(_) | None => Err(faults),
        }
    }
}

fn lower(names: &[String]) -> Vec<String> {
    names.iter().map(|name| name.to_ascii_lowercase()).collect()
}

/// Refuses what cannot be used, before anything runs.
pub(super) fn validate(config: &Config, table: &GateTable) -> Vec<Fault> {
    config.compile(table).err().unwrap_or_default()
}

/// The one fault that an attempt can carry; the others were shown when the policy was read.
pub(super) fn first(faults: Vec<Fault>) -> Fault {
    faults.into_iter().next().unwrap_or_else(|| {
        Fault::new(CONFIG_INVALID, "the table was refused without a reason", "report this as a bug")
    })
}
