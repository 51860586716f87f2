//! A small part of jq, enough to judge programs that ask whether every job succeeded: paths, comparisons, `and`, `or`,
//! `not`, `all`, `any`, `map`, `select`, `to_entries`. A program with anything else is not judged.

use serde_json::Value;

/// How much work one program may be.
const STEPS_MAX: usize = 100_000;

/// What `jq -e` says of a program over an input: whether its last output is neither false nor null. `None` when the
/// program has parts that are not known here.
pub(super) fn succeeds(program: &str, input: &Value) -> Option<bool> {
    let tokens = tokens(program)?;
    let mut parser = Parser { rest: &tokens, depth: 0 };
    let filter = parser.pipe()?;
    if !parser.rest.is_empty() {
        return None;
    }
    let mut steps = 0;
    let outputs = run(&filter, input, &mut steps)?;
    // Without any output jq exits with 4.
    Some(outputs.last().is_some_and(is_true))
}

fn is_true(value: &Value) -> bool {
    !matches!(value, Value::Null | Value::Bool(false))
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Word(String),
    Text(String),
    Sign(&'static str),
}

const SIGNS: &[&str] = &["==", "!=", "//", "|", ".", "[", "]", "(", ")", ";", ","];

fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        if let Some(tail) = rest.strip_prefix('"') {
            let end = tail.find('"')?;
            let inner = &tail[..end];
            if inner.contains('\\') {
                return None;
            }
            tokens.push(Token::Text(inner.to_owned()));
            rest = &tail[end + 1..];
        } else if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            tokens.push(Token::Sign(sign));
            rest = &rest[sign.len()..];
        } else {
            let part = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let end = rest.find(|c| !part(c)).unwrap_or(rest.len());
            if end == 0 {
                return None;
            }
            tokens.push(Token::Word(rest[..end].to_owned()));
            rest = &rest[end..];
        }
        rest = rest.trim_start();
    }
    Some(tokens)
}

#[derive(Clone, Debug)]
enum Filter {
    Identity,
    Constant(Value),
    Member(Box<Self>, String),
    Each(Box<Self>),
    List(Box<Self>),
    Pipe(Box<Self>, Box<Self>),
    Comma(Box<Self>, Box<Self>),
    Equal(Box<Self>, Box<Self>, bool),
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
    Call(String, Vec<Self>),
}

struct Parser<'t> {
    rest: &'t [Token],
    depth: usize,
}

