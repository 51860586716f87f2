//! What a policy found, each place once. It judges nothing.

use crate::{
    lane::{NOT_STATIC, OPAQUE},
    workflow::Place,
};
use portcullis::{Code, Fault, Finding, Findings, wire::code::NOTHING_EXAMINED};
use std::collections::BTreeSet;

/// Collects the findings of all rules: equal findings of two rules are one.
pub(super) struct Report<'o> {
    out: &'o mut Findings,
    seen: BTreeSet<(String, String, u32, u32, String)>,
    /// Rules that could not look, in order.
    blind: Vec<Fault>,
    /// What the current rule has looked at.
    examined: usize,
    /// What the current rule could not look into.
    hidden: Vec<Finding>,
    total: usize,
}

/// One violation, in the words of its rule.
pub(super) struct Violation<'v> {
    pub(super) code: Code,
    pub(super) place: &'v Place,
    pub(super) subject: String,
    pub(super) message: String,
    pub(super) expected: String,
    pub(super) found: String,
    pub(super) remedy: &'v str,
}

impl<'o> Report<'o> {
    pub(super) fn new(out: &'o mut Findings) -> Self {
        Self {
            out,
            seen: BTreeSet::new(),
            blind: Vec::new(),
            examined: 0,
            hidden: Vec::new(),
            total: 0,
        }
    }

    /// Counts one assertion over one object.
    pub(super) fn look(&mut self) {
        self.examined += 1;
    }

    pub(super) fn push(&mut self, violation: Violation<'_>) {
        let Violation { code, place, subject, message, expected, found, remedy } = violation;
        let finding = Finding::new(code, subject, message, remedy)
            .at(place.location())
            .expected(expected)
            .found(found);
        self.add(finding);
    }

    pub(super) fn add(&mut self, finding: Finding) {
        let place = finding.location.clone().unwrap_or_else(|| portcullis::Location::file(""));
        let detail = [&finding.expected, &finding.found].map(|text| text.as_deref().unwrap_or(""));
        let key = (finding.code.clone(), place.path, place.line, place.column, detail.join("\0"));
        if self.seen.insert(key) {
            self.out.push(finding);
        }
    }

    /// A value that only the provider knows at run time.
    pub(super) fn not_static(&mut self, place: &Place, subject: String, what: &str) {
        let remedy = "write the value out, or let `fromJSON` read a literal";
        let finding =
            Finding::new(NOT_STATIC, subject, format!("{what} is known only at run time"), remedy)
                .at(place.location())
                .expected(what);
        self.add(finding);
    }

    /// Something that a rule had to look into and cannot.
    pub(super) fn opaque(&mut self, place: &Place, subject: String, what: &str) {
        let remedy =
            "use a workflow or action of this repository, or leave the job out of the rule";
        let finding =
            Finding::new(OPAQUE, subject, format!("{what} cannot be looked into"), remedy)
                .at(place.location())
                .expected(what);
        self.hidden.push(finding);
    }

    /// A rule that could not look.
    pub(super) fn blind(&mut self, fault: Fault) {
        self.blind.push(fault);
    }

    /// Ends a rule. One that looked at nothing has proven nothing, whatever its siblings saw.
    pub(super) fn end_rule(&mut self, id: &str) {
        let hidden = std::mem::take(&mut self.hidden);
        let examined = std::mem::take(&mut self.examined);
        self.total += examined;
        if examined > 0 {
            hidden.into_iter().for_each(|finding| self.add(finding));
            return;
        }
        let headline = format!("rule `{id}` had nothing to look at");
        let remedy = "let it select jobs and steps that can be looked into, or remove it";
        let fault = Fault::new(NOTHING_EXAMINED, headline, remedy);
        self.blind.push(match hidden.first() {
            Some(first) => {
                let fault = fault.found(&first.message);
                match &first.location {
                    Some(location) => fault.at(location.clone()),
                    None => fault,
                }
            }
            None => fault,
        });
    }

    /// How much was examined, or why a rule could not look. What was found is not lost to such an error: it is shown
    /// with it as a finding, which blocks as well.
    pub(super) fn end(mut self) -> Result<usize, Fault> {
        let blind = std::mem::take(&mut self.blind);
        if self.out.violations() == 0 {
            return blind.into_iter().next().map_or(Ok(self.total), Err);
        }
        for fault in blind {
            let finding =
                Finding::new(fault.code(), fault.headline(), fault.headline(), fault.remedy());
            self.add(match fault.location() {
                Some(location) => finding.at(location.clone()),
                None => finding,
            });
        }
        Ok(self.total)
    }
}
