//! The known-good and known-bad exports.

use super::{
    ADMISSION_EXPIRED, ADMISSION_UNUSED, CARVE_COUNT_DIFFERS, COVERAGE_BELOW, COVERAGE_MISSING,
    SELECTOR_MATCHES_NOTHING, SOURCE_STALE, SOURCE_UNREADABLE,
};
use portcullis::Tooth;

type File = (&'static str, &'static str);

macro_rules! rules {
    ($more:literal) => {
        concat!(
            "source = 'cov.json'\nfreshness = { same_run = true }\nfiles = ['src/*.rs']\nline_min = 80\n",
            $more
        )
    };
}

const RULES: &str = rules!("carve_count = 0");
const BRANCHES: &str = rules!("branch_min = 50\ncarve_count = 0");
const EACH: &str = rules!("per_file_min = 70\ncarve_count = 0");
const CARVED: &str = rules!(
    "carve_count = 1\ncarve = [{ path = 'src/b.rs', line_min = 10, reason = 'needs a terminal that no lane has', ref = '#7', expires = 2026-12-31 }]"
);
const CARVED_ELSEWHERE: &str = rules!(
    "carve_count = 1\ncarve = [{ path = 'src/c.rs', line_min = 10, reason = 'needs a terminal that no lane has', ref = '#7', expires = 2026-12-31 }]"
);
const CARVING_ENDED: &str = rules!(
    "carve_count = 1\ncarve = [{ path = 'src/b.rs', line_min = 10, reason = 'needs a terminal that no lane has', ref = '#7', expires = 2026-05-01 }]"
);
const ONE_MORE: &str = rules!(
    "carve_count = 0\ncarve = [{ path = 'src/b.rs', line_min = 10, reason = 'needs a terminal that no lane has', ref = '#7', expires = 2026-12-31 }]"
);
const NO_FILES: &str = "source = 'cov.json'\nfreshness = { same_run = true }\nfiles = ['lib/*.rs']\nline_min = 80\ncarve_count = 0";

const A: File = ("src/a.rs", "fn a() {}\n");
const B: File = ("src/b.rs", "fn b() {}\n");

macro_rules! file {
    ($name:literal, $covered:literal / $count:literal) => {
        concat!(
            "{\"filename\":\"",
            $name,
            "\",\"summary\":{\"branches\":{\"count\":0,\"covered\":0,\"notcovered\":0,\"percent\":0},",
            "\"lines\":{\"count\":",
            $count,
            ",\"covered\":",
            $covered,
            ",\"percent\":0}}}"
        )
    };
}

macro_rules! export {
    ($run:literal: $($file:expr),*) => {
        (
            "cov.json",
            concat!(
                "{\"run_id\":\"",
                $run,
                "\",\"type\":\"llvm.coverage.json.export\",\"version\":\"2.0.1\",\"data\":[{\"files\":[",
                $($file,)*
                "]}]}"
            ),
        )
    };
}

const EIGHTY: File =
    export!("bench": file!("src/a.rs", 7000 / 8000), ",", file!("src/b.rs", 1000 / 2000));
const ONE_LINE_LESS: File =
    export!("bench": file!("src/a.rs", 7000 / 8000), ",", file!("src/b.rs", 999 / 2000));
const WITHOUT_B: File = export!("bench": file!("src/a.rs", 8000 / 8000));
const B_WITHOUT_LINES: File =
    export!("bench": file!("src/a.rs", 8000 / 8000), ",", file!("src/b.rs", 0 / 0));
const OF_ANOTHER_RUN: File =
    export!("other": file!("src/a.rs", 8000 / 8000), ",", file!("src/b.rs", 2000 / 2000));
const POOR_B: File =
    export!("bench": file!("src/a.rs", 6400 / 8000), ",", file!("src/b.rs", 200 / 2000));
const TOO_MANY: File =
    export!("bench": file!("src/a.rs", 8001 / 8000), ",", file!("src/b.rs", 2000 / 2000));

pub(super) static TEETH: &[Tooth] = &[
    Tooth::known_good("exactly_the_floor", RULES, &[A, B, EIGHTY]),
    Tooth::known_good("a_carved_file_has_its_own_floor", CARVED, &[A, B, POOR_B]),
    Tooth::known_bad("one_line_below_the_floor", COVERAGE_BELOW, RULES, &[A, B, ONE_LINE_LESS]),
    Tooth::known_bad("one_file_below_its_floor", COVERAGE_BELOW, EACH, &[A, B, EIGHTY]),
    Tooth::known_bad(
        "a_file_vanished_from_the_export",
        COVERAGE_MISSING,
        RULES,
        &[A, B, WITHOUT_B],
    ),
    Tooth::known_bad("a_file_without_lines", COVERAGE_MISSING, RULES, &[A, B, B_WITHOUT_LINES]),
    Tooth::known_bad("one_carving_more", CARVE_COUNT_DIFFERS, ONE_MORE, &[A, B, EIGHTY]),
    Tooth::known_bad(
        "a_carving_of_no_measured_file",
        ADMISSION_UNUSED,
        CARVED_ELSEWHERE,
        &[A, B, EIGHTY],
    ),
    Tooth::known_bad("a_carving_past_its_day", ADMISSION_EXPIRED, CARVING_ENDED, &[A, B, EIGHTY]),
    Tooth::known_bad("an_export_of_another_run", SOURCE_STALE, RULES, &[A, B, OF_ANOTHER_RUN]),
    Tooth::known_bad("no_export", SOURCE_UNREADABLE, RULES, &[A, B]),
    Tooth::known_bad("more_covered_than_there_is", SOURCE_UNREADABLE, RULES, &[A, B, TOO_MANY]),
    Tooth::known_bad("branches_nobody_measured", SOURCE_UNREADABLE, BRANCHES, &[A, B, EIGHTY]),
    Tooth::known_bad("globs_of_nothing", SELECTOR_MATCHES_NOTHING, NO_FILES, &[A, B, EIGHTY]),
];