impl Parser<'_> {
    fn take(&mut self, token: &Token) -> bool {
        match self.rest.split_first() {
            Some((first, rest)) if first == token => {
                self.rest = rest;
                true
            }
            Some(_) | None => false,
        }
    }

    fn sign(&mut self, sign: &'static str) -> bool {
        self.take(&Token::Sign(sign))
    }

    fn word(&mut self, word: &str) -> bool {
        self.take(&Token::Word(word.to_owned()))
    }

    fn pipe(&mut self) -> Option<Filter> {
        self.depth += 1;
        if self.depth > 32 {
            return None;
        }
        let mut left = self.comma()?;
        while self.sign("|") {
            left = Filter::Pipe(Box::new(left), Box::new(self.comma()?));
        }
        self.depth -= 1;
        Some(left)
    }

    fn comma(&mut self) -> Option<Filter> {
        let mut left = self.or()?;
        while self.sign(",") {
            left = Filter::Comma(Box::new(left), Box::new(self.or()?));
        }
        Some(left)
    }

    fn or(&mut self) -> Option<Filter> {
        let mut left = self.and()?;
        while self.word("or") {
            left = Filter::Or(Box::new(left), Box::new(self.and()?));
        }
        Some(left)
    }

    fn and(&mut self) -> Option<Filter> {
        let mut left = self.equality()?;
        while self.word("and") {
            left = Filter::And(Box::new(left), Box::new(self.equality()?));
        }
        Some(left)
    }

    fn equality(&mut self) -> Option<Filter> {
        let left = self.postfix()?;
        for (sign, equal) in [("==", true), ("!=", false)] {
            if self.sign(sign) {
                return Some(Filter::Equal(Box::new(left), Box::new(self.postfix()?), equal));
            }
        }
        Some(left)
    }

    fn postfix(&mut self) -> Option<Filter> {
        let mut of = self.primary()?;
        loop {
            if self.sign("[") {
                of = self.bracket(of)?;
            } else if self.sign(".") {
                of = match self.rest.split_first()? {
                    (Token::Word(name) | Token::Text(name), rest) => {
                        self.rest = rest;
                        Filter::Member(Box::new(of), name.clone())
                    }
                    (Token::Sign("["), rest) => {
                        self.rest = rest;
                        self.bracket(of)?
                    }
                    (Token::Sign(_), _) => return None,
                };
            } else {
                return Some(of);
            }
        }
    }

    /// What stands behind an opening bracket: nothing, or a name in quotes.
    fn bracket(&mut self, of: Filter) -> Option<Filter> {
        if self.sign("]") {
            return Some(Filter::Each(Box::new(of)));
        }
        let (Token::Text(name), rest) = self.rest.split_first()? else { return None };
        self.rest = rest;
        self.sign("]").then(|| Filter::Member(Box::new(of), name.clone()))
    }

    fn primary(&mut self) -> Option<Filter> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        match first {
            Token::Text(text) => Some(Filter::Constant(Value::String(text.clone()))),
            Token::Sign(".") => match self.rest.split_first() {
                Some((Token::Word(name) | Token::Text(name), rest))
                    if !["and", "or"].contains(&name.as_str()) =>
                {
                    self.rest = rest;
                    Some(Filter::Member(Box::new(Filter::Identity), name.clone()))
                }
                Some(_) | None => Some(Filter::Identity),
            },
            Token::Sign("(") => {
                let inner = self.pipe()?;
                self.sign(")").then_some(inner)
            }
            Token::Sign("[") => {
                let inner = self.pipe()?;
                self.sign("]").then(|| Filter::List(Box::new(inner)))
            }
            Token::Sign(_) => None,
            Token::Word(word) => match word.as_str() {
                "true" => Some(Filter::Constant(Value::Bool(true))),
                "false" => Some(Filter::Constant(Value::Bool(false))),
                "null" => Some(Filter::Constant(Value::Null)),
                number if number.starts_with(|c: char| c.is_ascii_digit()) => {
                    number.parse::<u64>().ok().map(|number| Filter::Constant(number.into()))
                }
                name => {
                    let name = name.to_owned();
                    let mut arguments = Vec::new();
                    if self.sign("(") {
                        arguments.push(self.pipe()?);
                        while self.sign(";") {
                            arguments.push(self.pipe()?);
                        }
                        if !self.sign(")") {
                            return None;
                        }
                    }
                    Some(Filter::Call(name, arguments))
                }
            },
        }
    }
}

fn run(filter: &Filter, input: &Value, steps: &mut usize) -> Option<Vec<Value>> {
    *steps += 1;
    if *steps > STEPS_MAX {
        return None;
    }
    match filter {
        Filter::Identity => Some(vec![input.clone()]),
        Filter::Constant(value) => Some(vec![value.clone()]),
        Filter::Member(of, name) => {
            let mut outputs = Vec::new();
            for value in run(of, input, steps)? {
                outputs.push(match value {
                    Value::Object(map) => map.get(name).cloned().unwrap_or(Value::Null),
                    Value::Null => Value::Null,
                    Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                        return None;
                    }
                });
            }
            Some(outputs)
        }
        Filter::Each(of) => {
            let mut outputs = Vec::new();
            for value in run(of, input, steps)? {
                outputs.extend(each(value)?);
            }
            Some(outputs)
        }
        Filter::List(of) => Some(vec![Value::Array(run(of, input, steps)?)]),
        Filter::Pipe(a, b) => {
            let mut outputs = Vec::new();
            for value in run(a, input, steps)? {
                outputs.extend(run(b, &value, steps)?);
            }
            Some(outputs)
        }
        Filter::Comma(a, b) => {
            let mut outputs = run(a, input, steps)?;
            outputs.extend(run(b, input, steps)?);
            Some(outputs)
        }
        Filter::Equal(a, b, equal) => {
            let (a, b) = (one(a, input, steps)?, one(b, input, steps)?);
            Some(vec![Value::Bool((a == b) == *equal)])
        }
        Filter::And(a, b) => {
            let both = is_true(&one(a, input, steps)?) && is_true(&one(b, input, steps)?);
            Some(vec![Value::Bool(both)])
        }
        Filter::Or(a, b) => {
            let either = is_true(&one(a, input, steps)?) || is_true(&one(b, input, steps)?);
            Some(vec![Value::Bool(either)])
        }
        Filter::Call(name, arguments) => call(name, arguments, input, steps),
    }
}

