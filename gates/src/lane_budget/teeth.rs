//! The known-good and known-bad histories.

use super::{
    BASE_IS_HEAD, BASE_UNRESOLVABLE, NEAR_BUDGET, NO_MEASUREMENTS, NOT_STATIC, OPAQUE, OVER_BUDGET,
    SELECTOR_MATCHES_NOTHING, SOURCE_STALE, SOURCE_UNREADABLE, TIMEOUT_BELOW_WORST_CASE,
    TIMEOUT_RAISED,
};
use portcullis::{Lane, Tooth};

type File = (&'static str, &'static str);

macro_rules! rules {
    ($budget:literal $(, $more:literal)?) => {
        concat!(
            "history = 'lanes.jsonl'\nfreshness = { max_age = '7d' }\nbudget = [{ file = 'ci.yml', ",
            $budget,
            " }]\n"
            $(, $more)?
        )
    };
}

const RULES: &str = rules!("job = 'unit', budget_minutes = 5");
const OWN_TIMEOUT: &str = rules!("job = 'unit'");
const WORST: &str = rules!("job = 'unit', budget_minutes = 5, worst_case_minutes = 7.001");
const ANOTHER_JOB: &str = rules!("job = 'test', budget_minutes = 5");
const BASE_OF_NOTHING: &str = rules!("job = 'unit', budget_minutes = 5", "base = 'v9'");
const BASE_OF_HEAD: &str = rules!("job = 'unit', budget_minutes = 5", "base = 'HEAD'");

macro_rules! ci {
    ($job:literal) => {
        (".github/workflows/ci.yml", concat!("on: pull_request\njobs:\n  unit:\n", $job))
    };
}

const SEVEN: File =
    ci!("    runs-on: ubuntu-24.04\n    timeout-minutes: 7\n    steps: [{run: cargo test}]\n");
const EIGHT: File =
    ci!("    runs-on: ubuntu-24.04\n    timeout-minutes: 8\n    steps: [{run: cargo test}]\n");
const UNKNOWN: File = ci!(
    "    runs-on: ubuntu-24.04\n    timeout-minutes: ${{ vars.M }}\n    steps: [{run: cargo test}]\n"
);
const REMOTE: File = ci!("    uses: acme/ci/.github/workflows/unit.yml@main\n");

macro_rules! runs {
    ($day:literal: $($id:literal $conclusion:literal $seconds:literal),+) => {
        ("lanes.jsonl", concat!($(
            "{\"file\":\"ci.yml\",\"job\":\"unit\",\"run_id\":", $id,
            ",\"conclusion\":\"", $conclusion,
            "\",\"ended_at\":\"", $day, "T10:00:00Z\",\"seconds\":", $seconds, "}\n"
        ),+))
    };
}

const QUICK: File = runs!("2026-05-30": 1 "success" 239.9, 2 "failure" 200, 3 "success" 200,
    4 "success" 200, 5 "success" 200, 6 "cancelled" 4000);
const NEAR: File = runs!("2026-05-30": 1 "success" 240, 2 "success" 200, 3 "success" 200,
    4 "success" 200, 5 "success" 200);
const SLOW: File = runs!("2026-05-30": 1 "success" 300.001, 2 "success" 200, 3 "success" 200,
    4 "success" 200, 5 "success" 200);
const STOPPED: File = runs!("2026-05-30": 1 "timed_out" 420.5, 2 "success" 200, 3 "success" 200,
    4 "success" 200, 5 "success" 200);
const FOUR: File = runs!("2026-05-30": 1 "success" 400, 2 "success" 400, 3 "success" 400,
    4 "success" 400);
const UNMEASURED: File = runs!("2026-05-30": 1 "success" "null", 2 "success" "null",
    3 "success" "null", 4 "success" "null", 5 "success" "null");
const OLD: File = runs!("2026-05-01": 1 "success" 200, 2 "success" 200, 3 "success" 200,
    4 "success" 200, 5 "success" 200);
const ODD: File = runs!("2026-05-30": 1 "fine" 200);

pub(super) static TEETH: &[Tooth] = &[
    Tooth::known_good("below_four_fifths_and_one_cancelled_run", RULES, &[SEVEN, QUICK]),
    Tooth::known_good("a_timeout_lowered", RULES, &[SEVEN, QUICK]).over(&[EIGHT]).lane(Lane::Local),
    Tooth::known_bad("four_fifths", NEAR_BUDGET, RULES, &[SEVEN, NEAR]),
    Tooth::known_bad("a_moment_over", OVER_BUDGET, RULES, &[SEVEN, SLOW]),
    Tooth::known_bad("over_its_own_timeout", OVER_BUDGET, OWN_TIMEOUT, &[SEVEN, STOPPED]),
    Tooth::known_bad("four_samples", NO_MEASUREMENTS, RULES, &[SEVEN, FOUR]),
    Tooth::known_bad("five_runs_nobody_measured", NO_MEASUREMENTS, RULES, &[SEVEN, UNMEASURED]),
    Tooth::known_bad("a_worst_case_beyond", TIMEOUT_BELOW_WORST_CASE, WORST, &[SEVEN, QUICK]),
    Tooth::known_bad("a_timeout_raised", TIMEOUT_RAISED, RULES, &[EIGHT, QUICK])
        .over(&[SEVEN])
        .lane(Lane::Local),
    Tooth::known_bad("an_old_history", SOURCE_STALE, RULES, &[SEVEN, OLD]),
    Tooth::known_bad("no_history", SOURCE_UNREADABLE, RULES, &[SEVEN]),
    Tooth::known_bad("an_unknown_conclusion", SOURCE_UNREADABLE, RULES, &[SEVEN, ODD]),
    Tooth::known_bad(
        "a_job_that_is_not_there",
        SELECTOR_MATCHES_NOTHING,
        ANOTHER_JOB,
        &[SEVEN, QUICK],
    ),
    Tooth::known_bad("a_timeout_of_the_provider", NOT_STATIC, OWN_TIMEOUT, &[UNKNOWN, QUICK]),
    Tooth::known_bad("a_job_of_another_repository", OPAQUE, RULES, &[REMOTE, QUICK]),
    Tooth::known_bad("a_base_nobody_knows", BASE_UNRESOLVABLE, BASE_OF_NOTHING, &[SEVEN, QUICK])
        .in_git(),
    Tooth::known_bad("a_base_that_is_head", BASE_IS_HEAD, BASE_OF_HEAD, &[SEVEN, QUICK]).in_git(),
];
