//! Reads a parsed expression before it is ever evaluated: which fields it needs, which lists it walks,
//! which names it uses. CEL's `||` and `&&` absorb errors, so whatever is not proved here could be
//! true by accident; an expression that cannot be proved is refused.

use crate::{
    artifact_contract::{EXPR_NOT_BOOL, rule::Unusable},
    json_path::{Part, Pointer},
};
use cel::common::ast::{
    CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedExpr, LiteralValue, SelectExpr,
    operators as op,
};
use portcullis::{
    kernel::near::near,
    wire::code::{EXPR_INVALID, EXPR_UNKNOWN_NAME},
};
use std::collections::BTreeSet;

/// How deep the parsed expression may be, and how deep macros may nest (threat T24).
const DEPTH_MAX: u32 = 128;
const MACRO_DEPTH_MAX: usize = 2;

const OPERATORS: &[&str] = &[
    op::CONDITIONAL,
    op::LOGICAL_AND,
    op::LOGICAL_OR,
    op::LOGICAL_NOT,
    op::SUBSTRACT,
    op::ADD,
    op::MULTIPLY,
    op::DIVIDE,
    op::MODULO,
    op::EQUALS,
    op::NOT_EQUALS,
    op::GREATER_EQUALS,
    op::LESS_EQUALS,
    op::GREATER,
    op::LESS,
    op::NEGATE,
    op::NOT_STRICTLY_FALSE,
    op::IN,
];
const FUNCTIONS: &[&str] = &[
    "size",
    "contains",
    "startsWith",
    "endsWith",
    "matches",
    "int",
    "uint",
    "double",
    "string",
    "bytes",
    "type",
    "dyn",
];
const MACROS: &[&str] = &["has", "all", "exists", "exists_one", "map", "filter"];
const TYPES: &[&str] =
    &["bool", "bytes", "double", "int", "list", "map", "null_type", "string", "type", "uint"];
/// What can only yield something else than a boolean.
const NOT_BOOL: &[&str] = &[
    op::SUBSTRACT,
    op::ADD,
    op::MULTIPLY,
    op::DIVIDE,
    op::MODULO,
    op::NEGATE,
    "size",
    "int",
    "uint",
    "double",
    "string",
    "bytes",
    "type",
];

/// What an expression needs to be there.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    /// Every field it names, as a path over the variables.
    pub(super) reads: BTreeSet<Pointer>,
    /// Every list it walks.
    pub(super) ranges: Vec<Range>,
}

/// A list that a macro walks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) list: Walked,
    /// The macro around it: its index in `ranges`, and whether this list belongs to an element of that one.
    pub(super) inside: Option<(usize, bool)>,
}

/// What a macro walks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Walked {
    /// A list of the document.
    List(Pointer),
    /// So many elements that the expression writes out.
    Written(usize),
    /// As many elements as another macro walked at most.
    Made(usize),
}

/// Where a value comes from, as far as the text says.
#[derive(Clone, Debug)]
enum Origin {
    /// A place in the document.
    Node(Vec<Part>),
    /// A list that a macro made.
    Made { element: Box<Origin>, may_be_empty: bool, range: usize },
    /// A list written out, which is not empty.
    Written(usize),
    /// Anything else that was computed.
    Computed,
}

/// Reads the expression.
///
/// # Errors
/// Unknown names, fields that cannot be foreseen, ranges that may be empty, results that are no boolean.
pub(super) fn plan(
    expr: &IdedExpr,
    name: &'static str,
    allow_empty: bool,
) -> Result<Plan, Unusable> {
    if !may_be_bool(&expr.expr) {
        return Err(Unusable {
            code: EXPR_NOT_BOOL,
            headline: "the expression cannot yield a boolean".to_owned(),
            remedy: "compare its value with something".to_owned(),
        });
    }
    let mut reader = Reader {
        name,
        allow_empty,
        named: false,
        scope: Vec::new(),
        inside: Vec::new(),
        plan: Plan::default(),
    };
    reader.read(expr, 0)?;
    if !reader.named {
        return invalid(
            format!("the expression does not look at `{name}`"),
            "name a field of the document",
        );
    }
    Ok(reader.plan)
}

fn invalid<T>(headline: impl Into<String>, remedy: impl Into<String>) -> Result<T, Unusable> {
    Err(Unusable { code: EXPR_INVALID, headline: headline.into(), remedy: remedy.into() })
}

fn may_be_bool(expr: &Expr) -> bool {
    match expr {
        Expr::Literal(LiteralValue::Boolean(_)) | Expr::Ident(_) | Expr::Select(_) => true,
        Expr::Literal(_) | Expr::List(_) | Expr::Map(_) | Expr::Struct(_) | Expr::Unspecified => {
            false
        }
        Expr::Call(call) => !NOT_BOOL.contains(&call.func_name.as_str()),
        // `map` and `filter` collect into a list; the others fold into a boolean.
        Expr::Comprehension(comprehension) => {
            !matches!(comprehension.accu_init.expr, Expr::List(_))
        }
    }
}

