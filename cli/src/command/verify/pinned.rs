//! The run once more, as the base of the change sees it: whatever the change could have turned is read anew, and the receipts of
//! the run are all that is taken from it. It runs nothing, and trusts nothing that the run says of its own rules.

use super::record::Record;
use crate::{
    args::Verify,
    exit::{Exit, OrExit, Refused},
    history,
    repository::Repository,
};
use portcullis::{
    Fault, Lane, Location,
    evidence::{git::Git, store::read_run},
    kernel::{
        census::Census,
        decide::Decision,
        loosening::Texts,
        recorded::{Facts, Material, Recorded},
    },
    runner::session::{self, CENSUS_FILE, CLASSIFICATION_FILE, MODE_VARIABLE, POLICY_FILE},
    wire::{
        code::{CENSUS_INVALID, INPUTS_FOREIGN, SUBJECT_MISMATCH, USAGE},
        receipt::Clock,
    },
};
use serde::Serialize;
use std::path::Path;

/// From where a run is judged.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Stand {
    /// The merge base.
    pub(super) base: String,
    /// The commit that the run has to be about.
    pub(super) commit: String,
    /// The lane that it is judged for.
    pub(super) lane: Lane,
    /// The later of the clocks of the run and of this program.
    pub(super) clock: Clock,
    /// The promotion mode that was asked for here.
    requested_mode: Option<String>,
    #[serde(skip)]
    before: Texts,
    #[serde(skip)]
    after: Texts,
}

impl Stand {
    /// Reads both trees from git; nothing where no base was named.
    pub(super) fn read(
        arguments: &Verify,
        repository: Option<&Repository>,
    ) -> Result<Option<Self>, Refused> {
        let Some(rev) = &arguments.base else { return Ok(None) };
        let Some(repository) = repository else {
            let headline = "a base was named, and there is no repository to read it from";
            let remedy = "run it in a clone that has both commits";
            return Err(Refused::new(Exit::Usage, Fault::new(USAGE, headline, remedy)));
        };
        let git = Git::new(repository.root(), None);
        let commit = git.resolve(arguments.commit.as_deref().unwrap_or("HEAD"));
        let commit = commit.or_exit(Exit::Blocked)?;
        let base = git.merge_base_of(rev, &commit).or_exit(Exit::Blocked)?;
        let before = session::texts(&git, &base, &commit).or_exit(Exit::Blocked)?;
        let after = session::texts(&git, &commit, &commit).or_exit(Exit::Blocked)?;
        let lane = match arguments.lane.as_deref().and_then(Lane::parse) {
            Some(lane) => lane,
            None => match repository.lane()? {
                // Who judges a change on a machine of his own wants to know what will be enforced.
                Lane::Local => Lane::Pr,
                lane @ (Lane::Pr | Lane::Main | Lane::Release) => lane,
            },
        };
        let clock = repository.clock()?;
        let requested_mode = repository.environment.get(MODE_VARIABLE).map(str::to_owned);
        Ok(Some(Self { base, commit, lane, clock, requested_mode, before, after }))
    }

    /// The census of the commit.
    pub(super) fn census(&self) -> Result<Census, Fault> {
        let Some(text) = &self.after.census else {
            let headline = format!("there is no census: the commit has no `{CENSUS_FILE}`");
            let remedy = "run `cargo portcullis census --bless` and commit the file";
            return Err(
                Fault::new(CENSUS_INVALID, headline, remedy).at(Location::file(CENSUS_FILE))
            );
        };
        Census::parse(text)
    }

    /// In what the run is not about this commit, or was not decided from its files.
    pub(super) fn foreign(&self, dir: &Path, record: &Record) -> Result<Vec<Fault>, Fault> {
        let source = read_run(dir)?.envelope.source;
        let mut faults = Vec::new();
        if source.commit.as_deref() != Some(self.commit.as_str()) {
            let headline = "the run is about another commit than the one it is to be judged for";
            let remedy = "name the commit with `--commit`, or run the gates on this one";
            let found = source.commit.unwrap_or_else(|| "no commit".to_owned());
            let fault = Fault::new(SUBJECT_MISMATCH, headline, remedy);
            faults.push(fault.expected(self.commit.clone()).found(found));
        }
        if record.facts.source_dirty {
            let headline = "the run was made over a work tree that differs from its commit";
            let remedy = "commit, or let git ignore what the build writes, then run again";
            faults.push(Fault::new(SUBJECT_MISMATCH, headline, remedy));
        }
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let files = [
            (POLICY_FILE, record.inputs.policy == text(&self.after.policy)),
            (CLASSIFICATION_FILE, record.inputs.classification == text(&self.after.classification)),
            (CENSUS_FILE, self.census().is_ok_and(|census| census == record.census)),
        ];
        for (name, same) in files {
            if !same {
                let headline =
                    format!("the run was decided from another `{name}` than its commit has");
                let remedy = "run the gates on a clean checkout of the commit";
                faults.push(Fault::new(INPUTS_FOREIGN, headline, remedy).at(Location::file(name)));
            }
        }
        Ok(faults)
    }

    /// Decides over the receipts of the run as the base has it. Every gate has to answer, on the later of both clocks, in the lane
    /// and mode that were asked for here; what was loosened since the base waits for approval.
    pub(super) fn decide(
        &mut self,
        dir: &Path,
        record: &mut Record,
    ) -> Result<Decision, Vec<Fault>> {
        let one = |fault: Fault| vec![fault];
        self.clock = later(&self.clock, &record.clock);
        if let Some((plan, lines)) = history::tests(dir).map_err(one)? {
            record.judge_tests_at(&plan, &lines, self.clock.now);
        }
        let inputs = Recorded {
            lane: self.lane,
            requested_mode: self.requested_mode.clone(),
            policy: self.after.policy.clone().unwrap_or_default(),
            classification: self.after.classification.clone().unwrap_or_default(),
            census_faults: Vec::new(),
            planned: None,
            ..record.inputs.clone()
        };
        let facts = Facts {
            selected: None,
            touched_waivers: self.before.classification != self.after.classification,
            base: Some(self.before.clone()),
            ..record.facts.clone()
        };
        let census = self.census().map_err(one)?;
        let material = Material::read(&inputs, census)?;
        material.decide(&self.clock, &facts, &record.receipts).map_err(one)
    }
}

/// A run may not be judged earlier than it was made, nor earlier than now.
fn later(here: &Clock, run: &Clock) -> Clock {
    let later = if run.now > here.now { run } else { here };
    Clock { past_allowed: here.past_allowed || run.past_allowed, ..later.clone() }
}
