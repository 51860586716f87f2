//! The questions that tell a tool from its imitators: of the configuration, or of a preset. It asks none of them.

use super::Config;
use crate::pattern::Pattern;
use portcullis::{Code, Fault, GateTable, wire::code::CONFIG_INVALID};

/// A pattern, and where in the configuration it stands; nowhere when it is of a preset.
pub(super) type Placed = (Pattern, Option<usize>);

/// One question with the answers that are right.
pub(super) struct Question {
    pub(super) arguments: Vec<String>,
    pub(super) exit: i32,
    pub(super) must_match: Vec<Placed>,
    pub(super) must_not_match: Vec<Placed>,
}

/// What tells a tool.
pub(super) struct Identity {
    pub(super) candidates: Vec<String>,
    pub(super) questions: Vec<Question>,
    pub(super) version_pattern: Option<Pattern>,
    pub(super) mismatch: Code,
    pub(super) absent: Code,
}

impl Config {
    /// Puts the questions together.
    pub(super) fn identity(&self, table: &GateTable) -> Result<Identity, Vec<Fault>> {
        let mut faults = Vec::new();
        let mut refuse = |offset: Option<usize>, headline: &str, remedy: &str| {
            let place =
                offset.map_or_else(|| table.location.clone(), |offset| table.locate(offset));
            faults.push(Fault::new(CONFIG_INVALID, headline, remedy).at(place));
        };
        let stated = self.candidates.as_ref();
        let candidates = match (stated, &self.preset) {
            (Some(names), _) => names.get_ref().clone(),
            (None, Some(preset)) => preset.get_ref().candidates(),
            (None, None) => Vec::new(),
        };
        let at = stated.map(|names| names.span().start);
        if candidates.is_empty() {
            refuse(at, "there are no candidates", "name the tool");
        }
        let words = candidates.iter().chain(self.through.first());
        if words.clone().any(|name| name.is_empty() || name.contains(['/', '\\'])) {
            refuse(at, "a candidate is not a name on the search path", "write a plain name");
        }
        let mut identity = Identity {
            candidates,
            questions: Vec::new(),
            version_pattern: None,
            mismatch: super::TOOL_IDENTITY_MISMATCH,
            absent: super::TOOL_ABSENT,
        };
        match &self.preset {
            Some(preset) => {
                if self.probe.is_some()
                    || self.must_match.is_some()
                    || !self.must_not_match.is_empty()
                    || self.version_pattern.is_some()
                {
                    let remedy = "remove `probe`, the patterns, or the preset";
                    refuse(Some(preset.span().start), "a preset has questions of its own", remedy);
                }
                (identity.mismatch, identity.absent) = preset.get_ref().codes();
                if let Err(fault) = preset.get_ref().fill(&mut identity) {
                    faults.push(fault.at(table.location.clone()));
                }
            }
            None => self.stated_question(&mut identity, &mut refuse),
        }
        if faults.is_empty() { Ok(identity) } else { Err(faults) }
    }

    /// Refuses a question that a stub would answer.
    fn stated_question(
        &self,
        identity: &mut Identity,
        refuse: &mut impl FnMut(Option<usize>, &str, &str),
    ) {
        let probe = self.probe.as_ref();
        if probe.is_none_or(|probe| probe.get_ref().is_empty()) {
            let at = probe.map(|probe| probe.span().start);
            refuse(at, "the probe asks nothing", "write arguments, such as `--version`");
        }
        let must_match = self.must_match.as_ref();
        if must_match.is_none_or(|patterns| patterns.get_ref().is_empty()) {
            let headline = "no answer is required, so a stub that exits with 0 would pass";
            let at = must_match.map(|patterns| patterns.span().start);
            refuse(at, headline, "write a pattern that only the real tool's answer matches");
        }
        match (&self.min_version, &self.version_pattern) {
            (Some(version), None) => {
                let remedy = "write a pattern with one group around the version";
                refuse(
                    Some(version.span().start),
                    "`min_version` has no `version_pattern`",
                    remedy,
                );
            }
            (None, Some(pattern)) => {
                let headline = "`version_pattern` has no `min_version`";
                refuse(Some(pattern.span().start), headline, "write both, or neither");
            }
            (Some(_), Some(pattern)) if pattern.get_ref().groups() == 0 => {
                let headline = "`version_pattern` captures nothing";
                refuse(Some(pattern.span().start), headline, "put the version in parentheses");
            }
            (Some(_), Some(_)) | (None, None) => {}
        }
        let placed = |pattern: &toml::Spanned<Pattern>| {
            (pattern.get_ref().clone(), Some(pattern.span().start))
        };
        identity.questions.push(Question {
            arguments: probe.map(|probe| probe.get_ref().clone()).unwrap_or_default(),
            exit: 0,
            must_match: must_match.iter().flat_map(|list| list.get_ref()).map(placed).collect(),
            must_not_match: self.must_not_match.iter().map(placed).collect(),
        });
        identity.version_pattern =
            self.version_pattern.as_ref().map(|pattern| pattern.get_ref().clone());
    }
}
