//! Two lists of ids stand in a stated relation, and the members of the first have a stated status in the second.
//! What a member is about is said by nobody here.

mod config;
mod teeth;

use crate::{
    items::{ITEM_DUPLICATE, ITEM_INVALID},
    json_value::shown,
};
use config::{Config, Ids, Relation, Status};
use portcullis::{
    Code, Examined, Fault, Finding, Findings, GateContext, GateError, Location,
    wire::code::NOTHING_EXAMINED,
};
use serde_json::Value;
use std::collections::BTreeMap;
use teeth::TEETH;

portcullis::gate_kind! {
    /// Holds one list of ids against another, and the status of its members.
    ///
    /// ### What it checks
    /// Every id of `a` is in `b`, every id of `b` is in `a`, or both, as `relation` says. With `status`, every id of both has
    /// one of the stated values in `b`; any other one, none, `skip` and `n/a` among them, is refused. With `baseline`, a
    /// member that had such a status there is called newly failing. An id that stands twice and a list of nothing are
    /// errors.
    ///
    /// ### Why it gates
    /// A summary says "all passed" of whatever is in it. A member that was renamed or left out is not.
    ///
    /// ### Example
    /// Refused with `a = ["x", "y"]` and a status of `pass`: `{"x": {"status": "pass"}}`, and `y` with the status `skip`.
    /// Accepted: `x` and `y`, both with `pass`.
    ///
    /// ### Configuration
    /// - `a`, `b`: a list of ids, or a table with `path`, and optionally `of_run` (below the directory of this run),
    ///   `format` (`json`, `jsonl`, `toml`, or `text`: one id per line, `#` begins a comment), `schema`, `freshness` as in
    ///   `artifact_contract`, which a `schema` needs; `items`, the JSON Pointer of a list or object, or of the ids
    ///   themselves (`*` stands for each; default the whole document, or every record of a stream); `id`, the pointer
    ///   in an item of its id (default the item itself if it is a text, its key in an object, or its member `id`).
    /// - `relation`: `equal`, `subset` (`a` within `b`) or `superset` (`b` within `a`); required.
    /// - `status`: a table with `field`, the pointer in an item of `b`, and `one_of`, the accepted texts.
    /// - `baseline`: a table with `path` and `format`: an older `b`, committed.
    ///
    /// ### Remediation
    /// - `set_mismatch`: bring the member back under its name, or change the list in a change of its own.
    /// - `member_status_refused`: make the member pass; a skipped one has not.
    /// - `member_newly_failing`: find what broke the member since the baseline.
    /// - `item_invalid`: give every item an id.
    /// - `item_duplicate`: keep one of the two items.
    /// - `artifact_missing`: run the producer, or correct the path.
    pub static SET_EQUALITY: "set_equality", since = "0.1.0", config = Config, validate = config::validate,
        check = check, codes = CODES, teeth = TEETH;
}

const SET_MISMATCH: Code =
    Code::new("PC1143", "set_mismatch", "A member of one list is missing from the other.");
const MEMBER_STATUS_REFUSED: Code =
    Code::new("PC1144", "member_status_refused", "A member has no accepted status.");
const MEMBER_NEWLY_FAILING: Code = Code::new(
    "PC1145",
    "member_newly_failing",
    "A member has no accepted status, and had one in the baseline.",
);

const CODES: &[Code] = &[
    SET_MISMATCH,
    MEMBER_STATUS_REFUSED,
    MEMBER_NEWLY_FAILING,
    // The readers of items are shared; their codes are listed here alone.
    ITEM_INVALID,
    ITEM_DUPLICATE,
];

/// A member of a list.
struct Member {
    place: Location,
    /// The text of its status, or what stands there instead; `None` where no status is asked for or recorded.
    status: Option<Result<String, String>>,
}

type Members = BTreeMap<String, Member>;

