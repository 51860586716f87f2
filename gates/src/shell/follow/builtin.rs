//! Simple commands: assignments, what the shell does itself, functions, what opens further commands, and leaves.

use super::leaf::{HARMLESS, Key, Leaf, is_question};
use super::{CALLS_MAX, Ends, Flow, Follower, Loss, Mode, Scope, State, Status, either, split};
use crate::shell::argv::{JOB, OPAQUE, unwrap};
use crate::shell::grammar;
use crate::shell::open::{LEVELS_MAX, Opened, Opening, Unit};
use crate::shell::state::{Failure, predicate};
use crate::shell::tree::{Assignment, Command, Simple, Word};
use portcullis::Fault;
use std::collections::BTreeSet;
use std::rc::Rc;

impl Follower<'_> {
    pub(super) fn simple(
        &mut self,
        command: &Command,
        simple: &Simple,
        state: State,
        scope: &Scope<'_>,
    ) -> Result<Ends, Fault> {
        let mut ends = Ends::new();
        for (state, is_status_of_value) in self.assigned(simple, state, scope)? {
            if simple.words.is_empty() {
                let status = if is_status_of_value { state.status } else { Status::Zero };
                ends.insert((Flow::Normal, plain(state.with(status))));
                continue;
            }
            let words: Vec<&Word> = simple.words.iter().collect();
            for state in self.substituted(&words, state, scope)? {
                let argv: Vec<String> =
                    simple.words.iter().flat_map(|word| state.expand(word)).collect();
                if argv.is_empty() {
                    ends.insert((Flow::Normal, plain(state.with(Status::Zero))));
                } else {
                    ends.extend(self.run(command, simple, &argv, state, scope)?);
                }
            }
        }
        Ok(ends)
    }

    /// Runs the assignments of a command; says whether the status is that of a substitution among them.
    fn assigned(
        &mut self,
        simple: &Simple,
        state: State,
        scope: &Scope<'_>,
    ) -> Result<BTreeSet<(State, bool)>, Fault> {
        let mut states = BTreeSet::from([(state, false)]);
        for assignment in &simple.assignments {
            let mut next = BTreeSet::new();
            for (state, had_status) in states {
                let mut inner = BTreeSet::from([(state, had_status)]);
                for list in assignment.value.substitutions() {
                    let mut after = BTreeSet::new();
                    for (state, _) in inner {
                        let ends = self.inner(list, &state, scope)?;
                        after.extend(ends.into_iter().map(|end| (end, true)));
                    }
                    inner = after;
                }
                for (mut state, has_status) in inner {
                    if simple.words.is_empty() {
                        set(&mut state, assignment);
                    } else if has_status && state.status != Status::Zero {
                        // `A=$(cmd) other` asks for the status of `other` alone.
                        state.lose(Loss::Status);
                    }
                    next.insert((state, has_status));
                }
            }
            states = next;
        }
        Ok(states)
    }

    fn run(
        &mut self,
        command: &Command,
        simple: &Simple,
        argv: &[String],
        mut state: State,
        scope: &Scope<'_>,
    ) -> Result<Ends, Fault> {
        state.is_excused = false;
        let ends_shell = argv.first().is_some_and(|program| program == "exec");
        let unwrapped = unwrap(argv);
        if unwrapped.argv.first().is_none_or(|program| program == "exec") {
            return Ok(Ends::from([(Flow::Normal, state.with(Status::Zero))]));
        }
        if let Some(name) = unwrapped.argv.first()
            && let Some(index) = state.functions.get(name).copied()
        {
            return self.call(index, &unwrapped.argv, state, scope);
        }
        if let Some(ends) = self.builtin(&unwrapped.argv, simple, &state, scope)? {
            return Ok(ends);
        }
        if scope.writes_env {
            self.provider_file(command, &unwrapped.argv, &state, scope);
        }
        let mut env = state.environment();
        for assignment in &simple.assignments {
            env.insert(assignment.name.clone(), state.single(&assignment.value));
        }
        env.extend(unwrapped.env);
        let leaf = Leaf {
            argv: unwrapped.argv,
            place: scope.origin.place(command.at),
            env,
            folder: state.folder.clone(),
            is_conditional: scope.is_conditional || state.is_conditional,
            is_verification: false,
        };
        let ends = self.opened_or_leaf(leaf, command, state, scope)?;
        if !ends_shell {
            return Ok(ends);
        }
        Ok(ends.into_iter().map(|(_flow, state)| (Flow::Exit, state)).collect())
    }

    /// Opens a command when it runs others, else takes it for what it is.
    fn opened_or_leaf(
        &mut self,
        mut leaf: Leaf,
        command: &Command,
        state: State,
        scope: &Scope<'_>,
    ) -> Result<Ends, Fault> {
        let opening = if scope.n_opened < LEVELS_MAX {
            self.project.open(&leaf, command, &state.options, scope.origin)?
        } else {
            Opening::None
        };
        leaf.is_verification = (self.is_verification)(&leaf.argv);
        match opening {
            Opening::None => Ok(self.leaf(leaf, state)),
            Opening::Argv(argv) => {
                // An alias is another command of the same program.
                let unwrapped = unwrap(&argv);
                leaf.argv = unwrapped.argv;
                let scope = Scope { n_opened: scope.n_opened + 1, ..scope.clone() };
                self.opened_or_leaf(leaf, command, state, &scope)
            }
            Opening::Unparsed(why) => {
                let trouble = super::Trouble { place: leaf.place.clone(), why, is_unparsed: true };
                self.found.troubles.insert(trouble);
                Ok(self.leaf(leaf, state))
            }
            Opening::Opened(opened) => {
                let n_verifications = self.verifications();
                let is_verification = leaf.is_verification;
                let mut ends = self.opened(&opened, &leaf, state.clone(), scope)?;
                // Nothing in it carries a verdict of its own, so the call as a whole does.
                if is_verification && self.verifications() == n_verifications {
                    ends.extend(self.leaf(leaf, state));
                }
                Ok(ends)
            }
        }
    }

    fn verifications(&self) -> usize {
        self.found.leaves.iter().filter(|leaf| leaf.is_verification).count()
    }

    /// Runs what a command opens, part by part, until one fails.
    fn opened(
        &mut self,
        opened: &Opened,
        leaf: &Leaf,
        state: State,
        scope: &Scope<'_>,
    ) -> Result<Ends, Fault> {
        let conditional = scope.is_conditional || leaf.is_conditional;
        let mut ends = Ends::new();
        let mut current = BTreeSet::from([state.with(Status::Zero)]);
        for unit in &opened.units {
            let inner = Scope {
                origin: &unit.origin,
                n_opened: scope.n_opened + 1,
                is_conditional: conditional,
                is_tested: opened.is_same_shell && scope.is_tested,
                n_called: scope.n_called,
                writes_env: scope.writes_env,
            };
            let mut next = BTreeSet::new();
            for state in current {
                if opened.is_same_shell {
                    ends.extend(self.list(&unit.list, BTreeSet::from([state]), &inner)?);
                    continue;
                }
                for end in self.other_shell(unit, leaf, &state, &inner)? {
                    for mut end in split(end) {
                        if unit.ignores_failure && end.status == Status::Failed {
                            end.lose(Loss::Status);
                            end.status = Status::Zero;
                        }
                        if end.status == Status::Zero {
                            next.insert(end);
                        } else {
                            ends.insert((Flow::Normal, end));
                        }
                    }
                }
            }
            current = next;
        }
        if opened.is_same_shell {
            // `return` ends a sourced file, not the script.
            let back =
                |(flow, state)| (if flow == Flow::Return { Flow::Normal } else { flow }, state);
            return Ok(ends.into_iter().map(back).collect());
        }
        ends.extend(current.into_iter().map(|state| (Flow::Normal, state)));
        Ok(ends)
    }

    fn other_shell(
        &mut self,
        unit: &Unit,
        leaf: &Leaf,
        state: &State,
        scope: &Scope<'_>,
    ) -> Result<BTreeSet<State>, Fault> {
        let mut inner = State::new(unit.options, &unit.folder, &leaf.env);
        inner.positional.clone_from(&unit.arguments);
        inner.failure.clone_from(&state.failure);
        let ends = self.shell(&unit.list, inner, scope)?;
        Ok(ends.into_iter().map(|end| super::outside(state, end)).collect())
    }

    fn call(
        &mut self,
        index: usize,
        argv: &[String],
        state: State,
        scope: &Scope<'_>,
    ) -> Result<Ends, Fault> {
        let Some((body, origin)) = self.functions.get(index).cloned() else {
            return Ok(either(&state, Flow::Normal));
        };
        if scope.n_called >= CALLS_MAX {
            self.too_much(scope, body.at);
            return Ok(either(&state, Flow::Normal));
        }
        let inner = Scope { origin: &origin, n_called: scope.n_called + 1, ..scope.clone() };
        let outer = state.positional.clone();
        let mut state = state;
        state.positional = argv.iter().skip(1).cloned().collect();
        let back = |(flow, mut state): (Flow, State)| {
            state.positional.clone_from(&outer);
            (if flow == Flow::Return { Flow::Normal } else { flow }, state)
        };
        Ok(self.command(&Rc::clone(&body), state, &inner)?.into_iter().map(back).collect())
    }

    /// What the shell does itself; nothing when it is another command.
    fn builtin(
        &mut self,
        argv: &[String],
        simple: &Simple,
        state: &State,
        scope: &Scope<'_>,
    ) -> Result<Option<Ends>, Fault> {
        let Some((program, rest)) = argv.split_first() else { return Ok(None) };
        let mut state = state.clone();
        let zero = |state: State| Some(Ends::from([(Flow::Normal, state.with(Status::Zero))]));
        let number = rest.first().and_then(|word| word.parse::<usize>().ok()).unwrap_or(1).max(1);
        Ok(match program.as_str() {
            "exit" | "return" => {
                let status = rest.first().map_or(state.status, |word| Status::of_word(word));
                if status == Status::Zero
                    && program == "exit"
                    && let Some(failure) = &mut state.failure
                {
                    failure.exits_zero = true;
                }
                let flow = if program == "exit" { Flow::Exit } else { Flow::Return };
                Some(Ends::from([(flow, state.with(status))]))
            }
            "break" => Some(Ends::from([(Flow::Break(number), state.with(Status::Zero))])),
            "continue" => Some(Ends::from([(Flow::Continue(number), state.with(Status::Zero))])),
            "set" => {
                state.options.set(rest);
                zero(state)
            }
            "shopt" => {
                let on = !rest.iter().any(|word| word.starts_with('-') && word.contains('u'));
                for name in rest.iter().filter(|word| !word.starts_with('-')) {
                    state.options.named(name, on);
                }
                zero(state)
            }
            "export" | "local" | "declare" | "readonly" | "typeset" => {
                declare(program, simple, rest, &mut state);
                zero(state)
            }
            "unset" => {
                for name in rest {
                    state.variables.remove(name);
                }
                zero(state)
            }
            "read" | "mapfile" | "readarray" => {
                for name in rest.iter().filter(|word| !word.starts_with('-')) {
                    state.set(name, OPAQUE.to_string());
                }
                Some(either(&state, Flow::Normal))
            }
            "shift" => {
                let n = number.min(state.positional.len());
                state.positional.drain(..n);
                zero(state)
            }
            "cd" | "pushd" => {
                let folder =
                    rest.iter().find(|word| !word.starts_with('-')).map_or("~", String::as_str);
                state.change_folder(folder);
                zero(state)
            }
            "popd" => {
                state.folder = OPAQUE.to_string();
                zero(state)
            }
            "trap" => {
                trap(rest, &mut state);
                zero(state)
            }
            "wait" => Some(wait(rest, state)),
            "eval" => {
                let text = rest.join(" ");
                Some(self.text(&text, state, scope)?)
            }
            "[" | "test" => {
                let words = rest.strip_suffix(&["]".to_owned()][..]).unwrap_or(rest);
                Some(super::answer(&state, predicate(words)))
            }
            "((" => Some(either(&state, Flow::Normal)),
            _ => None,
        })
    }

    /// Records variables that `echo`, `printf` or a here-document write for later steps.
    fn provider_file(
        &mut self,
        command: &Command,
        argv: &[String],
        state: &State,
        scope: &Scope<'_>,
    ) {
        let place = scope.origin.place(command.at);
        let documents =
            command.redirects.iter().filter(|redirect| redirect.operator.starts_with("<<"));
        let texts = argv
            .iter()
            .skip(1)
            .cloned()
            .chain(documents.map(|redirect| state.single(&redirect.target)));
        for text in texts {
            for line in text.replace("\\n", "\n").lines() {
                if let Some((name, value)) = line.split_once('=')
                    && crate::shell::is_name(name)
                {
                    self.found.later_env.push((name.to_owned(), value.to_owned(), place.clone()));
                }
            }
        }
    }

    /// Takes a command for one that runs and ends.
    fn leaf(&mut self, leaf: Leaf, state: State) -> Ends {
        let harmless = leaf.argv.first().is_some_and(|name| HARMLESS.contains(&name.as_str()));
        let question = is_question(&leaf.argv);
        let never = leaf.argv.first().is_some_and(|program| program == "false");
        let is_verification = leaf.is_verification;
        let is_conditional = leaf.is_conditional;
        let key: Key =
            (leaf.place.clone(), leaf.argv.clone(), leaf.env.clone(), leaf.folder.clone());
        let index = match self.known.get(&key) {
            Some(index) => *index,
            None => {
                let index = self.found.leaves.len();
                self.known.insert(key, index);
                self.found.leaves.push(leaf);
                index
            }
        };
        if let Some(known) = self.found.leaves.get_mut(index) {
            // Reached without a condition once is reached.
            known.is_conditional &= is_conditional;
        }
        if harmless || (self.mode == Mode::Green && !question) {
            return Ends::from([(Flow::Normal, state.with(Status::Zero))]);
        }
        if never {
            return Ends::from([(Flow::Normal, state.with(Status::Failed))]);
        }
        if !is_verification || self.mode == Mode::Green {
            return either(&state, Flow::Normal);
        }
        let mut good = state.clone().with(Status::Zero);
        let mut bad = state.with(Status::Failed);
        match (&mut good.failure, &mut bad.failure) {
            (Some(failure), Some(_)) => failure.succeeded_later |= failure.leaf == index,
            (_, none) => {
                *none = Some(Failure {
                    leaf: index,
                    loss: None,
                    succeeded_later: false,
                    is_retried: false,
                    exits_zero: false,
                });
            }
        }
        Ends::from([(Flow::Normal, good), (Flow::Normal, bad)])
    }
}

