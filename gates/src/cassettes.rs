//! Recorded HTTP cassettes are safe to commit and true to what is asked: no secrets, known hosts and models,
//! a date, a test that plays them. It replays nothing, and it does not look into compressed bodies.

mod config;
mod credential;
mod freshness;
mod har;
mod model;
mod recording;
mod references;
mod secret;
mod teeth;
mod url;
mod yaml;

use config::Config;
use portcullis::{
    Code, Examined, Fault, Finding, Findings, GateContext, GateError, Lane, Location,
    wire::code::NOTHING_EXAMINED,
};
use recording::{Cassette, Interaction};
use secret::redact;
use teeth::TEETH;

portcullis::gate_kind! {
    /// Holds recorded HTTP cassettes to what may be committed and what tests may rely on.
    ///
    /// ### What it checks
    /// Every file of `files` is a whole recording of at least one interaction. None of its texts has the shape of a
    /// secret, as written, base64 or percent-encoded. Each URL has an allowed host and pattern, the model that was
    /// asked is allowed and is the one that answered, credentials are placeholders, the recording is young enough,
    /// and a test names it. In the lanes of `playback_lanes` the tests play back; no CI machine records.
    ///
    /// Three formats are read. *Cassette*, as JSON or as YAML without anchors, aliases and merge keys, ended by `...`:
    /// `schema = "portcullis.cassette.v1"`, `recorded_at` (RFC 3339 in UTC), optional `scenario` and `model`, and
    /// `interactions`, a list of `request` (`method`, `url`, `headers`, `body`), `response` (`status`, `headers`,
    /// `body`) and optionally `recorded_at`. A header is a text or a list of texts; a body is a text, any JSON value,
    /// or `{ base64 = ".." }`. *HAR* 1.2 is read as browsers write it.
    ///
    /// ### Why it gates
    /// A recording is published with the repository, and tests against it stay green long after the service changed.
    ///
    /// ### Example
    /// Refused: a header `authorization` with `Bearer` and a real token, a URL on a host nobody listed, a cassette of
    /// last year. Accepted: the same recording made yesterday with `REDACTED` as the token.
    ///
    /// ### Configuration
    /// - `files`: globs, required. `format`: `json`, `yaml` (needs the feature `yaml`) or `har`; default by file name.
    /// - `hosts`: exact hosts, with port where it is not the default, required. `urls`: patterns, one of which matches
    ///   the whole URL; default any URL of these hosts. `allow_localhost`: default false; other hosts need https.
    /// - `query_order`: `sorted` (default) or `free`: strict matching tells two orders apart.
    /// - `models`: `allowed`, required in it; `request` and `response`, JSON Pointers into the bodies (default `/model`;
    ///   lists, the first that exists counts); `aliases`, from a model asked to those that may answer; `urls`, patterns
    ///   of the URLs that name a model, default all. Every JSON event of a stream body that names a model is held.
    /// - `placeholders`: texts that stand for credentials, at least 4 characters each, required.
    ///   `credential_headers`, `credential_parameters`: names besides the usual ones.
    /// - `freshness`, required: `{ max_age = "90d" }`; 14 days before it warns, after it `pr` has 7 days of grace.
    /// - `references`, required: `files` (globs of test sources), `pattern` (one group around the cassette) and `names`
    ///   (`path`, `file_name` or `stem`). Lines that begin with `//` or `#` name nothing.
    /// - `playback_lanes`: lanes, required, may be empty. `mode_variable`: default `VCR_MODE`; it must stand under
    ///   `[environment] allow`. `playback` is the one value that plays back.
    ///
    /// ### Remediation
    /// - `secret_in_cassette`: revoke the secret first, then record again with a filter and rewrite the history.
    /// - `cassette_url_refused`: record against an allowed host, or allow it; sort the query.
    /// - `cassette_model_mismatch`: record with an allowed model, or add the alias.
    /// - `credential_not_placeholder`: replace the value by one of `placeholders`.
    /// - `cassette_stale`: record again. `cassette_undated`: record again with a recorder that writes the time.
    /// - `cassette_orphaned`: delete the cassette, or the test that used it comes back.
    /// - `cassette_dangling`: record the cassette that the test names, or correct the name.
    /// - `cassette_empty`: record again; an empty recording answers nothing.
    /// - `playback_not_enforced`: set the variable to `playback` in this lane, and never record in CI.
    /// - `cassette_invalid`: record again; the file is torn, or of another format.
    pub static CASSETTES: "cassettes", since = "0.1.0", config = Config, validate = config::validate, check = check,
        codes = CODES, teeth = TEETH;
}

