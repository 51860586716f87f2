//! No document claims more than the tier that is certified. It compares words; it does not understand sentences.

mod certification;
mod language;
mod manifest;
mod teeth;

use crate::{
    artifact_contract::Freshness,
    document::{self, Format},
    documents,
    json_path::Pointer,
    markdown::Document,
    places::Places,
};
use language::Phrase;
use manifest::{Evidence, Tier};
use portcullis::{
    Code, Examined, Fault, File, Finding, Findings, GateContext, GateError, GateTable, Globs,
    Location, RelPath, wire::code::CONFIG_INVALID,
};
use teeth::TEETH;
use toml::Spanned;

portcullis::gate_kind! {
    /// Keeps the claims of documents within the tier that is certified.
    ///
    /// ### What it checks
    /// The manifest has exactly the tiers of `expected_order`, lowest first; each has evidence that exists and says
    /// what it must, language it allows and language it forbids. Documents are scanned for what the certified tier
    /// and all tiers above it forbid, and for what only tiers above it allow. Phrases are compared word by word,
    /// whatever their case, markup, hyphens or line breaks; a longer phrase that the certified tier or one below it
    /// allows excuses a shorter one within it. Without certification the lowest tier holds.
    ///
    /// ### Why it gates
    /// A README promises more with every edit, and nobody withdraws a claim when its evidence goes.
    ///
    /// ### Example
    /// Refused while `basic` is certified and only `strict` allows "drop-in replacement": a README that says "a
    /// **drop-in** replacement". Accepted: "not a drop-in replacement", if `basic` allows these words.
    ///
    /// ### Configuration
    /// - `manifest`: a TOML or JSON file with a list `tiers`. Each has `id`, `required_evidence` (paths, or tables
    ///   `{ path, field, equals }` with a JSON Pointer), `allowed_language` and `forbidden_language`.
    /// - `expected_order`: the ids of all tiers, lowest first.
    /// - `documents`: globs of the texts to scan; one that matches nothing is an error.
    /// - `certified`: `{ tier }` for a fixed tier, or `{ artifact, field, freshness }` for a JSON or TOML artifact and
    ///   the pointer to its tier, with `required = true` if its absence is an error and `of_run = true` if it lies
    ///   below the directory of this run. `freshness` as in `artifact_contract`; there is no default.
    /// - `strict`: `{ artifact, freshness }`, also `tiers` (default the highest), `field` (default
    ///   `/overall_verdict`), `equals` (default `CERTIFIED`) and `of_run`: what these tiers need beyond their evidence.
    /// - `evidence_of`: `all_tiers` (default), or `certified_tiers` while higher tiers are still being worked for.
    /// - `code_blocks`: `scan` (default) or `skip`, for Markdown.
    ///
    /// ### Remediation
    /// - `claim_tier_order_drift`: restore the order; changing `expected_order` is a change of its own.
    /// - `tier_incomplete`: add what the tier needs, may say and must not say.
    /// - `tier_language_conflict`: remove the phrase from one of the two lists.
    /// - `tier_evidence_missing`: produce the evidence, or correct its path.
    /// - `tier_evidence_broken`: correct what the evidence is about, then produce it again.
    /// - `claim_above_tier`: say only what the certified tier allows, or certify the higher tier.
    /// - `strict_claim_uncertified`: certify again; until then the tier below holds.
    /// - `certification_missing`: run the certification; the gate says that its document must exist.
    /// - `certified_tier_unknown`: correct the document, or the pointer to its tier.
    pub static ORDERED_TIERS: "ordered_tiers", since = "0.1.0", config = Config, validate = validate,
        check = check, codes = CODES, teeth = TEETH;
}

const CLAIM_TIER_ORDER_DRIFT: Code = Code::new(
    "PC1180",
    "claim_tier_order_drift",
    "The tiers of a manifest are not the expected ones in the expected order.",
);
const TIER_INCOMPLETE: Code =
    Code::new("PC1181", "tier_incomplete", "A tier has an empty list of evidence or language.");
