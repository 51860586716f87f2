//! Fixtures: an honest aggregate in each form, and for each code one that is not.

use super::{
    ADMISSION_UNUSED, AGGREGATE_ACCEPTS_CANCELLED, AGGREGATE_ACCEPTS_FAILURE,
    AGGREGATE_ACCEPTS_SKIPPED, AGGREGATE_ALWAYS_FAILS, AGGREGATE_FORM_UNKNOWN, AGGREGATE_MISSING,
    AGGREGATE_NEEDS_MISSING, AGGREGATE_NOT_ALWAYS, SELECTOR_MATCHES_NOTHING,
};
use portcullis::Tooth;

/// A workflow of two lanes and an aggregate, whose condition, needs and steps are given.
macro_rules! ci {
    ($aggregate:literal) => {
        concat!(
            "on: {pull_request: , merge_group: , push: {branches: [main]}}\n",
            "permissions: {}\n",
            "jobs:\n",
            "  lint: {runs-on: a-1, steps: [{run: cargo clippy}]}\n",
            "  test: {runs-on: a-1, steps: [{run: cargo test}]}\n",
            "  aggregate:\n    runs-on: a-1\n",
            $aggregate
        )
    };
}

macro_rules! tooth {
    ($name:literal, $aggregate:literal) => {
        Tooth::known_good($name, CONFIG, &[(PATH, ci!($aggregate))])
    };
    ($name:literal, $code:expr, $aggregate:literal) => {
        Tooth::known_bad($name, $code, CONFIG, &[(PATH, ci!($aggregate))])
    };
}

const CONFIG: &str = "file = 'ci.yml'";
const PATH: &str = ".github/workflows/ci.yml";

pub(super) static TEETH: &[Tooth] = &[
    tooth!(
        "a_condition_and_a_script_that_fails",
        "    if: ${{ always() }}\n    needs: [lint, test]\n    steps:\n      - run: echo \"summary\"\n      - if: ${{ contains(needs.*.result, 'failure') || contains(needs.*.result, 'cancelled') || contains(needs.*.result, 'skipped') }}\n        run: |\n          echo \"::error::a lane did not succeed\"\n          exit 1\n"
    ),
    tooth!(
        "a_question_to_jq",
        "    if: always()\n    needs: [test, lint]\n    steps:\n      - env:\n          NEEDS: ${{ toJSON(needs) }}\n        run: echo \"$NEEDS\" | jq -e 'all(.[]; .result == \"success\")'\n        shell: bash\n"
    ),
    tooth!(
        "a_comparison_in_the_script",
        "    if: always()\n    needs: [test, lint]\n    steps:\n      - run: |\n          [ '${{ needs.test.result }}' = success ]\n          [ '${{ needs.lint.result }}' = success ]\n"
    ),
    Tooth::known_good(
        "a_lane_that_may_be_skipped_and_one_that_nobody_waits_for",
        "file = 'ci.yml'\nexempt = [{ job = 'lint', reason = 'it only advises, by decision of the team' }]\naccept_skipped = [{ job = 'test', reason = 'documentation changes run no tests' }]",
        &[(
            PATH,
            ci!(
                "    if: always()\n    needs: test\n    steps:\n      - if: contains(needs.*.result, 'failure') || contains(needs.*.result, 'cancelled')\n        run: exit 1\n"
            ),
        )],
    ),
    Tooth::known_bad(
        "a_job_of_another_name",
        AGGREGATE_MISSING,
        "file = 'ci.yml'\njob = 'all'",
        &[(PATH, ci!("    if: always()\n    needs: [lint, test]\n    steps: [{run: exit 1}]\n"))],
    ),
    Tooth::known_bad(
        "an_event_less",
        AGGREGATE_MISSING,
        "file = 'ci.yml'\nevents = ['workflow_dispatch']",
        &[(PATH, ci!("    if: always()\n    needs: [lint, test]\n    steps: [{run: exit 1}]\n"))],
    ),
    tooth!(
        "a_job_without_condition",
        AGGREGATE_NOT_ALWAYS,
        "    needs: [lint, test]\n    steps:\n      - if: contains(needs.*.result, 'failure') || contains(needs.*.result, 'cancelled') || contains(needs.*.result, 'skipped')\n        run: exit 1\n"
    ),
    tooth!(
        "a_job_that_a_cancellation_skips",
        AGGREGATE_NOT_ALWAYS,
        "    if: ${{ !cancelled() }}\n    needs: [lint, test]\n    steps:\n      - if: contains(needs.*.result, 'failure') || contains(needs.*.result, 'cancelled') || contains(needs.*.result, 'skipped')\n        run: exit 1\n"
    ),
    tooth!(
        "a_lane_that_nobody_added",
        AGGREGATE_NEEDS_MISSING,
        "    if: always()\n    needs: [lint]\n    steps:\n      - if: needs.lint.result != 'success'\n        run: exit 1\n"
    ),
    tooth!(
        "failures_are_forgotten",
        AGGREGATE_ACCEPTS_FAILURE,
        "    if: always()\n    needs: [lint, test]\n    steps:\n      - if: contains(needs.*.result, 'cancelled') || contains(needs.*.result, 'skipped')\n        run: exit 1\n"
    ),
    tooth!(
        "cancellations_are_forgotten",
        AGGREGATE_ACCEPTS_CANCELLED,
        "    if: always()\n    needs: [lint, test]\n    steps:\n      - if: contains(needs.*.result, 'failure') || contains(needs.*.result, 'skipped')\n        run: exit 1\n"
    ),
    tooth!(
        "skips_are_forgotten",
        AGGREGATE_ACCEPTS_SKIPPED,
        "    if: always()\n    needs: [lint, test]\n    steps:\n      - env: {NEEDS: \"${{ toJSON(needs) }}\"}\n        run: jq -e 'all(.[]; .result == \"success\" or .result == \"skipped\")' <<< \"$NEEDS\"\n        shell: bash\n"
    ),
    tooth!(
        "always_red",
        AGGREGATE_ALWAYS_FAILS,
        "    if: always()\n    needs: [lint, test]\n    steps: [{run: exit 1}]\n"
    ),
    tooth!(
        "a_foreign_action_decides",
        AGGREGATE_FORM_UNKNOWN,
        "    if: always()\n    needs: [lint, test]\n    steps:\n      - uses: o/alls-green@v1\n        with: {jobs: \"${{ toJSON(needs) }}\"}\n"
    ),
    Tooth::known_bad(
        "an_exception_for_a_job_it_needs",
        ADMISSION_UNUSED,
        "file = 'ci.yml'\nexempt = [{ job = 'lint', reason = 'it only advises, by decision of the team' }]",
        &[(
            PATH,
            ci!(
                "    if: always()\n    needs: [lint, test]\n    steps:\n      - if: contains(needs.*.result, 'failure') || contains(needs.*.result, 'cancelled') || contains(needs.*.result, 'skipped')\n        run: exit 1\n"
            ),
        )],
    ),
    Tooth::known_bad(
        "no_such_file",
        SELECTOR_MATCHES_NOTHING,
        "file = 'other.yml'",
        &[(PATH, ci!("    if: always()\n    needs: [lint, test]\n    steps: [{run: exit 1}]\n"))],
    ),
];