/// Reads both lists and the baseline, then compares.
fn check(cx: &GateContext<'_>, config: &Config, out: &mut Findings) -> Result<Examined, GateError> {
    let a = read(cx, &config.a, None, out)?;
    let b = read(cx, &config.b, config.status.as_ref(), out)?;
    let before = match config.before() {
        Some(before) => Some(read(cx, &before, config.status.as_ref(), out)?),
        None => None,
    };
    let names = (config.a.name(), config.b.name());
    if config.relation != Relation::Superset {
        for (id, member) in a.iter().filter(|(id, _)| !b.contains_key(*id)) {
            let passed = config.status.as_ref().is_some_and(|status| {
                before
                    .as_ref()
                    .and_then(|before| before.get(id))
                    .is_some_and(|was| status.accepts(was.status.as_ref()))
            });
            out.push(mismatch(id, member, &names.0, &names.1, passed));
        }
    }
    if config.relation != Relation::Subset {
        for (id, member) in b.iter().filter(|(id, _)| !a.contains_key(*id)) {
            out.push(mismatch(id, member, &names.1, &names.0, false));
        }
    }
    if let Some(status) = &config.status {
        for (id, member) in b.iter().filter(|(id, _)| a.contains_key(*id)) {
            if !status.accepts(member.status.as_ref()) {
                let was = before.as_ref().and_then(|before| before.get(id));
                out.push(refused(id, member, status, was));
            }
        }
    }
    let only_b = b.keys().filter(|id| !a.contains_key(*id)).count();
    Ok(Examined::items(a.len() + only_b))
}

fn read(
    cx: &GateContext<'_>,
    ids: &Ids,
    status: Option<&Status>,
    out: &mut Findings,
) -> Result<Members, GateError> {
    let mut members = Members::new();
    match ids {
        Ids::List(list) => {
            for id in list {
                let place = cx.gate().location.clone();
                members.insert(id.clone(), Member { place, status: None });
            }
        }
        Ids::Items(table) => {
            table.each(cx, out, |item| {
                let status = status.and_then(|status| recorded(status, item.value));
                members.insert(item.id.to_owned(), Member { place: item.place.clone(), status });
                Ok(())
            })?;
        }
    }
    if members.is_empty() {
        let headline = format!("{} has no member", ids.name());
        let remedy = "fill the list, or correct `items`; a set of nothing proves nothing";
        return Err(Fault::new(NOTHING_EXAMINED, headline, remedy));
    }
    Ok(members)
}

fn recorded(status: &Status, item: &Value) -> Option<Result<String, String>> {
    match status.field.one(item)? {
        Value::String(text) => Some(Ok(text.clone())),
        other @ (Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::Array(_)
        | Value::Object(_)) => Some(Err(shown(other))),
    }
}

fn mismatch(id: &str, member: &Member, of: &str, other: &str, passed: bool) -> Finding {
    let was = if passed { ", and passed in the baseline" } else { "" };
    let message = format!("`{id}` is in {of} and not in {other}{was}");
    let remedy = "bring the member back under its name, or change the list in a change of its own";
    Finding::new(SET_MISMATCH, id, message, remedy).at(member.place.clone())
}

fn refused(id: &str, member: &Member, status: &Status, was: Option<&Member>) -> Finding {
    let found = match &member.status {
        None => "no status".to_owned(),
        Some(Ok(text) | Err(text)) => text.clone(),
    };
    let finding = if was.is_some_and(|was| status.accepts(was.status.as_ref())) {
        let message = format!("newly failing: `{id}`, which passed in the baseline");
        Finding::new(MEMBER_NEWLY_FAILING, id, message, "find what broke it since the baseline")
    } else {
        let message = format!("`{id}` has no accepted status");
        let remedy = "make the member pass; a skipped one has not";
        Finding::new(MEMBER_STATUS_REFUSED, id, message, remedy)
    };
    finding.at(member.place.clone()).expected(status.one_of.join(" or ")).found(found)
}

#[cfg(test)]
mod tests;
