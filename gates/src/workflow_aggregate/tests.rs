use super::*;
use portcullis::testing::{self, Seen};

const PATH: &str = ".github/workflows/ci.yml";
const ALL: &str = "contains(needs.*.result, 'failure') || contains(needs.*.result, 'cancelled') || contains(needs.*.result, 'skipped')";

fn judged(config: &str, aggregate: &str) -> Seen {
    let text = format!(
        "on: [pull_request, merge_group]\npermissions: {{}}\njobs:\n  lint: {{runs-on: a-1, steps: [{{run: a}}]}}\n  test: {{runs-on: a-1, steps: [{{run: a}}]}}\n  aggregate:\n    runs-on: a-1\n{aggregate}"
    );
    testing::run(&WORKFLOW_AGGREGATE, &format!("file = 'ci.yml'\n{config}"), &[(PATH, &text)])
}

/// The codes of an aggregate with these steps, each once.
fn codes(steps: &str) -> String {
    let seen =
        judged("", &format!("    if: always()\n    needs: [lint, test]\n    steps:\n{steps}"));
    let mut codes = seen.codes;
    codes.sort();
    codes.dedup();
    match seen.looked.error {
        Some(error) => format!("error {} {}", error.code, error.message),
        None => codes.join(" "),
    }
}

#[test]
fn every_tooth_bites() {
    assert_eq!(testing::teeth(&WORKFLOW_AGGREGATE), Vec::<String>::new());
}

#[expect(clippy::too_many_lines, reason = "one table, one case per row")]
#[test]
fn the_truth_table_decides_in_every_form() {
    let failing = |condition: &str| format!("      - if: {condition}\n        run: exit 1\n");
    let script =
        |text: &str| format!("      - run: |\n          {}\n", text.replace('\n', "\n          "));
    let jq = |program: &str| {
        format!(
            "      - env: {{NEEDS: \"${{{{ toJSON(needs) }}}}\"}}\n        run: |\n          echo judging\n          jq -e '{program}' <<< \"$NEEDS\"\n"
        )
    };
    let results = "aggregate_accepts_cancelled aggregate_accepts_failure aggregate_accepts_skipped";
    let table: &[(&str, String, &str)] = &[
        ("all three", failing(ALL), ""),
        (
            "another order",
            failing(
                "contains(needs.*.result, 'skipped') || contains(needs.*.result, 'cancelled') || contains(needs.*.result, 'failure')",
            ),
            "",
        ),
        (
            "each need by name",
            failing("needs.lint.result != 'success' || needs.test.result != 'success'"),
            "",
        ),
        (
            "negated",
            failing("\"!(needs.lint.result == 'success' && needs.test.result == 'success')\""),
            "",
        ),
        (
            "over their text",
            failing(
                "contains(join(needs.*.result), 'failure') || contains(join(needs.*.result), 'cancelled') || contains(join(needs.*.result), 'skipped')",
            ),
            "",
        ),
        ("with braces", failing(&format!("${{{{ {ALL} }}}}")), ""),
        ("a text", failing(&format!("${{{{ {ALL} }}}} || false")), "aggregate_always_fails"),
        ("one need only", failing("needs.lint.result != 'success'"), results),
        (
            "misspelt",
            failing(
                "contains(needs.*.result, 'failed') || contains(needs.*.result, 'cancelled') || contains(needs.*.result, 'skipped')",
            ),
            "aggregate_accepts_failure",
        ),
        ("by status", failing("failure()"), results),
        ("at run time", failing(&format!("({ALL}) && vars.STRICT")), "aggregate_form_unknown"),
        (
            "in steps of their own",
            format!(
                "{}{}{}",
                failing("contains(needs.*.result, 'failure')"),
                failing("contains(needs.*.result, 'cancelled')"),
                failing("contains(needs.*.result, 'skipped')")
            ),
            "",
        ),
        ("no step", "      - run: echo fine\n".to_owned(), results),
        (
            "the step may fail",
            format!("{}        continue-on-error: true\n", failing(ALL)),
            results,
        ),
        (
            "the script does not fail",
            format!("      - if: {ALL}\n        run: echo failed\n"),
            results,
        ),
        (
            "a failure that is let go of",
            format!("      - if: {ALL}\n        run: (exit 1) || true\n"),
            results,
        ),
        (
            "two report steps",
            format!(
                "      - run: echo a\n{}      - if: always()\n        uses: actions/upload-artifact@v4\n",
                failing(ALL)
            ),
            "",
        ),
        (
            "compared in the script",
            script(
                "[ '${{ needs.lint.result }}' = success ]\ntest '${{ needs.test.result }}' = 'success'",
            ),
            "",
        ),
        (
            "branches in the script",
            script(
                "if [ \"${{ needs.lint.result }}\" != success ] || [ \"${{ needs.test.result }}\" != success ]; then\n  exit 1\nfi",
            ),
            "",
        ),
        (
            "branches that forget one",
            script(
                "if [ \"${{ needs.lint.result }}\" = failure ] || [ \"${{ needs.test.result }}\" = failure ]; then\n  exit 1\nfi",
            ),
            "aggregate_accepts_cancelled aggregate_accepts_skipped",
        ),
        ("all of jq", jq("all(.[]; .result == \"success\")"), ""),
        ("entries of jq", jq("to_entries | all(.value.result == \"success\")"), ""),
        (
            "jq forgets one",
            jq("all(.[]; .result != \"failure\")"),
            "aggregate_accepts_cancelled aggregate_accepts_skipped",
        ),
        (
            "jq without status",
            jq("all(.[]; .result == \"success\")").replace("jq -e", "jq"),
            results,
        ),
        ("a program nobody knows", jq("walk(.) | all"), "aggregate_form_unknown"),
        ("another program", script("./decide.py '${{ toJSON(needs) }}'"), results),
    ];
    for (case, steps, expected) in table {
        assert_eq!(codes(steps), *expected, "{case}\n{steps}");
    }
}

