//! The kind over small trees; the scenarios of a whole audit are goldens of `cargo portcullis audit check --self-test`.

use super::*;
use portcullis::{
    Outcome,
    testing::{self, Bench},
};

#[test]
fn every_tooth_bites() {
    assert_eq!(testing::teeth(&COMPLETION_AUDIT), Vec::<String>::new());
}

/// A tooth raises its own code and no other: nothing is red for another reason.
#[test]
fn a_known_bad_is_red_for_one_reason() {
    for tooth in TEETH {
        let seen = Bench::tooth(&COMPLETION_AUDIT, tooth).run();
        let expected: Vec<&str> = tooth.expect.into_iter().map(Code::name).collect();
        let mut found: Vec<&str> = seen.codes.iter().map(String::as_str).collect();
        found.extend(seen.error().map(|error| error.code.as_str()));
        assert_eq!(found, expected, "{}: {:?}", tooth.name, seen.messages);
        assert_eq!(seen.outcome == Outcome::Pass, tooth.expect.is_none(), "{}", tooth.name);
    }
}
