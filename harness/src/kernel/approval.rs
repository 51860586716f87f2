//! Approvals: a named person's word, standing on the base, for exactly one loosening (`semantics.md`, section 8).
//!
//! Nothing in a change can vouch for the change, so only what the base holds counts: the list of approvers in its policy,
//! and the record beside its waivers. Leaves out what a loosening is.

#[cfg(test)]
mod tests;

use super::{
    document::{self, Codes, Keys, Node, Source, Table},
    loosening::{Head, Loosening, Texts},
};
use crate::wire::{
    code::{
        APPROVAL_EXPIRED, APPROVAL_INVALID, APPROVAL_MISMATCH, APPROVAL_NOT_ON_BASE,
        APPROVER_REFUSED, Code,
    },
    fault::Fault,
    id::{Digest, GateId},
    ordered::VecSet,
    time::Day,
};
use serde::Serialize;
use std::ops::Range;

/// How many days an approval lasts at most.
pub const SPAN_DAYS: i64 = 14;
const REASON_CHARS: usize = 20;
const CODES: Codes = Codes { invalid: APPROVAL_INVALID, unknown: APPROVAL_INVALID };
/// The file of the records.
const PATH: &str = "suite_classification.toml";
/// The section of the policy that names who may approve.
const SECTION: &str = "approval";

/// One approval, well-formed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// What the record is called.
    pub name: String,
    /// The gate that is loosened; absent where a rule for all gates is.
    pub gate: Option<GateId>,
    /// Who agreed.
    pub approver: String,
    /// The first day.
    pub created: Day,
    /// The last valid day.
    pub expires: Day,
    /// Where it is discussed.
    pub issue: String,
    /// Why.
    pub reason: String,
    /// The digests of exactly the loosenings that were agreed to.
    pub loosenings: VecSet<Digest>,
}

/// The approvals of a file, or why none of them counts.
#[derive(Clone, Debug, Default)]
pub struct ApprovalFile {
    /// The approvals, by name; empty when one of them is not valid.
    pub approvals: Vec<Approval>,
    /// What is wrong. One fault is enough, and then no approval counts.
    pub faults: Vec<Fault>,
}

/// What an approval says of a loosening, as documents show it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "audit", derive(serde::Deserialize))]
pub struct Consent {
    /// What the record is called.
    pub name: String,
    /// Who agreed.
    pub approver: String,
    /// Where it is discussed.
    pub issue: String,
    /// The last valid day; absent where the record cannot be read.
    pub expires: Option<Day>,
    /// The code of why it does not count; absent where it does.
    pub refused: Option<String>,
    /// One clause.
    pub detail: String,
}

impl Consent {
    /// Whether the loosening counts as standing on the base.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.refused.is_none()
    }
}

impl ApprovalFile {
    /// Reads the `[approval.*]` tables of the file of waivers.
    #[must_use]
    pub fn parse(path: &str, text: &str) -> Self {
        let (source, root, mut faults) = document::read(path, text, Some(APPROVAL_INVALID));
        let mut approvals = Vec::new();
        if faults.is_empty()
            && let Some(section) = root.get(SECTION)
        {
            match section.value.get_ref().as_table() {
                Some(table) => read_all(&source, table, &mut approvals, &mut faults),
                None => faults.push(
                    Fault::new(
                        APPROVAL_INVALID,
                        "`approval` is not a table",
                        "write `[approval.<name>]`, with a name of your choice",
                    )
                    .at(source.locate(section.key.start)),
                ),
            }
        }
        if !faults.is_empty() {
            approvals.clear();
        }
        Self { approvals, faults }
    }
}

