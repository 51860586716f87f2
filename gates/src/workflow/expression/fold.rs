//! What an expression comes to in a scene: true, false, or not known before the run.

use super::{
    super::{Text, matrix::Combination},
    parse::{Expression, Operator, parse},
    value::Value,
};
use std::collections::BTreeMap;

/// The functions that look at what happened before. Without one of them, a condition also asks for success.
const STATUS: &[&str] = &["success", "always", "failure", "cancelled"];

/// What is known where an expression is evaluated.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scene {
    contexts: BTreeMap<String, Value>,
    success: Option<bool>,
    failure: Option<bool>,
    cancelled: Option<bool>,
}

impl Scene {
    /// Everything before succeeded: `needs` are the ids of the jobs that are needed.
    pub(crate) fn green<'n>(needs: impl IntoIterator<Item = &'n str>) -> Self {
        Self::default().with_needs(needs.into_iter().map(|need| (need, "success"))).with_status(
            Some(true),
            Some(false),
            Some(false),
        )
    }

    /// The results of the needed jobs, all of them.
    pub(crate) fn with_needs<'n>(
        mut self,
        needs: impl IntoIterator<Item = (&'n str, &'n str)>,
    ) -> Self {
        let jobs = needs.into_iter().map(|(id, result)| {
            let result = ("result".to_owned(), Value::Text(result.to_owned()));
            // What a job hands on is not known, but it is no part of any question about its result.
            let outputs = ("outputs".to_owned(), Value::closed([]));
            (id.to_owned(), Value::closed([result, outputs]))
        });
        self.contexts.insert("needs".to_owned(), Value::closed(jobs));
        self
    }

    /// What the status functions say.
    pub(crate) fn with_status(
        mut self,
        success: Option<bool>,
        failure: Option<bool>,
        cancelled: Option<bool>,
    ) -> Self {
        (self.success, self.failure, self.cancelled) = (success, failure, cancelled);
        self
    }

    /// The event that triggered the run.
    pub(crate) fn with_event(self, event: &str) -> Self {
        self.with("github", "event_name", Value::Text(event.to_owned()))
    }

    /// A member of a context; what else the context has stays unknown.
    pub(crate) fn with(mut self, context: &str, name: &str, value: Value) -> Self {
        let entry = self.contexts.entry(context.to_owned()).or_insert_with(|| Value::open([]));
        if let Value::Map { members, .. } = entry {
            members.retain(|(known, _)| known != name);
            members.push((name.to_owned(), value));
        }
        self
    }

    /// One combination of the matrix.
    pub(crate) fn with_matrix(mut self, combination: &Combination) -> Self {
        let members = combination.values.iter().map(|(k, v)| (k.to_ascii_lowercase(), v.clone()));
        self.contexts.insert("matrix".to_owned(), Value::closed(members));
        self
    }

    /// What an expression comes to.
    pub(crate) fn value(&self, expression: &Expression) -> Value {
        match expression {
            Expression::Null => Value::Null,
            Expression::Bool(value) => Value::Bool(*value),
            Expression::Number(value) => Value::Number(*value),
            Expression::Text(text) => Value::Text(text.clone()),
            Expression::Name(name) => self.contexts.get(name).cloned().unwrap_or(Value::Unknown),
            Expression::Property(of, name) => self.value(of).member(name),
            Expression::Index(of, index) => self.value(of).index(&self.value(index)),
            Expression::Every(of) => self.value(of).every(),
            Expression::Call(name, arguments) => self.call(name, arguments),
            Expression::Not(_) => known(self.truth(expression)),
            Expression::Compare(operator, a, b) => known(self.compare(*operator, a, b)),
            Expression::And(all) => self.pick(all, false),
            Expression::Or(all) => self.pick(all, true),
        }
    }

    /// Whether an expression counts as true. Knows more than the value: `unknown && false` is false.
    pub(crate) fn truth(&self, expression: &Expression) -> Option<bool> {
        match expression {
            Expression::Not(inner) => self.truth(inner).map(|value| !value),
            Expression::And(all) => self.decide(all, false),
            Expression::Or(all) => self.decide(all, true),
            Expression::Null
            | Expression::Bool(_)
            | Expression::Number(_)
            | Expression::Text(_)
            | Expression::Name(_)
            | Expression::Property(..)
            | Expression::Index(..)
            | Expression::Every(_)
            | Expression::Call(..)
            | Expression::Compare(..) => self.value(expression).truth(),
        }
    }

    /// `&&` is decided by one false operand, `||` by one true one; else one unknown operand leaves it open.
    fn decide(&self, all: &[Expression], decisive: bool) -> Option<bool> {
        let mut result = Some(!decisive);
        for one in all {
            match self.truth(one) {
                Some(value) if value == decisive => return Some(decisive),
                Some(_) => {}
                None => result = None,
            }
        }
        result
    }

    /// The value of `&&` and `||`: the first operand that decides, else the last. Of `unknown && false` only the truth
    /// is known, not which of the two it is.
    fn pick(&self, all: &[Expression], decisive: bool) -> Value {
        let mut last = Value::Unknown;
        for one in all {
            last = self.value(one);
            match self.truth(one) {
                Some(value) if value == decisive => return last,
                Some(_) => {}
                None => return Value::Unknown,
            }
        }
        last
    }

    fn compare(&self, operator: Operator, a: &Expression, b: &Expression) -> Option<bool> {
        self.value(a).compare(operator, &self.value(b))
    }

    fn call(&self, name: &str, arguments: &[Expression]) -> Value {
        match name {
            "always" => return Value::Bool(true),
            "success" => return known(self.success),
            "failure" => return known(self.failure),
            "cancelled" => return known(self.cancelled),
            _ => {}
        }
        let values: Vec<Value> = arguments.iter().map(|one| self.value(one)).collect();
        match (name, values.as_slice()) {
            ("contains", [of, what]) => known(contains(of, what)),
            ("startswith", [text, part]) => {
                texts(text, part).map_or(Value::Unknown, |(a, b)| Value::Bool(a.starts_with(&b)))
            }
            ("endswith", [text, part]) => {
                texts(text, part).map_or(Value::Unknown, |(a, b)| Value::Bool(a.ends_with(&b)))
            }
            ("format", [Value::Text(format), rest @ ..]) => substitute(format, rest),
            ("join", [list]) => join(list, ","),
            ("join", [list, separator]) => {
                separator.print().map_or(Value::Unknown, |separator| join(list, &separator))
            }
            ("tojson", [value]) => to_json(value),
            ("fromjson", [Value::Text(text)]) => serde_json::from_str(text)
                .map_or(Value::Unknown, |json: serde_json::Value| from_json(&json)),
            (_, _) => Value::Unknown,
        }
    }
}