struct Reader {
    name: &'static str,
    allow_empty: bool,
    named: bool,
    scope: Vec<(String, Origin)>,
    /// The ranges of the macros around the current place, and the paths of their elements.
    inside: Vec<(usize, Vec<Part>)>,
    plan: Plan,
}

impl Reader {
    fn read(&mut self, expr: &IdedExpr, depth: u32) -> Result<Origin, Unusable> {
        if depth > DEPTH_MAX {
            return invalid("the expression is nested too deep", "write several expressions");
        }
        match &expr.expr {
            Expr::Literal(_) => Ok(Origin::Computed),
            Expr::Ident(name) => self.identifier(name),
            Expr::Select(select) => self.select(select, depth),
            Expr::Call(call) => self.call(call, depth),
            Expr::Comprehension(comprehension) => self.comprehension(comprehension, depth),
            Expr::List(list) => {
                for element in &list.elements {
                    self.read(element, depth + 1)?;
                }
                Ok(match list.elements.len() {
                    0 => Origin::Computed,
                    n => Origin::Written(n),
                })
            }
            Expr::Map(map) => {
                for entry in &map.entries {
                    let EntryExpr::MapEntry(entry) = &entry.expr else {
                        return invalid("the expression builds a message", "write a map instead");
                    };
                    self.read(&entry.key, depth + 1)?;
                    self.read(&entry.value, depth + 1)?;
                }
                Ok(Origin::Computed)
            }
            Expr::Struct(message) => {
                let headline = format!("the expression builds a message `{}`", message.type_name);
                Err(Unusable {
                    code: EXPR_UNKNOWN_NAME,
                    headline,
                    remedy: "write a map instead".to_owned(),
                })
            }
            Expr::Unspecified => invalid("the expression has an empty part", "complete it"),
        }
    }

    fn identifier(&mut self, name: &str) -> Result<Origin, Unusable> {
        if let Some((_, origin)) = self.scope.iter().rev().find(|(known, _)| known == name) {
            return Ok(origin.clone());
        }
        if name == self.name {
            self.named = true;
            return Ok(Origin::Node(vec![Part::Name(name.to_owned())]));
        }
        if TYPES.contains(&name) {
            return Ok(Origin::Computed);
        }
        let scope =
            self.scope.iter().map(|(name, _)| name.as_str()).filter(|name| !name.starts_with('@'));
        Err(unknown("variable", name, std::iter::once(self.name).chain(scope)))
    }

    fn select(&mut self, select: &SelectExpr, depth: u32) -> Result<Origin, Unusable> {
        let Origin::Node(path) = self.read(&select.operand, depth + 1)? else {
            let headline = format!(
                "nobody can foresee whether the computed value has a field `{}`",
                select.field
            );
            return invalid(headline, "select the field from a path of the document");
        };
        if select.test {
            // Only the last field may be absent under `has`; an error before it could be absorbed.
            self.needs(&path);
            return Ok(Origin::Computed);
        }
        Ok(self.child(path, &select.field))
    }

    fn child(&mut self, mut path: Vec<Part>, name: &str) -> Origin {
        path.push(Part::Name(name.to_owned()));
        self.needs(&path);
        Origin::Node(path)
    }

    fn needs(&mut self, path: &[Part]) {
        // The variable itself always exists.
        if path.len() > 1 {
            self.plan.reads.insert(Pointer::of(path.to_vec()));
        }
    }

    fn call(&mut self, call: &CallExpr, depth: u32) -> Result<Origin, Unusable> {
        let name = call.func_name.as_str();
        if name == op::INDEX {
            return self.index(call, depth);
        }
        if !OPERATORS.contains(&name) && !FUNCTIONS.contains(&name) {
            return Err(unknown("function", name, FUNCTIONS.iter().chain(MACROS).copied()));
        }
        for part in call.target.iter().map(|target| &**target).chain(&call.args) {
            self.read(part, depth + 1)?;
        }
        Ok(Origin::Computed)
    }

    fn index(&mut self, call: &CallExpr, depth: u32) -> Result<Origin, Unusable> {
        let [list, index] = call.args.as_slice() else {
            return invalid("an index is incomplete", "complete it");
        };
        let name = match &index.expr {
            Expr::Literal(LiteralValue::String(name)) => name.inner().to_owned(),
            Expr::Literal(LiteralValue::Int(n)) => n.inner().to_string(),
            Expr::Literal(_)
            | Expr::Unspecified
            | Expr::Call(_)
            | Expr::Comprehension(_)
            | Expr::Ident(_)
            | Expr::List(_)
            | Expr::Map(_)
            | Expr::Select(_)
            | Expr::Struct(_) => {
                let remedy = "write the index or key out, or walk the list with `all` or `exists`";
                return invalid("nobody can foresee a computed index", remedy);
            }
        };
        let Origin::Node(path) = self.read(list, depth + 1)? else {
            let headline =
                "nobody can foresee whether a computed list has an element of that number";
            return invalid(headline, "index a path of the document");
        };
        Ok(self.child(path, &name))
    }

