//! The fixtures of `set_equality`: each code bites, and good sets pass. They hold no logic.

use super::{
    ITEM_DUPLICATE, ITEM_INVALID, MEMBER_NEWLY_FAILING, MEMBER_STATUS_REFUSED, SET_MISMATCH,
};
use portcullis::{Tooth, wire::code::NOTHING_EXAMINED};

const MUST_PASS: &str = "a = { path = 'must_pass.txt' }
b = { path = 'summary.json', items = '/tests', id = '/name' }
relation = 'subset'
status = { field = '/status', one_of = ['pass'] }
baseline = { path = 'before.json' }";
const EQUAL: &str = "a = ['x', 'y']\nb = { path = 'ids.toml', items = '/ids' }\nrelation = 'equal'";

const LIST: &str = "# the inclusion list\nx\ny\n";
const PASSED: &str = "{\"tests\":[{\"name\":\"x\",\"status\":\"pass\"},{\"name\":\"y\",\"status\":\"pass\"},{\"name\":\"z\",\"status\":\"fail\"}]}";
const BEFORE: &str =
    "{\"tests\":[{\"name\":\"x\",\"status\":\"pass\"},{\"name\":\"y\",\"status\":\"fail\"}]}";

pub(super) static TEETH: &[Tooth] = &[
    Tooth::known_good(
        "every_member_passed",
        MUST_PASS,
        &[("must_pass.txt", LIST), ("summary.json", PASSED), ("before.json", BEFORE)],
    ),
    Tooth::known_good("two_equal_lists", EQUAL, &[("ids.toml", "ids = ['y', 'x']\n")]),
    Tooth::known_bad(
        "fg54_a_member_renamed_out_of_the_summary",
        SET_MISMATCH,
        MUST_PASS,
        &[
            ("must_pass.txt", LIST),
            (
                "summary.json",
                "{\"tests\":[{\"name\":\"x\",\"status\":\"pass\"},{\"name\":\"y2\",\"status\":\"pass\"}]}",
            ),
            ("before.json", BEFORE),
        ],
    ),
    Tooth::known_bad(
        "a_member_that_was_skipped",
        MEMBER_STATUS_REFUSED,
        MUST_PASS,
        &[
            ("must_pass.txt", LIST),
            (
                "summary.json",
                "{\"tests\":[{\"name\":\"x\",\"status\":\"pass\"},{\"name\":\"y\",\"status\":\"skip\"}]}",
            ),
            ("before.json", BEFORE),
        ],
    ),
    Tooth::known_bad(
        "a_member_that_passed_before",
        MEMBER_NEWLY_FAILING,
        MUST_PASS,
        &[
            ("must_pass.txt", LIST),
            (
                "summary.json",
                "{\"tests\":[{\"name\":\"x\",\"status\":\"fail\"},{\"name\":\"y\",\"status\":\"pass\"}]}",
            ),
            ("before.json", BEFORE),
        ],
    ),
    Tooth::known_bad(
        "a_member_without_name",
        ITEM_INVALID,
        MUST_PASS,
        &[
            ("must_pass.txt", LIST),
            ("summary.json", "{\"tests\":[{\"status\":\"pass\"}]}"),
            ("before.json", BEFORE),
        ],
    ),
    Tooth::known_bad(
        "a_member_that_failed_and_passed",
        ITEM_DUPLICATE,
        MUST_PASS,
        &[
            ("must_pass.txt", LIST),
            (
                "summary.json",
                "{\"tests\":[{\"name\":\"x\",\"status\":\"fail\"},{\"name\":\"x\",\"status\":\"pass\"}]}",
            ),
            ("before.json", BEFORE),
        ],
    ),
    Tooth::known_bad(
        "fg13_an_inclusion_list_of_comments",
        NOTHING_EXAMINED,
        MUST_PASS,
        &[("must_pass.txt", "# x\n\n# y\n"), ("summary.json", PASSED), ("before.json", BEFORE)],
    ),
    Tooth::known_bad(
        "fg37_the_summary_does_not_exist",
        crate::artifact_contract::ARTIFACT_MISSING,
        MUST_PASS,
        &[("must_pass.txt", LIST), ("before.json", BEFORE)],
    ),
];