fn known(value: Option<bool>) -> Value {
    value.map_or(Value::Unknown, Value::Bool)
}

fn texts(a: &Value, b: &Value) -> Option<(String, String)> {
    Some((a.print()?.to_uppercase(), b.print()?.to_uppercase()))
}

fn contains(of: &Value, what: &Value) -> Option<bool> {
    match of {
        Value::List(items) | Value::Every(items) => {
            // One item that is equal decides, also beside items that nobody knows.
            let mut known = true;
            for item in items {
                match item.compare(Operator::Equal, what) {
                    Some(true) => return Some(true),
                    Some(false) => {}
                    None => known = false,
                }
            }
            known.then_some(false)
        }
        Value::Map { .. } => Some(false),
        Value::Unknown => None,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => {
            texts(of, what).map(|(text, part)| text.contains(&part))
        }
    }
}

fn join(list: &Value, separator: &str) -> Value {
    let texts = list.texts();
    texts.map_or(Value::Unknown, |texts| Value::Text(texts.join(separator)))
}

/// `format('{0} {{x}}', a)`.
fn substitute(format: &str, values: &[Value]) -> Value {
    let mut text = String::new();
    let mut rest = format;
    while let Some(at) = rest.find(['{', '}']) {
        text.push_str(&rest[..at]);
        let brace = &rest[at..];
        if let Some(tail) = brace.strip_prefix("{{").or_else(|| brace.strip_prefix("}}")) {
            text.push_str(&brace[..1]);
            rest = tail;
            continue;
        }
        let Some(end) = brace.find('}').filter(|_| brace.starts_with('{')) else {
            return Value::Unknown;
        };
        let value = brace[1..end].parse::<usize>().ok().and_then(|index| values.get(index));
        let Some(printed) = value.and_then(Value::print) else { return Value::Unknown };
        text.push_str(&printed);
        rest = &brace[end + 1..];
    }
    text.push_str(rest);
    Value::Text(text)
}

