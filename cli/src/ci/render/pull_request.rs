//! `portcullis.yml`: the lanes of a change, the gates over it, and the one check to require.

use super::{
    Wish, always, checkout, install, run, script, toolchain, upload,
    yaml::{Job, Step, Workflow, command},
};
use crate::ci::{
    lanes::{BENCH, FENCE, Lane, Lanes},
    pins::{self, NEXTEST, PORTCULLIS},
    roster::Roster,
};

const STABLE: &str = "stable";
/// Pull request base, merge group base, or what a push came after. Zeros stand for a first push, and are understood.
const BASE: &str = "${{ github.event.pull_request.base.sha || github.event.merge_group.base_sha || github.event.before }}";
pub(super) const FENCE_MINUTES: u32 = 15;
const ARCHIVE: &str = "target/portcullis/archive";
const ARCHIVE_FILE: &str = "target/portcullis/archive/tests.tar.zst";
pub(super) const DECISIONS: &str = "target/portcullis/decisions";

pub(super) fn workflow(lanes: &Lanes, roster: &Roster, wish: Wish) -> Workflow {
    let mut jobs = vec![fence(lanes, roster)];
    jobs.extend(lanes.lanes.iter().map(|lane| job(lanes, roster, lane)));
    if wish.shards > 1 {
        jobs.push(archive(lanes));
        jobs.push(shard(lanes, wish.shards));
        jobs.push(merged(lanes));
    } else {
        jobs.push(gates(lanes));
    }
    let needs = jobs.iter().map(|job| job.id.clone()).collect();
    jobs.push(aggregate(needs));
    Workflow {
        name: "portcullis",
        on: vec![
            "pull_request:".to_owned(),
            "merge_group:".to_owned(),
            "push:".to_owned(),
            format!("  branches: [\"{}\"]", lanes.default_branch),
            "workflow_dispatch:".to_owned(),
        ],
        permissions: vec![("contents", "read")],
        group: "${{ github.workflow }}-${{ github.ref }}",
        cancel: "${{ github.event_name == 'pull_request' }}",
        jobs,
    }
}

/// The variables of a job that builds.
pub(super) fn env(toolchain: &str) -> Vec<(&'static str, String)> {
    vec![
        ("CARGO_INCREMENTAL", "0".to_owned()),
        ("CARGO_TERM_COLOR", "always".to_owned()),
        ("RUSTUP_TOOLCHAIN", toolchain.to_owned()),
    ]
}

fn fence(lanes: &Lanes, roster: &Roster) -> Job {
    let mut steps = vec![checkout(lanes, false), toolchain(&[])];
    steps.extend(roster.fence().iter().map(|argv| run(argv)));
    Job {
        comment: Some(
            "Every other lane waits for the fences: a forbidden edge shows before an hour of builds.",
        ),
        id: FENCE.to_owned(),
        timeout_minutes: FENCE_MINUTES,
        env: env(STABLE),
        steps,
        ..Job::default()
    }
}

fn job(lanes: &Lanes, roster: &Roster, lane: &Lane) -> Job {
    let measures = lane.id == BENCH && !roster.advisory.is_empty();
    let mut steps = vec![checkout(lanes, measures), toolchain(&lane.tools)];
    steps.extend(lane.tools.iter().map(|tool| install(lanes, tool)));
    steps.extend(lane.run.iter().map(|argv| run(argv)));
    if measures {
        steps.extend(decide(&roster.advisory));
        steps.push(always(collect("${{ github.event.pull_request.number }}")));
        steps.push(always(upload(
            lanes,
            "keep the decision",
            "portcullis-decision-${{ matrix.toolchain }}",
            &format!("{DECISIONS}/decisions.json"),
        )));
    }
    let mut variables = env("${{ matrix.toolchain }}");
    if measures {
        variables.push(("PORTCULLIS_BASE", BASE.to_owned()));
    }
    if lane.serial {
        // Both runners, so that no command of the lane has to remember its flag.
        variables.push(("NEXTEST_TEST_THREADS", "1".to_owned()));
        variables.push(("RUST_TEST_THREADS", "1".to_owned()));
    }
    Job {
        id: lane.id.clone(),
        needs: lane.needs.clone(),
        timeout_minutes: lane.timeout_minutes,
        matrix: Some(("toolchain", lane.toolchains.clone())),
        env: variables,
        steps,
        ..Job::default()
    }
}

