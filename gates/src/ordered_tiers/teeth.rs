//! The fixtures of `ordered_tiers`: each code bites, and documents that keep to their tier pass. They hold no logic.

use super::{
    CERTIFICATION_MISSING, CERTIFIED_TIER_UNKNOWN, CLAIM_ABOVE_TIER, CLAIM_TIER_ORDER_DRIFT,
    STRICT_CLAIM_UNCERTIFIED, TIER_EVIDENCE_BROKEN, TIER_EVIDENCE_MISSING, TIER_INCOMPLETE,
    TIER_LANGUAGE_CONFLICT,
};
use portcullis::{
    Tooth,
    wire::code::{FRESHNESS_UNSTATED, NOTHING_EXAMINED},
};

pub(super) const BASIC: &str = "manifest = 'tiers.toml'\nexpected_order = ['basic', 'strict']\n\
    documents = ['*.md']\ncertified = { tier = 'basic' }";
pub(super) const SOURCE: &str = "manifest = 'tiers.toml'\nexpected_order = ['basic', 'strict']\n\
    documents = ['*.md']\n\
    certified = { artifact = 'v.json', field = '/certified_tier', required = true, freshness = { max_age = '7d' } }\n\
    strict = { artifact = 'v.json', freshness = { max_age = '7d' } }";
const UNSTATED: &str = "manifest = 'tiers.toml'\nexpected_order = ['basic', 'strict']\n\
    documents = ['*.md']\ncertified = { artifact = 'v.json', field = '/certified_tier' }";

pub(super) const TIERS: (&str, &str) = ("tiers.toml", MANIFEST);
pub(super) const MANIFEST: &str = "[[tiers]]\nid = 'basic'\nrequired_evidence = ['e.json']\n\
    allowed_language = ['compatible', 'not a drop-in replacement']\nforbidden_language = ['certified']\n\
    [[tiers]]\nid = 'strict'\nrequired_evidence = [{ path = 'e.json', field = '/status', equals = 'pass' }]\n\
    allowed_language = ['drop-in replacement', 'certified']\nforbidden_language = ['guaranteed']\n";
const SWAPPED: &str = "[[tiers]]\nid = 'strict'\nrequired_evidence = ['e.json']\n\
    allowed_language = ['drop-in']\nforbidden_language = ['guaranteed']\n\
    [[tiers]]\nid = 'basic'\nrequired_evidence = ['e.json']\n\
    allowed_language = ['compatible']\nforbidden_language = ['certified']\n";
const EMPTY: &str = "[[tiers]]\nid = 'basic'\nrequired_evidence = []\n\
    allowed_language = ['compatible']\nforbidden_language = ['certified']\n\
    [[tiers]]\nid = 'strict'\nrequired_evidence = ['e.json']\n\
    allowed_language = ['drop-in']\nforbidden_language = ['guaranteed']\n";
const TORN: &str = "[[tiers]]\nid = 'basic'\nrequired_evidence = ['e.json']\n\
    allowed_language = ['Fully compatible']\nforbidden_language = ['fully-compatible']\n\
    [[tiers]]\nid = 'strict'\nrequired_evidence = ['e.json']\n\
    allowed_language = ['drop-in']\nforbidden_language = ['guaranteed']\n";
pub(super) const EVIDENCE: (&str, &str) = ("e.json", "{\"status\":\"pass\"}");
const README: (&str, &str) = ("a.md", "It is compatible, and not a drop-in replacement.\n");
const CERTIFIED: &str = "{\"generated_at\":\"2026-05-30T00:00:00Z\",\"certified_tier\":\"strict\",\"overall_verdict\":\"CERTIFIED\"}";

pub(super) static TEETH: &[Tooth] = &[
    Tooth::known_good("claims_within_the_tier", BASIC, &[TIERS, EVIDENCE, README]),
    Tooth::known_good(
        "a_strict_claim_with_its_verdict",
        SOURCE,
        &[TIERS, EVIDENCE, ("v.json", CERTIFIED), ("a.md", "A certified drop-in replacement.\n")],
    ),
    Tooth::known_bad(
        "two_tiers_swapped",
        CLAIM_TIER_ORDER_DRIFT,
        BASIC,
        &[("tiers.toml", SWAPPED), EVIDENCE, README],
    ),
    Tooth::known_bad(
        "a_tier_that_needs_nothing",
        TIER_INCOMPLETE,
        BASIC,
        &[("tiers.toml", EMPTY), EVIDENCE, README],
    ),
    Tooth::known_bad(
        "a_phrase_in_both_lists",
        TIER_LANGUAGE_CONFLICT,
        BASIC,
        &[("tiers.toml", TORN), EVIDENCE, README],
    ),
    Tooth::known_bad("evidence_that_is_not_there", TIER_EVIDENCE_MISSING, BASIC, &[TIERS, README]),
    Tooth::known_bad(
        "evidence_that_is_empty",
        TIER_EVIDENCE_MISSING,
        BASIC,
        &[TIERS, README, ("e.json", "")],
    ),
    Tooth::known_bad(
        "evidence_that_says_fail",
        TIER_EVIDENCE_BROKEN,
        BASIC,
        &[TIERS, README, ("e.json", "{\"status\":\"fail\"}")],
    ),
    Tooth::known_bad(
        "a_claim_of_the_tier_above",
        CLAIM_ABOVE_TIER,
        BASIC,
        &[TIERS, EVIDENCE, ("a.md", "Now a **drop-in**\nreplacement.\n")],
    ),
    Tooth::known_bad(
        "a_verdict_that_certifies_nothing",
        STRICT_CLAIM_UNCERTIFIED,
        SOURCE,
        &[
            TIERS,
            EVIDENCE,
            README,
            (
                "v.json",
                "{\"generated_at\":\"2026-05-30T00:00:00Z\",\"certified_tier\":\"strict\",\"overall_verdict\":\"PARTIAL\"}",
            ),
        ],
    ),
    Tooth::known_bad(
        "fg38_a_certification_of_last_month",
        crate::artifact_contract::ARTIFACT_STALE,
        SOURCE,
        &[
            TIERS,
            EVIDENCE,
            README,
            (
                "v.json",
                "{\"generated_at\":\"2026-04-30T00:00:00Z\",\"certified_tier\":\"strict\",\"overall_verdict\":\"CERTIFIED\"}",
            ),
        ],
    ),
    Tooth::known_bad("no_certification", CERTIFICATION_MISSING, SOURCE, &[TIERS, EVIDENCE, README]),
    Tooth::known_bad(
        "a_tier_nobody_knows",
        CERTIFIED_TIER_UNKNOWN,
        SOURCE,
        &[
            TIERS,
            EVIDENCE,
            README,
            ("v.json", "{\"generated_at\":\"2026-05-30T00:00:00Z\",\"certified_tier\":\"top\"}"),
        ],
    ),
    Tooth::known_bad("fg13_no_document", NOTHING_EXAMINED, BASIC, &[TIERS, EVIDENCE]),
    Tooth::known_bad(
        "fg39_no_freshness_is_stated",
        FRESHNESS_UNSTATED,
        UNSTATED,
        &[TIERS, EVIDENCE, README],
    ),
];