const TIER_LANGUAGE_CONFLICT: Code =
    Code::new("PC1182", "tier_language_conflict", "A tier allows and forbids the same phrase.");
const TIER_EVIDENCE_MISSING: Code =
    Code::new("PC1183", "tier_evidence_missing", "A file that a tier needs is absent or empty.");
const TIER_EVIDENCE_BROKEN: Code =
    Code::new("PC1184", "tier_evidence_broken", "A file does not say what its tier needs.");
const CLAIM_ABOVE_TIER: Code = Code::new(
    "PC1185",
    "claim_above_tier",
    "A document claims more than the certified tier allows.",
);
const STRICT_CLAIM_UNCERTIFIED: Code = Code::new(
    "PC1186",
    "strict_claim_uncertified",
    "A strict tier is claimed without the verdict that it needs.",
);
const CERTIFICATION_MISSING: Code =
    Code::new("PC1187", "certification_missing", "A certification that must exist does not.");
const CERTIFIED_TIER_UNKNOWN: Code =
    Code::new("PC1188", "certified_tier_unknown", "A certification names no known tier.");

const CODES: &[Code] = &[
    CLAIM_TIER_ORDER_DRIFT,
    TIER_INCOMPLETE,
    TIER_LANGUAGE_CONFLICT,
    TIER_EVIDENCE_MISSING,
    TIER_EVIDENCE_BROKEN,
    CLAIM_ABOVE_TIER,
    STRICT_CLAIM_UNCERTIFIED,
    CERTIFICATION_MISSING,
    CERTIFIED_TIER_UNKNOWN,
];

/// One `[[gate]]` table of this kind.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    manifest: RelPath,
    expected_order: Vec<String>,
    documents: Globs,
    certified: Spanned<Certified>,
    strict: Option<Spanned<Strict>>,
    #[serde(default)]
    evidence_of: EvidenceOf,
    #[serde(default)]
    code_blocks: CodeBlocks,
}

/// Where the certified tier is written.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Certified {
    tier: Option<String>,
    artifact: Option<RelPath>,
    #[serde(default)]
    of_run: bool,
    field: Option<Spanned<String>>,
    #[serde(default)]
    required: bool,
    freshness: Option<Freshness>,
}

/// What the strict tiers need beyond their evidence.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Strict {
    #[serde(default)]
    tiers: Vec<String>,
    artifact: RelPath,
    #[serde(default)]
    of_run: bool,
    field: Option<Spanned<String>>,
    equals: Option<String>,
    freshness: Option<Freshness>,
}

/// Whose evidence has to exist.
#[derive(Clone, Copy, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum EvidenceOf {
    #[default]
    AllTiers,
    CertifiedTiers,
}

/// Whether text in code blocks is a claim.
#[derive(Clone, Copy, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum CodeBlocks {
    #[default]
    Scan,
    Skip,
}

