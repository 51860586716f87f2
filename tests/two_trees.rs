//! Policy on two trees: six branches of a git bundle, and one more, each judged with and without its base.

mod two_trees {
    mod tollbooth;
    mod translate;

    use tollbooth::{Judged, Tollbooth};

    /// Branch, gate it is about, and how it stands with and without the base.
    type Row = (&'static str, &'static str, [Stands; 2]);
    /// Effective status, code, exit.
    type Stands = (&'static str, Option<&'static str>, u8);

    const LOOSENED: Stands = ("pending_approval", Some("policy_loosened"), 11);
    const PASS: Stands = ("pass", None, 0);

    /// T01 and T02, on branches that people could have written.
    #[test]
    fn fg05_t01_t02_a_change_cannot_loosen_what_judges_it() {
        let rows: &[Row] = &[
            (
                "p1-waiver",
                "opens",
                [
                    ("pending_approval", Some("waiver_not_on_base"), 11),
                    ("waived", Some("below_floor"), 0),
                ],
            ),
            (
                "p2-baseline-number",
                "baselines",
                [("fail", Some("values_changed_header_same"), 11); 2],
            ),
            ("p3-lock-gate-removed", "flaky", [LOOSENED, ("pass", None, 11)]),
            ("p4-unclassified-test", "suites", [("fail", Some("unclassified"), 11); 2]),
            ("p5-loosened-threshold", "perf", [LOOSENED, PASS]),
            ("p6-harmless", "perf", [PASS, PASS]),
            ("p7", "budget", [LOOSENED, ("absent", None, 0)]),
        ];
        let repository = Tollbooth::build();
        for (branch, gate, expected) in rows {
            for (base, (effective, code, exit)) in [Some("main"), None].into_iter().zip(expected) {
                let judged = repository.judge(branch, base);
                let what = format!("{branch} with base {base:?}: {}", judged.text);
                assert_eq!(judged.effective(gate), *effective, "{what}");
                assert_eq!(judged.code(gate).as_deref(), *code, "{what}");
                assert_eq!(judged.exit, *exit, "{what}");
                assert_eq!(
                    judged.others(gate),
                    Vec::<String>::new(),
                    "nothing else is red: {what}"
                );
                // The waiver that the base has holds on every branch.
                assert_eq!(judged.effective("printer"), "waived", "{what}");
            }
            // The run that knew no base is the last one. Who has the base sees in it what a run with the base saw.
            let ((effective, code, exit), judged) =
                (expected[0], repository.verify(branch, "main"));
            let what = format!("{branch} judged from its base: {}", judged.text);
            assert_eq!(judged.effective(gate), effective, "{what}");
            assert_eq!(judged.code(gate).as_deref(), code, "{what}");
            assert_eq!(judged.exit, exit, "{what}");
        }
        told(&repository.judge("p5-loosened-threshold", Some("main")));
    }

    /// Branch, gate, and how it stands once the base approves exactly what it loosens. An approval says nothing of the census.
    #[test]
    fn t01_t02_a_loosening_that_the_base_approves_counts_as_standing_there() {
        let rows: &[(&str, &str, Stands)] = &[
            ("p3-lock-gate-removed", "flaky", ("pass", None, 11)),
            ("p5-loosened-threshold", "perf", PASS),
            ("p7", "budget", ("absent", None, 0)),
        ];
        let repository = Tollbooth::build();
        for (branch, gate, approved) in rows {
            let digests = repository.judge(branch, Some("main")).digests();
            assert!(!digests.is_empty(), "{branch}");
            let (base, change) = repository.approve(branch, gate, &digests);
            let mut seen = vec![(repository.judge(&change, Some(&base)), approved)];
            seen.push((repository.verify(&change, &base), approved));
            let (base, change) = repository.approve_itself(branch, gate, &digests);
            let itself = repository.judge(&change, Some(&base));
            assert!(itself.text.contains("approval_not_on_base"), "{branch}: {}", itself.text);
            seen.push((itself, &LOOSENED));
            for (judged, (effective, code, exit)) in seen {
                let what = format!("{branch}: {}", judged.text);
                assert_eq!(judged.digests(), digests, "it stays listed: {what}");
                assert_eq!(judged.effective(gate), *effective, "{what}");
                assert_eq!(judged.code(gate).as_deref(), *code, "{what}");
                assert_eq!(judged.exit, *exit, "{what}");
            }
        }
        // A waiver needs no approval: the same waiver on the base is one.
        let judged = repository.judge(&repository.later("p1-waiver"), Some("p1-waiver"));
        assert_eq!((judged.effective("opens").as_str(), judged.exit), ("waived", 0));
    }

    /// The verdict says what was loosened, from what to what, and what to do.
    fn told(judged: &Judged) {
        for part in ["allowed_delta", "5.0", "15.0", "policy_loosened"] {
            assert!(judged.text.contains(part), "no `{part}` in {}", judged.text);
        }
    }

    /// FG-52: in a clone that is too shallow the base is not there, and the fault names the depth to fetch.
    #[test]
    fn fg52_a_base_that_a_shallow_clone_does_not_have_is_an_error() {
        let repository = Tollbooth::build();
        let judged = repository.judge("p6-harmless", Some("origin/main"));
        assert_eq!(judged.exit, 11, "{}", judged.text);
        for part in ["base_unresolvable", "fetch-depth: 0"] {
            assert!(judged.text.contains(part), "no `{part}` in {}", judged.text);
        }
    }
}