/// Judges each canary; a decision is written also where it is red.
pub(super) fn decide(canaries: &[String]) -> Vec<Step> {
    let one = |id: &String| {
        let compare = ["cargo-portcullis", "--format", "json", "canary", "compare", id];
        let argv: Vec<String> = compare.iter().map(|word| (*word).to_owned()).collect();
        let text =
            format!("mkdir -p {DECISIONS}\n{} > {DECISIONS}/{id}.decision\n", command(&argv));
        always(script(&format!("judge {id}"), &text))
    };
    canaries.iter().map(one).collect()
}

/// One document of all decisions, and the summary of the step.
pub(super) fn collect(number: &str) -> Step {
    let text = format!(
        "mkdir -p {DECISIONS}\n\
         find {DECISIONS} -name '*.decision' -size +0 -print0 | sort -z | xargs -0 --no-run-if-empty cat -- \\\n  \
           | jq --slurp --arg number \"$NUMBER\" --arg commit \"$COMMIT\" \\\n    \
             '{{schema: \"portcullis.canary_decisions.v1\", number: ($number | tonumber? // null), commit: $commit, decisions: .}}' \\\n  \
           > {DECISIONS}/decisions.json\n\
         jq --raw-output '.decisions[].report | tostring' {DECISIONS}/decisions.json | head -c 900000 >> \"$GITHUB_STEP_SUMMARY\"\n"
    );
    Step {
        name: "collect the decisions".to_owned(),
        env: vec![
            ("NUMBER", number.to_owned()),
            ("COMMIT", "${{ github.event.pull_request.head.sha || github.sha }}".to_owned()),
        ],
        run: Some(text),
        ..Step::default()
    }
}

fn gates(lanes: &Lanes) -> Job {
    let tools = [NEXTEST.to_owned(), PORTCULLIS.to_owned()];
    let mut steps = vec![checkout(lanes, true), toolchain(&tools)];
    steps.extend(tools.iter().map(|tool| install(lanes, tool)));
    steps.push(script("workflows are those of the policy", "cargo-portcullis ci check"));
    steps.extend(lanes.prepare.iter().map(|argv| run(argv)));
    steps.push(script(
        "tests and gates",
        "cargo-portcullis --format github run --profile ci --locked --out target/portcullis/sealed",
    ));
    steps.push(always(upload(lanes, "keep the run", "portcullis-run", "target/portcullis/sealed")));
    Job {
        id: "gates".to_owned(),
        needs: vec![FENCE.to_owned()],
        timeout_minutes: 90,
        env: with_base(),
        steps,
        ..Job::default()
    }
}

fn with_base() -> Vec<(&'static str, String)> {
    let mut variables = env(STABLE);
    variables.push(("PORTCULLIS_BASE", BASE.to_owned()));
    variables
}

fn archive(lanes: &Lanes) -> Job {
    let tools = [NEXTEST.to_owned()];
    let text = format!(
        "mkdir -p {ARCHIVE}\ncargo nextest archive --locked --workspace --archive-file {ARCHIVE_FILE}\n"
    );
    let digest = format!("cd {ARCHIVE}\nsha256sum tests.tar.zst > tests.tar.zst.sha256\n");
    Job {
        comment: Some("Builds once; every shard runs these binaries and no other."),
        id: "archive".to_owned(),
        needs: vec![FENCE.to_owned()],
        timeout_minutes: 60,
        env: env(STABLE),
        steps: vec![
            checkout(lanes, false),
            toolchain(&tools),
            install(lanes, NEXTEST),
            script("build the archive", &text),
            script("state its digest", &digest),
            upload(lanes, "keep the archive", "portcullis-archive", ARCHIVE),
        ],
        ..Job::default()
    }
}