/// Refuses orders without tiers, and sources that name none.
fn validate(config: &Config, table: &GateTable) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut refuse = |at: Location, headline: String, remedy: &str| {
        faults.push(Fault::new(CONFIG_INVALID, headline, remedy).at(at));
    };
    let order = &config.expected_order;
    if order.len() < 2 {
        let remedy = "name all tiers, the lowest first";
        refuse(
            table.location.clone(),
            "`expected_order` has fewer than two tiers".to_owned(),
            remedy,
        );
    }
    for (index, tier) in order.iter().enumerate() {
        if order[..index].contains(tier) {
            let headline = format!("`expected_order` has `{tier}` twice");
            refuse(table.location.clone(), headline, "remove one of them");
        }
    }
    let mut known = |tier: &String, offset: usize| {
        if !order.contains(tier) {
            let headline = format!("`{tier}` is not one of `expected_order`");
            refuse(table.locate(offset), headline, "name one of its tiers");
        }
    };
    let (certified, at) = (config.certified.get_ref(), config.certified.span().start);
    certified.tier.iter().for_each(|tier| known(tier, at));
    if let Some(strict) = &config.strict {
        strict.get_ref().tiers.iter().for_each(|tier| known(tier, strict.span().start));
    }
    if certified.tier.is_some() == certified.artifact.is_some() {
        let headline = "`certified` needs either `tier` or `artifact`".to_owned();
        refuse(
            table.locate(at),
            headline,
            "write `{ tier = \"..\" }`, or `{ artifact = \"..\", field = \"/..\", freshness = {..} }`",
        );
    }
    if certified.tier.is_some()
        && (certified.required
            || certified.of_run
            || certified.field.is_some()
            || certified.freshness.is_some())
    {
        let headline = "a fixed tier has no artifact, field or freshness".to_owned();
        refuse(table.locate(at), headline, "keep only `tier`");
    }
    if certified.artifact.is_some() && certified.field.is_none() {
        refuse(
            table.locate(at),
            "`certified` has no `field`".to_owned(),
            "write the pointer to the tier, such as `/certified_tier`",
        );
    }
    faults.extend(certification::validate(config, table));
    faults
}

/// Judges the manifest, then every document under the certified tier; returns how many documents were scanned.
fn check(cx: &GateContext<'_>, config: &Config, out: &mut Findings) -> Result<Examined, GateError> {
    let files = documents::matched(cx, &config.documents)?;
    let mut tiers = manifest::read(cx, config)?;
    manifest::judge(config, &tiers, out);
    // After a drift the order of the policy holds, and what it does not know claims most.
    let rank = |id: &String| config.expected_order.iter().position(|known| known == id);
    tiers.sort_by_key(|tier| rank(&tier.id).unwrap_or(usize::MAX));
    let certified = certification::tier(cx, config, &tiers, out)?;
    let named = tiers.get(certified).map_or("none", |tier| tier.id.as_str());
    cx.note(format!("certified tier: {named}"));
    for (index, tier) in tiers.iter().enumerate() {
        if config.evidence_of == EvidenceOf::AllTiers || index <= certified {
            for evidence in &tier.evidence {
                examine_evidence(cx, tier, evidence, out)?;
            }
        }
    }
    let claims = Claims::new(&tiers, certified);
    for file in &files {
        scan(cx, config, file, named, &claims, out)?;
    }
    Ok(Examined::items(if tiers.is_empty() { 0 } else { files.len() }))
}

fn examine_evidence(
    cx: &GateContext<'_>,
    tier: &Tier,
    evidence: &Evidence,
    out: &mut Findings,
) -> Result<(), GateError> {
    let file = cx.file(&evidence.path);
    let subject = format!("{}: {}", tier.id, evidence.path);
    let is_there = file.exists()?;
    let is_folder = is_there && cx.is_folder(&evidence.path)?;
    if !is_there || (!is_folder && file.digest_and_size()?.1 == 0) {
        let state = if is_there { "is empty" } else { "does not exist" };
        let message = format!("evidence `{}` of tier `{}` {state}", evidence.path, tier.id);
        let remedy = "produce the evidence, or correct its path";
        out.push(
            Finding::new(TIER_EVIDENCE_MISSING, subject, message, remedy)
                .at(Location::file(&evidence.path)),
        );
        return Ok(());
    }
    let Some((field, expected)) = &evidence.check else { return Ok(()) };
    let format = Format::of_name(evidence.path.as_str()).unwrap_or(Format::Json);
    let document = document::read(&file, format)?;
    let found = Pointer::parse(field).and_then(|pointer| pointer.one(&document).cloned());
    if found.as_ref() != Some(expected) {
        let message =
            format!("evidence `{}` does not say what tier `{}` needs", evidence.path, tier.id);
        let remedy = "correct what the evidence is about, then produce it again";
        out.push(
            Finding::new(TIER_EVIDENCE_BROKEN, subject, message, remedy)
                .at(Location::file(&evidence.path))
                .expected(format!("{field} = {expected}"))
                .found(found.map_or_else(|| "no such field".to_owned(), |value| value.to_string())),
        );
    }
    Ok(())
}

