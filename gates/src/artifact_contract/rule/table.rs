//! Rules as they stand in `portcullis.toml`, and what in them could never hold. It reads no document.

use super::{JsonType, Rule, Test, Within};
use crate::{
    document,
    json_path::{POINTER_SHAPE, Pointer},
    json_value::Number,
    pattern::Pattern,
};
use portcullis::{Code, Day, kernel::duration, wire::code::CONFIG_INVALID};
use serde::{Deserialize, Deserializer, de};
use serde_json::Value;
use std::{cmp::Ordering, fmt};

/// How deep `implies` may stand in `implies`.
const IMPLIES_DEPTH_MAX: u32 = 4;

/// One table of `rules`: a path and at least one test. No test has a default.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RuleTable {
    path: Option<String>,
    exists: Option<bool>,
    #[serde(rename = "type")]
    kind: Option<JsonType>,
    equals: Option<toml::Value>,
    one_of: Option<Vec<toml::Value>>,
    matches: Option<String>,
    non_empty: Option<bool>,
    empty: Option<bool>,
    positive_int: Option<bool>,
    min: Option<toml::Value>,
    max: Option<toml::Value>,
    sorted: Option<bool>,
    unique: Option<bool>,
    contains_all: Option<Vec<toml::Value>>,
    exact_sequence: Option<Vec<toml::Value>>,
    sum_equals: Option<Vec<String>>,
    implies: Option<ImpliesTable>,
    date_within: Option<WithinTable>,
    #[serde(default)]
    allow_empty: bool,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ImpliesTable {
    when: Terms,
    then: Terms,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WithinTable {
    past: Option<String>,
    future: Option<String>,
    from: Option<toml::Value>,
    to: Option<toml::Value>,
}

/// One table, or several that must all hold.
#[derive(Clone, Debug)]
struct Terms(Vec<RuleTable>);

impl<'de> Deserialize<'de> for Terms {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMore;
        impl<'de> de::Visitor<'de> for OneOrMore {
            type Value = Terms;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a rule, or a list of rules")
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Terms, A::Error> {
                let access = de::value::MapAccessDeserializer::new(map);
                RuleTable::deserialize(access).map(|table| Terms(vec![table]))
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, seq: A) -> Result<Terms, A::Error> {
                let access = de::value::SeqAccessDeserializer::new(seq);
                Vec::<RuleTable>::deserialize(access).map(Terms)
            }
        }
        deserializer.deserialize_any(OneOrMore)
    }
}

/// Why a rule cannot be used: the code, the headline, the way out.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unusable {
    pub(crate) code: Code,
    pub(crate) headline: String,
    pub(crate) remedy: String,
}

fn unusable<T>(headline: impl Into<String>, remedy: impl Into<String>) -> Result<T, Unusable> {
    Err(Unusable { code: CONFIG_INVALID, headline: headline.into(), remedy: remedy.into() })
}

impl RuleTable {
    /// Makes the rule ready to look, or says why it could never be right.
    pub(crate) fn compile(&self) -> Result<Rule, Unusable> {
        self.compile_at(0)
    }

    fn compile_at(&self, depth: u32) -> Result<Rule, Unusable> {
        let path = match &self.path {
            Some(text) => pointer(text)?,
            None if self.implies.is_some() => Pointer::of(Vec::new()),
            None => return unusable("a rule has no `path`", "name the field by a JSON Pointer"),
        };
        let mut tests = Vec::new();
        self.tests_of_values(&mut tests)?;
        self.tests_of_sequences(&path, &mut tests)?;
        if let Some(implies) = &self.implies {
            tests.push(implies.compile(depth)?);
        }
        if tests.is_empty() {
            let remedy = "add a test such as `exists = true` or `equals = \"ready\"`";
            return unusable(format!("the rule on `{path}` tests nothing"), remedy);
        }
        contradictions(&tests)?;
        Ok(Rule { path, tests, allow_empty: self.allow_empty })
    }

    fn tests_of_values(&self, tests: &mut Vec<Test>) -> Result<(), Unusable> {
        tests.extend(self.exists.map(Test::Exists));
        tests.extend(self.kind.map(Test::Type));
        if let Some(value) = &self.equals {
            tests.push(Test::Equals(json(value)?));
        }
        if let Some(values) = &self.one_of {
            tests.push(Test::OneOf(jsons("one_of", values)?));
        }
        if let Some(text) = &self.matches {
            tests.push(Test::Matches(pattern(text)?));
        }
        tests.extend(flag("non_empty", self.non_empty, Test::NonEmpty)?);
        tests.extend(flag("empty", self.empty, Test::Empty)?);
        tests.extend(flag("positive_int", self.positive_int, Test::PositiveInt)?);
        if let Some(min) = &self.min {
            tests.push(Test::Min(limit("min", min)?));
        }
        if let Some(max) = &self.max {
            tests.push(Test::Max(limit("max", max)?));
        }
        if let Some(within) = &self.date_within {
            tests.push(Test::DateWithin(within.compile()?));
        }
        Ok(())
    }

    fn tests_of_sequences(&self, path: &Pointer, tests: &mut Vec<Test>) -> Result<(), Unusable> {
        tests.extend(flag("sorted", self.sorted, Test::Sorted)?);
        tests.extend(flag("unique", self.unique, Test::Unique)?);
        if let Some(values) = &self.contains_all {
            tests.push(Test::ContainsAll(jsons("contains_all", values)?));
        }
        if let Some(values) = &self.exact_sequence {
            tests.push(Test::ExactSequence(jsons("exact_sequence", values)?));
        }
        if let Some(paths) = &self.sum_equals {
            if path.has_each() {
                let remedy =
                    "put the rule into `implies` on each element, with paths relative to it";
                return unusable("`sum_equals` needs one total, and `*` names many", remedy);
            }
            if paths.is_empty() {
                return unusable("`sum_equals` names no part", "name the fields that add up");
            }
            tests.push(Test::SumEquals(
                paths.iter().map(|text| pointer(text)).collect::<Result<_, _>>()?,
            ));
        }
        Ok(())
    }
}