fn read_all(
    source: &Source,
    table: &Table,
    approvals: &mut Vec<Approval>,
    faults: &mut Vec<Fault>,
) {
    for (name, entry) in table {
        let place = source.locate(entry.key.start);
        let Some(body) = entry.value.get_ref().as_table() else {
            let headline = format!("`[approval.{}]` is not a table", name.escape_debug());
            let remedy = "write `[approval.<name>]` with its six fields";
            faults.push(Fault::new(APPROVAL_INVALID, headline, remedy).at(place));
            continue;
        };
        approvals.extend(read(source, body, (name, entry.value.span()), faults));
    }
}

fn read(
    source: &Source,
    table: &Table,
    (name, span): (&str, Range<usize>),
    faults: &mut Vec<Fault>,
) -> Option<Approval> {
    let title = format!("`[approval.{}]`", name.escape_debug());
    let mut keys = Keys::new(source, table, span, title, CODES, faults);
    let gate = keys.gate_id("gate");
    let approver = keys.parsed("approver", "an address such as `name@example.org`", address);
    let approver = keys.required("approver", approver);
    let created = keys.day("created");
    let created = keys.required("created", created);
    let expires = keys.day("expires");
    let expires = keys.required("expires", expires);
    let issue = keys.text("issue");
    let issue = keys.required("issue", issue);
    let reason = keys.parsed("reason", "a reason of at least 20 characters", |text| {
        (text.trim().chars().count() >= REASON_CHARS).then(|| text.to_owned())
    });
    let reason = keys.required("reason", reason);
    let shape = "the digest of a loosening, 64 hex digits";
    let loosenings = keys.list("loosenings", shape, |text| Digest::parse(text).ok());
    let loosenings = keys.required("loosenings", loosenings);
    if loosenings.as_ref().is_some_and(Vec::is_empty) {
        keys.wrong(
            "loosenings",
            "an empty list of loosenings approves nothing",
            "list the digests that the verdict shows, or remove the record",
        );
    }
    if let (Some(created), Some(expires)) = (created, expires)
        && !(0..=SPAN_DAYS).contains(&expires.days_since(created))
    {
        keys.wrong(
            "expires",
            format!("an approval lasts from one day to at most {SPAN_DAYS} days after it"),
            "correct one of the two days",
        );
    }
    keys.finish();
    Some(Approval {
        name: name.to_owned(),
        gate,
        approver: approver?,
        created: created?,
        expires: expires?,
        issue: issue?,
        reason: reason?,
        loosenings: loosenings?.into_iter().map(toml::Spanned::into_inner).collect(),
    })
}

fn address(text: &str) -> Option<String> {
    let (name, host) = text.split_once('@')?;
    let plain = !text.chars().any(|c| c.is_whitespace() || c.is_control());
    (plain && !name.is_empty() && !host.is_empty() && !host.contains('@')).then(|| text.to_owned())
}

/// Who may approve, by the policy of the base; nobody where it does not say.
fn approvers(policy: &Table) -> VecSet<String> {
    let section = policy.get(SECTION).and_then(|entry| entry.value.get_ref().as_table());
    let list = section.and_then(|table| table.get("approvers")).map(|entry| entry.value.get_ref());
    let Some(Node::Array(items)) = list else { return VecSet::new() };
    let text = |node: &Node| if let Node::Text(text) = node { Some(folded(text)) } else { None };
    items.iter().filter_map(|item| text(item.get_ref())).collect()
}

/// Reads `[approval]` of a policy: the addresses of those who may approve.
pub(super) fn check_policy(
    source: &Source,
    section: (&Table, Range<usize>),
    faults: &mut Vec<Fault>,
) {
    let (table, span) = section;
    let mut keys = Keys::new(source, table, span, "`[approval]`", super::policy::CODES, faults);
    let listed = keys.list("approvers", "an address such as `name@example.org`", address);
    let listed = keys.required("approvers", listed);
    if listed.is_some_and(|list| list.is_empty()) {
        keys.wrong(
            "approvers",
            "a list without an address lets nobody approve",
            "name somebody, or remove `[approval]`",
        );
    }
    keys.finish();
}