const SECRET_IN_CASSETTE: Code =
    Code::new("PC1240", "secret_in_cassette", "A text of a cassette has the shape of a secret.");
const CASSETTE_URL_REFUSED: Code = Code::new(
    "PC1241",
    "cassette_url_refused",
    "A recorded URL is not one that tests may rely on.",
);
const CASSETTE_MODEL_MISMATCH: Code = Code::new(
    "PC1242",
    "cassette_model_mismatch",
    "A recorded model is not allowed, or is not the one that answered.",
);
const CREDENTIAL_NOT_PLACEHOLDER: Code = Code::new(
    "PC1243",
    "credential_not_placeholder",
    "A recorded credential is something else than a placeholder.",
);
const CASSETTE_STALE: Code =
    Code::new("PC1244", "cassette_stale", "A cassette was recorded too long ago.");
const CASSETTE_UNDATED: Code =
    Code::new("PC1245", "cassette_undated", "A cassette does not say when it was recorded.");
const CASSETTE_ORPHANED: Code =
    Code::new("PC1246", "cassette_orphaned", "No test names this cassette.");
const CASSETTE_DANGLING: Code =
    Code::new("PC1247", "cassette_dangling", "A test names a cassette that does not exist.");
const CASSETTE_EMPTY: Code =
    Code::new("PC1248", "cassette_empty", "A cassette has no interaction.");
const PLAYBACK_NOT_ENFORCED: Code = Code::new(
    "PC1249",
    "playback_not_enforced",
    "The tests of this lane would not play cassettes back.",
);
const CASSETTE_INVALID: Code =
    Code::new("PC1250", "cassette_invalid", "A file is not the recording it should be.");

const CODES: &[Code] = &[
    SECRET_IN_CASSETTE,
    CASSETTE_URL_REFUSED,
    CASSETTE_MODEL_MISMATCH,
    CREDENTIAL_NOT_PLACEHOLDER,
    CASSETTE_STALE,
    CASSETTE_UNDATED,
    CASSETTE_ORPHANED,
    CASSETTE_DANGLING,
    CASSETTE_EMPTY,
    PLAYBACK_NOT_ENFORCED,
    CASSETTE_INVALID,
];

/// Reads every cassette, then the tests that play them, and returns how many cassettes there are.
fn check(cx: &GateContext<'_>, config: &Config, out: &mut Findings) -> Result<Examined, GateError> {
    let rules = config.compile(cx.gate()).map_err(config::first)?;
    hold_mode(cx, config, out)?;
    let files = cx.files(&config.files)?;
    if files.is_empty() {
        return Ok(Examined::items(0));
    }
    let (mut interactions, mut of_models) = (0, 0);
    for file in &files {
        let text = file.text()?;
        let path = file.path().as_str();
        let report = &mut Report { out, path, text: &text };
        let format = cx.watch(recording::format_of(config.format, path))?;
        let (document, cassette) = cx.watch(recording::read(path, &text, format))?;
        hold_secrets(&document, &rules.placeholders, report);
        if cassette.interactions.is_empty() {
            let message = "the cassette has no interaction";
            report.add(CASSETTE_EMPTY, "interactions", message, "record again", None);
        }
        interactions += cassette.interactions.len();
        for interaction in &cassette.interactions {
            hold_url(interaction, &rules, report)?;
            credential::hold(interaction, &rules, report);
            if let Some(models) = &rules.models {
                of_models += usize::from(model::hold(interaction, models, report)?);
            }
        }
        hold_stated_model(&cassette, &rules, report);
        freshness::hold(cx, &cassette, rules.max_age, report);
    }
    if rules.models.is_some() && of_models == 0 && interactions > 0 {
        let headline = "no recorded interaction names a model, so the rule over models saw nothing";
        let remedy = "correct `models.urls`, or remove `models`";
        return cx.watch(Err(Fault::new(NOTHING_EXAMINED, headline, remedy)));
    }
    references::hold(cx, &config.references, &files, out)?;
    Ok(Examined::items(files.len()))
}

/// Where findings about one cassette go. Whatever they quote of it is redacted here.
struct Report<'r> {
    out: &'r mut Findings,
    path: &'r str,
    text: &'r str,
}

