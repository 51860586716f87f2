//! Follows every path through a script as far as it can be known, with one verification command failing on each:
//! which commands run, and where a failure is let go of. It decides nothing about the findings.

mod builtin;
mod chain;
mod compound;
mod leaf;

use super::argv::OPAQUE;
use super::open::{Origin, Project};
use super::options::Options;
use super::state::{Failure, State, predicate};
pub(crate) use super::state::{Loss, Status};
use super::tree::{Command, Item, Kind, List, Pipeline, Word};
use super::{Unparsed, tree};
pub(crate) use leaf::{Leaf, Place};
use portcullis::Fault;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// How many different states a script may be in at one place.
const STATES_MAX: usize = 512;
/// How many commands are followed in all.
const STEPS_MAX: usize = 200_000;
/// How often a loop is gone round before it is taken to end.
const ROUNDS_MAX: usize = 12;
/// How deep functions call each other.
const CALLS_MAX: u8 = 16;

/// What to assume about commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Any command may fail, one verification command at a time.
    Failures,
    /// All commands succeed; only questions have two answers.
    Green,
}

/// A script with what surrounds it.
pub(crate) struct Start<'s> {
    pub(crate) text: &'s str,
    pub(crate) options: Options,
    /// The folder it begins in, below the repository.
    pub(crate) folder: &'s str,
    /// The environment as far as it is known; [`OPAQUE`] stands for what is not.
    pub(crate) env: &'s BTreeMap<String, String>,
}

/// A failure that a path through the script ends green with.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Swallowed {
    /// The index of the command among the leaves.
    pub(crate) leaf: usize,
    pub(crate) loss: Option<Loss>,
    pub(crate) is_retried: bool,
    pub(crate) exits_zero: bool,
}

/// A script or recipe that could not be followed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Trouble {
    pub(crate) place: Place,
    pub(crate) why: String,
    /// Whether it could not even be read; else it was too much to follow.
    pub(crate) is_unparsed: bool,
}

/// What following a script came to.
#[derive(Debug, Default)]
pub(crate) struct Followed {
    /// Every command that may run, each once.
    pub(crate) leaves: Vec<Leaf>,
    pub(crate) swallowed: BTreeSet<Swallowed>,
    /// How the script may end.
    pub(crate) may_succeed: bool,
    pub(crate) may_fail: bool,
    /// Variables that it sets for later steps, through the provider's file.
    pub(crate) later_env: Vec<(String, String, Place)>,
    pub(crate) troubles: BTreeSet<Trouble>,
}

/// Follows a script.
///
/// # Errors
/// When a file that it opens exists and cannot be read.
pub(crate) fn follow(
    start: &Start<'_>,
    project: &Project<'_>,
    is_verification: &dyn Fn(&[String]) -> bool,
    mode: Mode,
) -> Result<Followed, Fault> {
    let mut follower = Follower {
        project,
        is_verification,
        mode,
        found: Followed::default(),
        known: BTreeMap::new(),
        functions: Vec::new(),
        steps: 0,
    };
    let list = match super::parse(start.text) {
        Ok(list) => list,
        Err(Unparsed { at, why }) => {
            let place = Place::Script(at);
            follower.found.troubles.insert(Trouble { place, why, is_unparsed: true });
            return Ok(follower.found);
        }
    };
    let origin = Origin::Step;
    let scope = Scope {
        origin: &origin,
        is_tested: false,
        is_conditional: false,
        n_opened: 0,
        n_called: 0,
        writes_env: false,
    };
    let state = State::new(start.options, start.folder, start.env);
    let ends = follower.shell(&list, state, &scope)?;
    for state in ends {
        follower.end(&state);
    }
    Ok(follower.found)
}

/// How a command is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Flow {
    Normal,
    Break(usize),
    Continue(usize),
    Return,
    Exit,
}

type Ends = BTreeSet<(Flow, State)>;

/// What surrounds a command.
#[derive(Clone)]
struct Scope<'o> {
    origin: &'o Origin,
    /// Whether errexit is not looked at: in a condition, or left of `&&` and `||`.
    is_tested: bool,
    is_conditional: bool,
    n_opened: u8,
    n_called: u8,
    /// Whether output goes to the provider's file of variables.
    writes_env: bool,
}