#[test]
fn the_job_runs_whatever_happened() {
    let steps =
        format!("    needs: [lint, test]\n    steps:\n      - if: {ALL}\n        run: exit 1\n");
    let table: &[(&str, &str)] = &[
        ("if: always()", ""),
        ("if: ${{ always() }}", ""),
        ("if: ${{ always() || failure() }}", ""),
        ("if: success() || failure() || cancelled()", "aggregate_not_always"),
        ("if: ${{ !cancelled() }}", "aggregate_not_always"),
        ("if: failure()", "aggregate_not_always"),
        ("if: success()", "aggregate_not_always"),
        ("if: 'true'", "aggregate_not_always"),
        ("if: always() && github.event_name == 'pull_request'", "aggregate_not_always"),
        ("if: always() && vars.ON", "aggregate_not_always"),
        ("name: none", "aggregate_not_always"),
    ];
    for (condition, expected) in table {
        let seen = judged("", &format!("    {condition}\n{steps}"));
        assert_eq!(seen.codes.join(" "), *expected, "{condition}");
        assert_eq!(seen.examined, 7, "{condition}");
    }
}

#[test]
fn exceptions_cover_what_they_name() {
    let aggregate = |needs: &str, condition: &str| {
        format!(
            "    if: always()\n    needs: {needs}\n    steps:\n      - if: {condition}\n        run: exit 1\n"
        )
    };
    let exempt = "exempt = [{ job = 'lint', reason = 'it only advises, by decision of the team' }]";
    let skip = "accept_skipped = [{ job = 'test', reason = 'documentation changes run no tests' }]";
    let some = "contains(needs.*.result, 'failure') || contains(needs.*.result, 'cancelled')";
    let table: &[(&str, &str, String, &str)] = &[
        ("needed", "", aggregate("[lint, test]", ALL), ""),
        ("not needed", "", aggregate("[test]", ALL), "aggregate_needs_missing"),
        ("exempt", exempt, aggregate("[test]", ALL), ""),
        ("exempt and needed", exempt, aggregate("[lint, test]", ALL), "admission_unused"),
        ("may be skipped", skip, aggregate("[lint, test]", some), "aggregate_accepts_skipped"),
        (
            "only one may be",
            skip,
            aggregate("[lint, test]", &format!("{some} || needs.lint.result == 'skipped'")),
            "",
        ),
    ];
    for (case, config, aggregate, expected) in table {
        assert_eq!(judged(config, aggregate).codes.join(" "), *expected, "{case}");
    }
}