/// What must not be said under a certified tier, and what may.
struct Claims<'t> {
    refused: Vec<Phrase<'t>>,
    /// The tier each refused phrase belongs to, and whether that tier forbids it.
    reasons: Vec<(&'t str, bool)>,
    permitted: Vec<Phrase<'t>>,
}

impl<'t> Claims<'t> {
    fn new(tiers: &'t [Tier], certified: usize) -> Self {
        let own = tiers.get(certified).map_or(&[][..], |tier| tier.forbidden.as_slice());
        let below = tiers.iter().take(certified.saturating_add(1));
        let permitted: Vec<&String> = below
            .flat_map(|tier| &tier.allowed)
            .filter(|phrase| !manifest::is_among(phrase, own))
            .collect();
        let permitted: Vec<Phrase<'t>> =
            permitted.into_iter().filter_map(|text| Phrase::new(text)).collect();
        let mut claims = Self { refused: Vec::new(), reasons: Vec::new(), permitted };
        for (index, tier) in tiers.iter().enumerate().skip(certified) {
            let allowed = if index > certified { tier.allowed.as_slice() } else { &[] };
            let forbidden = tier.forbidden.iter().map(|text| (text, true));
            for (text, is_forbidden) in forbidden.chain(allowed.iter().map(|text| (text, false))) {
                claims.refuse(text, &tier.id, is_forbidden);
            }
        }
        claims
    }

    /// Adds a phrase, unless it is there or is permitted as it stands.
    fn refuse(&mut self, text: &'t str, tier: &'t str, is_forbidden: bool) {
        let Some(phrase) = Phrase::new(text) else { return };
        let mut known = self.refused.iter().chain(&self.permitted);
        if !known.any(|other| other.is_same(&phrase)) {
            self.refused.push(phrase);
            self.reasons.push((tier, is_forbidden));
        }
    }
}

fn scan(
    cx: &GateContext<'_>,
    config: &Config,
    file: &File<'_>,
    certified: &str,
    claims: &Claims<'_>,
    out: &mut Findings,
) -> Result<(), GateError> {
    let mut text = file.text()?;
    if config.code_blocks == CodeBlocks::Skip && file.path().as_str().ends_with(".md") {
        let document = cx.watch(Document::new(file.path(), text.clone()))?;
        text = without_code(text, &document);
    }
    let places = Places::new(&text);
    let permitted = language::find(&text, &claims.permitted);
    let (mut next, mut covered_to) = (0, 0);
    for found in language::find(&text, &claims.refused) {
        while let Some(longer) = permitted.get(next).filter(|longer| longer.start <= found.start) {
            covered_to = covered_to.max(longer.end);
            next += 1;
        }
        if covered_to >= found.end {
            continue;
        }
        let phrase = claims.refused[found.phrase].text;
        let (tier, is_forbidden) = claims.reasons[found.phrase];
        let why = if is_forbidden { "forbids" } else { "alone allows" };
        out.push(
            Finding::new(
                CLAIM_ABOVE_TIER,
                phrase,
                format!("`{}` says `{phrase}`, which tier `{tier}` {why}", file.path()),
                "say only what the certified tier allows, or certify the higher tier",
            )
            .at(places.location(file.path(), &text, found.start))
            .expected(format!("claims of tier `{certified}`"))
            .found(text[found.start..found.end].chars().take(120).collect::<String>()),
        );
    }
    Ok(())
}

/// The text with its code blocks blanked, so that every place stays.
fn without_code(mut text: String, document: &Document) -> String {
    for block in &document.blocks {
        let blank: String = text[block.range.clone()]
            .bytes()
            .map(|byte| if byte == b'\n' { '\n' } else { ' ' })
            .collect();
        text.replace_range(block.range.clone(), &blank);
    }
    text
}

#[cfg(test)]
mod tests;
