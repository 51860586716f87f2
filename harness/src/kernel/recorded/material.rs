//! The recorded inputs read back, and the same decision once more.

use super::{Facts, Recorded};
use crate::{
    kernel::{
        census::Census,
        decide::{Attempts, Decision, Inputs, Selection, decide},
        loosening::{Head, against},
        policy::{self, GateTable, Policy},
        receipt::Receipt,
        waiver::{WaiverFile, WaiverScope, guards},
    },
    wire::{
        code::INPUTS_INVALID,
        fault::Fault,
        id::GateId,
        ordered::{self, VecSet},
        outcome::Lane,
        receipt::{Clock, ErrorRecord},
    },
};

/// The inputs of a decision, read back.
#[derive(Debug)]
pub struct Material {
    policy: Policy,
    tables: Vec<GateTable>,
    waivers: WaiverFile,
    census: Census,
    census_faults: Vec<Fault>,
    lane: Lane,
    requested_mode: Option<String>,
    policy_text: String,
    classification: String,
}

impl Material {
    /// Reads the recorded texts as the run did.
    ///
    /// # Errors
    /// Every fault of a text; `inputs_invalid` for a record that this version cannot read back.
    pub fn read(recorded: &Recorded, census: Census) -> Result<Self, Vec<Fault>> {
        let policy = policy::parse(&recorded.policy_path, &recorded.policy)?;
        let mut tables = policy.gates.clone();
        for (id, binary) in &recorded.rust_gates {
            tables.push(GateTable::for_rust(id.clone(), &policy, binary));
        }
        ordered::sort_by(&mut tables, |a, b| a.common.id.cmp(&b.common.id));
        let ids = tables.iter().map(|table| table.common.id.clone()).collect();
        let waivers = WaiverFile::parse(
            &recorded.classification_path,
            &recorded.classification,
            &ids,
            &guards(&tables),
        );
        let census_faults = revive(&recorded.census_faults).map_err(|fault| vec![fault])?;
        Ok(Self {
            policy,
            tables,
            waivers,
            census,
            census_faults,
            lane: recorded.lane,
            requested_mode: recorded.requested_mode.clone(),
            policy_text: recorded.policy.clone(),
            classification: recorded.classification.clone(),
        })
    }

    /// Decides from these receipts, in the way the run did: a filtered run answers for the rows it selected.
    ///
    /// # Errors
    /// `inputs_invalid` for facts that this version cannot read back.
    pub fn decide(
        &self,
        clock: &Clock,
        facts: &Facts,
        receipts: &[Receipt],
    ) -> Result<Decision, Fault> {
        let has = |id: &GateId| facts.selected.as_ref().is_none_or(|ids| ids.contains(id));
        let gates: Vec<&GateTable> =
            self.tables.iter().filter(|gate| has(&gate.common.id)).collect();
        let rows = self.census.rows.iter().filter(|row| has(&row.id)).cloned().collect();
        let receipts: Vec<&Receipt> =
            receipts.iter().filter(|receipt| has(&receipt.gate_id)).collect();
        let selection = Selection {
            selected: facts.selected.clone(),
            require_full: false,
            tests: facts.tests,
            reserved: facts.reserved.clone(),
        };
        let run_faults = revive(&facts.run_faults)?;
        let head = Head {
            policy: &self.policy_text,
            classification: &self.classification,
            census: self.census_faults.is_empty().then_some(&self.census),
            waivers: &self.waivers,
        };
        let seen =
            facts.base.as_ref().map(|base| against(base, &head, clock.now.day())).transpose()?;
        Ok(decide(&Inputs {
            policy: &self.policy,
            gates: &gates,
            census: &Census { rows },
            census_faults: &self.census_faults,
            lane: self.lane,
            selection: &selection,
            receipts: &receipts,
            attempts: Attempts::Everybodys,
            waivers: &self.waivers,
            scope: WaiverScope::Full,
            touched_waivers: facts.touched_waivers,
            base_waivers: seen.as_ref().map(|seen| &seen.waivers),
            loosened: seen.as_ref().map_or(&[], |seen| &seen.loosened),
            requested_mode: self.requested_mode.as_deref(),
            clock,
            run_faults: &run_faults,
            source_dirty: facts.source_dirty,
        }))
    }

    /// Every gate that anybody expects: configured, written in Rust, or in the census.
    #[must_use]
    pub fn gates(&self) -> VecSet<GateId> {
        let tables = self.tables.iter().map(|table| table.common.id.clone());
        tables.chain(self.census.rows.iter().map(|row| row.id.clone())).collect()
    }
}