/// Addresses are compared without regard to the case of ASCII letters.
fn folded(address: &str) -> String {
    address.to_ascii_lowercase()
}

/// Says of each loosening which approval speaks for it, and whether that counts.
pub(super) fn consider(
    loosened: &mut [Loosening],
    base: &Texts,
    base_policy: &Table,
    head: &Head<'_>,
    today: Day,
) {
    if loosened.is_empty() {
        return;
    }
    let there = ApprovalFile::parse(PATH, base.classification.as_deref().unwrap_or_default());
    let here = ApprovalFile::parse(PATH, head.classification);
    let judge = Judge {
        approvers: approvers(base_policy),
        authors: base.authors.as_ref().map(|list| list.iter().map(|one| folded(one)).collect()),
        today,
    };
    for one in loosened {
        one.consent = judge.consent(one, &there, &here);
    }
}

struct Judge {
    approvers: VecSet<String>,
    authors: Option<VecSet<String>>,
    today: Day,
}

impl Judge {
    fn consent(
        &self,
        loosening: &Loosening,
        there: &ApprovalFile,
        here: &ApprovalFile,
    ) -> Option<Consent> {
        if let Some(fault) = there.faults.first() {
            return Some(Consent {
                name: String::new(),
                approver: String::new(),
                issue: String::new(),
                expires: None,
                refused: Some(APPROVAL_INVALID.name().to_owned()),
                detail: format!("no approval on the base counts: {}", fault.headline()),
            });
        }
        let about = |approval: &&Approval| approval.gate == loosening.gate;
        let names = |approval: &&Approval| approval.loosenings.contains(&loosening.digest);
        let spoken = there.approvals.iter().filter(about).filter(names);
        let judged: Vec<Consent> = spoken.map(|approval| self.judge(approval)).collect();
        if let Some(consent) = judged.iter().find(|consent| consent.holds()).or(judged.first()) {
            return Some(consent.clone());
        }
        if let Some(approval) = here.approvals.iter().filter(about).find(names) {
            let detail = "it stands in the change that it would approve, and not on the base";
            return Some(refused(approval, APPROVAL_NOT_ON_BASE, detail.to_owned()));
        }
        let other = there.approvals.iter().filter(|one| self.is_current(one)).find(about)?;
        let detail = format!("it does not name {}", loosening.digest);
        Some(refused(other, APPROVAL_MISMATCH, detail))
    }

    fn judge(&self, approval: &Approval) -> Consent {
        let who = folded(&approval.approver);
        if !self.is_current(approval) {
            let detail = format!(
                "it holds from {} to {}, and today is {} (UTC)",
                approval.created, approval.expires, self.today
            );
            return refused(approval, APPROVAL_EXPIRED, detail);
        }
        if !self.approvers.contains(&who) {
            let detail = "the policy of the base does not name its approver".to_owned();
            return refused(approval, APPROVER_REFUSED, detail);
        }
        match &self.authors {
            Some(authors) if !authors.contains(&who) => consent(
                approval,
                None,
                format!("approved by {} until {}", approval.approver, approval.expires),
            ),
            Some(_) => {
                let detail = "its approver wrote a commit of this change".to_owned();
                refused(approval, APPROVER_REFUSED, detail)
            }
            None => {
                let detail = "nobody can say who wrote this change".to_owned();
                refused(approval, APPROVER_REFUSED, detail)
            }
        }
    }

    fn is_current(&self, approval: &Approval) -> bool {
        (approval.created..=approval.expires).contains(&self.today)
    }
}

fn refused(approval: &Approval, code: Code, detail: String) -> Consent {
    consent(approval, Some(code), detail)
}

fn consent(approval: &Approval, code: Option<Code>, detail: String) -> Consent {
    Consent {
        name: approval.name.clone(),
        approver: approval.approver.clone(),
        issue: approval.issue.clone(),
        expires: Some(approval.expires),
        refused: code.map(|code| code.name().to_owned()),
        detail,
    }
}