impl Report<'_> {
    fn add(
        &mut self,
        code: Code,
        place: &str,
        message: impl AsRef<str>,
        remedy: &str,
        found: Option<String>,
    ) {
        let finding = Finding::new(
            code,
            format!("{}#{}", self.path, redact(place)),
            redact(message.as_ref()),
            remedy,
        )
        .at(Location::file(self.path));
        self.out.push(match found {
            Some(found) => finding.found(redact(&found)),
            None => finding,
        });
    }
}

/// The lane decides whether the tests must play back; a CI machine never records.
fn hold_mode(cx: &GateContext<'_>, config: &Config, out: &mut Findings) -> Result<(), GateError> {
    let name = config.mode_variable.as_str();
    let lane = cx.lane();
    let ci = cx.is_ci();
    let must = config.playback_lanes.contains(&lane);
    if !must && !ci && lane == Lane::Local {
        return Ok(());
    }
    let mode = cx.env(name).filter(|mode| !mode.is_empty());
    let message = match mode {
        Some("playback") => return Ok(()),
        Some(_) => format!("`{name}` is not `playback`, in lane `{}`", lane.name()),
        None if must => format!("`{name}` is not set to `playback`, in lane `{}`", lane.name()),
        None => return Ok(()),
    };
    let remedy = format!("set `{name}=playback`, and allow it under `[environment]`");
    let finding = Finding::new(PLAYBACK_NOT_ENFORCED, name, message, remedy)
        .at(cx.gate().location.clone())
        .expected("`playback`");
    out.push(match mode {
        Some(mode) => finding.found(redact(&mode.escape_debug().to_string())),
        None => finding.found("nothing is set, or the policy does not let it be read"),
    });
    Ok(())
}

/// Reports each text with the shape of a secret by its place and shape, never by its value.
fn hold_secrets(document: &serde_json::Value, placeholders: &[String], report: &mut Report<'_>) {
    let mut seen = Vec::new();
    secret::each_text(document, "", &mut |place, text| {
        if seen.len() < secret::HITS_MAX {
            let hits = secret::scan_encoded(text, placeholders);
            seen.extend(hits.into_iter().map(|hit| (place.to_owned(), hit)));
        }
    });
    seen.truncate(secret::HITS_MAX);
    // Comments of YAML and texts that only the file as written shows.
    for hit in secret::scan(report.text, placeholders) {
        let plain = hit.text.replace("\\n", "\n").replace("\\/", "/");
        if !seen.iter().any(|(_place, known)| known.text == plain || known.text == hit.text) {
            seen.push((String::from("file"), hit));
        }
    }
    for (place, hit) in seen {
        // A text that is encoded or escaped cannot be found again in the file; then the file is the place.
        let location = match report.text.find(&hit.text) {
            Some(offset) => Location::of_offset(report.path, report.text, offset),
            None => Location::file(report.path),
        };
        let subject = format!("{}#{}", report.path, redact(&place));
        let message = format!("a {} stands in the cassette", hit.shape);
        let remedy = "revoke it, then record again with a filter; its value is in the history";
        report.out.push(
            Finding::new(SECRET_IN_CASSETTE, subject, message, remedy)
                .at(location)
                .found(format!("[redacted:{}]", hit.text.len())),
        );
    }
}

/// Holds one URL to hosts, patterns and the order of its query.
fn hold_url(
    interaction: &Interaction,
    rules: &config::Rules,
    report: &mut Report<'_>,
) -> Result<(), GateError> {
    let place = format!("{}/request/url", interaction.place);
    let parsed = match url::Url::parse(&interaction.url) {
        Ok(parsed) => parsed,
        Err(why) => {
            let message = format!("the URL cannot be one: {why}");
            report.add(CASSETTE_URL_REFUSED, &place, message, "record again", None);
            return Ok(());
        }
    };
    let shown = Some(parsed.shown());
    if let Some(why) = rules.urls.refuses(&parsed, &interaction.url)? {
        let remedy = "record against an allowed host, or allow the URL";
        report.add(CASSETTE_URL_REFUSED, &place, why, remedy, shown);
    }
    Ok(())
}

/// A cassette that states its model states an allowed one.
fn hold_stated_model(cassette: &Cassette, rules: &config::Rules, report: &mut Report<'_>) {
    let (Some(stated), Some(models)) = (&cassette.model, &rules.models) else { return };
    if !models.allowed.contains(stated) {
        let message = "the cassette states a model that is not allowed";
        let remedy = "record with an allowed model";
        report.add(CASSETTE_MODEL_MISMATCH, "/model", message, remedy, Some(stated.clone()));
    }
}

#[cfg(test)]
mod tests;