fn revive(records: &[ErrorRecord]) -> Result<Vec<Fault>, Fault> {
    records
        .iter()
        .map(|record| {
            record.to_fault().ok_or_else(|| {
                let headline =
                    format!("the run records a fault `{}`, which is not known here", record.code);
                Fault::new(
                    INPUTS_INVALID,
                    headline,
                    "verify with the version of portcullis that made the run",
                )
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::ordered::VecMap;
    use crate::wire::{
        code::CENSUS_INVALID, fault::Location, outcome::RunVerdict, receipt::ClockSource,
        time::Instant,
    };

    const POLICY: &str = "[policy]\nversion = 1\nowner = \"team\"\n\n[[gate]]\nid = \"a\"\nkind = \"command\"\n\n[[gate]]\nid = \"b\"\nkind = \"command\"\n";

    fn recorded() -> Recorded {
        Recorded {
            lane: Lane::Pr,
            requested_mode: None,
            policy_path: "portcullis.toml".to_owned(),
            policy: POLICY.to_owned(),
            classification_path: "suite_classification.toml".to_owned(),
            classification: String::new(),
            rust_gates: VecMap::from([(id("c"), "gates".to_owned())]),
            census_faults: Vec::new(),
            planned: None,
        }
    }

    fn id(text: &str) -> GateId {
        GateId::parse(text).expect("an id")
    }

    fn clock() -> Clock {
        let now = Instant::parse("2026-05-31T12:00:00Z").expect("an instant");
        Clock { now, source: ClockSource::System, past_allowed: false }
    }

    fn material(recorded: &Recorded) -> Material {
        let tables = Material::read(recorded, Census::default()).expect("readable").tables;
        Material::read(recorded, Census::of(&tables)).expect("readable")
    }

    #[test]
    fn fg07_gates_that_left_no_receipt_are_missing_in_a_run_that_never_ended() {
        let facts = Facts::unknown(None);
        let decision = material(&recorded()).decide(&clock(), &facts, &[]).expect("decided");
        assert_eq!((decision.verdict, decision.exit), (RunVerdict::Invalid, 12));
        assert_eq!(decision.gates.len(), 3, "both tables and the gate written in Rust");
    }

    #[test]
    fn a_filtered_run_answers_for_what_it_selected() {
        let facts = Facts::unknown(Some(VecSet::from([id("b")])));
        let material = material(&recorded());
        let decision = material.decide(&clock(), &facts, &[]).expect("decided");
        assert_eq!(decision.gates.iter().map(|gate| gate.id.as_str()).collect::<Vec<_>>(), ["b"]);
        assert!(!decision.certifiable);
        assert_eq!(material.gates().len(), 3);
    }

    #[test]
    fn a_run_of_tests_alone_needs_no_gate_and_a_reserve_keeps_it_from_certifying() {
        let none = Facts { source_dirty: false, ..Facts::unknown(Some(VecSet::new())) };
        let empty = material(&recorded()).decide(&clock(), &none, &[]).expect("decided");
        assert_eq!(empty.verdict, RunVerdict::Invalid, "nobody planned a test beside the gates");
        let tests = Facts { tests: 3, ..none.clone() };
        let alone = material(&recorded()).decide(&clock(), &tests, &[]).expect("decided");
        assert_eq!((alone.verdict, alone.certifiable), (RunVerdict::Pass, false));
        let all = Facts { tests: 3, selected: None, ..none };
        let whole = material(&recorded()).decide(&clock(), &all, &[]).expect("decided");
        assert_eq!(whole.verdict, RunVerdict::Invalid, "tests excuse no gate that was wanted");
        let reserved = Facts { reserved: vec!["a word".to_owned()], ..all };
        let kept = material(&recorded()).decide(&clock(), &reserved, &[]).expect("decided");
        assert!(kept.why_not_certifiable.contains(&"a word".to_owned()));
    }

    #[test]
    fn a_recorded_fault_comes_back_whole_and_an_unknown_one_is_refused() {
        let fault = Fault::new(CENSUS_INVALID, "torn", "bless it")
            .at(Location::at("portcullis.lock", 3, 0))
            .expected("a row")
            .found("half a row")
            .because(&std::fmt::Error);
        let record = ErrorRecord::from(&fault);
        assert_eq!(record.to_fault(), Some(fault));
        let unknown = ErrorRecord { code: "made_up".to_owned(), ..record };
        let recorded = Recorded { census_faults: vec![unknown], ..recorded() };
        let refused = Material::read(&recorded, Census::default()).expect_err("refused");
        assert_eq!(refused[0].code(), INPUTS_INVALID);
    }
}
