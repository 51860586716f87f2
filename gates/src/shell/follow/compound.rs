//! Commands around commands: `if`, loops and `case`.

use super::{
    Ends, Flow, Follower, Loss, ROUNDS_MAX, STATES_MAX, Scope, State, Status, leaf, retried, split,
};
use crate::shell::argv::{FAILED, OPAQUE};
use crate::shell::tree::{List, Word};
use portcullis::Fault;
use std::collections::BTreeSet;

impl Follower<'_> {
    pub(super) fn branches(
        &mut self,
        branches: &[(List, List)],
        otherwise: Option<&List>,
        state: State,
        scope: &Scope<'_>,
    ) -> Result<Ends, Fault> {
        let mut ends = Ends::new();
        let mut undecided = BTreeSet::from([state]);
        let mut is_conditional = false;
        for (condition, then) in branches {
            let mut next = BTreeSet::new();
            let mut taken = BTreeSet::new();
            let inner = scope.tested().conditional(is_conditional);
            for (flow, state) in self.list(condition, undecided, &inner)? {
                if flow != Flow::Normal {
                    ends.insert((flow, state));
                    continue;
                }
                for mut state in split(state) {
                    if state.status == Status::Zero {
                        taken.insert(state);
                    } else {
                        state.lose(Loss::Status);
                        next.insert(state);
                    }
                }
            }
            let constant = next.is_empty() && leaf::is_constant(condition);
            let inner = scope.conditional(!constant || is_conditional);
            ends.extend(self.list(then, taken, &inner)?);
            is_conditional = true;
            undecided = next;
        }
        match otherwise {
            Some(list) => {
                ends.extend(self.list(list, undecided, &scope.conditional(true))?);
            }
            None => {
                let zero = |state: State| (Flow::Normal, state.with(Status::Zero));
                ends.extend(undecided.into_iter().map(zero));
            }
        }
        Ok(ends)
    }

    pub(super) fn while_loop(
        &mut self,
        until: bool,
        condition: &List,
        body: &List,
        state: State,
        scope: &Scope<'_>,
    ) -> Result<Ends, Fault> {
        let mut ends = Ends::new();
        let mut current = BTreeSet::from([state.with(Status::Zero)]);
        let mut seen = BTreeSet::new();
        for _ in 0..ROUNDS_MAX {
            let mut inside = BTreeSet::new();
            let asked = self.list(condition, std::mem::take(&mut current), &scope.tested())?;
            for (flow, state) in asked {
                if flow != Flow::Normal {
                    ends.insert((flow, state));
                    continue;
                }
                for mut state in split(state) {
                    if state.status == Status::Failed {
                        state.lose(Loss::Status);
                    }
                    if (state.status == Status::Zero) == until {
                        retried(&mut state);
                        ends.insert((Flow::Normal, state.with(Status::Zero)));
                    } else {
                        inside.insert(state);
                    }
                }
            }
            let round =
                self.list(body, inside, &scope.conditional(!leaf::is_constant(condition)))?;
            self.round(round, &mut current, &mut ends);
            current.retain(|state| seen.insert(state.clone()));
            if current.is_empty() {
                return Ok(ends);
            }
        }
        // A loop that was gone round so often may end at any time.
        ends.extend(current.into_iter().map(|state| (Flow::Normal, state.with(Status::Zero))));
        Ok(ends)
    }

    /// Sorts what left the body of a loop into those that go round again and those that are out.
    fn round(&mut self, round: Ends, current: &mut BTreeSet<State>, ends: &mut Ends) {
        for (flow, mut state) in round {
            match flow {
                Flow::Normal | Flow::Continue(1) => {
                    current.insert(state);
                }
                Flow::Break(1) => {
                    retried(&mut state);
                    ends.insert((Flow::Normal, state.with(Status::Zero)));
                }
                Flow::Break(n) => {
                    ends.insert((Flow::Break(n.saturating_sub(1)), state));
                }
                Flow::Continue(n) => {
                    ends.insert((Flow::Continue(n.saturating_sub(1)), state));
                }
                Flow::Return | Flow::Exit => {
                    if state.status != Status::Failed {
                        retried(&mut state);
                    }
                    ends.insert((flow, state));
                }
            }
        }
    }

    pub(super) fn for_loop(
        &mut self,
        name: &str,
        values: &[String],
        body: &List,
        state: State,
        scope: &Scope<'_>,
    ) -> Result<Ends, Fault> {
        let is_known = !values.iter().any(|value| value.contains(OPAQUE));
        let mut ends = Ends::new();
        let mut current = BTreeSet::from([state.with(Status::Zero)]);
        // How often an unknown list is gone through is unknown; three rounds show every habit of a loop.
        let rounds: Vec<&str> = match is_known {
            true => values.iter().map(String::as_str).take(ROUNDS_MAX).collect(),
            false => vec![""; 3],
        };
        for value in rounds {
            if !is_known {
                ends.extend(current.iter().cloned().map(|state| (Flow::Normal, state)));
            }
            let value = if is_known { value.to_owned() } else { OPAQUE.to_string() };
            let set = |mut state: State| {
                state.set(name, value.clone());
                state
            };
            let states = current.into_iter().map(set).collect();
            current = BTreeSet::new();
            let round = self.list(body, states, &scope.conditional(!is_known))?;
            self.round(round, &mut current, &mut ends);
            if current.len() > STATES_MAX {
                self.too_much(scope, 0);
                current = current.into_iter().take(1).collect();
            }
        }
        ends.extend(current.into_iter().map(|state| (Flow::Normal, state)));
        Ok(ends)
    }

    pub(super) fn case(
        &mut self,
        word: &Word,
        arms: &[(Vec<Word>, List)],
        state: State,
        scope: &Scope<'_>,
    ) -> Result<Ends, Fault> {
        let mut ends = Ends::new();
        let has_default = arms.iter().any(|(patterns, _)| {
            patterns.iter().any(|pattern| pattern.literal().as_deref() == Some("*"))
        });
        for state in self.substituted(&[word], state, scope)? {
            let text = state.single(word);
            let is_known = !text.contains([OPAQUE, FAILED]);
            let fits =
                |pattern: &Word| pattern.literal().is_some_and(|one| one == "*" || one == text);
            let simple = arms.iter().flat_map(|(patterns, _)| patterns).all(|pattern| {
                pattern
                    .literal()
                    .is_some_and(|one| one == "*" || !one.contains(['*', '?', '[', '(']))
            });
            let before = state.with(Status::Zero);
            if is_known && simple {
                let arm = arms.iter().find(|(patterns, _)| patterns.iter().any(fits));
                match arm {
                    Some((_, list)) => {
                        let scope = scope.conditional(true);
                        ends.extend(self.list(list, BTreeSet::from([before]), &scope)?);
                    }
                    None => {
                        ends.insert((Flow::Normal, before));
                    }
                }
                continue;
            }
            for (_, list) in arms {
                let scope = scope.conditional(true);
                ends.extend(self.list(list, BTreeSet::from([before.clone()]), &scope)?);
            }
            if !has_default {
                ends.insert((Flow::Normal, before));
            }
        }
        Ok(ends)
    }
}
