//! Expressions as tables: what is refused when the policy is read, and what an evaluation may say.

use super::{CelTable, compile};
use serde_json::{Value, json};

fn expression(text: &str, allow_empty: bool) -> Result<super::Expression, super::Unusable> {
    compile(&CelTable { expr: text.to_owned(), allow_empty }, "doc")
}

/// `true`, `false`, or the code of the refusal or error.
fn evaluate(text: &str, document: &Value) -> String {
    match expression(text, false) {
        Err(refused) => refused.code.name().to_owned(),
        Ok(expression) => match expression.evaluate(document) {
            Ok(verdict) => verdict.to_string(),
            Err(fault) => fault.code().name().to_owned(),
        },
    }
}

#[test]
fn t24_what_cannot_be_proved_is_refused_when_the_policy_is_read() {
    let deep = format!("{}doc.a == 1{}", "(".repeat(33), ")".repeat(33));
    let long = format!("doc.a == '{}'", "x".repeat(4096));
    let chain = format!("doc{} == 1", ".a".repeat(1000));
    let minus = format!("doc.a == {}1", "-".repeat(3000));
    let tower = format!("{}true", "doc.a ? true : ".repeat(200));
    let table: &[(&str, &str, &str)] = &[
        ("does not compile", "doc.a ==", "expr_invalid"),
        ("empty", " ", "expr_invalid"),
        ("fg45: an unknown name or-ed with true", "typo == 1 || true", "expr_unknown_name"),
        ("fg45: an unknown name beside the document", "doc.a == 1 || typo", "expr_unknown_name"),
        ("an unknown function", "lenght(doc.a) == 1", "expr_unknown_name"),
        ("an unknown method", "doc.a.startswith('x')", "expr_unknown_name"),
        ("a message", "Foo{a: doc.a} == doc.b", "expr_unknown_name"),
        ("looks at nothing", "true", "expr_invalid"),
        ("looks at nothing in a longer way", "[1].all(x, x == 1)", "expr_invalid"),
        ("a number", "doc.a + 1", "expr_not_bool"),
        ("a size", "size(doc.a)", "expr_not_bool"),
        ("a list", "doc.a.filter(x, x.ok)", "expr_not_bool"),
        ("a computed index", "doc.a[doc.i] == 1", "expr_invalid"),
        ("a field of something computed", "(doc.a ? doc.b : doc.c).d == 1", "expr_invalid"),
        ("a macro over something computed", "(doc.a + doc.b).all(x, x > 0)", "expr_invalid"),
        ("a macro over an empty list", "[].all(x, doc.a)", "expr_invalid"),
        ("a macro over what a filter left", "doc.a.filter(x, x.k).all(x, x.ok)", "expr_invalid"),
        ("a macro that hides the document", "doc.a.all(doc, doc > 0)", "expr_invalid"),
        ("a triple all", "doc.a.all(x, doc.a.all(y, doc.a.all(z, x + y + z > 0)))", "expr_invalid"),
        ("33 brackets", &deep, "expr_invalid"),
        ("more than 4 KiB", &long, "expr_invalid"),
        ("a thousand fields deep", &chain, "expr_invalid"),
        ("a tower of conditions", &tower, "expr_invalid"),
    ];
    for (case, text, expected) in table {
        let seen = expression(text, false).err().map(|refused| refused.code.name());
        assert_eq!(seen, Some(*expected), "{case}");
    }
    // Signs fold without depth; whatever it says, the process is still there to say it.
    let _survived = expression(&minus, false);
}

