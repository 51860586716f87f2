//! What came of a measurement, and why. Leaves out the thresholds that lead there.

use serde::{Deserialize, Serialize};

/// The judgement of a canary; ordered, worst last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Judgement {
    /// Nothing to say, or a note.
    Ok,
    /// Something to say, nothing to block.
    CommentOnly,
    /// A regression.
    Fail,
    /// Nobody knows: the measurement cannot be judged.
    Invalid,
}

/// One reason of a judgement.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// How much it weighs.
    pub severity: Judgement,
    /// The metric; absent where it concerns the whole measurement.
    pub metric: Option<String>,
    /// The `snake_case` code.
    pub code: String,
    /// One sentence.
    pub detail: String,
}

impl Judgement {
    /// The worst severity among the reasons; `None` without one, because nothing judged is not `Ok`.
    #[must_use]
    pub fn worst<'a>(reasons: impl IntoIterator<Item = &'a Reason>) -> Option<Self> {
        reasons.into_iter().map(|reason| reason.severity).max()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(severity: Judgement) -> Reason {
        let code = "regression_proven".to_owned();
        Reason {
            severity,
            metric: Some("cold_start".to_owned()),
            code,
            detail: "it is slower".to_owned(),
        }
    }

    #[test]
    fn the_worst_reason_counts_and_none_is_not_ok() {
        use Judgement::{CommentOnly, Fail, Invalid, Ok};
        let table: [(&str, &[Judgement], Option<Judgement>); 4] = [
            ("nothing was judged", &[], None),
            ("a comment beside a pass", &[Ok, CommentOnly], Some(CommentOnly)),
            ("a failure beside a comment", &[Fail, CommentOnly], Some(Fail)),
            ("not knowing is worse than failing", &[Fail, Invalid, Ok], Some(Invalid)),
        ];
        for (case, severities, expected) in table {
            let reasons: Vec<Reason> =
                severities.iter().map(|severity| reason(*severity)).collect();
            assert_eq!(Judgement::worst(&reasons), expected, "{case}");
        }
    }

    #[test]
    fn a_reason_reads_back_and_an_unknown_severity_is_refused() {
        let text = serde_json::to_string(&reason(Judgement::CommentOnly)).expect("a document");
        assert!(text.contains("\"comment_only\""), "{text}");
        assert_eq!(
            serde_json::from_str::<Reason>(&text).expect("a reason"),
            reason(Judgement::CommentOnly)
        );
        assert!(serde_json::from_str::<Reason>(&text.replace("comment_only", "fine")).is_err());
    }
}