fn to_json(value: &Value) -> Value {
    fn json(value: &Value) -> Option<serde_json::Value> {
        Some(match value {
            Value::Unknown | Value::Map { open: true, .. } => return None,
            Value::Null => serde_json::Value::Null,
            Value::Bool(value) => (*value).into(),
            Value::Number(value) => (*value).into(),
            Value::Text(text) => text.clone().into(),
            Value::List(items) | Value::Every(items) => {
                items.iter().map(json).collect::<Option<Vec<_>>>()?.into()
            }
            Value::Map { members, open: false } => {
                let mut map = serde_json::Map::new();
                for (name, value) in members {
                    map.insert(name.clone(), json(value)?);
                }
                map.into()
            }
        })
    }
    let text = json(value).and_then(|json| serde_json::to_string_pretty(&json).ok());
    text.map_or(Value::Unknown, Value::Text)
}

fn from_json(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(value) => Value::Bool(*value),
        serde_json::Value::Number(value) => value.as_f64().map_or(Value::Unknown, Value::Number),
        serde_json::Value::String(text) => Value::Text(text.clone()),
        serde_json::Value::Array(items) => Value::List(items.iter().map(from_json).collect()),
        serde_json::Value::Object(members) => Value::closed(
            members.iter().map(|(name, value)| (name.to_ascii_lowercase(), from_json(value))),
        ),
    }
}

/// A text with expressions in it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Template {
    parts: Vec<Part>,
    /// The value of a scalar without any expression, whose type is known.
    plain: Option<Value>,
}

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Text(String),
    Expression(Expression),
    /// An expression that does not parse; the loader has refused it where it counts.
    Broken,
}

impl Template {
    /// Reads the expressions of a scalar.
    pub(crate) fn of(text: &Text) -> Self {
        if text.has_expression() {
            return Self::read(text.as_str());
        }
        Self { parts: vec![Part::Text(text.as_str().to_owned())], plain: Some(Value::of(text)) }
    }

    pub(crate) fn read(text: &str) -> Self {
        let parts = split(text)
            .map(|piece| match piece {
                Ok(Piece::Text(text)) => Part::Text(text.to_owned()),
                Ok(Piece::Expression(text)) => parse(text).map_or(Part::Broken, Part::Expression),
                Err(_) => Part::Broken,
            })
            .collect();
        Self { parts, plain: None }
    }

    /// Its only expression, when there is nothing around it.
    pub(crate) fn only_expression(&self) -> Option<&Expression> {
        match self.parts.as_slice() {
            [Part::Expression(expression)] => Some(expression),
            [] | [_] | [_, ..] => None,
        }
    }

    /// Its expressions.
    pub(crate) fn expressions(&self) -> impl Iterator<Item = &Expression> {
        self.parts.iter().filter_map(|part| match part {
            Part::Expression(expression) => Some(expression),
            Part::Text(_) | Part::Broken => None,
        })
    }

