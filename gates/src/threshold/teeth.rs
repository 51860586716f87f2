//! The fixtures of `threshold`: each code bites, and good metrics pass. They hold no logic.

use super::{
    ABOVE_CEILING, BASELINE_ITEM_MISSING, BELOW_FLOOR, METRIC_MISSING, THRESHOLDS_EDITED,
    THRESHOLDS_INVALID, THRESHOLDS_VERSION_DIFFERS, WORSE_THAN_BASELINE,
};
use portcullis::{
    Tooth,
    wire::code::{NOTHING_EXAMINED, VALUE_NOT_FINITE},
};

const NAMED: &str = "source = { path = 'a.json' }
metrics = { pass_rate = '/summary/pass_rate', failures = '/summary/failures' }
floors = { pass_rate = 95 }
ceilings = { failures = 2 }";
const ITEMS: &str = "source = { path = 'a.json', items = '/benches', id = '/name' }
value = '/ms'
ceilings = { '*' = 100, slow = 500 }
baseline = { path = 'base.json', better = { '*' = 'lower' }, allowed_delta = { '*' = 5 } }";
const FILED: &str = "source = { path = 'a.json' }
metrics = { pass_rate = '/summary/pass_rate', failures = '/summary/failures' }
thresholds = { path = 'thresholds.toml', version = 2 }";

const GOOD: &str = "{\"summary\":{\"pass_rate\":95,\"failures\":2}}";
const BENCHES: &str =
    "{\"benches\":[{\"name\":\"fast\",\"ms\":10},{\"name\":\"slow\",\"ms\":400}]}";
const BASE: &str = "{\"benches\":[{\"name\":\"fast\",\"ms\":5},{\"name\":\"slow\",\"ms\":410}]}";
const SET: &str = "version = 2
effective = 2026-05-10
[floors]
pass_rate = 95
[ceilings]
failures = 2
[[history]]
version = 1
effective = 2026-04-01
reason = 'the first run'
digest = '0000000000000000000000000000000000000000000000000000000000000000'
[[history]]
version = 2
effective = 2026-05-10
reason = 'two suites were added'
digest = '4842bb686edfc52650ba752cb0b8bb38c1f020e37b60787533e76214c5281e80'
";
const EDITED: &str = "version = 2
effective = 2026-05-10
[floors]
pass_rate = 90
[ceilings]
failures = 2
[[history]]
version = 1
effective = 2026-04-01
reason = 'the first run'
digest = '0000000000000000000000000000000000000000000000000000000000000000'
[[history]]
version = 2
effective = 2026-05-10
reason = 'two suites were added'
digest = '4842bb686edfc52650ba752cb0b8bb38c1f020e37b60787533e76214c5281e80'
";
const NEXT: &str = "version = 3
effective = 2026-05-20
[floors]
pass_rate = 95
[ceilings]
failures = 2
[[history]]
version = 1
effective = 2026-04-01
reason = 'the first run'
digest = '0000000000000000000000000000000000000000000000000000000000000000'
[[history]]
version = 2
effective = 2026-05-10
reason = 'two suites were added'
digest = '4842bb686edfc52650ba752cb0b8bb38c1f020e37b60787533e76214c5281e80'
[[history]]
version = 3
effective = 2026-05-20
reason = 'the numbers were confirmed'
digest = '4842bb686edfc52650ba752cb0b8bb38c1f020e37b60787533e76214c5281e80'
";

pub(super) static TEETH: &[Tooth] = &[
    Tooth::known_good("named_metrics_at_their_limits", NAMED, &[("a.json", GOOD)]),
    Tooth::known_good(
        "items_within_ceiling_and_baseline",
        ITEMS,
        &[("a.json", BENCHES), ("base.json", BASE)],
    ),
    Tooth::known_good(
        "a_versioned_set_that_nobody_edited",
        FILED,
        &[("a.json", GOOD), ("thresholds.toml", SET)],
    ),
    Tooth::known_bad(
        "one_below_the_floor",
        BELOW_FLOOR,
        NAMED,
        &[("a.json", "{\"summary\":{\"pass_rate\":94,\"failures\":2}}")],
    ),
    Tooth::known_bad(
        "one_above_the_ceiling",
        ABOVE_CEILING,
        NAMED,
        &[("a.json", "{\"summary\":{\"pass_rate\":95,\"failures\":3}}")],
    ),
    Tooth::known_bad(
        "a_metric_under_another_name",
        METRIC_MISSING,
        NAMED,
        &[("a.json", "{\"summary\":{\"pass_rate\":95,\"failed\":0}}")],
    ),
    Tooth::known_bad(
        "fg44_a_metric_of_null",
        VALUE_NOT_FINITE,
        NAMED,
        &[("a.json", "{\"summary\":{\"pass_rate\":95,\"failures\":null}}")],
    ),
    Tooth::known_bad(
        "fg46_no_item_at_all",
        NOTHING_EXAMINED,
        ITEMS,
        &[("a.json", "{\"benches\":[]}"), ("base.json", BASE)],
    ),
    Tooth::known_bad(
        "an_item_worse_than_before",
        WORSE_THAN_BASELINE,
        ITEMS,
        &[
            (
                "a.json",
                "{\"benches\":[{\"name\":\"fast\",\"ms\":11},{\"name\":\"slow\",\"ms\":400}]}",
            ),
            ("base.json", BASE),
        ],
    ),
    Tooth::known_bad(
        "an_item_that_is_measured_no_more",
        BASELINE_ITEM_MISSING,
        ITEMS,
        &[
            (
                "a.json",
                "{\"benches\":[{\"name\":\"quick\",\"ms\":10},{\"name\":\"slow\",\"ms\":400}]}",
            ),
            ("base.json", BASE),
        ],
    ),
    Tooth::known_bad(
        "a_number_edited_without_header",
        THRESHOLDS_EDITED,
        FILED,
        &[("a.json", GOOD), ("thresholds.toml", EDITED)],
    ),
    Tooth::known_bad(
        "a_set_of_another_version",
        THRESHOLDS_VERSION_DIFFERS,
        FILED,
        &[("a.json", GOOD), ("thresholds.toml", NEXT)],
    ),
    Tooth::known_bad(
        "a_floor_above_its_ceiling",
        THRESHOLDS_INVALID,
        FILED,
        &[
            ("a.json", GOOD),
            (
                "thresholds.toml",
                "version = 2\neffective = 2026-05-10\nhistory = []\nfloors = { failures = 3 }\nceilings = { failures = 2 }\n",
            ),
        ],
    ),
    Tooth::known_bad(
        "fg37_the_source_does_not_exist",
        crate::artifact_contract::ARTIFACT_MISSING,
        NAMED,
        &[("b.json", GOOD)],
    ),
];