impl ImpliesTable {
    fn compile(&self, depth: u32) -> Result<Test, Unusable> {
        if depth >= IMPLIES_DEPTH_MAX {
            return unusable("`implies` is nested too deep", "write several rules instead");
        }
        Ok(Test::Implies {
            when: self.when.compile("when", depth)?,
            then: self.then.compile("then", depth)?,
        })
    }
}

impl Terms {
    fn compile(&self, name: &str, depth: u32) -> Result<Vec<Rule>, Unusable> {
        if self.0.is_empty() {
            return unusable(format!("`implies` has an empty `{name}`"), "write at least one rule");
        }
        self.0.iter().map(|table| table.compile_at(depth + 1)).collect()
    }
}

impl WithinTable {
    fn compile(&self) -> Result<Within, Unusable> {
        let span = |text: &Option<String>| match text {
            None => Ok(None),
            Some(text) => match duration::parse_ms(text) {
                Some(ms) => Ok(Some(i64::try_from(ms).unwrap_or(i64::MAX))),
                None => unusable(
                    format!("`{text}` is not {}", duration::SHAPE),
                    "write for example `30d`",
                ),
            },
        };
        let within = Within {
            past_ms: span(&self.past)?,
            future_ms: span(&self.future)?,
            from: day(self.from.as_ref())?,
            to: day(self.to.as_ref())?,
        };
        if within == Within::default() {
            return unusable("`date_within` sets no bound", "set `past`, `future`, `from` or `to`");
        }
        if let (Some(from), Some(to)) = (within.from, within.to)
            && to < from
        {
            return unusable(
                format!("`date_within` ends on {to}, before {from}"),
                "exchange `from` and `to`",
            );
        }
        Ok(within)
    }
}

fn day(value: Option<&toml::Value>) -> Result<Option<Day>, Unusable> {
    let Some(value) = value else { return Ok(None) };
    let text = match value {
        toml::Value::String(text) => text.clone(),
        toml::Value::Datetime(datetime) => datetime.to_string(),
        toml::Value::Integer(_)
        | toml::Value::Float(_)
        | toml::Value::Boolean(_)
        | toml::Value::Array(_)
        | toml::Value::Table(_) => format!("a {}", value.type_str()),
    };
    match Day::parse(&text) {
        Ok(day) => Ok(Some(day)),
        Err(source) => unusable(source.to_string(), "write a day such as `2026-05-31`"),
    }
}

/// Reads a pointer of the configuration.
pub(crate) fn pointer(text: &str) -> Result<Pointer, Unusable> {
    match Pointer::parse(text) {
        Some(pointer) => Ok(pointer),
        None => unusable(
            format!("`{text}` is not {POINTER_SHAPE}"),
            "write for example `/summary/total`",
        ),
    }
}

fn pattern(text: &str) -> Result<Pattern, Unusable> {
    Pattern::new(text).map_err(|fault| Unusable {
        code: fault.code(),
        headline: fault.headline().to_owned(),
        remedy: fault.remedy().to_owned(),
    })
}

fn json(value: &toml::Value) -> Result<Value, Unusable> {
    match document::json_of_toml(value) {
        Ok(value) => Ok(value),
        Err(what) => unusable(what, "write a value that JSON has, too"),
    }
}

fn jsons(name: &str, values: &[toml::Value]) -> Result<Vec<Value>, Unusable> {
    if values.is_empty() {
        return unusable(
            format!("`{name}` lists no value"),
            "list at least one, or use `empty = true`",
        );
    }
    values.iter().map(json).collect()
}

fn limit(name: &str, value: &toml::Value) -> Result<Number, Unusable> {
    let number = match json(value)? {
        Value::Number(number) => Number::of(&number),
        Value::Null | Value::Bool(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
            None
        }
    };
    match number {
        Some(number) => Ok(number),
        None => unusable(format!("`{name}` is no number"), "write a finite number"),
    }
}

/// A test that is either asked for or not there: `false` would read like its opposite, and is not.
fn flag(name: &str, value: Option<bool>, test: Test) -> Result<Option<Test>, Unusable> {
    match value {
        None => Ok(None),
        Some(true) => Ok(Some(test)),
        Some(false) => {
            unusable(format!("`{name} = false` tests nothing"), "write `true`, or remove the key")
        }
    }
}

/// Refuses pairs of tests that no value can meet.
fn contradictions(tests: &[Test]) -> Result<(), Unusable> {
    let has = |name: &str| tests.iter().any(|test| test.name() == name);
    if has("empty") && has("non_empty") {
        return unusable("a rule asks for `empty` and `non_empty`", "keep one of them");
    }
    if tests.len() > 1 && tests.iter().any(|test| matches!(test, Test::Exists(false))) {
        return unusable("a rule tests a value that must not exist", "keep only `exists = false`");
    }
    let min =
        tests.iter().find_map(|test| if let Test::Min(min) = test { Some(*min) } else { None });
    let max =
        tests.iter().find_map(|test| if let Test::Max(max) = test { Some(*max) } else { None });
    if let (Some(min), Some(max)) = (min, max)
        && max.compare(min) == Ordering::Less
    {
        return unusable(format!("`max = {max}` is below `min = {min}`"), "exchange the two");
    }
    Ok(())
}