fn plain(mut state: State) -> State {
    state.is_excused = false;
    state
}

fn set(state: &mut State, assignment: &Assignment) {
    state.assign(&assignment.name, assignment.is_appended, &assignment.value);
}

/// `export A=b` and its relatives; the words after the program are read as written, for arrays.
fn declare(program: &str, simple: &Simple, rest: &[String], state: &mut State) {
    for word in &simple.words {
        if let Some(assignment) = grammar::assignment(word) {
            set(state, &assignment);
        }
    }
    if program == "export" || rest.iter().any(|word| word.starts_with('-') && word.contains('x')) {
        for word in rest.iter().filter(|word| !word.starts_with('-')) {
            let name = word.split_once('=').map_or(word.as_str(), |(name, _)| name);
            state.exported.insert(name.trim_end_matches('+').to_owned());
        }
    }
}

/// `trap action signals`: only the end of the shell and failures matter here.
fn trap(rest: &[String], state: &mut State) {
    let words: Vec<&String> = rest.iter().filter(|word| *word != "--").collect();
    let Some((action, signals)) = words.split_first() else { return };
    let action = (action.as_str() != "-").then(|| (*action).clone());
    for signal in signals {
        match signal.trim_start_matches("SIG").to_ascii_uppercase().as_str() {
            "EXIT" | "0" => state.exit_trap.clone_from(&action),
            "ERR" => state.error_trap.clone_from(&action),
            _ => {}
        }
    }
}

/// `wait`: with a process it has that one's status, alone it has none.
fn wait(rest: &[String], state: State) -> Ends {
    let names_job =
        rest.iter().any(|word| word.contains(JOB) || word == "-n" || word.starts_with('%'));
    let unknown = rest.iter().any(|word| word.contains(OPAQUE));
    let status = match (state.job_failed, names_job, unknown) {
        (true, true, _) => Status::Failed,
        (true, false, true) => Status::Any,
        _ => Status::Zero,
    };
    split(state.with(status)).map(|state| (Flow::Normal, state)).collect()
}
