//! The commit that a change is compared with. It compares nothing itself.

use crate::lane::BASE_IS_HEAD;
use portcullis::{Fault, GateContext, GateError, wire::code::BASE_UNRESOLVABLE};

/// The commit before this change: what the table states, else the merge base with what the run or the provider names,
/// else the merge base with the default branch.
///
/// Where the commit is `HEAD` itself, the change can only be in the work tree. That is how people work, so it is judged
/// outside CI; in CI and on protected lanes the change is what was committed, and a base that is `HEAD` hides it.
///
/// # Errors
/// `base_unresolvable`, `base_is_head`, `base_not_ancestor`.
pub(crate) fn base_commit(cx: &GateContext<'_>, stated: Option<&str>) -> Result<String, GateError> {
    let git = cx.git();
    let (commit, name) = match (stated, cx.named_base()) {
        (Some(rev), _) => (cx.watch(git.ancestor(rev))?, rev.to_owned()),
        (None, Some(rev)) => (cx.watch(git.merge_base(&rev))?, rev),
        (None, None) => {
            let branch = cx.watch(git.default_branch())?.ok_or_else(no_default_branch);
            let branch = cx.watch(branch)?;
            (cx.watch(git.merge_base(&branch))?, branch)
        }
    };
    let head = cx.watch(git.resolve("HEAD"))?;
    let judges_commits = cx.is_ci() || cx.lane().is_protected();
    if commit == head && (judges_commits || stated.is_some_and(names_head)) {
        return cx.watch(Err(is_head(&name, &head)));
    }
    cx.note(format!("base `{name}` is {commit}"));
    Ok(commit)
}

/// Whether a revision is `HEAD` wherever it is asked for.
fn names_head(rev: &str) -> bool {
    matches!(rev, "HEAD" | "@" | "HEAD^0" | "HEAD~0" | "@^0" | "@~0")
}

fn no_default_branch() -> Fault {
    let remedy = "name the base with `base` or `PORTCULLIS_BASE`; in CI set `fetch-depth: 0` for actions/checkout";
    Fault::new(BASE_UNRESOLVABLE, "nothing names a base, and no default branch is known", remedy)
        .expected("`origin/HEAD`, `origin/main`, `origin/master`, `main` or `master`")
}

fn is_head(name: &str, head: &str) -> Fault {
    Fault::new(
        BASE_IS_HEAD,
        format!("the base `{}` is `HEAD`, so nothing would be compared", name.escape_debug()),
        "hand over the commit before the change in `PORTCULLIS_BASE` (of a push: `github.event.before`); in a run that no event started nothing can be compared",
    )
    .found(head.to_owned())
}
