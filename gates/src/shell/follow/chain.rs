//! Commands side by side: what `&&` and `||` ask of each other, and how a pipeline ends.

use super::{Ends, Flow, Follower, Loss, Scope, State, Status, leaf, one, split};
use crate::shell::tree::{Command, Connector, Item, Pipeline};
use portcullis::Fault;
use std::collections::BTreeSet;

impl Follower<'_> {
    pub(super) fn chain(
        &mut self,
        item: &Item,
        state: State,
        scope: &Scope<'_>,
    ) -> Result<Ends, Fault> {
        let n_pipelines = item.rest.len() + 1;
        let all = std::iter::once((Connector::And, &item.first))
            .chain(item.rest.iter().map(|(connector, pipeline)| (*connector, pipeline)));
        let mut left = Ends::new();
        // States with whether the status is that of the last pipeline.
        let mut current = BTreeSet::from([(state, true)]);
        let mut is_conditional = false;
        for (index, (connector, pipeline)) in all.enumerate() {
            let is_last = index + 1 == n_pipelines;
            let mut next = BTreeSet::new();
            is_conditional |=
                connector == Connector::Or || (index > 0 && self.is_question(item, index));
            for (mut state, _) in current {
                let goes_on = match connector {
                    Connector::And => state.status == Status::Zero,
                    Connector::Or => state.status == Status::Failed,
                };
                if index > 0 && !goes_on {
                    state.is_excused = true;
                    next.insert((state, false));
                    continue;
                }
                if connector == Connector::Or {
                    state.lose(Loss::Or);
                }
                let inner = if is_last { scope.clone() } else { scope.tested() };
                let inner = inner.conditional(is_conditional && index > 0);
                for (flow, state) in self.pipeline(pipeline, state, &inner)? {
                    match flow {
                        Flow::Normal => next.extend(split(state).map(|state| (state, is_last))),
                        Flow::Break(_) | Flow::Continue(_) | Flow::Return | Flow::Exit => {
                            left.insert((flow, state));
                        }
                    }
                }
            }
            current = next;
        }
        for (mut state, is_from_last) in current {
            let strict = state.options.errexit && !scope.is_tested && is_from_last;
            if state.status == Status::Failed && !state.is_excused && !scope.is_tested {
                if let Some(action) = state.error_trap.take().filter(|_| is_from_last) {
                    for (flow, mut after) in self.text(&action, state, scope)? {
                        after.lose(Loss::Status);
                        let status = if flow == Flow::Exit { after.status } else { Status::Failed };
                        let flow = if strict { Flow::Exit } else { flow };
                        left.insert((flow, after.with(status)));
                    }
                    continue;
                }
                if strict {
                    left.insert((Flow::Exit, state));
                    continue;
                }
            }
            left.insert((Flow::Normal, state));
        }
        Ok(left)
    }

    /// Whether what stands left of a connector asks a question rather than does something.
    fn is_question(&self, item: &Item, index: usize) -> bool {
        let left = match index {
            1 => Some(&item.first),
            _ => item.rest.get(index.saturating_sub(2)).map(|(_, pipeline)| pipeline),
        };
        left.is_some_and(leaf::asks)
    }

    pub(super) fn pipeline(
        &mut self,
        pipeline: &Pipeline,
        state: State,
        scope: &Scope<'_>,
    ) -> Result<Ends, Fault> {
        let mut ends = match pipeline.commands.as_slice() {
            [only] => {
                let scope = if pipeline.is_negated { scope.tested() } else { scope.clone() };
                self.command(only, state, &scope)?
            }
            commands => self.piped(commands, &state, scope)?,
        };
        if pipeline.is_negated {
            let negate = |(flow, state): (Flow, State)| {
                split(state).map(move |mut state| {
                    if flow != Flow::Normal {
                        return (flow, state);
                    }
                    state.is_excused = true;
                    if state.status == Status::Failed {
                        state.lose(Loss::Status);
                        return (flow, state.with(Status::Zero));
                    }
                    (flow, state.with(Status::Failed))
                })
            };
            ends = ends.into_iter().flat_map(negate).collect();
        }
        Ok(ends)
    }

    /// Runs commands joined by pipes, each in a subshell.
    fn piped(
        &mut self,
        commands: &[Command],
        state: &State,
        scope: &Scope<'_>,
    ) -> Result<Ends, Fault> {
        let writes_env = commands.iter().any(leaf::writes_provider_file);
        let scope = Scope { writes_env: scope.writes_env || writes_env, ..scope.clone() };
        let mut current = BTreeSet::from([{
            let mut first = state.clone();
            first.pipe = Vec::new();
            first
        }]);
        for (index, command) in commands.iter().enumerate() {
            let list = one(command);
            let mut next = BTreeSet::new();
            for before in current {
                // What the command before it came to is no status of this one.
                let before = before.with(Status::Zero);
                for end in self.subshell(&list, &before, &scope)? {
                    for mut end in split(end) {
                        let is_new = before.failure.is_none() && end.failure.is_some();
                        let is_last = index + 1 == commands.len();
                        if is_new
                            && end.status == Status::Failed
                            && !is_last
                            && !end.options.pipefail
                        {
                            end.lose(Loss::Pipe);
                        }
                        end.pipe = before.pipe.clone();
                        end.pipe.push(end.status);
                        next.insert(end);
                    }
                }
            }
            current = next;
        }
        let finish = |mut state: State| {
            let any_failed = state.pipe.contains(&Status::Failed);
            if state.options.pipefail && any_failed {
                state.status = Status::Failed;
            }
            state.is_excused = false;
            (Flow::Normal, state)
        };
        Ok(current.into_iter().map(finish).collect())
    }
}