    fn comprehension(
        &mut self,
        macro_: &ComprehensionExpr,
        depth: u32,
    ) -> Result<Origin, Unusable> {
        let range = self.read(&macro_.iter_range, depth + 1)?;
        if macro_.iter_var2.is_some() || macro_.iter_var == self.name {
            return invalid("a macro hides a variable", "give its variable another name");
        }
        if self.scope.iter().any(|(known, _)| *known == macro_.iter_var) {
            let headline = format!("two nested macros use the variable `{}`", macro_.iter_var);
            return invalid(headline, "give them different names");
        }
        let entered = self.enter(&range)?;
        if self.inside.len() > MACRO_DEPTH_MAX {
            return invalid(
                "macros nest deeper than 2",
                "write several expressions, or prepare the artifact",
            );
        }
        let (element, may_be_empty) = match range {
            Origin::Made { element, may_be_empty, .. } => (*element, may_be_empty),
            Origin::Node(mut path) => {
                path.push(Part::Each);
                (Origin::Node(path), false)
            }
            Origin::Written(_) | Origin::Computed => (Origin::Computed, false),
        };
        self.scope.push((macro_.accu_var.clone(), Origin::Computed));
        self.scope.push((macro_.iter_var.clone(), element));
        let made = self.body(macro_, may_be_empty, self.plan.ranges.len() - 1, depth);
        self.scope.truncate(self.scope.len() - 2);
        self.inside.truncate(entered);
        made
    }

    /// Notes the list that a macro walks; returns how deep it was before.
    fn enter(&mut self, range: &Origin) -> Result<usize, Unusable> {
        let before = self.inside.len();
        let mut element = Vec::new();
        let (list, dependent) = match range {
            Origin::Node(path) => {
                element.clone_from(path);
                element.push(Part::Each);
                let outer = self.inside.last();
                let dependent =
                    outer.is_some_and(|(_, outer)| !outer.is_empty() && path.starts_with(outer));
                (Walked::List(Pointer::of(path.clone())), dependent)
            }
            Origin::Made { may_be_empty: true, .. } if !self.allow_empty => {
                let remedy = "write one macro, or `{ expr = \"...\", allow_empty = true }` if nothing may remain";
                return invalid("a macro walks what a filter left, which may be nothing", remedy);
            }
            Origin::Made { range, .. } => (Walked::Made(*range), false),
            Origin::Written(n) => (Walked::Written(*n), false),
            Origin::Computed => {
                return invalid("a macro walks a computed list", "walk a list of the document");
            }
        };
        let inside = self.inside.last().map(|(outer, _)| (*outer, dependent));
        self.inside.push((self.plan.ranges.len(), element));
        self.plan.ranges.push(Range { list, inside });
        Ok(before)
    }

    fn body(
        &mut self,
        macro_: &ComprehensionExpr,
        may_be_empty: bool,
        range: usize,
        depth: u32,
    ) -> Result<Origin, Unusable> {
        for part in [&macro_.accu_init, &macro_.loop_cond, &macro_.loop_step, &macro_.result] {
            self.read(part, depth + 1)?;
        }
        if !matches!(macro_.accu_init.expr, Expr::List(_)) {
            return Ok(Origin::Computed);
        }
        // `map` and `filter` append to a list, `filter` under a condition.
        let condition = called(&macro_.loop_step.expr, op::CONDITIONAL);
        let step = condition.map_or(Some(&macro_.loop_step), |call| call.args.get(1));
        let added = step.and_then(|step| called(&step.expr, op::ADD));
        let appended = added.and_then(|call| match call.args.get(1).map(|list| &list.expr) {
            Some(Expr::List(list)) => list.elements.first(),
            Some(_) | None => None,
        });
        let element = match appended {
            Some(appended) => self.read(appended, depth + 1)?,
            None => Origin::Computed,
        };
        Ok(Origin::Made {
            element: Box::new(element),
            may_be_empty: may_be_empty || condition.is_some(),
            range,
        })
    }
}

fn called<'e>(expr: &'e Expr, name: &str) -> Option<&'e CallExpr> {
    if let Expr::Call(call) = expr
        && call.func_name == name
    {
        return Some(call);
    }
    None
}

fn unknown<'a>(what: &str, name: &str, known: impl Iterator<Item = &'a str>) -> Unusable {
    let known: Vec<&str> = known.collect();
    let nearest = near(name, known.iter().copied());
    let remedy = match nearest.first() {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => format!("use one of: {}", known.join(", ")),
    };
    let headline = format!("the expression names an unknown {what} `{name}`");
    Unusable { code: EXPR_UNKNOWN_NAME, headline, remedy }
}
