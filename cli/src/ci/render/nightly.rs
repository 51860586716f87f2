//! `portcullis-nightly.yml`: measures on a fixed image and CPU count, and keeps one issue about what it finds.

use super::{
    always, checkout, install, pull_request, run, script, toolchain, upload,
    yaml::{Job, Step, Workflow},
};
use crate::ci::{
    lanes::Lanes,
    pins::{self, NEXTEST, PORTCULLIS},
    render::comment::VALID,
    roster::Roster,
};

const DECISIONS: &str = "target/decisions";

pub(super) fn workflow(lanes: &Lanes, roster: &Roster) -> Workflow {
    Workflow {
        name: "portcullis-nightly",
        on: vec![
            "schedule:".to_owned(),
            "  # UTC".to_owned(),
            "  - cron: \"0 4 * * *\"".to_owned(),
            "workflow_dispatch:".to_owned(),
        ],
        permissions: vec![("contents", "read")],
        group: "${{ github.workflow }}",
        cancel: "false",
        jobs: vec![measure(lanes, roster), report(lanes, roster.nightly.len())],
    }
}

fn measure(lanes: &Lanes, roster: &Roster) -> Job {
    let tools = [NEXTEST.to_owned(), PORTCULLIS.to_owned()];
    let mut steps = vec![checkout(lanes, true), toolchain(&tools)];
    steps.extend(tools.iter().map(|tool| install(lanes, tool)));
    steps.extend(lanes.prepare.iter().map(|argv| run(argv)));
    steps.extend(roster.night().iter().map(|argv| run(argv)));
    steps.extend(pull_request::decide(&roster.nightly));
    steps.push(always(pull_request::collect("")));
    let path = format!("{}/decisions.json", pull_request::DECISIONS);
    steps.push(always(upload(lanes, "keep the decision", "portcullis-nightly-decision", &path)));
    let mut variables = pull_request::env("stable");
    // A canary that counts CPUs sees the same number on every machine.
    variables.push(("PORTCULLIS_FORCE_CPU_COUNT", "2".to_owned()));
    Job {
        id: "measure".to_owned(),
        timeout_minutes: 180,
        permissions: Some(vec![("contents", "read")]),
        env: variables,
        steps,
        ..Job::default()
    }
}

/// Opens, updates or closes one issue. What it reads is data: checked, and worded again here.
fn report(lanes: &Lanes, canaries: usize) -> Job {
    let fetch = Step {
        name: "fetch the decision".to_owned(),
        uses: Some(lanes.pins.uses(pins::DOWNLOAD)),
        with: vec![
            // A pattern that matches nothing is no failure: then the issue says that there is no decision.
            ("pattern", "portcullis-nightly-decision*".to_owned()),
            ("path", DECISIONS.to_owned()),
            ("merge-multiple", "true".to_owned()),
        ],
        ..Step::default()
    };
    Job {
        id: "report".to_owned(),
        condition: Some("always()".to_owned()),
        needs: vec!["measure".to_owned()],
        timeout_minutes: 10,
        permissions: Some(vec![("issues", "write # to open, change or close one issue")]),
        env: vec![
            ("GH_TOKEN", "${{ github.token }}".to_owned()),
            ("GH_REPO", "${{ github.repository }}".to_owned()),
            ("MEASURED", "${{ needs.measure.result }}".to_owned()),
            ("RUN_URL", "${{ github.server_url }}/${{ github.repository }}/actions/runs/${{ github.run_id }}".to_owned()),
        ],
        steps: vec![fetch, script("open, update or close the issue", &issue(canaries))],
        ..Job::default()
    }
}

fn issue(canaries: usize) -> String {
    // A decision of fewer canaries than were measured is not a decision about the night.
    let valid = VALID.replace("length > 0", &format!("length == {canaries}"));
    format!(
        "decision={DECISIONS}/decisions.json\n\
         valid='{valid}'\n\
         title='The nightly canary did not succeed'\n\
         mkdir -p {DECISIONS}\n\
         good=false\n\
         if [ -f \"$decision\" ] && [ \"$(stat --format=%s \"$decision\")\" -le 1048576 ] && jq --slurp --exit-status \"$valid\" \"$decision\" > /dev/null; then\n  \
           jq --raw-output '.decisions[] | \"- `\" + .canary + \"`: \" + .decision.outcome' \"$decision\" > {DECISIONS}/body.md\n  \
           if [ \"$MEASURED\" = success ] && jq --exit-status 'all(.decisions[]; .decision.outcome == \"ok\")' \"$decision\" > /dev/null; then good=true; fi\n\
         else\n  \
           echo 'There is no decision that can be read.' > {DECISIONS}/body.md\n\
         fi\n\
         printf '\\nMeasuring ended with %s: %s\\n' \"$MEASURED\" \"$RUN_URL\" >> {DECISIONS}/body.md\n\
         number=\"$(gh issue list --search \"in:title \\\"$title\\\"\" --author 'app/github-actions' --state open --json number,title --jq \"[.[] | select(.title == \\\"$title\\\")][0].number // empty\")\"\n\
         if [ \"$good\" = true ]; then\n  \
           if [ -n \"$number\" ]; then gh issue close \"$number\" --comment \"It succeeds again: $RUN_URL\"; fi\n\
         elif [ -n \"$number\" ]; then\n  \
           gh issue comment \"$number\" --body-file {DECISIONS}/body.md\n\
         else\n  \
           gh issue create --title \"$title\" --body-file {DECISIONS}/body.md\n\
         fi\n"
    )
}