    /// Its text with every expression that the scene knows replaced. The others stay expressions.
    pub(crate) fn render(&self, scene: &Scene) -> String {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(piece) => text.push_str(piece),
                Part::Expression(expression) => match scene.value(expression).print() {
                    Some(known) => text.push_str(&known),
                    None => text.push_str("${{ unknown }}"),
                },
                Part::Broken => text.push_str("${{ unknown }}"),
            }
        }
        text
    }

    /// What it comes to.
    pub(crate) fn fold(&self, scene: &Scene) -> Value {
        if let Some(value) = &self.plain {
            return value.clone();
        }
        if let Some(expression) = self.only_expression() {
            return scene.value(expression);
        }
        let printed = self.parts.iter().map(|part| match part {
            Part::Text(text) => Some(text.clone()),
            Part::Expression(expression) => scene.value(expression).print(),
            Part::Broken => None,
        });
        printed.collect::<Option<String>>().map_or(Value::Unknown, Value::Text)
    }
}

enum Piece<'t> {
    Text(&'t str),
    Expression(&'t str),
}

/// Cuts a text at its expressions. A quoted `}}` does not end one.
fn split(text: &str) -> impl Iterator<Item = Result<Piece<'_>, String>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let Some(inner) = rest.strip_prefix("${{") else {
            let end = rest.find("${{").unwrap_or(rest.len());
            let (piece, tail) = rest.split_at(end);
            rest = tail;
            return Some(Ok(Piece::Text(piece)));
        };
        match end_of(inner) {
            Some(end) => {
                rest = &inner[end + 2..];
                Some(Ok(Piece::Expression(&inner[..end])))
            }
            None => {
                rest = "";
                Some(Err("`${{` has no closing `}}`".to_owned()))
            }
        }
    })
}

fn end_of(inner: &str) -> Option<usize> {
    let mut quoted = false;
    let bytes = inner.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'\'' => quoted = !quoted,
            b'}' if !quoted && bytes.get(at + 1) == Some(&b'}') => return Some(at),
            _ => {}
        }
    }
    None
}

/// What is wrong with the expressions of a text, if anything is.
pub(in crate::workflow) fn faults(text: &str) -> Option<String> {
    split(text).find_map(|piece| match piece {
        Ok(Piece::Text(_)) => None,
        Ok(Piece::Expression(text)) => {
            parse(text).err().map(|why| format!("{why} in `{}`", text.trim()))
        }
        Err(why) => Some(why),
    })
}

/// The `if` of a job or step.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Condition {
    /// An expression, with or without its braces.
    Expression(Expression),
    /// A text with expressions in it: never empty, and so always true.
    AlwaysTrue(Template),
    /// It does not parse.
    Broken,
}

impl Condition {
    /// Reads an `if`.
    pub(crate) fn of(text: &Text) -> Self {
        Self::read(text.as_str())
    }

    pub(crate) fn read(text: &str) -> Self {
        if !text.contains("${{") {
            return parse(text).map_or(Self::Broken, Self::Expression);
        }
        let template = Template::read(text);
        match template.only_expression() {
            Some(expression) => Self::Expression(expression.clone()),
            None if template.parts.contains(&Part::Broken) => Self::Broken,
            None => Self::AlwaysTrue(template),
        }
    }

    /// Whether it says itself on which status it runs. If not, it runs only when all before succeeded.
    pub(crate) fn names_status(&self) -> bool {
        match self {
            Self::Expression(expression) => expression.calls(STATUS),
            Self::AlwaysTrue(template) => template.expressions().any(|one| one.calls(STATUS)),
            Self::Broken => false,
        }
    }

    /// What it comes to, the status it asks for included.
    pub(crate) fn fold(&self, scene: &Scene) -> Option<bool> {
        let own = self.fold_alone(scene);
        if self.names_status() {
            return own;
        }
        match (own, scene.success) {
            (Some(false), _) | (_, Some(false)) => Some(false),
            (Some(true), Some(true)) => Some(true),
            (None | Some(true), None) | (None, Some(true)) => None,
        }
    }

    /// What it comes to, whatever happened before.
    pub(crate) fn fold_alone(&self, scene: &Scene) -> Option<bool> {
        match self {
            Self::Expression(expression) => scene.truth(expression),
            Self::AlwaysTrue(_) => Some(true),
            Self::Broken => None,
        }
    }
}
