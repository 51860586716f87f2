//! Evaluates an expression after everything it needs was found in the document.
//! A long evaluation runs on a thread with a deadline; a thread that runs on ends with the process.

use super::{
    CelTable,
    plan::{Plan, Walked, plan},
};
use crate::{
    artifact_contract::{EXPR_FAILED, EXPR_NOT_BOOL, rule::Unusable},
    json_path::Pointer,
};
use cel::{Context, Env, Program, objects::Key};
use portcullis::{
    Fault,
    wire::code::{BUDGET_EXCEEDED, EXPR_INVALID, NOTHING_EXAMINED},
};
use serde_json::Value;
use std::{
    sync::{Arc, LazyLock, mpsc},
    time::Duration,
};

/// The caps of threat T24.
const TEXT_MAX: usize = 4 * 1024;
const NESTING_MAX: u32 = 32;
const LIST_MAX: usize = 10_000;
const STEPS_MAX: u64 = 1_000_000;
const DEADLINE: Duration = Duration::from_secs(10);
/// Up to here a thread of its own would cost more than the evaluation.
const STEPS_INLINE: u64 = 100;
/// Parsing recurses; this is far more than the longest text needs.
const PARSE_STACK_BYTES: usize = 64 * 1024 * 1024;

static ENV: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(Env::stdlib()));

/// An expression, ready to look.
pub(crate) struct Expression {
    text: String,
    name: &'static str,
    allow_empty: bool,
    program: Arc<Program>,
    plan: Plan,
}