impl Scope<'_> {
    fn tested(&self) -> Self {
        Self { is_tested: true, ..self.clone() }
    }

    fn conditional(&self, is_conditional: bool) -> Self {
        Self { is_conditional: self.is_conditional || is_conditional, ..self.clone() }
    }
}

struct Follower<'f> {
    project: &'f Project<'f>,
    is_verification: &'f dyn Fn(&[String]) -> bool,
    mode: Mode,
    found: Followed,
    /// Indexes of leaves.
    known: BTreeMap<leaf::Key, usize>,
    functions: Vec<(Rc<Command>, Rc<Origin>)>,
    steps: usize,
}

impl Follower<'_> {
    /// Records how a path through the whole script ends.
    fn end(&mut self, state: &State) {
        self.found.may_succeed |= state.status != Status::Failed;
        self.found.may_fail |= state.status != Status::Zero;
        let failure = state.failure.as_ref().filter(|_| state.status != Status::Failed);
        if let Some(Failure { leaf, loss, is_retried, exits_zero, .. }) = failure {
            self.found.swallowed.insert(Swallowed {
                leaf: *leaf,
                loss: *loss,
                is_retried: *is_retried,
                // Whoever leaves a loop with `exit 0` has retried; that says it all.
                exits_zero: *exits_zero && !*is_retried,
            });
        }
    }

    fn too_much(&mut self, scope: &Scope<'_>, at: usize) {
        let why = "it has too many paths to be followed".to_owned();
        let place = scope.origin.place(at);
        self.found.troubles.insert(Trouble { place, why, is_unparsed: false });
    }

    /// Runs a list as a shell of its own, with its traps, and returns how it may end.
    fn shell(
        &mut self,
        list: &List,
        state: State,
        scope: &Scope<'_>,
    ) -> Result<BTreeSet<State>, Fault> {
        let mut ends = BTreeSet::new();
        for (_flow, mut state) in self.list(list, BTreeSet::from([state]), scope)? {
            let Some(action) = state.exit_trap.take() else {
                ends.insert(state);
                continue;
            };
            let status = state.status;
            for (flow, mut after) in self.text(&action, state, scope)? {
                if flow == Flow::Exit {
                    after.lose(Loss::Status);
                } else {
                    after.status = status;
                }
                ends.insert(after);
            }
        }
        Ok(ends)
    }

    /// Runs a list in a subshell: what it sets is forgotten, how it ends is not.
    fn subshell(
        &mut self,
        list: &List,
        state: &State,
        scope: &Scope<'_>,
    ) -> Result<BTreeSet<State>, Fault> {
        let mut inner = state.clone();
        inner.exit_trap = None;
        let ends = self.shell(list, inner, scope)?;
        Ok(ends.into_iter().map(|end| outside(state, end)).collect())
    }

    /// Runs a text that is itself a script, in the shell that stands here.
    fn text(&mut self, text: &str, state: State, scope: &Scope<'_>) -> Result<Ends, Fault> {
        if scope.n_opened >= super::open::LEVELS_MAX || text.contains(OPAQUE) {
            return Ok(either(&state, Flow::Normal));
        }
        let place = scope.origin.place(0);
        match super::parse(text) {
            Ok(list) => {
                let scope = Scope { n_opened: scope.n_opened + 1, ..scope.clone() };
                self.list(&list, BTreeSet::from([state]), &scope)
            }
            Err(Unparsed { why, .. }) => {
                self.found.troubles.insert(Trouble { place, why, is_unparsed: true });
                Ok(either(&state, Flow::Normal))
            }
        }
    }

    fn list(
        &mut self,
        list: &List,
        states: BTreeSet<State>,
        scope: &Scope<'_>,
    ) -> Result<Ends, Fault> {
        let mut left = Ends::new();
        let mut current = states;
        for item in &list.items {
            let mut next = BTreeSet::new();
            let mut may_end_green = false;
            for mut state in current {
                pass_on(&mut state, scope);
                for (flow, state) in self.item(item, state, scope)? {
                    if flow == Flow::Normal {
                        next.insert(state);
                    } else {
                        may_end_green |= state.status != Status::Failed;
                        left.insert((flow, state));
                    }
                }
            }
            if next.len() > STATES_MAX || self.steps > STEPS_MAX {
                let at = item.first.commands.first().map_or(0, |command| command.at);
                self.too_much(scope, at);
                next = next.into_iter().take(1).collect();
                self.steps = self.steps.min(STEPS_MAX);
            }
            if may_end_green && !next.is_empty() {
                let doubt = |mut state: State| {
                    state.is_conditional = true;
                    state
                };
                next = next.into_iter().map(doubt).collect();
            }
            current = next;
        }
        left.extend(current.into_iter().map(|state| (Flow::Normal, state)));
        Ok(left)
    }

    fn item(&mut self, item: &Item, state: State, scope: &Scope<'_>) -> Result<Ends, Fault> {
        if !item.is_background {
            return self.chain(item, state, scope);
        }
        let foreground = List { items: vec![Item { is_background: false, ..item.clone() }] };
        let mut ends = Ends::new();
        let had_failed = state.failure.is_some();
        for mut end in self.subshell(&foreground, &state, scope)? {
            if !had_failed && end.failure.is_some() && end.status != Status::Zero {
                end.lose(Loss::Status);
                end.job_failed = true;
            }
            ends.insert((Flow::Normal, end.with(Status::Zero)));
        }
        Ok(ends)
    }

    fn command(
        &mut self,
        command: &Command,
        state: State,
        scope: &Scope<'_>,
    ) -> Result<Ends, Fault> {
        self.steps += 1;
        if self.steps > STEPS_MAX {
            self.too_much(scope, command.at);
            return Ok(Ends::from([(Flow::Normal, state)]));
        }
        let writes_env = command.redirects.iter().any(leaf::is_provider_file);
        let scope = &Scope { writes_env: scope.writes_env || writes_env, ..scope.clone() };
        let mut ends = Ends::new();
        let targets: Vec<&Word> =
            command.redirects.iter().map(|redirect| &redirect.target).collect();
        for state in self.substituted(&targets, state, scope)? {
            ends.extend(self.kind(command, state, scope)?);
        }
        Ok(ends)
    }

    fn kind(&mut self, command: &Command, state: State, scope: &Scope<'_>) -> Result<Ends, Fault> {
        match &command.kind {
            Kind::Simple(simple) => self.simple(command, simple, state, scope),
            Kind::Group(list) => self.list(list, BTreeSet::from([state]), scope),
            Kind::Subshell(list) => {
                let ends = self.subshell(list, &state, scope)?;
                let plain = |mut end: State| {
                    end.is_excused = false;
                    (Flow::Normal, end)
                };
                Ok(ends.into_iter().map(plain).collect())
            }
            Kind::If { branches, otherwise } => {
                self.branches(branches, otherwise.as_ref(), state, scope)
            }
            Kind::Loop { until, condition, body } => {
                self.while_loop(*until, condition, body, state, scope)
            }
            Kind::For { name, words, body } => {
                let words = words.clone().unwrap_or_default();
                let refs: Vec<&Word> = words.iter().collect();
                let mut ends = Ends::new();
                for state in self.substituted(&refs, state, scope)? {
                    let values: Vec<String> =
                        words.iter().flat_map(|word| state.expand(word)).collect();
                    ends.extend(self.for_loop(name, &values, body, state, scope)?);
                }
                Ok(ends)
            }
            Kind::Counted { body } => {
                let unknown = [OPAQUE.to_string()];
                self.for_loop("", &unknown, body, state, scope)
            }
            Kind::Case { word, arms } => self.case(word, arms, state, scope),
            Kind::Function { name, body } => {
                let mut state = state.with(Status::Zero);
                state.functions.insert(name.clone(), self.functions.len());
                self.functions.push((Rc::clone(body), Rc::new(scope.origin.clone())));
                Ok(Ends::from([(Flow::Normal, state)]))
            }
            Kind::Test(words) => {
                let refs: Vec<&Word> = words.iter().collect();
                let mut ends = Ends::new();
                for state in self.substituted(&refs, state, scope)? {
                    let texts: Vec<String> = words.iter().map(|word| state.single(word)).collect();
                    ends.extend(answer(&state, predicate(&texts)));
                }
                Ok(ends)
            }
            Kind::Arithmetic(text) => {
                let mut state = state;
                let truth = state.arithmetic(text);
                Ok(answer(&state, truth))
            }
        }
    }

    /// Runs the substitutions in words whose status nobody asks for.
    fn substituted(
        &mut self,
        words: &[&Word],
        state: State,
        scope: &Scope<'_>,
    ) -> Result<BTreeSet<State>, Fault> {
        let mut states = BTreeSet::from([state]);
        for list in words.iter().flat_map(|word| word.substitutions()) {
            let mut next = BTreeSet::new();
            for before in states {
                for mut end in self.inner(list, &before, scope)? {
                    if before.failure.is_none() && end.status != Status::Zero {
                        end.lose(Loss::Status);
                    }
                    // The question `$?` is about what ran before the substitution.
                    end.status = before.status;
                    next.insert(end);
                }
            }
            states = next;
        }
        Ok(states)
    }

    /// Runs a substitution: bash takes errexit away from it.
    fn inner(
        &mut self,
        list: &List,
        state: &State,
        scope: &Scope<'_>,
    ) -> Result<BTreeSet<State>, Fault> {
        let mut before = state.clone();
        if !before.options.is_posix {
            before.options.errexit = false;
            before.options.switched_off = false;
        }
        let scope = Scope { writes_env: false, ..scope.clone() };
        let ends = self.subshell(list, &before, &scope)?;
        let restore = |mut end: State| {
            end.options = state.options;
            if state.failure.is_none() && end.failure.is_some() && end.status != Status::Failed {
                // Lost inside of the substitution, for want of errexit.
                end.failure.iter_mut().for_each(|failure| {
                    if matches!(failure.loss, Some(Loss::NoErrexit)) {
                        failure.loss = Some(Loss::Status);
                    }
                });
            }
            end
        };
        Ok(ends.into_iter().map(restore).collect())
    }
}