fn download(lanes: &Lanes, name: &str, with: Vec<(&'static str, String)>) -> Step {
    Step {
        name: name.to_owned(),
        uses: Some(lanes.pins.uses(pins::DOWNLOAD)),
        with,
        ..Step::default()
    }
}

fn shard(lanes: &Lanes, shards: u16) -> Job {
    let tools = [NEXTEST.to_owned(), PORTCULLIS.to_owned()];
    let mut steps = vec![checkout(lanes, true), toolchain(&tools)];
    steps.extend(tools.iter().map(|tool| install(lanes, tool)));
    steps.extend(lanes.prepare.iter().map(|argv| run(argv)));
    let into = vec![("name", "portcullis-archive".to_owned()), ("path", ARCHIVE.to_owned())];
    steps.push(download(lanes, "fetch the archive", into));
    let digest = format!("cd {ARCHIVE}\nsha256sum --check --strict tests.tar.zst.sha256\n");
    steps.push(script("the archive is the one that was built", &digest));
    let part = format!(
        "cargo-portcullis --format github run --profile ci --archive {ARCHIVE_FILE} --shard ${{{{ matrix.shard }}}}/{shards} --correlation-id \"$GITHUB_RUN_ID\" --out target/portcullis/sealed"
    );
    steps.push(script("this part of the run", &part));
    steps.push(always(upload(
        lanes,
        "keep this part",
        "portcullis-shard-${{ matrix.shard }}",
        "target/portcullis/sealed",
    )));
    Job {
        id: "shard".to_owned(),
        needs: vec![FENCE.to_owned(), "archive".to_owned()],
        timeout_minutes: 90,
        matrix: Some(("shard", (1..=shards).map(|part| part.to_string()).collect())),
        env: with_base(),
        steps,
        ..Job::default()
    }
}

fn merged(lanes: &Lanes) -> Job {
    let tools = [PORTCULLIS.to_owned()];
    let with = vec![
        ("pattern", "portcullis-shard-*".to_owned()),
        ("path", "target/portcullis/shards".to_owned()),
    ];
    Job {
        comment: Some("Also after a red shard: what the parts say together is what counts."),
        id: "gates".to_owned(),
        condition: Some("!cancelled()".to_owned()),
        needs: vec![FENCE.to_owned(), "archive".to_owned(), "shard".to_owned()],
        timeout_minutes: 30,
        env: with_base(),
        steps: vec![
            checkout(lanes, true),
            toolchain(&tools),
            install(lanes, PORTCULLIS),
            script("workflows are those of the policy", "cargo-portcullis ci check"),
            download(lanes, "fetch every part", with),
            script(
                "join the parts and decide",
                "cargo-portcullis --format github merge target/portcullis/shards --out target/portcullis/merged",
            ),
            always(upload(lanes, "keep the run", "portcullis-run", "target/portcullis/merged")),
        ],
        ..Job::default()
    }
}

fn aggregate(needs: Vec<String>) -> Job {
    let failed = ["failure", "cancelled", "skipped"]
        .map(|result| format!("contains(needs.*.result, '{result}')"))
        .join(" || ");
    let text = "echo \"::error::a lane failed, was cancelled or was skipped\"\nexit 1\n";
    Job {
        comment: Some(
            "The one check to require: it is red whenever another job failed, was cancelled or was skipped.",
        ),
        id: "aggregate".to_owned(),
        condition: Some("always()".to_owned()),
        needs,
        timeout_minutes: 5,
        permissions: Some(Vec::new()),
        steps: vec![Step {
            name: "every lane succeeded".to_owned(),
            condition: Some(failed),
            run: Some(text.to_owned()),
            ..Step::default()
        }],
        ..Job::default()
    }
}
