//! `portcullis-comment.yml`: words a canary's decision again on the pull request, with rights that no job of it has.
//!
//! It runs from the default branch, checks nothing out, caches nothing and executes nothing of what it reads.

use super::yaml::{Job, Step, Workflow};

/// What a file of decisions looks like, read with `--slurp`: one document, for all of several would be worded and the last one
/// alone checked. `\A` and `\z` hold a whole text, where `^` and `$` would hold one line of it.
pub(super) const VALID: &str = r#"
  length == 1 and (.[0] | type == "object"
  and .schema == "portcullis.canary_decisions.v1"
  and (.number | . == null or (type == "number" and . == floor and . > 0 and . < 1e9))
  and (.decisions | type == "array" and length > 0 and length <= 32)
  and all(.decisions[];
    type == "object"
    and .schema == "portcullis.canary_decision.v1"
    and (.canary | type == "string" and test("\\A[a-z][a-z0-9_]{0,63}\\z"))
    and (.decision | type == "object")
    and (.decision.outcome | IN("ok", "comment_only", "fail", "invalid"))
    and (.decision.metrics | type == "array" and length <= 200)
    and all(.decision.metrics[];
      type == "object"
      and (.metric | type == "string" and test("\\A[A-Za-z0-9_./: ()+=,-]{1,200}\\z"))
      and (.unit | IN("ns", "count", "bytes"))
      and (.verdict | IN("ok", "comment_only", "fail", "invalid"))
      and all(.base, .candidate; type == "number" and . == floor and . >= 0))))
"#;

/// The comment, from checked values alone.
const BODY: &str = r#"
  .decisions[]
  | "**`\(.canary)`: \(.decision.outcome)**\n\n| metric | base | this change | unit | |\n|---|--:|--:|---|---|\n"
    + ([.decision.metrics[] | "| `\(.metric)` | \(.base) | \(.candidate) | \(.unit) | \(.verdict) |\n"] | add // "")
"#;

pub(super) fn workflow() -> Workflow {
    Workflow {
        name: "portcullis-comment",
        on: vec![
            "# The artifact is untrusted and nothing of the pull request is executed: see the checks below.".to_owned(),
            "workflow_run: # zizmor: ignore[dangerous-triggers]".to_owned(),
            "  workflows: [portcullis]".to_owned(),
            "  types: [completed]".to_owned(),
        ],
        permissions: Vec::new(),
        group: "${{ github.workflow }}-${{ github.event.workflow_run.id }}",
        cancel: "false",
        jobs: vec![job()],
    }
}

fn job() -> Job {
    let of_run = |key: &str| format!("${{{{ github.event.workflow_run.{key} }}}}");
    Job {
        id: "comment".to_owned(),
        condition: Some("github.event.workflow_run.event == 'pull_request'".to_owned()),
        timeout_minutes: 5,
        permissions: Some(vec![("pull-requests", "write # to write or change one comment")]),
        env: vec![
            ("GH_TOKEN", "${{ github.token }}".to_owned()),
            ("REPOSITORY", "${{ github.repository }}".to_owned()),
            ("RUN_ID", of_run("id")),
            ("HEAD_SHA", of_run("head_sha")),
        ],
        steps: vec![
            Step {
                name: "fetch the decisions as data".to_owned(),
                run: Some(FETCH.to_owned()),
                ..Step::default()
            },
            Step {
                name: "check, confirm, word again and comment".to_owned(),
                run: Some(post()),
                ..Step::default()
            },
        ],
        ..Job::default()
    }
}

/// At most 1 MiB, packed and unpacked, and of one file whose name is known: nothing else touches the disk. What is cut ends
/// the program that writes it, so a pipe that fails is looked at: too much is left out, anything else ends the job.
const FETCH: &str = r#"mkdir -p decisions
gh api "repos/$REPOSITORY/actions/runs/$RUN_ID/artifacts?per_page=100" \
  --jq '.artifacts[] | select((.name | test("\\Aportcullis-decision-[A-Za-z0-9_.-]{1,64}\\z")) and .size_in_bytes <= 1048576 and (.expired | not)) | .id' > ids
while read -r id; do
  gh api "repos/$REPOSITORY/actions/artifacts/$id/zip" | head -c 1048577 > artifact.zip \
    || [ "$(stat --format=%s artifact.zip)" -gt 1048576 ]
  if [ "$(stat --format=%s artifact.zip)" -gt 1048576 ]; then
    echo "::warning::an artifact is larger than 1 MiB"
    continue
  fi
  unzip -p artifact.zip decisions.json | head -c 1048577 > "decisions/$id.json" \
    || echo "::warning::an artifact does not hold the file that is expected, or holds too much"
done < ids
"#;

fn post() -> String {
    format!(
        r#"valid='{VALID}'
body='{BODY}'
marker='<!-- portcullis-comment -->'
number=
loud=false
printf '%s\n' "$marker" > comment.md
for file in decisions/*.json; do
  if [ ! -f "$file" ]; then continue; fi
  if [ "$(stat --format=%s "$file")" -gt 1048576 ] || ! jq --slurp --exit-status "$valid" "$file" > /dev/null; then
    echo "::warning::a decision has not the form that is expected, and is left out"
    continue
  fi
  said="$(jq --raw-output '.number // empty' "$file")"
  if [ -z "$said" ] || [ "$(gh api "repos/$REPOSITORY/pulls/$said" --jq .head.sha)" != "$HEAD_SHA" ]; then
    echo "::warning::the head of the pull request is another commit"
    continue
  fi
  number="$said"
  if jq --exit-status 'any(.decisions[]; .decision.outcome != "ok")' "$file" > /dev/null; then loud=true; fi
  jq --raw-output "$body" "$file" >> comment.md
done
if [ -z "$number" ]; then
  echo "::notice::there is no decision to comment on"
  exit 0
fi
head -c 60000 comment.md > short.md
own="$(gh api --paginate "repos/$REPOSITORY/issues/$number/comments?per_page=100" \
  --jq ".[] | select(.user.login == \"github-actions[bot]\" and (.body | startswith(\"$marker\"))) | .id" | sed -n 1p)"
if [ -n "$own" ]; then
  gh api --silent --method PATCH "repos/$REPOSITORY/issues/comments/$own" --field body=@short.md
elif [ "$loud" = true ]; then
  gh api --silent --method POST "repos/$REPOSITORY/issues/$number/comments" --field body=@short.md
fi
"#
    )
}