impl Expression {
    pub(super) fn compile(table: &CelTable, name: &'static str) -> Result<Self, Unusable> {
        lexical(&table.expr)?;
        let (text, allow_empty) = (table.expr.clone(), table.allow_empty);
        let parse = move || parse(text, name, allow_empty);
        let spawned = std::thread::Builder::new().stack_size(PARSE_STACK_BYTES).spawn(parse);
        match spawned.map(std::thread::JoinHandle::join) {
            Ok(Ok(parsed)) => parsed,
            Ok(Err(_)) => {
                Err(invalid("the parser gave up on the expression", "write it in a simpler way"))
            }
            Err(source) => {
                Err(invalid(format!("no thread to parse with: {source}"), "free some memory"))
            }
        }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Whether the document is as the expression says.
    ///
    /// # Errors
    /// A field that is not there, an empty or too long list, a result that is no boolean, or any error of CEL.
    pub(crate) fn evaluate(&self, document: &Value) -> Result<bool, Fault> {
        let mut variables = serde_json::Map::new();
        variables.insert(self.name.to_owned(), document.clone());
        let variables = Value::Object(variables);
        self.fields_exist(&variables)?;
        let steps = self.steps(&variables)?;
        let result = if steps <= STEPS_INLINE {
            run(&self.program, self.name, document)
        } else {
            self.run_with_deadline(document)?
        };
        match result {
            Ok(Some(verdict)) => Ok(verdict),
            Ok(None) => Err(Fault::new(
                EXPR_NOT_BOOL,
                "the expression yields something else than a boolean",
                "compare its value with something",
            )),
            Err(why) => Err(failed(format!("the expression cannot be evaluated: {why}"))),
        }
    }

    /// CEL's `||` would call a misspelt field beside `true` true.
    fn fields_exist(&self, variables: &Value) -> Result<(), Fault> {
        for path in &self.plan.reads {
            if let Some(missing) = path.select(variables).missing.first() {
                return Err(failed(format!("`{missing}` does not exist in the document")));
            }
        }
        Ok(())
    }

    /// How many steps the macros take at most; refuses lists that are empty, too long, or no lists.
    fn steps(&self, variables: &Value) -> Result<u64, Fault> {
        let mut costs: Vec<u64> = Vec::new();
        let mut total: u64 = 1;
        for range in &self.plan.ranges {
            let elements = match &range.list {
                Walked::List(list) => self.lengths(list, variables)?,
                Walked::Written(n) => *n as u64,
                Walked::Made(of) => costs.get(*of).copied().unwrap_or(STEPS_MAX),
            };
            let cost = match range.inside {
                Some((outer, false)) => {
                    elements.saturating_mul(costs.get(outer).copied().unwrap_or(1))
                }
                Some((_, true)) | None => elements,
            };
            costs.push(cost);
            total = total.saturating_add(cost);
        }
        if total > STEPS_MAX {
            return Err(Fault::new(
                BUDGET_EXCEEDED,
                "the macros of the expression take too many steps",
                "walk shorter lists, or prepare the answer in the artifact",
            )
            .expected(format!("at most {STEPS_MAX}"))
            .found(total.to_string()));
        }
        Ok(total)
    }

    fn lengths(&self, list: &Pointer, variables: &Value) -> Result<u64, Fault> {
        let mut elements: u64 = 0;
        for (path, list) in &list.select(variables).found {
            elements = elements.saturating_add(self.length(path, list)?);
        }
        Ok(elements)
    }

    fn length(&self, path: &str, list: &Value) -> Result<u64, Fault> {
        let Value::Array(items) = list else {
            // Over an object CEL walks the keys, for which no field can be checked beforehand.
            return Err(failed(format!("`{path}` is no list, so no macro can walk it")));
        };
        if items.len() > LIST_MAX {
            return Err(Fault::new(
                BUDGET_EXCEEDED,
                format!("`{path}` is too long for a macro"),
                "walk a shorter list, or write the condition under `rules`",
            )
            .expected(format!("at most {LIST_MAX} elements"))
            .found(items.len().to_string()));
        }
        if items.is_empty() && !self.allow_empty {
            return Err(Fault::new(
                NOTHING_EXAMINED,
                format!("an expression looked at nothing: `{path}` is empty"),
                "fill it, or write `{ expr = \"...\", allow_empty = true }` if nothing may stand there",
            ));
        }
        Ok(items.len() as u64)
    }

    fn run_with_deadline(&self, document: &Value) -> Result<Ran, Fault> {
        let (sender, receiver) = mpsc::channel();
        let (program, name, document) = (Arc::clone(&self.program), self.name, document.clone());
        let work = move || {
            // The receiver is gone only after the deadline, and then nobody asks any more.
            drop(sender.send(run(&program, name, &document)));
        };
        if let Err(source) = std::thread::Builder::new().spawn(work) {
            return Err(failed(format!("no thread to evaluate on: {source}")));
        }
        match receiver.recv_timeout(DEADLINE) {
            Ok(ran) => Ok(ran),
            Err(mpsc::RecvTimeoutError::Disconnected) => Err(failed("the evaluation panicked")),
            Err(mpsc::RecvTimeoutError::Timeout) => Err(Fault::new(
                BUDGET_EXCEEDED,
                format!("the expression took longer than {} s", DEADLINE.as_secs()),
                "walk shorter lists, or prepare the answer in the artifact",
            )),
        }
    }
}

/// A boolean, something else, or the error of CEL.
type Ran = Result<Option<bool>, String>;

fn run(program: &Program, name: &str, document: &Value) -> Ran {
    let mut context = Context::with_env(Arc::clone(&ENV));
    context.add_variable_from_value(name, value_of(document));
    match program.execute(&context) {
        Ok(cel::Value::Bool(verdict)) => Ok(Some(verdict)),
        Ok(_) => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

/// Whole numbers become `int`: JSON has no unsigned type that an author could mean.
fn value_of(value: &Value) -> cel::Value {
    match value {
        Value::Null => cel::Value::Null,
        Value::Bool(flag) => cel::Value::Bool(*flag),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(n), _) => cel::Value::Int(n),
            (None, Some(x)) => cel::Value::Float(x),
            (None, None) => cel::Value::Null,
        },
        Value::String(text) => cel::Value::String(Arc::new(text.clone())),
        Value::Array(items) => cel::Value::List(Arc::new(items.iter().map(value_of).collect())),
        Value::Object(members) => {
            let members = members
                .iter()
                .map(|(name, member)| (Key::String(Arc::new(name.clone())), value_of(member)));
            cel::Value::Map(cel::objects::Map { map: Arc::new(members.collect()) })
        }
    }
}

fn parse(text: String, name: &'static str, allow_empty: bool) -> Result<Expression, Unusable> {
    let program = ENV.compile(&text).map_err(|errors| {
        invalid(format!("the expression does not compile: {errors}"), "correct it")
    })?;
    let plan = plan(program.expression(), name, allow_empty)?;
    Ok(Expression { text, name, allow_empty, program: Arc::new(program), plan })
}

/// The caps that hold before anything is parsed.
fn lexical(text: &str) -> Result<(), Unusable> {
    if text.trim().is_empty() {
        return Err(invalid("the expression is empty", "write a condition on the document"));
    }
    if text.len() > TEXT_MAX {
        return Err(invalid("the expression is longer than 4 KiB", "write several expressions"));
    }
    let (mut depth, mut deepest) = (0_u32, 0_u32);
    for c in text.chars() {
        match c {
            // Brackets inside texts count, too: whoever writes 33 of them can write two expressions.
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    if deepest > NESTING_MAX {
        return Err(invalid("brackets nest deeper than 32", "write several expressions"));
    }
    Ok(())
}

fn invalid(headline: impl Into<String>, remedy: impl Into<String>) -> Unusable {
    Unusable { code: EXPR_INVALID, headline: headline.into(), remedy: remedy.into() }
}

fn failed(headline: impl Into<String>) -> Fault {
    let remedy = "correct the expression or the artifact; an error is never absorbed";
    Fault::new(EXPR_FAILED, headline, remedy)
}