#[test]
fn an_evaluation_says_what_the_document_says() {
    let document = json!({
        "status": "ready", "n": 3, "ok": true, "f": 1.5, "none": [], "nothing": null,
        "items": [{"id": 1, "tags": ["a"]}, {"id": 2, "tags": ["b", "c"]}],
    });
    let table: &[(&str, &str, &str)] = &[
        ("equal", "doc.status == 'ready'", "true"),
        ("not equal", "doc.status == 'blocked'", "false"),
        ("numbers", "doc.n > 2 && doc.f < 2.0", "true"),
        ("a whole number beside a written one", "doc.n + 1 == 4", "true"),
        (
            "the example of the page",
            "doc.status != 'ready' || (doc.ok && size(doc.none) == 0)",
            "true",
        ),
        ("all", "doc.items.all(i, i.id > 0)", "true"),
        ("not all", "doc.items.all(i, i.id > 1)", "false"),
        ("exists", "doc.items.exists(i, i.id == 2)", "true"),
        ("exists one", "doc.items.exists_one(i, i.id == 2)", "true"),
        ("two deep", "doc.items.all(i, i.tags.all(t, size(t) == 1))", "true"),
        ("a mapped list", "doc.items.map(i, i.id).all(n, n > 0)", "true"),
        ("a written list", "[doc.n, 1].all(x, x > 0)", "true"),
        ("an index", "doc.items[0].id == 1 && doc['n'] == 3", "true"),
        ("has", "!has(doc.typo) && has(doc.n)", "true"),
        ("null", "doc.nothing == null", "true"),
        ("a type", "type(doc.n) == int", "true"),
        ("in", "doc.n in [1, 2, 3]", "true"),
        (
            "fg45: a field that is not there, or-ed with true",
            "doc.typo == 1 || true",
            "expr_failed",
        ),
        (
            "fg45: a field of an element that is not there",
            "doc.items.exists(i, i.typo == 1 || true)",
            "expr_failed",
        ),
        (
            "fg45: under has, everything but the last must exist",
            "has(doc.typo.x) || true",
            "expr_failed",
        ),
        ("an index that is not there", "doc.items[7].id == 1 || true", "expr_failed"),
        ("fg46: all over an empty list", "doc.none.all(x, x > 0)", "nothing_examined"),
        ("fg46: nothing exists in an empty list", "!doc.none.exists(x, x > 0)", "nothing_examined"),
        ("fg46: yields a number", "doc.n", "expr_not_bool"),
        ("fg46: yields null", "doc.nothing", "expr_not_bool"),
        ("a comparison without meaning", "doc.status > 1", "expr_failed"),
        ("a division by zero", "doc.n / 0 == 1", "expr_failed"),
        ("a macro over an object", "doc.items[0].all(k, k == 'id')", "expr_failed"),
    ];
    for (case, text, expected) in table {
        assert_eq!(evaluate(text, &document), *expected, "{case}");
    }
    let allowed = expression("doc.none.all(x, x > 0)", true).expect("a usable expression");
    assert_eq!(allowed.evaluate(&document), Ok(true), "an empty list that the table allows");
}

#[test]
fn t24_long_lists_have_a_budget() {
    let list = |n: u32| json!({"a": (0..n).collect::<Vec<_>>(), "b": (0..n).collect::<Vec<_>>()});
    let table: &[(&str, &str, u32, &str)] = &[
        ("as long as allowed", "doc.a.all(x, x >= 0)", 10_000, "true"),
        ("one too many", "doc.a.all(x, x >= 0)", 10_001, "budget_exceeded"),
        (
            "a thousand by a thousand",
            "doc.a.all(x, doc.b.all(y, x + y >= 0))",
            1_001,
            "budget_exceeded",
        ),
        ("a hundred by a hundred", "doc.a.all(x, doc.b.all(y, x + y >= 0))", 100, "true"),
        (
            "over what another macro made",
            "doc.a.all(x, doc.a.map(y, y).all(z, z >= 0))",
            1_001,
            "budget_exceeded",
        ),
    ];
    for (case, text, n, expected) in table {
        assert_eq!(evaluate(text, &list(*n)), *expected, "{case}");
    }
}

#[test]
fn an_unknown_name_is_answered_with_the_nearest() {
    let refused = expression("dco.a == 1", false).err().expect("it is refused");
    assert!(refused.remedy.contains("`doc`"), "{refused:?}");
}