fn one(filter: &Filter, input: &Value, steps: &mut usize) -> Option<Value> {
    let mut outputs = run(filter, input, steps)?;
    if outputs.len() == 1 { outputs.pop() } else { None }
}

fn each(value: Value) -> Option<Vec<Value>> {
    match value {
        Value::Array(items) => Some(items),
        Value::Object(map) => Some(map.into_iter().map(|(_, value)| value).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

fn call(name: &str, arguments: &[Filter], input: &Value, steps: &mut usize) -> Option<Vec<Value>> {
    let over = |generator: Option<&Filter>, steps: &mut usize| match generator {
        Some(generator) => run(generator, input, steps),
        None => each(input.clone()),
    };
    let outputs = match (name, arguments) {
        ("not", []) => vec![Value::Bool(!is_true(input))],
        ("length", []) => vec![Value::from(each(input.clone())?.len())],
        ("empty", []) => Vec::new(),
        ("all" | "any", [] | [_] | [_, _]) => {
            let (generator, condition) = match arguments {
                [condition] => (None, Some(condition)),
                [generator, condition] => (Some(generator), Some(condition)),
                _ => (None, None),
            };
            let mut answers = Vec::new();
            for value in over(generator, steps)? {
                answers.push(match condition {
                    Some(condition) => is_true(&one(condition, &value, steps)?),
                    None => is_true(&value),
                });
            }
            let all = name == "all";
            let answer =
                if all { answers.iter().all(|yes| *yes) } else { answers.iter().any(|yes| *yes) };
            vec![Value::Bool(answer)]
        }
        ("map", [filter]) => {
            let mut items = Vec::new();
            for value in each(input.clone())? {
                items.extend(run(filter, &value, steps)?);
            }
            vec![Value::Array(items)]
        }
        ("map_values", [filter]) => {
            let Value::Object(map) = input else { return None };
            let mut mapped = serde_json::Map::new();
            for (key, value) in map {
                mapped.insert(key.clone(), one(filter, value, steps)?);
            }
            vec![Value::Object(mapped)]
        }
        ("select", [filter]) => {
            if is_true(&one(filter, input, steps)?) {
                vec![input.clone()]
            } else {
                Vec::new()
            }
        }
        ("to_entries", []) => {
            let Value::Object(map) = input else { return None };
            let entry =
                |(key, value): (&String, &Value)| serde_json::json!({ "key": key, "value": value });
            vec![Value::Array(map.iter().map(entry).collect())]
        }
        (_, _) => return None,
    };
    Some(outputs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_that_ask_all_for_success_are_judged() {
        let good = serde_json::json!({"a": {"result": "success"}, "b": {"result": "success"}});
        let bad = serde_json::json!({"a": {"result": "success"}, "b": {"result": "skipped"}});
        let table: &[(&str, Option<bool>, Option<bool>)] = &[
            ("all(.[]; .result == \"success\")", Some(true), Some(false)),
            ("all(.result == \"success\")", Some(true), Some(false)),
            ("[.[].result] | all(. == \"success\")", Some(true), Some(false)),
            ("[.[] | .result == \"success\"] | all", Some(true), Some(false)),
            ("to_entries | all(.value.result == \"success\")", Some(true), Some(false)),
            ("to_entries | map(.value.result) | all(. == \"success\")", Some(true), Some(false)),
            ("map(.result) | any(. != \"success\") | not", Some(true), Some(false)),
            ("map(select(.result != \"success\")) | length == 0", Some(true), Some(false)),
            ("all(.[]; .result == \"success\" or .result == \"skipped\")", Some(true), Some(true)),
            ("all(.[]; .result != \"failure\")", Some(true), Some(true)),
            ("any(.[]; .result == \"success\")", Some(true), Some(true)),
            (".[] | .result", Some(true), Some(true)),
            ("all(.[]; .result == $want)", None, None),
            ("all(.[]; .result", None, None),
            ("", None, None),
        ];
        for (program, of_good, of_bad) in table {
            assert_eq!(succeeds(program, &good), *of_good, "{program}");
            assert_eq!(succeeds(program, &bad), *of_bad, "{program}");
        }
    }
}