/// What a failure comes to when the next command runs: it is let go of, unless somebody has kept the status.
fn pass_on(state: &mut State, scope: &Scope<'_>) {
    if state.status != Status::Failed {
        return;
    }
    let loss = match (state.options.errexit, state.options.switched_off) {
        (true, _) => Loss::Status,
        (false, _) if scope.is_tested => Loss::Status,
        (false, true) => Loss::ErrexitOff,
        (false, false) => Loss::NoErrexit,
    };
    state.lose(loss);
}

/// Notes that a loop was left because the command that had failed now succeeded.
fn retried(state: &mut State) {
    if let Some(failure) = &mut state.failure {
        failure.is_retried |= failure.succeeded_later;
    }
}

/// The state outside of a subshell that ended like this.
fn outside(before: &State, end: State) -> State {
    State {
        status: end.status,
        failure: end.failure,
        job_failed: end.job_failed,
        is_excused: false,
        ..before.clone()
    }
}

/// A state of unknown status as the two that it may be.
fn split(state: State) -> impl Iterator<Item = State> {
    let both: &[Status] = match state.status {
        Status::Any => &[Status::Zero, Status::Failed],
        Status::Zero => &[Status::Zero],
        Status::Failed => &[Status::Failed],
    };
    both.iter().map(move |status| state.clone().with(*status))
}

/// Both ways that a command which is not known may end.
fn either(state: &State, flow: Flow) -> Ends {
    split(state.clone().with(Status::Any)).map(|state| (flow, state)).collect()
}

/// The answer to a question that is asked of this state.
fn answer(state: &State, truth: Option<bool>) -> Ends {
    let mut state = state.clone();
    state.is_excused = false;
    match truth {
        Some(true) => Ends::from([(Flow::Normal, state.with(Status::Zero))]),
        Some(false) => Ends::from([(Flow::Normal, state.with(Status::Failed))]),
        None => either(&state, Flow::Normal),
    }
}

/// One command as a list.
fn one(command: &Command) -> List {
    let first = Pipeline { is_negated: false, commands: vec![command.clone()] };
    List { items: vec![tree::Item { first, rest: Vec::new(), is_background: false }] }
}

#[cfg(test)]
mod tests;
