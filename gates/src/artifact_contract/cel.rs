//! CEL expressions of a contract. Without the feature `cel` a configured expression is refused, never ignored.
//! What one may cost and name is fixed when the policy is read; `plan` reads the expression, `run` evaluates it.

#[cfg(feature = "cel")]
mod plan;
#[cfg(feature = "cel")]
mod run;

#[cfg(feature = "cel")]
pub(crate) use run::Expression;

use super::rule::Unusable;
use serde::{Deserialize, Deserializer, de};
use std::fmt;

/// An expression as configured: a text, or a table that also says why it may look at an empty list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CelTable {
    pub(crate) expr: String,
    pub(crate) allow_empty: bool,
}

impl<'de> Deserialize<'de> for CelTable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Table {
            expr: String,
            allow_empty: bool,
        }
        struct TextOrTable;
        impl<'de> de::Visitor<'de> for TextOrTable {
            type Value = CelTable;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an expression, or a table with `expr` and `allow_empty`")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<CelTable, E> {
                Ok(CelTable { expr: text.to_owned(), allow_empty: false })
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<CelTable, A::Error> {
                let table = Table::deserialize(de::value::MapAccessDeserializer::new(map))?;
                Ok(CelTable { expr: table.expr, allow_empty: table.allow_empty })
            }
        }
        deserializer.deserialize_any(TextOrTable)
    }
}

/// Makes an expression ready to look. `name` is the one variable it may use: `doc` or `docs`.
#[cfg(feature = "cel")]
pub(crate) fn compile(table: &CelTable, name: &'static str) -> Result<Expression, Unusable> {
    Expression::compile(table, name)
}

/// No expression can be compiled without the feature.
#[cfg(not(feature = "cel"))]
pub(crate) fn compile(table: &CelTable, _name: &'static str) -> Result<Expression, Unusable> {
    Err(Unusable {
        code: portcullis::wire::code::CONFIG_INVALID,
        headline: format!("`cel` is configured, but this build has no CEL: {}", table.expr),
        remedy:
            "build portcullis-gates with its feature `cel`, or write the condition under `rules`"
                .to_owned(),
    })
}

/// An expression that can never be made: without the feature there is none.
#[cfg(not(feature = "cel"))]
pub(crate) enum Expression {}

#[cfg(not(feature = "cel"))]
impl Expression {
    pub(crate) fn evaluate(
        &self,
        _document: &serde_json::Value,
    ) -> Result<bool, portcullis::Fault> {
        match *self {}
    }

    pub(crate) fn text(&self) -> &str {
        match *self {}
    }
}

#[cfg(all(test, feature = "cel"))]
mod tests;
